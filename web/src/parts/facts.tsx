import type { Pair, SessionRecord, Tcp } from "../data/record";
import { bytes, count, duration, exactTime, number } from "../words";
import { Copy } from "./copy";

const CLOSE: Record<string, string> = {
  fin: "in order (FIN)",
  rst: "cut off (RST)",
  timeout: "given up after silence",
  icmp: "by an ICMP error",
  open: "still open when the capture ended",
};

type Fact = [name: string, value: string | null, copy?: boolean];

/** When the connection was asked for, where once was not enough. */
function asked({ syn_count: times, syn_times_s: at }: Tcp): string | null {
  if (times < 2) return null;
  const clock = at.map((s) => (s === 0 ? "at once" : `after ${duration(s)}`)).join(", ");
  return `${times} requests: ${clock}${at.length < times ? " and later" : ""}`;
}

function again({ retransmissions: all, spurious_retransmissions: idle }: Tcp): string | null {
  if (all.client + all.server === 0) return null;
  const needless = idle.client + idle.server;
  const text = `${number(all.client)} segments by the client, ${number(all.server)} by the server`;
  return needless > 0 ? `${text}; ${number(needless)} of them had arrived before` : text;
}

const both = ({ client, server }: Pair) =>
  [client > 0 ? `${bytes(client)} from the client` : "", server > 0 ? `${bytes(server)} from the server` : ""]
    .filter(Boolean)
    .join(", ");

function missing(pair: Pair, what: string): string | null {
  const text = both(pair);
  return text && `${text}: ${what}`;
}

/** What speaks against the one in whose name the connection was cut. */
function reset({ reset: rst }: Tcp): string | null {
  if (!rst) return null;
  const [least, most] = [rst.other_ttls[0], rst.other_ttls[rst.other_ttls.length - 1]];
  const strange = least !== undefined && most !== undefined && (rst.ttl < least || rst.ttl > most);
  if (!strange && !rst.sender_went_on) return null;
  const range = least === most ? `${least}` : `${least} to ${most}`;
  return [
    `in the name of the ${rst.from}, frame ${rst.frame}`,
    strange ? `TTL ${rst.ttl}, while its other packets have ${range}: perhaps another device sent it` : "",
    rst.sender_went_on
      ? `the ${rst.from} goes on in frame ${rst.sender_went_on} as if it had not sent it`
      : "",
  ]
    .filter(Boolean)
    .join("; ");
}

function tcpFacts(tcp: Tcp): Fact[] {
  const { bytes: size, packets } = tcp;
  const closed = `${CLOSE[tcp.close] ?? tcp.close}${tcp.closed_by ? `, by the ${tcp.closed_by}` : ""}`;
  return [
    ["Connecting", asked(tcp)],
    ["Round trip", duration(tcp.handshake_rtt_s) || null],
    ["Greeting after", duration(tcp.greeting_delay_s) || null],
    ["Longest silence", duration(tcp.longest_silence_s) || null],
    ["Client sent", `${bytes(size.client)} in ${count(packets.client, "packet")}`],
    ["Server sent", `${bytes(size.server)} in ${count(packets.server, "packet")}`],
    ["Sent again", again(tcp)],
    ["Lost on the way", missing(tcp.lost_bytes, "what came behind them arrived, they never did")],
    [
      "Not in the capture",
      missing(tcp.not_captured_bytes, "the other side has them, the recording does not"),
    ],
    ["Not acknowledged", tcp.unacknowledged_bytes ? bytes(tcp.unacknowledged_bytes) : null],
    ["Window closed for", tcp.zero_window_s ? duration(tcp.zero_window_s) : null],
    [
      "Half closed",
      tcp.half_closed_by &&
        `the ${tcp.half_closed_by} had nothing more to say, while the other side still sent`,
    ],
    ["Closed", closed],
    ["The reset", reset(tcp)],
  ];
}

function evidenceFilter(record: SessionRecord): string | null {
  const frames = [...new Set(record.verdict.evidence.flatMap(({ frame }) => (frame ? [frame] : [])))];
  // In a series of files a number alone is not enough.
  if (frames.length === 0 || record.capture.files.length > 1) return null;
  return `frame.number in {${frames.sort((a, b) => a - b).join(",")}}`;
}

export function Facts({ record }: { record: SessionRecord }) {
  const { capture, client, server, tcp } = record;
  const end = (peer: typeof client) =>
    [
      peer.ip,
      peer.port ? `port ${peer.port}` : "",
      peer.name ? `(${peer.name}, from ${peer.name_source})` : "",
    ]
      .filter(Boolean)
      .join(" ");
  const facts: Fact[] = [
    ["Client", end(client)],
    ["For", client.proxied_for ?? null],
    ["Server", end(server) || null],
    ["Began", exactTime(record.start)],
    ["Lasted", duration(record.duration_s)],
    ["Protocol", record.protocol],
    ...(tcp ? tcpFacts(tcp) : []),
    ["Capture", capture.files.length > 0 ? capture.files.join(", ") : capture.file],
    ["Frames", capture.first_frame ? `${capture.first_frame} to ${capture.last_frame}` : null],
    ["Tunnel", capture.tunnel],
    ["In Wireshark", capture.display_filter, true],
    ["The evidence", evidenceFilter(record), true],
    ["Session id", record.id],
    ["Community ID", record.community_id],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value, copy]) =>
        value ? (
          <div key={name}>
            <dt>{name}</dt>
            <dd class={copy ? "wire" : ""}>
              {copy ? <code>{value}</code> : value}{" "}
              {copy && <Copy text={value} what={`the filter: ${name}`} />}
            </dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}
