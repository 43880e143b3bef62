/** How the values of a query are read: times, durations, networks, patterns. */

const PARTS =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?)?)?)?Z?$/;

/** A record's time as ms since 1970, with the fractions of a ms that Date does not have. */
export const exactMs = (text: string | null): number => {
  const span = text ? readTime(text) : null;
  return span ? span.from : Number.NaN;
};

/** A time in UTC, maybe of less than full precision, as the span of ms it means; null if it is none. */
export function readTime(text: string): { from: number; to: number } | null {
  const m = PARTS.exec(text);
  if (!m) return null;
  const [, year, month, day, hour, minute, second, fraction] = m;
  const at = [Number(year), month ? Number(month) - 1 : 0, day ? Number(day) : 1] as const;
  const ms = fraction ? Number(`0.${fraction}`) * 1000 : 0;
  const clock = [Number(hour ?? 0), Number(minute ?? 0), Number(second ?? 0)] as const;
  if (at[1] > 11 || at[2] < 1 || at[2] > 31 || clock[0] > 23 || clock[1] > 59 || clock[2] > 59) return null;
  const from = Date.UTC(...at, ...clock) + ms;
  let to = from;
  if (second) to = from + (fraction ? 10 ** (3 - fraction.length) : 1000);
  else if (minute) to = from + 60_000;
  else if (hour) to = from + 3_600_000;
  else if (day) to = from + 86_400_000;
  else if (month) to = Date.UTC(at[0], at[1] + 1);
  else to = Date.UTC(at[0] + 1, 0);
  return { from, to };
}

/** Seconds: "5", "5s", "200ms", "2m", "1h"; NaN if it is none. */
export function readSeconds(text: string): number {
  const m = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?$/.exec(text);
  if (!m) return Number.NaN;
  const unit = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600 }[m[2] ?? "s"] ?? 1;
  return Number(m[1]) * unit;
}

/** The bits of an address, or null. */
export function addressBits(text: string): string | null {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const bytes = text.split(".").map(Number);
    return bytes.every((b) => b < 256) ? bytes.map((b) => b.toString(2).padStart(8, "0")).join("") : null;
  }
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(":")) return null;
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const read = (half: string) => (half === "" ? [] : half.split(":"));
  const head = read(halves[0] ?? "");
  const tail = read(halves[1] ?? "");
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 0) return null;
  const groups = [...head, ...Array<string>(missing).fill("0"), ...tail];
  if (!groups.every((g) => /^[0-9a-f]{1,4}$/i.test(g))) return null;
  return groups.map((g) => Number.parseInt(g, 16).toString(2).padStart(16, "0")).join("");
}

/** The leading bits that addresses of a network ("10.0.0.0/8") have, or null if it is none. */
export function networkBits(text: string): string | null {
  const [address, length, more] = text.split("/");
  if (length === undefined || more !== undefined || !/^\d{1,3}$/.test(length)) return null;
  const bits = addressBits(address ?? "");
  return bits && Number(length) <= bits.length ? bits.slice(0, Number(length)) : null;
}

/** Does `text` fit a pattern in which * stands for any letters? Both in small letters. */
export function fitsPattern(text: string, pattern: string): boolean {
  const pieces = pattern.split("*");
  if (pieces.length === 1) return text === pattern;
  const first = pieces[0]!;
  const last = pieces[pieces.length - 1]!;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
