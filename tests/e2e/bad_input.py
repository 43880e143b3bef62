#!/usr/bin/env python3
"""Inputs that are no good: the message names the file (and the place), the status is right, the rest is analysed."""
import os
import shutil
import struct
import subprocess

import common
from common import DELIVERED, REFUSED, run

NOBODY = 65534


class BadInput(common.Case):
    def refused(self, path, *words):
        """Unreadable as a whole: status 2, one line on standard error that names the file."""
        result = run("-o", "json", path)
        self.assertEqual(result.status, 2, result.err)
        self.assertEqual(len(result.err.splitlines()), 1, result.err)
        self.assertTrue(result.err.startswith("smtpwhy: "), result.err)
        self.assertIn(path, result.err)
        for word in words:
            self.assertIn(word, result.err.lower())
        self.assertEqual(result.sessions(), [])

    def damaged(self, path, sessions, *words):
        """Readable up to a place: status 3, the place is named, and what came before is reported."""
        result = run("-o", "json", path)
        self.assertEqual(result.status, 3, result.err)
        self.assertIn(path, result.err)
        self.assertRegex(result.err, r"\b[0-9]+\b")
        for word in words:
            self.assertIn(word, result.err.lower())
        self.assertEqual(len(result.sessions()), sessions)
        damage = result.records()[-1]["damage"]
        self.assertEqual(len(damage), 1)
        self.assertEqual(damage[0]["file"], path)
        self.assertIn(str(damage[0]["offset"]), result.err)
        self.assertIn("damaged", run(path).out)

    def test_empty_file(self):
        self.refused(self.file("empty.pcap", b""), "empty")

    def test_text_file(self):
        self.refused(self.file("notes.pcap", b"These are my notes about the mail server.\n" * 20))

    def test_truncated_header(self):
        self.refused(self.file("short.pcap", common.pcap_header()[:13]))

    def test_directory(self):
        os.mkdir(self.path("folder"))
        self.refused(self.path("folder"), "directory")

    def test_missing_file(self):
        self.refused(self.path("missing.pcap"), "no such file")

    def test_no_permission(self):
        path = self.capture("locked.pcap", DELIVERED)
        os.chmod(path, 0)
        os.chmod(self.folder.name, 0o755)
        # root may read everything, so the program is started as nobody then, who cannot reach root's own folders
        user = NOBODY if os.geteuid() == 0 else None
        program = shutil.copy(common.PROGRAM, self.path("smtpwhy"))
        done = subprocess.run([program, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, user=user,
                              check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(path.encode(), done.stderr)
        self.assertIn(b"permission", done.stderr.lower())
        self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_unknown_link_type(self):
        self.refused(self.file("odd.pcap", common.pcap_header(link_type=147) + struct.pack("<IIII", 1, 0, 4, 4) + b"abcd"),
                     "link")

    def test_valid_without_frames(self):
        path = self.file("none.pcap", common.pcap_header())
        result = run(path)
        self.assertEqual((result.status, result.err), (0, ""))
        self.assertIn("no frames", result.out)
        self.assertEqual(run("-o", "json", path).records()[0]["frames"]["read"], 0)

    def test_last_packet_cut(self):
        whole = self.capture("whole.pcap", DELIVERED, REFUSED)
        with open(whole, "rb") as file:
            content = file.read()
        self.damaged(self.file("cut.pcap", content[:-7]), 2)

    def test_absurd_length(self):
        whole = self.capture("whole.pcap", DELIVERED)
        with open(whole, "rb") as file:
            content = file.read()
        absurd = struct.pack("<IIII", 1700000100, 0, 0x7FFFFFFF, 0x7FFFFFFF) + b"x" * 100
        self.damaged(self.file("absurd.pcap", content + absurd), 1)

    def test_length_beyond_the_file(self):
        whole = self.capture("whole.pcap", DELIVERED)
        with open(whole, "rb") as file:
            content = file.read()
        self.damaged(self.file("beyond.pcap", content + struct.pack("<IIII", 1700000100, 0, 1000, 1000) + b"x" * 10), 1)

    def timed(self, name, script, ticks):
        """A pcapng file of the dialogue's first frames, as many as there are times, which count nanoseconds."""
        self.capture("plain.pcap", script)
        with open(self.path("plain.pcap"), "rb") as file:
            plain = file.read()

        def block(kind, body):
            length = 12 + len(body)
            return struct.pack("<II", kind, length) + body + struct.pack("<I", length)

        with open(self.path(name), "wb") as file:
            file.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
            file.write(block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HHBxxx", 9, 1, 9)))
            at = 24
            for tick in ticks:
                length = struct.unpack("<I", plain[at + 8:at + 12])[0]
                file.write(block(6, struct.pack("<IIIII", 0, tick >> 32, tick & 0xFFFFFFFF, length, length)
                                 + plain[at + 16:at + 16 + length] + bytes(-length % 4)))
                at += 16 + length
        return self.path(name)

    def test_times_at_the_ends_of_time(self):
        """A pcapng file can claim any 64-bit time; sums of times must not overflow."""
        for ticks in ([2 ** 63 - 1, 0, 2 ** 64 - 1, 2 ** 62] * 4, [0, 0, 0, 2 ** 63 - 1], [0, 2 ** 63 - 1, 2 ** 63 - 1, 2 ** 63 - 1]):
            result = common.run("-o", "json", self.timed("times.pcapng", common.REFUSED, ticks))
            self.assertEqual(result.status, 0, result.err)
            self.assertEqual(result.records()[-1]["frames"]["read"], len(ticks))

    def test_one_bad_file_never_stops_the_others(self):
        good = self.capture("good.pcap", DELIVERED)
        also = self.capture("also.pcap", REFUSED)
        empty = self.file("empty.pcap", b"")
        missing = self.path("missing.pcap")
        for jobs in ("1", "3"):
            result = run("-j", jobs, "-o", "json", missing, good, empty, also)
            self.assertEqual(result.status, 2)
            self.assertEqual([s["outcome"] for s in result.sessions()], ["delivered", "stuck"])
            self.assertEqual(len(result.err.splitlines()), 2)
            self.assertEqual(len(result.records()[-1]["damage"]), 2)

    def test_text_names_the_damage_in_the_summary(self):
        good = self.capture("good.pcap", DELIVERED)
        result = run("-q", good, self.path("missing.pcap"))
        self.assertEqual(result.status, 2)
        self.assertIn("missing.pcap", result.out)

    def test_capture_without_mail(self):
        result = run(self.capture("noise.pcap", ["noise", "noise"]))
        self.assertEqual(result.status, 0)
        self.assertIn("This capture holds no mail: 2 frames with 0 TCP connections", result.out)
        self.assertIn("tcpdump ", result.out)

    def test_standard_input(self):
        path = self.capture("good.pcap", DELIVERED)
        result = run("-o", "json", "-", stdin=self.read("good.pcap"))
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(result.sessions()[0]["outcome"], "delivered")
        self.assertEqual(run("-", stdin=b"").status, 2)
        self.assertEqual(run("-", stdin=b"hello").status, 2)
        self.assertEqual(result.sessions()[0]["id"], run("-o", "json", path).sessions()[0]["id"])


if __name__ == "__main__":
    common.main()
