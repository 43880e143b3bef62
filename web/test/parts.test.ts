import assert from "node:assert/strict";
import { test } from "node:test";
import { bin, countBy, extent, groupBy, largest } from "../src/data/counts";
import type { LadderRecord, Line, Rung } from "../src/data/record";
import { wireLines } from "../src/parts/dialogue";
import { total, waits } from "../src/parts/waits";
import { sorted } from "../src/query/run";
import { linkTo, readRoute } from "../src/route";
import { sentence } from "../src/views/headline";
import { readStep } from "../src/views/step";
import { bytes, count, duration, firstSentence, hostPort, percent, reason, span } from "../src/words";
import { row } from "./rows";

test("the sentence above everything", () => {
  const none = { delivered: 0, partial: 0, stuck: 0, "no-mail": 0, unknown: 0 };
  const said = (some: object, noun = "mail") => sentence({ ...none, ...some }, noun);
  assert.equal(said({ "no-mail": 3 }), "Nobody tried to send a mail.");
  assert.equal(said({ stuck: 1 }), "The only mail did not leave the outbox.");
  assert.equal(said({ stuck: 2, delivered: 3, "no-mail": 9 }), "2 of 5 mails did not leave the outbox.");
  assert.equal(said({ stuck: 2, delivered: 3 }, "session"), "2 of 5 sessions left mail in the outbox.");
  assert.equal(said({ partial: 1 }), "The only mail reached some of its recipients and not the others.");
  assert.equal(said({ partial: 1, delivered: 1 }), "1 of 2 mails was accepted only in part.");
  assert.equal(said({ unknown: 2 }), "What became of 2 mails cannot be seen in this capture.");
  assert.equal(
    said({ unknown: 1, delivered: 2 }),
    "No mail is seen to be stuck; what became of 1 of 3 mails cannot be seen.",
  );
  assert.equal(said({ delivered: 1 }), "The only mail was delivered.");
  assert.equal(said({ delivered: 1234 }), "All 1,234 mails were delivered.");
});

test("numbers and times for people", () => {
  assert.equal(count(1, "session"), "1 session");
  assert.equal(count(1000, "session"), "1,000 sessions");
  assert.equal(percent(1, 1000), "< 1 %");
  assert.equal(percent(0, 0), "0 %");
  const durations: [number, string][] = [
    [0.00002, "0.02 ms"],
    [0.0003, "0.3 ms"],
    [0.041, "41 ms"],
    [3.2, "3.2 s"],
    [252, "4 min 12 s"],
    [7260, "2 h 1 min"],
  ];
  for (const [seconds, text] of durations) assert.equal(duration(seconds), text);
  assert.equal(duration(null), "");
  assert.equal(bytes(999), "999 B");
  assert.equal(bytes(1_701_097), "1.7 MB");
  assert.equal(hostPort("2001:db8::1", 25), "[2001:db8::1]:25");
  assert.equal(hostPort("192.0.2.1", 0), "192.0.2.1");
  const at = Date.UTC(2026, 10, 24, 12);
  assert.equal(span(at, at + 5000), "2026-11-24 12:00:00 to 12:00:05 UTC");
});

test("sentences are shortened without changing what they say", () => {
  assert.equal(reason("The mail was not sent because the name does not exist."), "The name does not exist.");
  assert.equal(reason("The mail was not sent yet because it waits."), "It waits.");
  assert.equal(reason("The mail was not sent because mx.example.org said no."), "mx.example.org said no.");
  assert.equal(reason("The mail was accepted."), "The mail was accepted.");
  assert.equal(firstSentence("Do this. Outlook: then that."), "Do this.");
  assert.equal(
    firstSentence("Use port 587 (see RFC 8314), e.g. with TLS"),
    "Use port 587 (see RFC 8314), e.g. with TLS",
  );
});

test("a link leads back to where it was made", () => {
  const route = { view: "session", id: "00aa", query: 'from:"a b" & #?', sort: "-start" } as const;
  assert.deepEqual(readRoute(linkTo(route)), route);
  assert.equal(linkTo({ view: "overview" }), "#/");
  assert.equal(readRoute("").view, "overview");
  assert.equal(readRoute("#/nonsense/x").view, "overview");
});

test("the fragment's own question marks survive", () => {
  assert.equal(readRoute("#/sessions?q=a%3Fb").query, "a?b");
});

