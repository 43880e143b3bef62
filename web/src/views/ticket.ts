import type { SessionRecord } from "../data/record";
import type { Row } from "../data/row";
import type { Store } from "../data/store";
import { exactTime, hostPort, outcomeLabel, time } from "../words";

/** A session as text to paste into a ticket or a mail. */
export function asTicket(record: SessionRecord, store: Store): string {
  const { verdict, client, server, capture } = record;
  const end = (peer: typeof client) =>
    `${peer.ip ? hostPort(peer.ip, peer.port ?? 0) : ""}${peer.name ? ` (${peer.name})` : ""}`.trim();
  const again = store.words?.permanences[verdict.permanence];
  const lines = [
    `${outcomeLabel(record.outcome)}: ${verdict.summary}`,
    "",
    `When: ${exactTime(record.start)}`,
    `Client: ${end(client)}`,
    `Server: ${end(server)}`,
  ];
  if (verdict.actor !== "none")
    lines.push(`Who must act: ${store.words?.actors[verdict.actor] ?? verdict.actor}`);
  if (again) lines.push(`Trying again: ${again}`);
  if (verdict.reply) lines.push(`The server said: ${verdict.reply.code} ${verdict.reply.text ?? ""}`);
  lines.push(`Cause: ${verdict.cause} (${verdict.confidence})`);
  if (verdict.advice.length > 0) {
    lines.push("", "What to do:", ...verdict.advice.map((step, i) => `${i + 1}. ${step}`));
  }
  lines.push("", "What was seen:", verdict.explanation, "");
  const frames = verdict.evidence.flatMap(({ frame, what }) =>
    frame ? [`${frame}${what ? ` (${what})` : ""}`] : [],
  );
  if (frames.length > 0) lines.push(`Evidence, frames of ${capture.file}: ${frames.join(", ")}`);
  if (capture.display_filter) lines.push(`In Wireshark: ${capture.display_filter}`);
  return `${lines.join("\n")}\n`;
}

const HEADS = [
  "start",
  "outcome",
  "cause",
  "summary",
  "client",
  "server",
  "port",
  "from",
  "to",
  "subject",
  "reply",
  "id",
];

/** The list as a table that a spreadsheet takes; no cell is taken for a formula there. */
export function asTable(rows: Row[]): string {
  const cell = (text: string) => {
    const plain = text.replace(/\s+/g, " ");
    return /^[=+\-@]/.test(plain) ? `'${plain}` : plain;
  };
  const line = (row: Row) =>
    [
      time(row.start),
      row.outcome,
      row.cause,
      row.summary,
      row.clientName || row.clientIp,
      row.serverName || row.serverIp,
      String(row.port || ""),
      row.sender,
      row.recipients,
      row.subject,
      row.code ? `${row.code} ${row.enhanced}`.trim() : "",
      row.id,
    ]
      .map(cell)
      .join("\t");
  return `${[HEADS.join("\t"), ...rows.map(line)].join("\n")}\n`;
}
