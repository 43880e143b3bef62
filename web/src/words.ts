/** The fixed words of the page. What ids mean comes from the program, with the records. */

export interface OutcomeWords {
  id: string;
  label: string;
  what: string;
}

export const OUTCOMES: OutcomeWords[] = [
  { id: "stuck", label: "Stuck", what: "nothing was accepted: the mail stayed in the outbox or came back" },
  { id: "partial", label: "Partly delivered", what: "some of it was accepted and some was not" },
  { id: "unknown", label: "Unknown", what: "the capture does not show enough to tell" },
  { id: "delivered", label: "Delivered", what: "every mail was accepted for every recipient" },
  { id: "no-mail", label: "No mail", what: "no mail was handed over and nothing prevented it" },
];

export const outcomeLabel = (id: string) => OUTCOMES.find((outcome) => outcome.id === id)?.label ?? id;

/** The stages of a dialogue in their order, with the heads of the matrix. */
export const STAGES: { id: string; label: string; long: string }[] = [
  { id: "dns", label: "DNS", long: "looking up the name" },
  { id: "route", label: "Route", long: "the way to the server" },
  { id: "connect", label: "TCP", long: "the connection" },
  { id: "greeting", label: "Greeting", long: "the server's greeting" },
  { id: "hello", label: "EHLO", long: "the introduction" },
  { id: "starttls", label: "STARTTLS", long: "asking for encryption" },
  { id: "tls", label: "TLS", long: "encryption" },
  { id: "auth", label: "AUTH", long: "the login" },
  { id: "mail", label: "MAIL", long: "the sender" },
  { id: "rcpt", label: "RCPT", long: "the recipients" },
  { id: "data", label: "DATA", long: "asking to send the text" },
  { id: "body", label: "Text", long: "the text of the mail" },
  { id: "final", label: "Accept", long: "the answer to the whole mail" },
  { id: "quit", label: "QUIT", long: "the goodbye" },
];

export const stageWords = (id: string) => STAGES.find((stage) => stage.id === id)?.long ?? id;

export const CONFIDENCE: Record<string, string> = {
  certain: "the packets prove it",
  likely: "the usual reading of what was seen",
  possible: "one of several readings",
};

export const QUALITY: Record<string, string> = {
  "starts-midstream": "the capture began when the session was under way",
  "one-sided": "only one direction was captured",
  gaps: "packets are missing in the capture",
  "snaplen-cut": "packets were cut short when they were captured",
  reordered: "packets are out of order in the capture",
  duplicated: "packets are in the capture twice",
  "ends-open": "the capture ended before the session did",
  "vlan-asymmetric": "the two directions are on different VLANs",
  "limits-hit": "a limit of the program was reached",
};

export const SEVERITY_LABEL: Record<string, string> = {
  critical: "Critical",
  high: "High",
  medium: "Medium",
  low: "Low",
  info: "Note",
};

/** "1 session", "2 sessions", "1,234 sessions" */
export const count = (n: number, one: string, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

export const number = (n: number) => n.toLocaleString("en-US");

export const percent = (part: number, whole: number) => {
  if (whole === 0) return "0 %";
  const share = (100 * part) / whole;
  return share > 0 && share < 1 ? "< 1 %" : `${Math.round(share)} %`;
};

/** As the text report says it: 0.3 ms, 41 ms, 3.2 s, 4 min 12 s. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "";
  if (seconds < 0.001) return `${(seconds * 1000).toFixed(seconds < 0.0001 ? 2 : 1)} ms`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = n / 1000;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** 2026-11-24 12:13:08, in UTC as everything here. */
export function time(ms: number): string {
  return Number.isNaN(ms) ? "" : new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}

/** The same of a record's own text, which may be finer than a millisecond. */
export const exactTime = (text: string | null) => (text ? text.replace("T", " ").replace("Z", " UTC") : "");

/** A span of time without saying the day twice. */
export function span(from: number, to: number): string {
  const a = time(from);
  const b = time(to);
  if (a === b) return `${a} UTC`;
  return a.slice(0, 10) === b.slice(0, 10) ? `${a} to ${b.slice(11)} UTC` : `${a} to ${b} UTC`;
}

/** What a sentence says beyond what its outcome says already: for lists in which all begin alike. */
export function reason(summary: string): string {
  const rest = /^The mail was not sent(?: yet)? because (.+)$/s.exec(summary)?.[1];
  if (!rest) return summary;
  // The name of a host stays as it is written.
  return /^\S+\.\S/.test(rest) ? rest : rest[0]!.toUpperCase() + rest.slice(1);
}

export const firstSentence = (text: string) => /^.+?\.(?=\s+[A-Z])/s.exec(text)?.[0] ?? text;

export const hostPort = (ip: string, port: number) =>
  port ? (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`) : ip;
