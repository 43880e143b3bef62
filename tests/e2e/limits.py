#!/usr/bin/env python3
"""What a cap does to a verdict: what was not kept may have decided, so nothing is claimed."""
import gzip

import common
from common import run


def to_many(count):
    lines = ["hello PIPELINING", "mail"]
    for number in range(count):
        lines += ["C: RCPT TO:<user%d@example.org>" % number, "S: 250 2.1.5 Ok"]
    return lines + ["data", "text", "queued", "quit"]


class Limits(common.Case):
    def test_a_long_envelope_fits(self):
        path = self.capture("many.pcap", to_many(1000))
        result = run("-o", "json", path)
        session, = result.sessions()
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(session["outcome"], "delivered")
        self.assertEqual(len(session["messages"][0]["recipients"]), 1000)

    def test_a_session_over_its_cap_is_unknown(self):
        path = self.capture("many.pcap", to_many(300))
        for limit in ("session-lines=64", "session-bytes=32K"):
            result = run("-o", "json", "--limits", limit, path)
            session, = result.sessions()
            self.assertEqual((session["outcome"], session["verdict"]["cause"]), ("unknown", "unk-incomplete"), limit)
            self.assertIn("limits-hit", [q["kind"] for q in session["capture_quality"]])
            self.assertIn("limit", session["verdict"]["explanation"])
            self.assertNotIn("stuck", [m["outcome"] for m in session["messages"]], limit)
            self.assertEqual(result.status, 3)

    def test_a_bomb_stops_at_its_cap(self):
        """What was read before it is analysed; the rest is said to be missing."""
        path = self.capture("big.pcap", common.DELIVERED, ["hello", "mail", "rcpt", "data", "body 20000000"])
        packed = self.file("big.pcap.gz", gzip.compress(self.read("big.pcap")))
        whole, = (s for s in run("-o", "json", packed).sessions() if s["outcome"] == "unknown")
        for limit, name in (("unpacked=1M", "unpacked"), ("unpack-ratio=4", "unpack-ratio")):
            result = run("-o", "json", "--limits", limit, packed)
            summary = result.records()[-1]
            with self.subTest(limit):
                self.assertEqual(result.status, 3)
                self.assertIn("the limit '%s'" % name, result.err)
                self.assertEqual(summary["limits"], {name: 1})
                first, cut = result.sessions()
                self.assertEqual(first["outcome"], "delivered")
                self.assertLess(cut["tcp"]["bytes"]["client"], whole["tcp"]["bytes"]["client"])

    def test_how_long_is_waited(self):
        """An end by the clock is no end that anybody has seen: what came later is another session."""
        path = self.capture("pause.pcap", ["hello", "mail", "wait 30", "rcpt", "data", "text", "queued", "quit"])
        for seconds, sessions in ((31, 1), (29, 2)):
            result = run("-o", "json", "--limits", "idle=%d" % seconds, path)
            self.assertEqual(len(result.sessions()), sessions, seconds)
            self.assertNotIn("stuck", [s["outcome"] for s in result.sessions()])
        path = self.capture("late.pcap", ["syn 2 30", "syn"])
        for seconds, sessions in ((61, 1), (29, 2)):
            self.assertEqual(len(run("-o", "json", "--limits", "connect=%d" % seconds, path).sessions()), sessions, seconds)


if __name__ == "__main__":
    common.main()
