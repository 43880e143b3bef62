#!/usr/bin/env python3
"""Look-ups through the whole program: caps, other formats, and counts that add up over every capture."""
import os

import common
from common import DELIVERED, run


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
