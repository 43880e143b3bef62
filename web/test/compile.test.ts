import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionRecord } from "../src/data/record";
import { compile } from "../src/query/compile";
import { QueryError } from "../src/query/parse";
import { row } from "./rows";

const fits = (query: string, some = {}, record: object | null = null) =>
  compile(query).fits(row(some), record as SessionRecord | null);

function all(truths: Record<string, boolean>, some = {}) {
  for (const [query, truth] of Object.entries(truths)) assert.equal(fits(query, some), truth, query);
}

test("ids are whole, but for *", () => {
  all({
    "outcome:stuck": true,
    "outcome:STUCK": true,
    "outcome:stu": false,
    "outcome:partial,stuck": true,
    "outcome!=stuck": false,
    "outcome!=partial,unknown": true,
    "cause:rcpt-*": true,
    "cause:*-denied": true,
    "cause:*relay*": true,
    "cause:tls-*": false,
    "enhanced:5.7.*": true,
    "finding:aud-vrfy": true,
    "finding:aud-v": false,
    "finding:aud-*": true,
    "severity:high": true,
    "severity:critical": false,
  });
});

test("texts by a part, or whole with =", () => {
  all({
    "from:anna": true,
    "from=anna": false,
    "from=anna@example.net": true,
    "to:eve@": true,
    'subject:"hello (again)"': true,
    "subject:hel*gain": true,
    'file:"a b"': true,
    "file:b.pcapng": false,
  });
});

test("hosts by address, by network, by a part of the name", () => {
  all({
    "client:192.0.2.10": true,
    "client:192.0.2.1": false,
    "client:192.0.2.": true,
    "client:192.0.2.0/24": true,
    "client:192.0.3.0/24": false,
    "client:0.0.0.0/0": true,
    "server:example.org": true,
    "server:mx.*": true,
    "server:198.51.100.25": true,
    "server:other": false,
    "client:2001:db8::/32": false,
  });
  assert.ok(fits("client:2001:db8::/32", { clientIp: "2001:db8::10" }));
  assert.ok(fits("client:2001:db8::10", { clientIp: "2001:db8::10" }));
  assert.ok(!fits("client:0.0.0.0/0", { clientIp: "2001:db8::10" }));
});

test("numbers and durations are compared", () => {
  all({
    "code:550": true,
    "code:5xx": true,
    "code:4xx": false,
    "code>=500 code<600": true,
    "code!=550": false,
    "port:587,465": true,
    "duration>4s": true,
    "duration>4200ms": false,
    "duration>=4200ms": true,
    "duration<1m": true,
    "silence:3": true,
  });
});

test("times of less than full precision are a span", () => {
  all({
    "start:2026-11-24": true,
    "start:2026-11-25": false,
    "start:2026-11": true,
    "start:2026-11-24T12:13": true,
    "start>=2026-11-24T12:13:08": true,
    "start>2026-11-24": false,
    "start<=2026-11-24": true,
    "start<2026-11-24T12:13:08.5Z": true,
    "start<2026-11-24T12:13:08": false,
  });
});

test("words look through what was said, in any case", () => {
  all({ Relaying: true, '"RELAYING DENIED"': true, "-greylist": true, greylist: false });
});

test("and, or, not, brackets", () => {
  all({
    "outcome:stuck code:550": true,
    "outcome:stuck code:421": false,
    "code:421 or code:550": true,
    "outcome:stuck (code:421 or relaying)": true,
    "-(outcome:stuck code:550)": false,
    "not code:421": true,
  });
});

test("every other field of the record by its path", () => {
  const record = {
    tls: { version: "TLSv1.2", certificates: [{ problems: ["certificate-expired"] }, { problems: [] }] },
    tcp: { close: "rst", syn_count: 3, zero_window_s: null },
    auth: null,
  };
  const truths: Record<string, boolean> = {
    "tls.version:1.2": true,
    "tls.version=1.2": false,
    "tls.version=TLSv1.2": true,
    "tls.certificates.problems:*expired*": true,
    "tls.certificates.problems:weak-key": false,
    "tcp.syn_count>2": true,
    "tcp.syn_count:3": true,
    "tcp.close:rst,fin": true,
    "tcp.zero_window_s:null": true,
    "auth:null": true,
    "auth.attempts.mechanism:PLAIN": false,
    "tcp.close!=rst": false,
  };
  for (const [query, truth] of Object.entries(truths)) {
    assert.ok(compile(query).deep, query);
    assert.equal(fits(query, {}, record), truth, query);
  }
  assert.ok(!compile("outcome:stuck").deep);
  assert.ok(compile("outcome:stuck or -tls.version:1.3").deep);
});

test("what cannot be meant is said", () => {
  for (const query of [
    "colour:red",
    "code:many",
    "duration>soon",
    "start:yesterday",
    "start>=2026-13-01",
    "outcome>stuck",
  ]) {
    assert.throws(() => compile(query), QueryError, query);
  }
});
