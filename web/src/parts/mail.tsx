import type { Message } from "../data/record";
import { bytes, duration } from "../words";
import { Outcome } from "./outcome";

export function Mail({ message }: { message: Message }) {
  const size = message.size_seen ?? message.size_declared;
  const facts: [string, string | null][] = [
    ["From", message.mail_from === "" ? "<> (a bounce or a check)" : message.mail_from],
    ["Subject", message.subject],
    ["Message-ID", message.message_id],
    ["Date", message.header?.date ?? null],
    ["Size", size === null ? null : `${bytes(size)}${message.size_seen === null ? " announced" : ""}`],
    [
      "Text sent in",
      message.upload_s
        ? `${duration(message.upload_s)}${message.upload_bytes_per_s ? `, ${bytes(message.upload_bytes_per_s)} a second` : ""}`
        : null,
    ],
    [
      "Answer",
      message.final_reply
        ? `${message.final_reply.code} ${message.final_reply.text ?? ""} (frame ${message.final_reply.frame})`
        : null,
    ],
  ];
  return (
    <div class="mail">
      <p>
        <Outcome id={message.outcome} />
      </p>
      <dl class="facts">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="wire">{value}</dd>
            </div>
          ),
        )}
      </dl>
      {message.recipients.length > 0 && (
        <table class="recipients">
          <thead>
            <tr>
              <th scope="col">Recipient</th>
              <th scope="col">Outcome</th>
              <th scope="col">What the server said</th>
            </tr>
          </thead>
          <tbody>
            {message.recipients.map((recipient, i) => (
              <tr key={i}>
                <th scope="row">{recipient.address}</th>
                <td>
                  <Outcome id={recipient.outcome} />
                </td>
                <td class="wire">
                  {recipient.code} {recipient.text}
                  {recipient.frame && <span class="soft"> (frame {recipient.frame})</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
