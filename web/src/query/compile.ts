import type { SessionRecord } from "../data/record";
import type { Row } from "../data/row";
import { FIELDS, type Field } from "./fields";
import { type Node, type Operator, parse, QueryError } from "./parse";
import { addressBits, fitsPattern, networkBits, readSeconds, readTime } from "./values";

/** A query ready to be asked. `deep`: it has to see the whole record, not only the row. */
export interface Query {
  deep: boolean;
  fits: (row: Row, record: SessionRecord | null) => boolean;
}

type Test = (row: Row, record: SessionRecord | null) => boolean;

const compare = (a: number, operator: Operator, b: number): boolean => {
  switch (operator) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    case "!=":
      return a !== b;
    default:
      return a === b;
  }
};

const isOrder = (operator: Operator) => operator.includes("<") || operator.includes(">");

function timeTest(get: (row: Row) => number, operator: Operator, text: string, at: number): Test {
  const span = readTime(text);
  if (!span) throw new QueryError(`'${text}' is no time; write 2026-11-24 or 2026-11-24T12:00:05`, at);
  const { from, to } = span;
  switch (operator) {
    case "<":
      return (row) => get(row) < from;
    case "<=":
      return (row) => get(row) < to;
    case ">":
      return (row) => get(row) >= to;
    case ">=":
      return (row) => get(row) >= from;
    case "!=":
      return (row) => get(row) < from || get(row) >= to;
    default:
      return (row) => get(row) >= from && get(row) < to;
  }
}

function hostTest(field: Field, value: string): Test {
  const wanted = value.toLowerCase();
  const network = networkBits(value);
  if (network !== null) {
    const length = addressBits(value.split("/")[0]!)!.length;
    return (row) => {
      const bits = addressBits(String(field.of(row)));
      return bits !== null && bits.length === length && bits.startsWith(network);
    };
  }
  const pattern = wanted.includes("*") ? wanted : null;
  return (row) => {
    const ip = String(field.of(row)).toLowerCase();
    const name = (field.also?.(row) ?? "").toLowerCase();
    if (pattern) return fitsPattern(ip, pattern) || fitsPattern(name, pattern);
    // A whole address is that one, and not 10.0.0.11 as well when 10.0.0.1 was asked for.
    return ip === wanted || name.includes(wanted) || (addressBits(wanted) === null && ip.includes(wanted));
  };
}

/** Does one of the texts (in small letters) fit? With ":" a part is enough where it is free text. */
const textFits = (text: string, wanted: string, whole: boolean) =>
  wanted.includes("*")
    ? fitsPattern(text, whole ? wanted : `*${wanted}*`)
    : whole
      ? text === wanted
      : text.includes(wanted);

function fieldTest(field: Field, operator: Operator, value: string, at: number): Test {
  const order = isOrder(operator);
  switch (field.type) {
    case "time":
      return timeTest((row) => Number(field.of(row)), operator, value, at);
    case "number":
    case "seconds": {
      if (field.type === "number" && !order && /^\d[\dx*]*[x*]$/i.test(value)) {
        const pattern = value.toLowerCase().replace(/x/g, "?");
        const regexp = new RegExp(`^${pattern.replace(/\?/g, "\\d").replace(/\*/g, "\\d*")}$`);
        return (row) => regexp.test(String(field.of(row))) === (operator !== "!=");
      }
      const number = field.type === "seconds" ? readSeconds(value) : Number(value);
      if (Number.isNaN(number))
        throw new QueryError(`'${value}' is no ${field.type === "seconds" ? "duration" : "number"}`, at);
      return (row) => compare(Number(field.of(row)), operator, number);
    }
    case "host":
    case "text":
    case "id": {
      if (order) throw new QueryError(`'${operator}' is for numbers and times`, at);
      const wanted = value.toLowerCase();
      let test: Test;
      if (field.type === "host") test = hostTest(field, value);
      else if (field.type === "text") {
        const whole = operator === "=";
        test = (row) => textFits(String(field.of(row)).toLowerCase(), wanted, whole);
      } else {
        // The findings of a session are several ids in one text.
        test = (row) =>
          String(field.of(row))
            .split(" ")
            .some((id) => textFits(id.toLowerCase(), wanted, true));
      }
      return operator === "!=" ? (row, record) => !test(row, record) : test;
    }
  }
}

