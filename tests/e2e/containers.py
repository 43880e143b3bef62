#!/usr/bin/env python3
"""Captures written again in other file formats, compressed, or damaged where nothing is lost by it, against their clean twins."""
import os
import struct
import sys
import zlib

import common
from common import run

sys.path.insert(0, os.path.join(common.ROOT, "pcaps", "lab"))
import container  # noqa: E402
import rewrite  # noqa: E402

CUSTOM = "pcapng-with-everything"  # its custom blocks count as frames


def verdict(session):
    return (session["outcome"], session["verdict"]["cause"], session["verdict"]["stage"], session["verdict"]["confidence"],
            [step["text"] for step in session["dialogue"]], session["capture_quality"])


class Containers(common.Case):
    @classmethod
    def setUpClass(cls):
        """Some captures of every topic, for each variant others."""
        names = [name for name in common.captures() if not name.startswith("rewritten/")]
        cls.twins = {}
        for name in sorted(container.VARIANTS):
            cls.twins[name] = []
            for capture in names:
                if zlib.crc32((name + capture).encode()) % 17:
                    continue
                try:
                    frames = rewrite.read(os.path.join(common.PCAPS, capture))
                except ValueError:
                    continue
                if not any(f.length != len(f.data) for f in frames):
                    cls.twins[name].append((capture, frames))
            assert len(cls.twins[name]) > 10
        cls.results = {}  # of runs, each of which is asked for more than once

    def clean(self, capture, frames):
        key = "clean", capture
        if key not in self.results:
            rewrite.write(self.path("clean.pcap"), frames, rewrite.ETHERNET)
            self.results[key] = run("-o", "json", self.path("clean.pcap"))
        return self.results[key]

    def rewritten(self, name, capture, frames):
        key = name, capture
        if key not in self.results:
            self.results[key] = run("-o", "json", self.file("rewritten.pcap", container.VARIANTS[name](frames)))
        return self.results[key]

    def test_the_same_verdict(self):
        """What damages no file is read in one run."""
        for name in container.VARIANTS:
            if name not in container.DAMAGED:
                self.check_together(name)
                continue
            for capture, frames in self.twins[name]:
                with self.subTest(variant=name, capture=capture):
                    self.check(name, capture, frames)

    def check(self, name, capture, frames):
        clean, found = self.clean(capture, frames), self.rewritten(name, capture, frames)
        self.assertIn(found.status, (0, 3), found.err)
        summary = found.records()[-1]
        self.assertEqual(bool(summary["damage"]), found.status != 0)
        self.check_frames(summary["frames"], len(frames))
        self.check_sessions(found.sessions(), clean.sessions())

    def check_together(self, name):
        """Names that look like those of a recorder's ring would make one capture of them."""
        twins = {capture.replace("/", "_"): frames for capture, frames in self.twins[name]}
        for capture, frames in twins.items():
            rewrite.write(self.path("clean-" + capture), frames, rewrite.ETHERNET)
            self.file("rewritten-" + capture, container.VARIANTS[name](frames))
        clean, found = [run("-o", "json", *[self.path(kind + capture) for capture in twins]) for kind in ("clean-", "rewritten-")]
        self.assertEqual((found.status, found.err), (0, ""), name)
        summary = found.records()[-1]
        self.assertEqual(summary["damage"], [], name)
        self.check_frames(summary["frames"], sum(map(len, twins.values())), name)
        found, clean = found.sessions(), clean.sessions()
        for capture in twins:
            with self.subTest(variant=name, capture=capture):
                self.check_sessions([s for s in found if s["capture"]["file"] == self.path("rewritten-" + capture)],
                                    [s for s in clean if s["capture"]["file"] == self.path("clean-" + capture)], name)
        self.assertEqual(len({s["capture"]["file"] for s in found}), len(twins), name)

    def check_frames(self, counts, there, name=None):
        self.assertEqual(counts["read"], sum(counts[k] for k in ("decoded", "other", "undecodable", "filtered")))
        self.assertEqual(counts["read"] == there, name != CUSTOM)

    def check_sessions(self, found, clean, name=None):
        self.assertEqual([verdict(s) for s in found], [verdict(s) for s in clean])
        if name != CUSTOM:
            self.assertEqual([s["capture"]["last_frame"] for s in found], [s["capture"]["last_frame"] for s in clean])

    def test_frames_that_the_recorder_lost(self):
        """What failed while frames were lost is not certain, what failed before is; a delivered mail is delivered."""
        path = self.capture("clean.pcap", common.REFUSED, common.REFUSED, common.DELIVERED)
        frames = rewrite.read(path)
        clean = run("-o", "json", path).sessions()
        self.assertEqual({s["verdict"]["confidence"] for s in clean}, {"certain"})
        blocks = container.Blocks()
        blocks.section()
        blocks.interface()
        for i, frame in enumerate(frames, 1):
            frame.time_ns += 10**10 * sum(i >= s["capture"]["first_frame"] for s in clean)  # apart
            lost = any(i == s["capture"]["first_frame"] + 5 for s in clean[1:])
            blocks.packet(frame, options=blocks.option(4, struct.pack("<Q", 7)) + blocks.option(0, b"") if lost else b"")
        found = run("-o", "json", self.file("lossy.pcapng", blocks.bytes()))
        self.assertEqual([s["verdict"]["confidence"] for s in found.sessions()], ["certain", "likely", "certain"])
        self.assertIn("The recorder lost 7 packets", found.sessions()[1]["verdict"]["explanation"])
        self.assertNotIn("The recorder lost", found.sessions()[0]["verdict"]["explanation"])
        self.assertEqual((found.status, found.records()[-1]["skipped"]), (3, {"dropped-by-recorder": 14}))

    def test_a_clock_that_steps_back(self):
        """Sessions behind a step of two hours are judged like any other, and no duration is negative."""
        whole = {name: frames for twins in self.twins.values() for name, frames in twins  # whose verdict rests on no other session
                 if name.startswith(("rcpt/", "mail/", "starttls/"))}
        captures = [whole[name] for name in sorted(whole)[:12]]
        self.assertEqual(len(captures), 12)
        for before, behind in zip(captures, captures[1:]):
            shift = before[-1].time_ns - behind[0].time_ns - 7200 * 10**9
            shifted = [rewrite.Frame(f.time_ns + shift, f.data) for f in behind]
            alone = []
            for frames in (before, behind):
                rewrite.write(self.path("alone.pcap"), frames, rewrite.ETHERNET)
                alone += run("-o", "json", self.path("alone.pcap")).sessions()
            rewrite.write(self.path("both.pcap"), before + shifted, rewrite.ETHERNET)
            found = run("-o", "json", self.path("both.pcap")).sessions()
            self.assertEqual(sorted(str(verdict(s)) for s in found), sorted(str(verdict(s)) for s in alone))
            half = len(before) // 2
            crossing = before[:half] + [rewrite.Frame(f.time_ns - 7200 * 10**9, f.data) for f in before[half:]]
            rewrite.write(self.path("crossing.pcap"), crossing, rewrite.ETHERNET)
            for session in run("-o", "json", self.path("crossing.pcap")).sessions():
                self.assertGreaterEqual(session["duration_s"], 0)
                self.assertTrue(all(step["t_s"] >= 0 and (step["delay_s"] or 0) >= 0 for step in session["dialogue"]))

    def test_damage_is_told(self):
        """A short capture may have no seventh frame to damage, but all of them cannot be so short."""
        for name in container.DAMAGED:
            statuses = [self.rewritten(name, capture, frames).status for capture, frames in self.twins[name]]
            self.assertEqual(statuses.count(3), sum(len(f) > 2 or "cut" in name for _, f in self.twins[name]), name)


if __name__ == "__main__":
    common.main()
