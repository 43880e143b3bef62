#!/usr/bin/env python3
"""Limits on what all traffic together may need: how much memory that is, what goes first when one is reached, and what the
records and the summary say of it.
"""
import os
import re
import resource
import struct
import subprocess

import common
from common import dialogue

PEAK = os.environ.get("SW_PEAK", "")  # a small program that tells the peak memory of another
SANITIZED = os.environ.get("SW_SANITIZED") == "1"  # its shadow memory is not what is measured
STRANGER = ["C. \\x16\\x03\\x01\\x02\\x00\\x01"]


class Budget(common.Case):
    def write(self, fill):
        made = dialogue.Capture()
        fill(made)
        made.write(self.path("made.pcap"))
        return self.path("made.pcap")

    def analyse(self, path, limits, *more):
        result = common.run("-o", "json", "--limits", limits, *more, path, environment={"ASAN_OPTIONS": "quarantine_size_mb=1"})
        return result, result.sessions(), result.records()[-1]

    def peak(self, path, limits):
        """Kilobytes."""
        told = self.path("peak")
        common.subprocess.run([PEAK, told, common.PROGRAM, "-o", "json", "--limits", limits, path], stdout=common.subprocess.DEVNULL,
                              stderr=common.subprocess.DEVNULL, check=False, timeout=120)
        return int(self.read("peak"))


def begin(made, number, script, port=25):
    made.new_session()
    made.session.port = [1024 + number % 60000, port]
    made.session.address[0] = struct.pack("!I", 0x0B000000 + number)
    made.say(*script)
    return made.session


class Order(Budget):
    """connections=16: what goes for the seventeenth?"""

    def shed(self, first, then=16):
        """Clients of sessions that say that they were cut short, and what was counted."""
        def fill(made):
            sessions = [begin(made, 1000 + i, script, port) for i, (script, port) in enumerate(first)]
            made.time += 2
            for i in range(then):
                begin(made, i, ["hello", "mail"])
            for session in sessions:
                made.session = session
                if session.port[1] == 25 and session.established:
                    made.say("C: NOOP", "S: 250 ok")
        _, sessions, summary = self.analyse(self.write(fill), "connections=16")
        cut = [s for s in sessions if "limits-hit" in [q["kind"] for q in s["capture_quality"]]]
        return [struct.unpack("!I", dialogue.address(s["client"]["ip"]))[0] - 0x0B000000 for s in cut], sessions, summary

    def test_a_closed_one_first(self):
        cut, sessions, summary = self.shed([(["hello", "mail"], 25), (["S: 421 no", "close S"], 25)], 15)
        self.assertEqual(cut, [])
        self.assertEqual(summary["limits"], {})
        self.assertEqual(len(sessions), 17)

    def test_then_one_that_is_no_mail(self):
        cut, _, summary = self.shed([(["hello", "mail"], 25), (["handshake"], 25), (["handshake"], 8443)], 14)
        self.assertEqual(cut, [])
        self.assertEqual(summary["limits"], {"connections": 1})
        self.assertEqual(summary["skipped"], {"connections-shed": 1})

    def test_then_the_oldest_without_data(self):
        cut, sessions, summary = self.shed([(["hello", "mail"], 25), (["syn 1"], 25), (["syn 1"], 25)], 14)
        self.assertEqual(cut, [])
        self.assertEqual(summary["limits"], {"connections": 1})
        self.assertEqual(len(sessions), 16)
        self.assertNotIn("11.0.3.233", [s["client"]["ip"] for s in sessions])

    def test_then_the_oldest_session(self):
        cut, sessions, summary = self.shed([(["hello", "mail"], 25), (["hello", "mail"], 25)], 16)
        self.assertEqual(cut, [1000, 1001])
        self.assertEqual(summary["limits"], {"connections": 2, "session": 2})
        self.assertEqual(len(sessions), 18)  # what came later of those two is no session of its own
        first = [s for s in sessions if s["client"]["ip"] == "11.0.3.232"][0]
        self.assertEqual((first["outcome"], first["verdict"]["cause"]), ("unknown", "unk-incomplete"))
        self.assertIn("limits of the analysis", first["verdict"]["summary"])
        self.assertIn("A limit was reached", first["verdict"]["explanation"])

    def test_what_was_accepted_stays_accepted(self):
        cut, sessions, _ = self.shed([(["hello", "sent"], 25)], 16)
        self.assertEqual(cut, [1000])
        self.assertEqual([s["verdict"]["cause"] for s in sessions if s["outcome"] == "delivered"], ["ok-delivered"])

    def test_what_was_refused_is_less_certain(self):
        cut, sessions, _ = self.shed([(common.REFUSED[:-1], 25)], 16)
        self.assertEqual(cut, [1000])
        verdicts = [(s["verdict"]["cause"], s["verdict"]["confidence"]) for s in sessions if s["outcome"] == "stuck"]
        self.assertEqual(verdicts, [("rcpt-relay-denied", "likely")])


