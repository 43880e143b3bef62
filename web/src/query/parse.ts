/**
 * The language of the filter:
 *
 *   outcome:stuck server:mx.example.org        both must hold
 *   cause:tls-*,auth-*                         one of them
 *   -actor:middlebox   not code:550            must not hold
 *   duration>5s   start>=2026-11-24T12:00      numbers and times are compared
 *   (code:421 or code:450) greylist            groups; a word without a field is looked for everywhere
 *   "user unknown"                             so is a text in quotes
 *
 * No recursion: a query is read with a stack of its own, so that its depth cannot matter.
 */
export type Operator = ":" | "=" | "!=" | "<" | "<=" | ">" | ">=";

export type Node =
  | { kind: "all"; parts: Node[] }
  | { kind: "any"; parts: Node[] }
  | { kind: "not"; part: Node }
  | { kind: "word"; text: string }
  | { kind: "field"; name: string; operator: Operator; values: string[]; at: number };

export class QueryError extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

type Token =
  | { kind: "open" | "close" | "or" | "not"; at: number }
  | { kind: "word"; text: string; at: number }
  | { kind: "field"; name: string; operator: Operator; values: string[]; at: number };

const FIELD = /^([A-Za-z][\w.]*)(:|!=|<=|>=|=|<|>)/;

/** A quoted text from `at` on (where the quote stands): the text, and where it ends. */
function quoted(query: string, at: number): { text: string; end: number } {
  let text = "";
  for (let i = at + 1; i < query.length; i++) {
    const c = query[i]!;
    if (c === '"') return { text, end: i + 1 };
    if (c === "\\" && i + 1 < query.length) text += query[++i];
    else text += c;
  }
  throw new QueryError("the closing quote is missing", at);
}

/** The values behind an operator, separated by commas. */
function values(query: string, at: number): { list: string[]; end: number } {
  const list: string[] = [];
  let i = at;
  for (;;) {
    if (query[i] === '"') {
      const { text, end } = quoted(query, i);
      list.push(text);
      i = end;
    } else {
      const from = i;
      while (i < query.length && !/[\s,()]/.test(query[i]!)) i++;
      list.push(query.slice(from, i));
    }
    if (query[i] !== ",") break;
    i++;
  }
  if (list.some((value) => value === "")) throw new QueryError("a value is missing", at);
  return { list, end: i };
}

function tokens(query: string): Token[] {
  const out: Token[] = [];
  let i = 0;
  while (i < query.length) {
    const c = query[i]!;
    const at = i;
    if (/\s/.test(c)) {
      i++;
    } else if (c === "(" || c === ")") {
      out.push({ kind: c === "(" ? "open" : "close", at });
      i++;
    } else if ((c === "-" || c === "!") && /\S/.test(query[i + 1] ?? " ")) {
      out.push({ kind: "not", at });
      i++;
    } else if (c === '"') {
      const { text, end } = quoted(query, i);
      out.push({ kind: "word", text, at });
      i = end;
    } else {
      const field = FIELD.exec(query.slice(i));
      if (field) {
        const { list, end } = values(query, i + field[0].length);
        const name = field[1]!;
        out.push({ kind: "field", name, operator: field[2] as Operator, values: list, at });
        i = end;
        continue;
      }
      while (i < query.length && !/[\s()]/.test(query[i]!)) i++;
      const text = query.slice(at, i);
      if (/^or$/i.test(text)) out.push({ kind: "or", at });
      else if (/^not$/i.test(text)) out.push({ kind: "not", at });
      else if (!/^and$/i.test(text)) out.push({ kind: "word", text, at });
    }
  }
  return out;
}

/** What is open while a group is read: alternatives, the last of which is still growing. */
interface Group {
  alternatives: Node[][];
  negate: boolean[]; // pending "not" in front of the next part
  outer: boolean; // whether the group itself was negated
  at: number;
}

const newGroup = (at: number, outer = false): Group => ({ alternatives: [[]], negate: [], outer, at });

function closeGroup(group: Group, at: number): Node {
  if (group.negate.length > 0) throw new QueryError("something has to follow 'not'", at);
  if (group.alternatives.some((parts) => parts.length === 0) && group.alternatives.length > 1) {
    throw new QueryError("something has to stand on both sides of 'or'", at);
  }
  const parts = group.alternatives.map(
    (list): Node => (list.length === 1 ? list[0]! : { kind: "all", parts: list }),
  );
  const node: Node = parts.length === 1 ? parts[0]! : { kind: "any", parts };
  return group.outer ? { kind: "not", part: node } : node;
}

function put(group: Group, node: Node) {
  const negated = group.negate.length % 2 === 1;
  group.negate = [];
  group.alternatives[group.alternatives.length - 1]!.push(negated ? { kind: "not", part: node } : node);
}

/** Reads a query; an empty one is { kind: "all", parts: [] }, which everything fits. Throws QueryError. */
export function parse(query: string): Node {
  const stack: Group[] = [newGroup(0)];
  for (const token of tokens(query)) {
    const group = stack[stack.length - 1]!;
    switch (token.kind) {
      case "open": {
        const outer = group.negate.length % 2 === 1;
        group.negate = [];
        stack.push(newGroup(token.at, outer));
        break;
      }
      case "close":
        if (stack.length === 1) throw new QueryError("this bracket was never opened", token.at);
        stack.pop();
        put(stack[stack.length - 1]!, closeGroup(group, token.at));
        break;
      case "or":
        if (group.negate.length > 0) throw new QueryError("something has to follow 'not'", token.at);
        group.alternatives.push([]);
        break;
      case "not":
        group.negate.push(true);
        break;
      case "word":
        put(group, { kind: "word", text: token.text });
        break;
      case "field":
        put(group, token);
        break;
    }
  }
  const last = stack.pop()!;
  if (stack.length > 0) throw new QueryError("this bracket is never closed", last.at);
  return closeGroup(last, query.length);
}