/** All values at a path of the record; lists are looked through. */
function valuesAt(record: unknown, path: string[]): unknown[] {
  let here: unknown[] = [record];
  for (const key of path) {
    const next: unknown[] = [];
    for (const value of here) {
      for (const item of Array.isArray(value) ? value : [value]) {
        if (item !== null && typeof item === "object" && Object.hasOwn(item, key)) {
          next.push((item as Record<string, unknown>)[key]);
        }
      }
    }
    here = next;
  }
  return here.flatMap((value) => (Array.isArray(value) ? value : [value]));
}

function pathTest(name: string, operator: Operator, value: string, at: number): Test {
  const path = name.split(".");
  const wanted = value.toLowerCase();
  const number = readSeconds(value);
  if (isOrder(operator)) {
    const time = readTime(value);
    if (Number.isNaN(number) && !time) throw new QueryError(`'${value}' cannot be compared`, at);
    return (_row, record) =>
      valuesAt(record, path).some((found) => {
        if (typeof found === "number") return compare(found, operator, number);
        return time !== null && typeof found === "string" && compare(Date.parse(found), operator, time.from);
      });
  }
  const test: Test = (_row, record) =>
    valuesAt(record, path).some((found) => {
      if (found === null) return wanted === "null";
      if (typeof found === "object") return JSON.stringify(found).toLowerCase().includes(wanted);
      return textFits(String(found).toLowerCase(), wanted, operator === "=" || typeof found !== "string");
    });
  return operator === "!=" ? (row, record) => !test(row, record) : test;
}

/** The first keys of a record, so that a misspelt field is not silently nothing. */
const ROOTS = new Set(
  (
    "id community_id capture start end duration_s client server protocol security outcome verdict messages dialogue " +
    "capabilities auth tls tcp capture_quality findings"
  ).split(" "),
);

function compileField(node: Extract<Node, { kind: "field" }>): { deep: boolean; test: Test } {
  const field = FIELDS[node.name];
  const root = node.name.split(".")[0]!;
  if (!field && !ROOTS.has(root)) {
    throw new QueryError(`there is no field '${node.name}'`, node.at);
  }
  const tests = node.values.map((value) =>
    field
      ? fieldTest(field, node.operator, value, node.at)
      : pathTest(node.name, node.operator, value, node.at),
  );
  // a!=x,y: neither of them.
  const test: Test =
    node.operator === "!="
      ? (row, record) => tests.every((t) => t(row, record))
      : (row, record) => tests.some((t) => t(row, record));
  return { deep: !field, test };
}

/** From the leaves up, with a list in place of recursion: parts come before what they are part of. */
function inOrder(root: Node): Node[] {
  const order: Node[] = [];
  const open: Node[] = [root];
  for (let node = open.pop(); node; node = open.pop()) {
    order.push(node);
    if (node.kind === "all" || node.kind === "any") open.push(...node.parts);
    else if (node.kind === "not") open.push(node.part);
  }
  return order.reverse();
}

/** Throws QueryError. */
export function compile(query: string): Query {
  const tests = new Map<Node, Test>();
  let deep = false;
  const root = parse(query);
  for (const node of inOrder(root)) {
    switch (node.kind) {
      case "word": {
        const wanted = node.text.toLowerCase();
        tests.set(node, (row) => row.text.includes(wanted));
        break;
      }
      case "field": {
        const made = compileField(node);
        deep ||= made.deep;
        tests.set(node, made.test);
        break;
      }
      case "not": {
        const inner = tests.get(node.part)!;
        tests.set(node, (row, record) => !inner(row, record));
        break;
      }
      case "all": {
        const parts = node.parts.map((part) => tests.get(part)!);
        tests.set(node, (row, record) => parts.every((t) => t(row, record)));
        break;
      }
      case "any": {
        const parts = node.parts.map((part) => tests.get(part)!);
        tests.set(node, (row, record) => parts.some((t) => t(row, record)));
        break;
      }
    }
  }
  return { deep, fits: tests.get(root)! };
}
