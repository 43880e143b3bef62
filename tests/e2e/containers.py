#!/usr/bin/env python3
"""Captures written again in other file formats, compressed, or damaged where nothing is lost by it, against their clean twins."""
import os
import sys

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
        for i, name in enumerate(sorted(container.VARIANTS)):
            cls.twins[name] = []
            for capture in names[i::17]:
                try:
                    frames = rewrite.read(os.path.join(common.PCAPS, capture))
                except ValueError:
                    continue
                if not any(f.length != len(f.data) for f in frames):
                    cls.twins[name].append((capture, frames))
            assert len(cls.twins[name]) > 10

    def test_the_same_verdict(self):
        for name, write in container.VARIANTS.items():
            for capture, frames in self.twins[name]:
                with self.subTest(variant=name, capture=capture):
                    self.check(name, write(frames), frames)

    def check(self, name, content, frames):
        rewrite.write(self.path("clean.pcap"), frames, rewrite.ETHERNET)
        clean = run("-o", "json", self.path("clean.pcap"))
        found = run("-o", "json", self.file("rewritten.pcap", content))
        damaged = name in container.DAMAGED and found.status != 0
        self.assertEqual(found.status, 3 if damaged else 0, found.err)
        summary = found.records()[-1]
        self.assertEqual(bool(summary["damage"]), damaged)
        counts = summary["frames"]
        self.assertEqual(counts["read"], sum(counts[k] for k in ("decoded", "other", "undecodable", "filtered")))
        self.assertEqual([verdict(s) for s in found.sessions()], [verdict(s) for s in clean.sessions()])
        self.assertEqual(counts["read"] == len(frames), name != CUSTOM)
        if name != CUSTOM:
            self.assertEqual([s["capture"]["last_frame"] for s in found.sessions()],
                             [s["capture"]["last_frame"] for s in clean.sessions()])

    def test_damage_is_told(self):
        """A short capture may have no seventh frame to damage, but all of them cannot be so short."""
        for name in container.DAMAGED:
            statuses = []
            for _, frames in self.twins[name]:
                statuses.append(run("-q", self.file("rewritten.pcap", container.VARIANTS[name](frames))).status)
            self.assertEqual(statuses.count(3), sum(len(f) > 2 or "cut" in name for _, f in self.twins[name]), name)


if __name__ == "__main__":
    common.main()
