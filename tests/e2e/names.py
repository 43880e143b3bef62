#!/usr/bin/env python3
"""Look-ups through the whole program: caps, other formats, and counts that add up over every capture."""
import os
import struct

import common
from common import DELIVERED, SILENT, run


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def name_record(address, *names):
    """IPv4, with names that end in a NUL each."""
    value = bytes(int(part) for part in address.split(".")) + b"".join(name + b"\0" for name in names)
    return struct.pack("<HH", 1, len(value)) + value + b"\0" * (-len(value) % 4)


def pcapng(frames, *records, at_end=False):
    """Ethernet frames, and one block of names before or behind them."""
    names = block(4, b"".join(records) + b"\0" * 4)
    head = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 65535))
    packets = b""
    for time, frame in frames:
        stamp = int(time * 1000000)
        fields = struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(frame), len(frame))
        packets += block(6, fields + frame)
    return head + (packets + names if at_end else names + packets)


class Names(common.Case):
    def test_record_of_a_look_up(self):
        path = self.capture("n.pcap", ["dns smtp.exmaple.org A,AAAA nxdomain"])
        record = run("-o", "json", path).sessions()[0]
        self.assertEqual(record["client"]["ip"], "192.0.2.10")
        self.assertEqual(record["server"], {"ip": None, "port": None, "name": "smtp.exmaple.org", "name_source": "dns"})
        for key in ("tcp", "community_id", "security"):
            self.assertIsNone(record[key], key)
        self.assertIsNone(record["client"]["port"])
        self.assertEqual((record["capture"]["first_frame"], record["capture"]["last_frame"]), (1, 4))
        self.assertIn('dns.qry.name=="smtp.exmaple.org"', record["capture"]["display_filter"])
        self.assertEqual(record["dialogue"], [])

    def test_two_names_at_the_same_moment_have_two_ids(self):
        path = self.capture("n.pcap", ["dns smtp.one.example A nxdomain", "dns smtp.two.example A nxdomain"])
        records = run("-o", "json", path).sessions()
        self.assertEqual(len({r["id"] for r in records}), 2)

    def test_text_and_anonymize(self):
        path = self.capture("n.pcap", ["dns smtp.exmaple.org A nxdomain"])
        self.assertIn("no server (smtp.exmaple.org)", run("-v", path).out)
        for form in ("text", "json"):
            out = run("-v", "--anonymize", "-o", form, path).out
            self.assertNotIn("exmaple", out)
            self.assertNotIn("192.0.2.10", out)

    def test_no_names(self):
        """-n: hosts go by their addresses in every field and sentence; what was said on the wire is no name of ours."""
        looked_up = "dns smtp.example.org A 198.51.100.25"
        path = self.capture("n.pcap", [looked_up] + SILENT, [looked_up, "hello", "mail", "rst S"])
        for form in ("json", "csv", "eve", "ecs", "ocsf", "html", "text"):
            for names in (True, False):
                out = run("-v", "--flow", "-o", form, *[] if names else ["-n"], path)
                text = b"".join(common.page_blocks(out.raw)).decode() if form == "html" else out.out
                self.assertEqual("smtp.example.org" in text, names, form)
        for record in run("-n", "-o", "json", path).sessions():
            self.assertIn("198.51.100.25", record["verdict"]["summary"])
            self.assertIsNone(record["server"]["name"])
        failed = run("-n", "-o", "json", self.capture("f.pcap", ["dns smtp.exmaple.org A nxdomain"])).sessions()[0]
        self.assertIn("smtp.exmaple.org", failed["verdict"]["summary"])  # what the look-up was about

    def test_selection_by_server_leaves_out_what_has_none(self):
        path = self.capture("n.pcap", ["dns smtp.exmaple.org A nxdomain"])
        self.assertEqual(run("-o", "json", "--server", "0.0.0.0/0", path).sessions(), [])
        self.assertEqual(len(run("-o", "json", "--client", "192.0.2.0/24", path).sessions()), 1)

    def test_a_name_is_found_for_the_server(self):
        path = self.capture("n.pcap", ["dns smtp.example.org A 198.51.100.25"] + DELIVERED)
        record = run("-o", "json", path).sessions()[0]
        self.assertEqual((record["server"]["name"], record["server"]["name_source"]), ("smtp.example.org", "dns"))
        late = self.capture("l.pcap", DELIVERED + ["dns smtp.example.org A 198.51.100.25"])
        record = run("-o", "json", late).sessions()[0]
        self.assertEqual(record["server"]["name_source"], "banner")

    def test_the_capture_itself_names_the_server(self):
        """Name resolution blocks, for a server of which nothing else tells the name."""
        known = name_record("198.51.100.25", b"mail.example.net", b"second.example.net")
        other = name_record("192.0.2.10", b"pc.example.net")
        for at_end in (False, True):
            path = self.file("n.pcapng", pcapng(self.frames(SILENT), other, known, at_end=at_end))
            done = run("-o", "json", path)
            record = done.sessions()[0]
            self.assertEqual((record["server"]["name"], record["server"]["name_source"]), ("mail.example.net", "capture"))
            self.assertIn("mail.example.net", record["verdict"]["summary"])
            self.assertEqual(done.status, 0)
            self.assertNotIn("mail.example.net", run("-o", "json", "--anonymize", path).out)
            run("-o", "pcapng:" + self.path("kept.pcapng"), path)
            again = run("-o", "json", self.path("kept.pcapng")).sessions()[0]
            self.assertEqual((again["server"]["name"], again["server"]["name_source"]), ("mail.example.net", "capture"))

    def test_what_was_said_outranks_the_names_of_the_capture(self):
        known = name_record("198.51.100.25", b"mail.example.net")
        path = self.file("n.pcapng", pcapng(self.frames(DELIVERED), known))
        record = run("-o", "json", path).sessions()[0]
        self.assertEqual((record["server"]["name"], record["server"]["name_source"]), ("mx.example.org", "banner"))

    def test_names_of_one_capture_are_not_those_of_the_next(self):
        known = name_record("198.51.100.25", b"mail.example.net")
        named = self.file("a.pcapng", pcapng(self.frames(SILENT), known))
        bare = self.file("b.pcapng", pcapng(self.frames(SILENT), name_record("192.0.2.10", b"pc.example.net")))
        for arguments in ((named, bare), ("-j", "1", named, bare)):
            names = [r["server"]["name"] for r in run("-o", "json", *arguments).sessions()]
            self.assertEqual(sorted(names, key=str), [None, "mail.example.net"])

    def test_names_are_bounded_and_the_bound_is_told(self):
        records = [name_record("10.0.%d.%d" % (i // 256, i % 256), b"h%d.example.net" % i) for i in range(40)]
        records += [name_record("198.51.100.25", b"mail.example.net")]
        path = self.file("n.pcapng", pcapng(self.frames(SILENT), *records))
        done = run("-o", "json", "--limits", "hosts=30", path)
        self.assertEqual(done.status, 3)
        self.assertEqual(done.records()[-1]["limits"]["hosts"], 11)
        self.assertIsNone(done.sessions()[0]["server"]["name"])

    def test_no_names_of_hosts(self):
        """Control characters, an empty name, one that is too long: none of them is shown."""
        for name in (b"bad\x1b[31m.example.net", b"", b"x" * 300, b"two words"):
            path = self.file("n.pcapng", pcapng(self.frames(SILENT), name_record("198.51.100.25", name)))
            self.assertIsNone(run("-o", "json", path).sessions()[0]["server"]["name"], name)

    def frames(self, script):
        made = common.dialogue.Capture()
        made.run(list(script))
        return made.frames

    def test_a_look_up_in_a_series_of_files(self):
        """Frame numbers are those of their file, in the filter and in the story."""
        first = self.capture("r.pcap0", ["noise"] * 3)
        second = self.capture("r.pcap1", ["wait 9", "dns smtp.exmaple.org A nxdomain"])
        record = run("-o", "json", first, second).sessions()[0]
        self.assertTrue(record["capture"]["file"].endswith("r.pcap1"))
        self.assertTrue(record["capture"]["display_filter"].endswith("frame.number>=1 && frame.number<=2"))
        self.assertEqual([e["frame"] for e in record["verdict"]["evidence"]], [1, 2])

    def test_caps_are_counted(self):
        script = ["dns_lost smtp%d.example.org A 1" % i for i in range(40)] + DELIVERED
        path = self.capture("many.pcap", script)
        done = run("-o", "json", "--limits", "lookups=8", path)
        self.assertEqual(done.status, 3)
        self.assertEqual(done.records()[-1]["limits"]["lookups"], 32)
        self.assertEqual([s["outcome"] for s in done.sessions()], ["delivered"])
        self.assertNotIn("lookups", run("-o", "json", path).records()[-1]["limits"])

    def test_a_flood_of_questions_keeps_the_real_one(self):
        script = ["dns host%d.example.com A 203.0.113.9" % i for i in range(300)] + ["dns smtp.exmaple.org A nxdomain"]
        path = self.capture("flood.pcap", script)
        sessions = run("-o", "json", "--limits", "lookups=8", path).sessions()
        self.assertEqual([s["verdict"]["cause"] for s in sessions], ["dns-nxdomain"])

    def test_counts_add_up_over_every_capture(self):
        for name in common.captures():
            records = run("-o", "json", os.path.join(common.PCAPS, name)).records()
            summary = records[-1]
            frames = summary["frames"]
            self.assertEqual(frames["read"], sum(frames[k] for k in ("decoded", "other", "undecodable", "filtered")), name)
            self.assertEqual(summary["sessions"], sum(summary["by_outcome"].values()), name)
            self.assertEqual(summary["sessions"], sum(r["type"] == "session" for r in records), name)


if __name__ == "__main__":
    common.main()
