#!/usr/bin/env python3
"""A flood of half-open connections from forged addresses: memory stays within the caps, what is shed is counted, and the
sessions before, during and after it get their verdicts.
"""
import json
import os
import resource
import struct
import subprocess

import common
from common import dialogue

HALF_OPEN, CONNECTIONS = 400, 1000
LIMITS = "half-open=%d,connections=%d" % (HALF_OPEN, CONNECTIONS)
PROVIDER = dialogue.address("198.51.100.25")

PEAK = os.environ.get("SW_PEAK", "")  # a small program that tells the peak memory of another
SANITIZED = os.environ.get("SW_SANITIZED") == "1"  # its shadow memory is not what is measured
MILLION = 1000000
DEFAULT_HALF_OPEN = 50000  # docs/LIMITS.md, as the next
BUDGET_KB = 256 * 1024
GROWTH_KB = 4 * 1024  # of the allocator's; a million connections of 256 octets each would be 250 MB
RECORD = struct.Struct("<IIII")
ETHERNET = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0"
IP = struct.Struct("!8sHHI4s")
TCP = struct.Struct("!HHIIBBHHH")


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


def requests(count, start_s):
    """SYNs to port 25, 20 us apart, each from another address (the factor is odd, so none repeats); in pieces."""
    fixed = 0x4500 + 40 + 7 + 0x4000 + 0x4006 + sum(struct.unpack("!HH", PROVIDER))
    piece = []
    for number in range(count):
        client = 0x0B000000 + number * 2654435761 % (1 << 24)
        total = fixed + (client >> 16) + (client & 0xFFFF)
        while total > 0xFFFF:
            total = (total & 0xFFFF) + (total >> 16)
        micros = 20 * number
        piece += [RECORD.pack(start_s + micros // 1000000, micros % 1000000, 54, 54), ETHERNET,
                  IP.pack(b"\x45\0\0\x28\0\7\x40\0", 0x4006, total ^ 0xFFFF, client, PROVIDER),
                  TCP.pack(1024 + number % 60000, 25, number, 0, 0x50, 2, 65535, 0, 0)]
        if len(piece) > 100000:
            yield b"".join(piece)
            piece = []
    yield b"".join(piece)


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


class Million(common.Case):
    """Against the limits as they are when nobody sets them."""

    def setUp(self):
        super().setUp()
        if not PEAK or SANITIZED:
            self.skipTest("memory is not measured here")

    def write(self, attempts):
        made = dialogue.Capture()
        made.run(["hello", "mail"])  # a session that the flood interrupts
        before = len(made.frames)
        flood_s = int(made.time) + 1
        made.time = float(flood_s + 21)  # 20 us for each of a million
        made.say("rcpt", "data", "text", "queued", "quit")
        for script in (common.DELIVERED, common.REFUSED):
            made.new_session()
            for line in script:
                made.step(line)
        with open(self.path("flood.pcap"), "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            self.frames(out, made.frames[:before])
            for piece in requests(attempts, flood_s):
                out.write(piece)
            self.frames(out, made.frames[before:])

    @staticmethod
    def frames(out, frames):
        for time, frame in frames:
            micros = int(round(time * 1000000))
            out.write(RECORD.pack(micros // 1000000, micros % 1000000, len(frame), len(frame)) + frame)

    def analyse(self, attempts):
        """Peak memory in kB, the real sessions, how many there were of all, and the summary."""
        self.write(attempts)
        with open(self.path("out"), "wb") as out:
            done = subprocess.run([PEAK, self.path("peak"), common.PROGRAM, "-o", "json", self.path("flood.pcap")],
                                  stdout=out, stderr=subprocess.DEVNULL, check=False, timeout=600)
        self.assertEqual(done.returncode, 3, "a limit was hit")
        real, count, summary = [], 0, None
        with open(self.path("out"), encoding="utf-8") as lines:
            for line in lines:
                count += line.startswith('{"type":"session"')
                if '"192.0.2.10"' in line and line.startswith('{"type":"session"'):
                    real.append(json.loads(line))
                if line.startswith('{"type":"summary"'):
                    summary = json.loads(line)
        with open(self.path("peak"), encoding="ascii") as peak:
            return int(peak.read()), real, count, summary

    def check(self, attempts):
        peak, real, count, summary = self.analyse(attempts)
        self.assertEqual([(s["outcome"], s["verdict"]["cause"]) for s in real],
                         [("delivered", "ok-delivered"), ("delivered", "ok-delivered"), ("stuck", "rcpt-relay-denied")])
        for session in real:
            self.assertEqual(session["capture_quality"], [])
        shed = summary["skipped"]["connections-shed"]
        self.assertEqual(summary["limits"]["half-open"], shed)
        self.assertEqual(shed, attempts - DEFAULT_HALF_OPEN + 1)  # the sessions behind the flood needed their places, too
        self.assertEqual(count + shed, attempts + len(real))
        self.assertEqual(summary["sessions"], count)
        self.assertEqual(summary["sessions"], sum(summary["by_outcome"].values()))
        self.assertLess(peak, BUDGET_KB)
        return peak

    def test_the_second_half_million_costs_nothing(self):
        half = self.check(MILLION // 2)
        whole = self.check(MILLION)
        print("peak: %d kB after half a million, %d kB after a million" % (half, whole))
        self.assertLess(abs(whole - half), GROWTH_KB)


if __name__ == "__main__":
    common.main()
