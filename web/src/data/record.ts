/** The records as `smtpwhy -o json` writes them; docs/record.schema.json describes them exactly. */

export type Outcome = "delivered" | "partial" | "stuck" | "no-mail" | "unknown";
export type Origin = "client" | "server" | "network";
export type Severity = "info" | "low" | "medium" | "high" | "critical";

export interface Peer {
  ip: string | null;
  port: number | null;
  name: string | null;
  name_source: string | null;
  proxied_for?: string | null;
}

export interface Reply {
  code: number | null;
  enhanced: string | null;
  text: string | null;
}

export interface Evidence {
  frame: number | null;
  file?: string;
  time: string | null;
  from: Origin;
  what: string | null;
}

export interface Verdict {
  cause: string;
  stage: string;
  permanence: string;
  actor: string;
  confidence: string;
  summary: string;
  explanation: string;
  advice: string[];
  client_codes: { client: string; code: string }[];
  evidence: Evidence[];
  reply: Reply | null;
  also: { cause: string; confidence: string; frame: number | null }[];
}

export interface Recipient extends Reply {
  address: string;
  outcome: Outcome;
  cause: string | null;
  frame: number | null;
}

export interface Message {
  index: number;
  mail_from: string | null;
  size_declared: number | null;
  size_seen: number | null;
  upload_s: number | null;
  upload_bytes_per_s: number | null;
  recipients: Recipient[];
  final_reply: (Reply & { frame: number | null }) | null;
  outcome: Outcome;
  cause: string | null;
  message_id: string | null;
  subject: string | null;
  header: { from: string | null; date: string | null } | null;
}

export interface Line {
  frame: number | null;
  file?: string;
  t_s: number | null;
  from: Origin;
  verb: string | null;
  argument: string | null;
  code: number | null;
  enhanced: string | null;
  text: string | null;
  delay_s: number | null;
  answers: number | null;
}

export interface Certificate {
  subject: string;
  issuer: string;
  not_before: string | null;
  not_after: string | null;
  names: string[];
  sha256: string;
  problems: string[];
}

export interface Tls {
  version: string | null;
  cipher: string | null;
  sni: string | null;
  ja3: string | null;
  ja4: string | null;
  alerts: {
    from: Origin;
    level: string | null;
    description: string | null;
    frame: number | null;
    encrypted: boolean;
  }[];
  certificates: Certificate[];
  decrypted: boolean;
  resumed: boolean;
}

export interface Pair {
  client: number;
  server: number;
}

export interface Tcp {
  handshake_rtt_s: number | null;
  syn_count: number;
  syn_times_s: number[];
  bytes: Pair;
  packets: Pair;
  retransmissions: Pair;
  spurious_retransmissions: Pair;
  not_captured_bytes: Pair;
  lost_bytes: Pair;
  greeting_delay_s: number | null;
  longest_silence_s: number | null;
  zero_window_s: number | null;
  closed_by: string | null;
  close: string;
  half_closed_by: "client" | "server" | null;
  reset: {
    from: "client" | "server";
    frame: number;
    ttl: number;
    other_ttls: number[];
    sender_went_on: number | null;
  } | null;
  unacknowledged_bytes: number | null;
  icmp: { type: number; code: number; from: string; frame: number | null; ip?: string }[];
}

export interface Attempt extends Reply {
  mechanism: string | null;
  user: string | null;
  result: string;
  encrypted: boolean;
  frame: number | null;
}

export interface Finding {
  id: string;
  severity: Severity;
  summary: string;
  frame: number | null;
  file?: string;
}

export interface SessionRecord {
  type: "session";
  id: string;
  community_id: string | null;
  capture: {
    file: string;
    files: string[];
    first_frame: number | null;
    last_frame: number | null;
    display_filter: string | null;
    tunnel: string | null;
  };
  start: string | null;
  end: string | null;
  duration_s: number | null;
  client: Peer;
  server: Peer;
  protocol: string;
  security: string | null;
  outcome: Outcome;
  verdict: Verdict;
  messages: Message[];
  dialogue: Line[];
  capabilities: { before_tls: Record<string, string> | null; after_tls: Record<string, string> | null };
  auth: { offered: string[]; attempts: Attempt[] } | null;
  tls: Tls | null;
  tcp: Tcp | null;
  capture_quality: { kind: string; count: number }[];
  findings: Finding[];
}

/** One step of the ladder diagram; the program writes the list behind each session. */
export interface Rung {
  kind: string;
  mood: "plain" | "odd" | "bad";
  stage: string;
  from: Origin;
  frame: number | null;
  file?: string;
  last_frame: number | null;
  packets: number | null;
  t_s: number | null;
  lasted_s: number | null;
  code: number | null;
  lost: boolean;
  encrypted: boolean;
  evidence: number | null;
  proves: string | null;
  text: string;
}

export interface LadderRecord {
  type: "ladder";
  session: string;
  cut: boolean;
  rungs: Rung[];
}

export interface DeliveryRecord {
  type: "delivery";
  id: string;
  client: Peer;
  destination: Peer;
  mail_from: string | null;
  recipients: string[];
  attempts: string[];
  outcome: Outcome;
  cause: string | null;
  first_attempt: string | null;
  delivered_at: string | null;
  waited_s: number | null;
  summary: string;
  recovered_by: string | null;
  same_as: string[];
  confidence: string;
}

export interface SummaryRecord {
  type: "summary";
  frames: { read: number; decoded: number; other: number; undecodable: number; filtered: number };
  bytes: number;
  sessions: number;
  deliveries: number;
  by_outcome: Record<Outcome, number>;
  by_cause: Record<string, number>;
  skipped: Record<string, number>;
  limits: Record<string, number>;
  damage: { file: string; offset: number; what: string }[];
  version: string;
  mails: Record<Outcome, number>;
  traffic: { tcp_connections: number; udp_packets: number; dns_packets: number };
}

export interface CauseRecord {
  type: "cause";
  id: string;
  family: string;
  actor: string;
  permanence: string;
  summary: string;
}

export interface FindingWords {
  id: string;
  severity: Severity;
  summary: string;
  meaning: string | null;
  guard: string | null;
  advice: string | null;
  references: string | null;
}

export interface WordsRecord {
  type: "words";
  actors: Record<string, string | null>;
  permanences: Record<string, string | null>;
  findings: FindingWords[];
  version: string;
}

export type AnyRecord =
  | SessionRecord
  | LadderRecord
  | DeliveryRecord
  | SummaryRecord
  | CauseRecord
  | WordsRecord;
