/** Changes to a query that buttons and menus make: the text stays the one truth. */

const quote = (value: string) =>
  /[\s,()"\\]/.test(value) || value === "" ? `"${value.replace(/["\\]/g, "\\$&")}"` : value;

const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

const termOf = (name: string, operator: string) =>
  new RegExp(
    `(^|\\s)${escapeRegExp(name)}${escapeRegExp(operator)}("(?:[^"\\\\]|\\\\.)*"|[^\\s()]*)(?=\\s|$)`,
    "i",
  );

/** `field:value`; of a list, one of them. */
export const term = (name: string, value: string | string[], operator = ":") =>
  `${name}${operator}${Array.isArray(value) ? value.map(quote).join(",") : quote(value)}`;

/** The query with this term in place of the one of the same field; an empty value takes it out. */
export function withTerm(query: string, name: string, value: string | string[], operator = ":"): string {
  const old = termOf(name, operator);
  const next = value.length === 0 ? "" : term(name, value, operator);
  const text = old.test(query)
    ? query.replace(old, (_all, before: string) => before + next)
    : `${query} ${next}`;
  return text.replace(/\s+/g, " ").trim();
}

/** The value of a field's term, "" when there is none. */
export function readTerm(query: string, name: string, operator = ":"): string {
  const found = termOf(name, operator).exec(query)?.[2] ?? "";
  return found.startsWith('"') ? found.slice(1, -1).replace(/\\(.)/g, "$1") : found;
}