class Memory(Budget):
    def crowd(self, count, recipients=0):
        def fill(made):
            begin(made, 0, ["hello", "sent"])
            for i in range(1, count):
                begin(made, i, ["hello", "mail"] + ["rcpt somebody%d" % n for n in range(recipients)])
        return self.write(fill)

    def test_sessions_are_shed(self):
        result, sessions, summary = self.analyse(self.crowd(3000), "memory=48M")
        self.assertGreater(summary["limits"]["memory"], 100)
        self.assertEqual(summary["skipped"]["connections-shed"], summary["limits"]["memory"])
        self.assertEqual(len(sessions), 3000)
        cut = [s for s in sessions if "limits-hit" in [q["kind"] for q in s["capture_quality"]]]
        self.assertEqual(len(cut), summary["limits"]["memory"])
        self.assertEqual(result.status, 3)
        self.assertEqual([s["outcome"] for s in sessions if s["client"]["ip"] == "11.0.0.0"], ["delivered"])
        enough, _, summary = self.analyse(self.path("made.pcap"), "memory=128M")
        self.assertEqual((enough.status, summary["limits"]), (0, {}))

    def test_runs_side_by_side_share_it(self):
        one, two = self.crowd(1500), self.path("two.pcap")
        with open(two, "wb") as out:
            out.write(self.read("made.pcap"))
        self.assertEqual(self.analyse(one, "memory=56M", two)[2]["limits"], {})
        self.assertIn("memory", self.analyse(one, "memory=56M", "-j", "2", two)[2]["limits"])

    def test_it_is_kept_to(self):
        if SANITIZED or not PEAK:
            self.skipTest("memory is not measured under a sanitizer")
        path = self.crowd(6000, 12)
        self.assertLess(self.peak(path, "memory=48M"), 48 * 1024)
        self.assertGreater(self.peak(path, "memory=256M"), 48 * 1024)

    def test_few_addresses(self):
        """Addresses that are reserved, but not used, may be limited as well (ulimit -v, -d)."""
        if SANITIZED:
            self.skipTest("a sanitizer needs all addresses")
        path = self.crowd(20)
        usual = common.run("-o", "json", path)
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
            done = subprocess.run([common.PROGRAM, "-o", "json", path], capture_output=True, text=True, timeout=120, check=False,
                                  preexec_fn=lambda kind=kind: resource.setrlimit(kind, (128 << 20, 128 << 20)))
            self.assertEqual((done.returncode, done.stdout), (usual.status, usual.out), done.stderr)


class Each(Budget):
    """Every other limit, at a size that little traffic reaches: it is counted under its name."""

    def hit(self, limits, *scripts, status=3):
        result, sessions, summary = self.analyse(self.capture("made.pcap", *scripts), limits)
        name = limits.split("=")[0]
        self.assertIn(name, summary["limits"], limits)
        self.assertGreater(summary["limits"][name], 0)
        self.assertEqual(result.status, status)
        return sessions, summary

    def test_stories(self):
        scripts = [["client 192.0.2.%d" % i, "hello", "C: MAIL FROM:<a%d@example.net>" % i, "S: 451 4.7.1 later", "quit"] for i in range(1, 150)]
        self.hit("stories=16", *scripts)
        long = [s[:2] + ["C: MAIL FROM:<%s%s@example.net>" % ("x" * 400, s[2][14:18])] + s[3:] for s in scripts]
        self.hit("story-bytes=65536", *(long + scripts))

    def test_every_name_is_told(self):
        listed = common.run("--help", "limits").out
        with open(os.path.join(common.ROOT, "src", "base", "limit.def"), encoding="ascii") as text:
            table = text.read()
        for name in re.findall(r'SW_LIMIT\(\w+, "([a-z-]+)"', table):
            self.assertRegex(listed, r"(?m)^  %s " % name)
            self.assertEqual(common.run("--limits", name + "=0", self.capture("x.pcap", common.SILENT)).status, 2, name)


if __name__ == "__main__":
    common.main()
