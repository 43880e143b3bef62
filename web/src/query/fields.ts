import { type Row, SEVERITIES } from "../data/row";

export type FieldType = "id" | "text" | "number" | "seconds" | "time" | "host";

export interface Field {
  type: FieldType;
  what: string;
  of: (row: Row) => string | number;
  /** A second text that counts as well, e.g. the name of an address. */
  also?: (row: Row) => string;
}

/** The fields with a name of their own. Every other field of the record goes by its path. */
export const FIELDS: Record<string, Field> = {
  outcome: { type: "id", what: "delivered, partial, stuck, no-mail, unknown", of: (r) => r.outcome },
  cause: { type: "id", what: "id of the cause, * for any letters: tls-*", of: (r) => r.cause },
  stage: { type: "id", what: "where it ended: connect, greeting, tls, auth, rcpt, ...", of: (r) => r.stage },
  actor: { type: "id", what: "who must act: sender-client, server-admin, ...", of: (r) => r.actor },
  permanence: { type: "id", what: "temporary, permanent", of: (r) => r.permanence },
  confidence: { type: "id", what: "certain, likely, possible", of: (r) => r.confidence },
  client: {
    type: "host",
    what: "address, network (10.0.0.0/8) or name",
    of: (r) => r.clientIp,
    also: (r) => r.clientName,
  },
  server: {
    type: "host",
    what: "address, network or name",
    of: (r) => r.serverIp,
    also: (r) => r.serverName,
  },
  port: { type: "number", what: "port of the server", of: (r) => r.port },
  from: { type: "text", what: "sender's address", of: (r) => r.sender },
  to: { type: "text", what: "a recipient's address", of: (r) => r.recipients },
  subject: { type: "text", what: "subject of the mail", of: (r) => r.subject },
  code: { type: "number", what: "the reply that decided: 550, code>=500", of: (r) => r.code },
  enhanced: { type: "id", what: "its enhanced code: 5.7.*", of: (r) => r.enhanced },
  start: { type: "time", what: "UTC: start>=2026-11-24T12:00", of: (r) => r.start },
  duration: { type: "seconds", what: "5s, 200ms, 2m", of: (r) => r.duration },
  silence: { type: "seconds", what: "the longest silence", of: (r) => r.silence },
  security: { type: "id", what: "none, starttls, implicit-tls, ...-failed", of: (r) => r.security },
  protocol: { type: "id", what: "smtp, lmtp, ...", of: (r) => r.protocol },
  finding: { type: "id", what: "id of a finding: aud-*", of: (r) => r.findings },
  severity: {
    type: "id",
    what: "of the worst finding: high, critical",
    of: (r) => SEVERITIES[r.worst] ?? "",
  },
  file: { type: "text", what: "name of the capture", of: (r) => r.file },
  id: { type: "id", what: "of the session", of: (r) => r.id },
};

/** Fields of the table's columns by which it can be sorted. */
export const SORTS: Record<string, (row: Row) => string | number> = {
  start: (r) => r.start,
  outcome: (r) => r.outcome,
  cause: (r) => r.cause,
  client: (r) => r.clientName || r.clientIp,
  server: (r) => r.serverName || r.serverIp,
  actor: (r) => r.actor,
  duration: (r) => r.duration,
  stage: (r) => r.stage,
};