test("sorting keeps the order of equals, both ways", () => {
  const rows = [3, 1, 1, 2].map((d, index) => row({ duration: d, index }));
  const indexes = (sort: string) => sorted(rows, sort).map((r) => r.index);
  assert.deepEqual(indexes("duration"), [1, 2, 3, 0]);
  assert.deepEqual(indexes("-duration"), [0, 3, 1, 2]);
  assert.deepEqual(indexes("nonsense"), [0, 1, 2, 3]);
});

test("groups: the worst first, successes are no failures", () => {
  const rows = [
    row({ serverName: "a", outcome: "delivered", cause: "ok-delivered" }),
    row({ serverName: "a", outcome: "stuck" }),
    row({ serverName: "b", outcome: "stuck" }),
    row({ serverName: "b", outcome: "partial", cause: "rcpt-partial" }),
    row({ serverName: "" }),
  ];
  const groups = groupBy(rows, (r) => r.serverName);
  assert.deepEqual(
    groups.map(({ key, rows: n, bad, delivered }) => [key, n, bad, delivered]),
    [
      ["b", 2, 2, 0],
      ["a", 2, 1, 1],
    ],
  );
  assert.deepEqual([...groups[1]!.causes], [["rcpt-relay-denied", 1]]);
  assert.deepEqual(largest(countBy(rows, (r) => r.outcome))[0], ["stuck", 3]);
});

test("bins hold every session once, whatever the span", () => {
  for (const spanMs of [0, 1, 999, 60_000, 86_400_000 * 400]) {
    const rows = Array.from({ length: 101 }, (_, i) =>
      row({ start: 1_700_000_000_123 + (spanMs * i) / 100 }),
    );
    const bins = bin(rows, (r) => r.outcome, 60)!;
    assert.ok(bins.starts.length <= 62, `${spanMs}: ${bins.starts.length}`);
    assert.equal(
      bins.counts.get("stuck")!.reduce((a, b) => a + b),
      101,
    );
  }
  assert.equal(
    bin([row({ start: Number.NaN })], (r) => r.outcome, 60),
    null,
  );
  assert.equal(extent([]), null);
});

test("a reply's lines have its code, a client's its words", () => {
  const line = { text: null, code: null, verb: null, argument: null } as unknown as Line;
  assert.deepEqual(wireLines({ ...line, from: "server", code: 250, text: "a\nb" }), ["250-a", "250 b"]);
  assert.deepEqual(wireLines({ ...line, from: "client", verb: "AUTH", argument: "PLAIN ***" }), [
    "AUTH PLAIN ***",
  ]);
  assert.deepEqual(wireLines({ ...line, from: "client", verb: "(auth)", argument: null }), ["***"]);
});

test("time is laid at the door of whoever was waited for, once", () => {
  const rung = (some: Partial<Rung>): Rung =>
    ({ kind: "reply", from: "server", t_s: 0, lasted_s: 0, text: "", ...some }) as Rung;
  const ladder = {
    rungs: [
      rung({ from: "client", t_s: 0 }),
      rung({ from: "server", t_s: 2 }),
      rung({ kind: "silence", from: "client", t_s: 2, lasted_s: 5 }),
      rung({ from: "client", t_s: 7 }),
      rung({ from: "server", t_s: 6.5 }), // out of order: takes no time twice
      rung({ kind: "note", t_s: null }),
    ],
  } as LadderRecord;
  const list = waits(ladder, 8);
  assert.equal(total(list, "server"), 2);
  assert.equal(total(list, "client"), 5);
  assert.equal(total(list, "network"), 1);
  assert.equal(
    list.reduce((sum, wait) => sum + wait.to - wait.from, 0),
    8,
  );
});

test("advice: the places in mail programs are a list, and nothing is lost where they are not", () => {
  const menus = "Switch it on. Windows Live Mail: Tools > Accounts; Apple Mail: Mail > Settings, then Save.";
  assert.deepEqual(readStep(menus), {
    first: "Switch it on.",
    rest: "",
    places: [
      { program: "Windows Live Mail", way: "Tools > Accounts" },
      { program: "Apple Mail", way: "Mail > Settings, then Save" },
    ],
  });
  for (const text of [
    "Wait a little.",
    "Do this. Outlook: File > Account Settings.",
    "Do this. Outlook: File > Account; or ask somebody.",
    "Windows: remove old entries in Control Panel > Credential Manager.",
  ]) {
    const { first, rest, places } = readStep(text);
    assert.equal(`${first} ${rest}`.trim(), text);
    assert.deepEqual(places, []);
  }
});
