#!/usr/bin/env python3
"""What a cap does to a verdict: what was not kept may have decided, so nothing is claimed."""
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


if __name__ == "__main__":
    common.main()
