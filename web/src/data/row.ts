import { exactMs } from "../query/values";
import type { Line, SessionRecord } from "./record";

/** What the table, the counts and the filter know of a session without opening its record. */
export interface Row {
  index: number;
  block: number; // where its record is: the block, and the offset of the line in it
  at: number;
  id: string;
  start: number; // ms since 1970; NaN when it is not known
  duration: number; // s
  silence: number; // s
  outcome: string;
  cause: string;
  stage: string;
  actor: string;
  permanence: string;
  confidence: string;
  summary: string;
  advice: string; // the first step to try
  clientIp: string;
  clientName: string;
  serverIp: string;
  serverName: string;
  port: number;
  sender: string;
  recipients: string;
  subject: string;
  code: number;
  enhanced: string;
  security: string;
  protocol: string;
  file: string;
  findings: string;
  worst: number; // severity of the worst finding, -1 without any
  messages: number;
  text: string; // everything that the search looks through, in small letters
}

export const SEVERITIES = ["info", "low", "medium", "high", "critical"];

const lineText = (line: Line) =>
  `${line.verb ?? ""} ${line.argument ?? ""} ${line.code ?? ""} ${line.text ?? ""}`;

function searchable(record: SessionRecord, row: Row): string {
  const { verdict, tls, auth } = record;
  const parts = [
    row.id,
    row.clientIp,
    row.clientName,
    row.serverIp,
    row.serverName,
    row.cause,
    row.summary,
    row.subject,
    row.file,
    row.findings,
    verdict.reply ? `${verdict.reply.code ?? ""} ${verdict.reply.text ?? ""}` : "",
    ...record.messages.map((message) => message.message_id ?? ""),
    ...(auth?.attempts.map((attempt) => `${attempt.mechanism} ${attempt.user ?? ""}`) ?? []),
    tls ? `${tls.version ?? ""} ${tls.cipher ?? ""} ${tls.sni ?? ""}` : "",
    ...(tls?.certificates.map((c) => `${c.subject} ${c.issuer} ${c.problems.join(" ")}`) ?? []),
    ...record.dialogue.map(lineText),
  ];
  return parts.join("\n").toLowerCase();
}

/** A text that many rows share is kept once. */
function makeIntern() {
  const known = new Map<string, string>();
  return (text: string | null | undefined) => {
    const value = text ?? "";
    const old = known.get(value);
    if (old !== undefined) return old;
    known.set(value, value);
    return value;
  };
}

export function makeRowMaker() {
  const intern = makeIntern();
  return (record: SessionRecord, index: number, place: { block: number; at: number }): Row => {
    const { verdict, client, server } = record;
    const reply = verdict.reply;
    const row: Row = {
      index,
      ...place,
      id: record.id,
      start: exactMs(record.start),
      duration: record.duration_s ?? 0,
      silence: record.tcp?.longest_silence_s ?? 0,
      outcome: intern(record.outcome),
      cause: intern(verdict.cause),
      stage: intern(verdict.stage),
      actor: intern(verdict.actor),
      permanence: intern(verdict.permanence),
      confidence: intern(verdict.confidence),
      summary: intern(verdict.summary),
      advice: intern(verdict.advice[0]),
      clientIp: intern(client.ip),
      clientName: intern(client.name),
      serverIp: intern(server.ip),
      serverName: intern(server.name),
      port: server.port ?? 0,
      sender: intern(record.messages[0]?.mail_from),
      recipients: intern(record.messages.flatMap((m) => m.recipients.map((r) => r.address)).join(", ")),
      subject: intern(
        record.messages
          .map((m) => m.subject ?? "")
          .filter(Boolean)
          .join(" / "),
      ),
      code: reply?.code ?? 0,
      enhanced: intern(reply?.enhanced),
      security: intern(record.security),
      protocol: intern(record.protocol),
      file: intern(record.capture.file),
      findings: intern(record.findings.map((f) => f.id).join(" ")),
      worst: Math.max(-1, ...record.findings.map((f) => SEVERITIES.indexOf(f.severity))),
      messages: record.messages.length,
      text: "",
    };
    row.text = searchable(record, row);
    return row;
  };
}
