#!/usr/bin/env python3
"""A flood of half-open connections from forged addresses: memory stays within the caps, what is shed is counted, and the
sessions before, during and after it get their verdicts.
"""
import resource
import struct

import common
from common import dialogue

HALF_OPEN, CONNECTIONS = 400, 1000
LIMITS = "half-open=%d,connections=%d" % (HALF_OPEN, CONNECTIONS)
PROVIDER = dialogue.address("198.51.100.25")


def syn_flood(capture, attempts, answered):
    """SYNs to port 25, each from another address; with `answered` the server's SYN/ACK follows."""
    for number in range(attempts):
        client = struct.pack("!I", 0x0B000000 + number * 2654435761 % (1 << 24))
        port = 1024 + number % 60000
        capture.ip(client, PROVIDER, 6, struct.pack("!HHIIBBHHH", port, 25, number, 0, 0x50, 2, 65535, 0, 0), 64, True)
        if answered:
            capture.ip(PROVIDER, client, 6,
                       struct.pack("!HHIIBBHHH", 25, port, 7 * number, number + 1, 0x50, 0x12, 65535, 0, 0), 57, True)
        capture.time -= 0.001  # a thousand a second, and more


class Flood(common.Case):
    def analyse(self, attempts, answered):
        made = dialogue.Capture()
        made.run(["hello", "mail"])  # a session that the flood interrupts
        begun = made.session
        syn_flood(made, attempts, answered)
        made.session = begun
        made.say("rcpt", "data", "text", "queued", "quit")
        for script in (common.DELIVERED, common.REFUSED):
            made.new_session()
            for line in script:
                made.step(line)
        made.write(self.path("flood.pcap"))
        environment = {"ASAN_OPTIONS": "quarantine_size_mb=1"}
        result = common.run("-o", "json", "--limits", LIMITS, self.path("flood.pcap"), environment=environment)
        return result, result.sessions(), result.records()[-1]

    def check(self, attempts, answered):
        result, sessions, summary = self.analyse(attempts, answered)
        real = [s for s in sessions if s["client"]["ip"] == "192.0.2.10"]
        self.assertEqual([(s["outcome"], s["verdict"]["cause"]) for s in real],
                         [("delivered", "ok-delivered"), ("delivered", "ok-delivered"), ("stuck", "rcpt-relay-denied")])
        for session in real:
            self.assertNotIn("limits-hit", [q["kind"] for q in session["capture_quality"]])
        shed = summary["skipped"]["connections-shed"]
        self.assertEqual(summary["limits"]["half-open"], shed)
        self.assertEqual(shed, attempts - HALF_OPEN + 1)  # the sessions behind the flood needed their places, too
        self.assertEqual(len(sessions) + shed, attempts + len(real))
        self.assertEqual(summary["sessions"], len(sessions))
        self.assertEqual(summary["sessions"], sum(summary["by_outcome"].values()))
        self.assertEqual(result.status, 3)
        for session in sessions:
            if session not in real:
                self.assertNotEqual(session["verdict"]["confidence"] + session["outcome"], "certainstuck")

    def test_requests_without_answers(self):
        self.check(3000, answered=False)

    def test_requests_that_are_answered(self):
        self.check(3000, answered=True)

    def test_memory_does_not_grow(self):
        """Largest of all children so far: a bigger flood must not need more than a small one."""
        self.analyse(2000, answered=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.analyse(30000, answered=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.assertLess(after - before, 24 * 1024, "kB")

    def test_nothing_is_shed_below_the_cap(self):
        _, sessions, summary = self.analyse(HALF_OPEN - 10, answered=False)
        self.assertEqual(summary["limits"], {})
        self.assertEqual(len(sessions), HALF_OPEN - 10 + 3)


if __name__ == "__main__":
    common.main()
