import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, QueryError } from "../src/query/parse";

const field = (name: string, operator: string, values: string[], at = 0) => ({
  kind: "field",
  name,
  operator,
  values,
  at,
});
const word = (text: string) => ({ kind: "word", text });

test("nothing fits everything", () => {
  assert.deepEqual(parse(""), { kind: "all", parts: [] });
  assert.deepEqual(parse("  \t"), { kind: "all", parts: [] });
});

test("words, quoted words, and fields with every operator", () => {
  assert.deepEqual(parse("greylist"), word("greylist"));
  assert.deepEqual(parse('"user unknown"'), word("user unknown"));
  assert.deepEqual(parse('"a \\"b\\" \\\\"'), word('a "b" \\'));
  for (const operator of [":", "=", "!=", "<", "<=", ">", ">="]) {
    assert.deepEqual(parse(`code${operator}550`), field("code", operator, ["550"]));
  }
  assert.deepEqual(parse("tls.version:TLSv1.2"), field("tls.version", ":", ["TLSv1.2"]));
});

test("several values, quoted or not", () => {
  assert.deepEqual(parse('cause:tls-*,"auth-*"'), field("cause", ":", ["tls-*", "auth-*"]));
});

test("an address of IPv6 and a time keep their colons", () => {
  assert.deepEqual(parse("client:2001:db8::1"), field("client", ":", ["2001:db8::1"]));
  assert.deepEqual(parse("start>=2026-11-24T12:00:05"), field("start", ">=", ["2026-11-24T12:00:05"]));
});

test("side by side is and, which may be said", () => {
  const both = { kind: "all", parts: [word("a"), word("b")] };
  assert.deepEqual(parse("a b"), both);
  assert.deepEqual(parse("a AND b"), both);
});

test("or binds less than and; brackets bind most", () => {
  assert.deepEqual(parse("a b or c"), {
    kind: "any",
    parts: [{ kind: "all", parts: [word("a"), word("b")] }, word("c")],
  });
  assert.deepEqual(parse("a (b or c)"), {
    kind: "all",
    parts: [word("a"), { kind: "any", parts: [word("b"), word("c")] }],
  });
});

test("not, in its three forms, and twice", () => {
  const not = { kind: "not", part: word("a") };
  assert.deepEqual(parse("-a"), not);
  assert.deepEqual(parse("!a"), not);
  assert.deepEqual(parse("not a"), not);
  assert.deepEqual(parse("not not a"), word("a"));
  assert.deepEqual(parse("-(a b)"), { kind: "not", part: { kind: "all", parts: [word("a"), word("b")] } });
  assert.deepEqual(parse("rcpt-x"), word("rcpt-x"), "a dash inside a word is part of it");
});

test("what is wrong is said, and where", () => {
  const wrong: [string, RegExp, number][] = [
    ['a "b', /quote/, 2],
    ["a (b", /never closed/, 2],
    ["a) b", /never opened/, 1],
    ["code:", /value/, 5],
    ["code:5,", /value/, 5],
    ["a or", /both sides/, 4],
    ["or a", /both sides/, 4],
    ["a not", /follow/, 5],
  ];
  for (const [query, message, at] of wrong) {
    assert.throws(
      () => parse(query),
      (error) => error instanceof QueryError && message.test(error.message) && error.at === at,
      query,
    );
  }
});

test("depth does not matter", () => {
  const deep = 200_000;
  assert.deepEqual(parse(`${"(".repeat(deep)}a${")".repeat(deep)}`), word("a"));
});
