#!/usr/bin/env python3
"""Rotated captures given together are one stream: sessions that cross files come out once, and their frames say where they are."""
import csv
import io
import json
import os
import struct

import common
from common import DELIVERED, REFUSED, run


class Series(common.Case):
    def frames(self, *scripts):
        """The frames of a capture with one session for each script, as (time, bytes) of each record."""
        path = self.capture("whole.pcap", *scripts)
        with open(path, "rb") as file:
            content = file.read()
        at, found = 24, []
        while at < len(content):
            seconds, micro, caplen, length = struct.unpack_from("<IIII", content, at)
            found.append([seconds * 1000000 + micro, length, content[at + 16:at + 16 + caplen]])
            at += 16 + caplen
        return found

    def write(self, name, frames):
        out = common.pcap_header()
        for micros, length, data in frames:
            out += struct.pack("<IIII", micros // 1000000, micros % 1000000, len(data), length) + data
        return self.file(name, out)

    def split(self, frames, parts):
        """The frames over so many files; the first has no number, as tcpdump -C names them."""
        size = len(frames) // parts + 1
        names = ["mail.pcap"] + ["mail.pcap%d" % i for i in range(1, parts)]
        return [self.write(names[i], frames[i * size:(i + 1) * size]) for i in range(parts)]

    def check(self, result, whole, paths):
        """The same sessions as in one file; each frame number is that of its file."""
        self.assertEqual(result.status, whole.status, result.err)
        self.assertEqual(result.records()[-1]["frames"], whole.records()[-1]["frames"])
        for one, other in zip(result.sessions(), whole.sessions(), strict=True):
            for key in ("id", "outcome", "tls", "start", "end", "capabilities"):
                self.assertEqual(one[key], other[key])
            self.assertEqual(one["verdict"]["cause"], other["verdict"]["cause"])
            self.assertEqual([s["text"] for s in one["dialogue"]], [s["text"] for s in other["dialogue"]])

    def test_sessions_that_cross_files(self):
        frames = self.frames(DELIVERED, REFUSED, DELIVERED)
        whole = run("-o", "json", self.path("whole.pcap"))
        for parts in (2, 3, 7):
            paths = self.split(frames, parts)
            for order in (paths, paths[::-1]):
                result = run("-o", "json", *order)
                self.check(result, whole, paths)
            size = len(frames) // parts + 1
            for one, other in zip(result.sessions(), whole.sessions(), strict=True):
                self.frames_agree(one, other, paths, size)

    def frames_agree(self, one, other, paths, size):
        """Every frame reference of a record, against the same record of the whole file."""
        first, last = other["capture"]["first_frame"] - 1, other["capture"]["last_frame"] - 1
        self.assertEqual(one["capture"]["file"], paths[first // size])
        self.assertEqual(one["capture"]["files"], paths[first // size:last // size + 1])
        self.assertEqual(one["capture"]["first_frame"], first % size + 1)
        self.assertEqual(one["capture"]["last_frame"], last % size + 1)
        self.assertEqual(one["capture"]["last_frame_file"], paths[last // size])
        spans = first // size != last // size
        self.assertEqual("frame.number" in one["capture"]["display_filter"], not spans)
        seen = 0
        for a, b in ((one["dialogue"], other["dialogue"]), (one["verdict"]["evidence"], other["verdict"]["evidence"]),
                     (one["findings"], other["findings"])):
            for x, y in zip(a, b, strict=True):
                self.assertEqual((x["file"], x["frame"]), (paths[(y["frame"] - 1) // size], (y["frame"] - 1) % size + 1))
                seen += 1
                if y.get("answers"):
                    at = y["answers"] - 1
                    self.assertEqual((x["answers_file"], x["answers"]), (paths[at // size], at % size + 1))
        self.assertGreater(seen, 5)
        self.assertNotIn('"frame":28147', json.dumps(one))  # a number with the file still in it
        self.assertNotRegex(one["verdict"]["explanation"], r"[0-9]{10}")
        if spans:
            self.assertRegex(one["verdict"]["explanation"], r"frame [0-9]+ of mail\.pcap")

    def test_text_names_the_files(self):
        paths = self.split(self.frames(DELIVERED, REFUSED), 2)
        result = run("-v", *paths)
        self.assertEqual(result.status, 0)
        self.assertRegex(result.out, r"file +%s" % paths[0].replace(".", r"\."))
        self.assertNotRegex(result.out, r"[0-9]{14}")
        crossing = run("-v", *self.split(self.frames(REFUSED), 2))
        self.assertRegex(crossing.out, r"evidence +frame [0-9]+ of .*mail\.pcap")
        self.assertIn(" to %s" % paths[1], " ".join(crossing.out.split()))

    def test_every_format_names_the_files(self):
        """A frame's number says nothing without its file."""
        paths = self.split(self.frames(REFUSED), 2)
        record = run("-o", "json", *paths).sessions()[0]
        proofs = [(e["frame"], e["file"]) for e in record["verdict"]["evidence"]]
        last = (record["capture"]["last_frame"], record["capture"]["last_frame_file"])
        self.assertEqual({last[1]}, {paths[1]})
        self.assertIn(paths[1], [file for _, file in proofs])
        row = next(csv.DictReader(io.StringIO(run("-o", "csv", *paths).out, newline="")))
        self.assertEqual((int(row["last_frame"]), row["last_frame_file"]), last)
        self.assertEqual(list(zip(map(int, row["evidence_frames"].split("; ")), row["evidence_files"].split("; "))), proofs)
        ecs, ocsf = (run("-o", form, *paths).records()[0] for form in ("ecs", "ocsf"))
        ecs, ocsf = ecs["smtpwhy"], ocsf["unmapped"]
        self.assertEqual((ecs["capture"]["last_frame"], ecs["capture"]["last_frame_file"]), last)
        self.assertEqual((ocsf["last_frame"], ocsf["last_frame_file"]), last)
        self.assertEqual(list(zip(ecs["evidence"]["frame"], ecs["evidence"]["file"])), proofs)
        self.assertEqual(list(zip(ocsf["evidence_frames"], ocsf["evidence_files"])), proofs)
        outbox = [e for e in run("-o", "eve", *paths).records() if e["event_type"] == "outbox"][0]
        self.assertEqual([(e["pcap_cnt"], e["pcap_filename"]) for e in outbox["outbox"]["evidence"]], proofs)
        run("-o", "zeek:" + self.path("zeek"), *paths)
        lines = [line.split("\t") for line in self.read("zeek/smtpwhy.log").decode().splitlines()]
        names, values = next(line[1:] for line in lines if line[0] == "#fields"), next(line for line in lines if line[0][0] != "#")
        row = dict(zip(names, values))
        self.assertEqual(list(zip(map(int, row["evidence"].split(",")), row["evidence_files"].split(","))), proofs)

    def test_one_capture_is_named_once(self):
        path = self.capture("one.pcap", REFUSED)
        row = next(csv.DictReader(io.StringIO(run("-o", "csv", path).out, newline="")))
        self.assertEqual((row["evidence_files"], row["last_frame_file"]), ("", ""))
        self.assertNotIn("file", run("-o", "ecs", path).records()[0]["smtpwhy"]["evidence"])

    def test_jobs_do_not_change_the_output(self):
        paths = self.split(self.frames(DELIVERED, REFUSED, DELIVERED), 3)
        other = self.capture("other.pcap", REFUSED)
        one = run("-o", "json", other, *paths)
        self.assertEqual(one.raw, run("-j", "4", "-o", "json", other, *paths).raw)
        self.assertEqual(len(one.sessions()), 4)
        self.assertNotIn("file", one.sessions()[0]["dialogue"][0])

    def test_names_with_times_and_of_rings(self):
        frames = self.frames(DELIVERED)
        whole = run("-o", "json", self.path("whole.pcap"))
        half = len(frames) // 2
        for names in (("m-20231114-221320.pcap", "m-20231114-221321.pcap"),
                      ("m_00007_20231114221320.pcap", "m_00008_20231114221321.pcap"),
                      ("m.pcap00", "m.pcap01")):
            paths = [self.write(names[0], frames[:half]), self.write(names[1], frames[half:])]
            self.check(run("-o", "json", *paths), whole, paths)

    def test_unrelated_files_stay_apart(self):
        frames = self.frames(DELIVERED)
        half = len(frames) // 2
        paths = [self.write("one.pcap", frames[:half]), self.write("two.pcap", frames[half:])]
        result = run("-o", "json", *paths)
        self.assertEqual(len(result.sessions()), 2)
        self.assertEqual([s["capture"]["files"] for s in result.sessions()], [[p] for p in paths])
        self.assertNotIn("last_frame_file", result.sessions()[0]["capture"])

    def test_a_pause_between_files(self):
        """Nobody watched between files whose names only hold times; a number that follows shows that nothing is missing."""
        frames = self.frames(DELIVERED)
        half = len(frames) // 2
        late = [[micros + 3600 * 1000000, length, data] for micros, length, data in frames[half:]]
        apart = [self.write("m-20231114-221320.pcap", frames[:half]), self.write("m-20231114-231320.pcap", late)]
        self.assertEqual(len(run("-o", "json", *apart).sessions()), 2)
        soon = [[micros + 120 * 1000000, length, data] for micros, length, data in frames[half:]]
        numbered = [self.write("m.pcap0", frames[:half]), self.write("m.pcap1", soon)]
        self.assertEqual(len(run("-o", "json", *numbered).sessions()), 1)
        missing = [self.write("m.pcap3", frames[:half]), self.write("m.pcap5", soon)]
        self.assertEqual(len(run("-o", "json", *missing).sessions()), 2)

    def test_files_that_overlap_in_time(self):
        """Two recorders at once, named alike, are two streams."""
        frames = self.frames(DELIVERED)
        later = [[micros + 3000000, length, data] for micros, length, data in frames]
        long_one = frames + [[frames[-1][0] + 60 * 1000000, frames[-1][1], frames[-1][2]]]
        paths = [self.write("m.pcap0", long_one), self.write("m.pcap1", later)]
        self.assertEqual(len(run("-o", "json", *paths).sessions()), 2)

    def test_a_file_of_the_series_is_damaged(self):
        frames = self.frames(DELIVERED, REFUSED)
        paths = self.split(frames, 3)
        with open(paths[1], "rb") as file:
            content = file.read()
        self.file(os.path.basename(paths[1]), content[:-5])
        result = run("-o", "json", *paths)
        self.assertEqual(result.status, 3)
        self.assertEqual(result.records()[-1]["damage"][0]["file"], paths[1])
        self.assertEqual(len(result.sessions()), 2)
        self.assertTrue(result.err.startswith("smtpwhy: " + paths[1]))
        self.file(os.path.basename(paths[1]), b"")
        result = run("-o", "json", *paths)
        self.assertEqual(result.status, 2)

    def test_anonymized(self):
        paths = self.split(self.frames(REFUSED), 2)
        result = run("-o", "json", "--anonymize", *paths)
        self.assertNotIn(self.folder.name, result.out)
        self.assertEqual(result.sessions()[0]["capture"]["files"], [os.path.basename(p) for p in paths])


if __name__ == "__main__":
    common.main()
