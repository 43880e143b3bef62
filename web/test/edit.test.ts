import assert from "node:assert/strict";
import { test } from "node:test";
import { readTerm, term, withTerm } from "../src/query/edit";

test("a menu adds its term, changes it, and takes it out", () => {
  assert.equal(withTerm("", "outcome", "stuck"), "outcome:stuck");
  assert.equal(withTerm("outcome:stuck relay", "outcome", "partial"), "outcome:partial relay");
  assert.equal(withTerm("relay outcome:stuck code:550", "outcome", ""), "relay code:550");
  assert.equal(withTerm("relay", "outcome", ""), "relay");
});

test("only the same field with the same operator is changed", () => {
  assert.equal(withTerm("start>=2026", "start", "2027", "<"), "start>=2026 start<2027");
  assert.equal(withTerm("xcause:a", "cause", "b"), "xcause:a cause:b");
});

test("values are quoted where they must be, and read back", () => {
  for (const value of ["plain", "two words", 'a "b" \\', "a,b", "(x)"]) {
    const query = withTerm("code:550", "subject", value);
    assert.equal(readTerm(query, "subject"), value, query);
    assert.equal(withTerm(query, "subject", ""), "code:550");
  }
  assert.equal(term("server", "mx.example.org"), "server:mx.example.org");
  assert.equal(readTerm("code:550", "subject"), "");
});

test("several values of a menu are no text", () => {
  assert.equal(withTerm("outcome:stuck", "outcome", ["stuck", "partial"]), "outcome:stuck,partial");
  assert.equal(readTerm("outcome:stuck,partial", "outcome"), "stuck,partial");
});

test("a $ in a value is a $", () => {
  assert.equal(withTerm("subject:x", "subject", "$&$1"), "subject:$&$1");
});
