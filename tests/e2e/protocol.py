#!/usr/bin/env python3
"""Dialects and extensions in the record: who is behind a proxy, LMTP, TURN, decrypted captures, odd answers."""
import re

import common
from common import run

GREETING = ["S: 220 mx.example.org ESMTP", "C: EHLO pc.example.net"]


class Protocol(common.Case):
    def record(self, *lines):
        return run("-o", "json", self.capture("one.pcap", lines)).sessions()[0]

    def proxied_for(self, *lines):
        return self.record(*lines, "sent", "quit")["client"]["proxied_for"]

    def test_client_behind_a_proxy(self):
        hello = GREETING + ["S: 250 mx.example.org"]
        self.assertIsNone(self.proxied_for(*hello))
        self.assertEqual(self.proxied_for("C: PROXY TCP4 192.0.2.77 198.51.100.1 4000 25", *hello), "192.0.2.77")
        self.assertEqual(self.proxied_for("C: PROXY TCP6 2001:db8::7 2001:db8::1 4000 25", *hello), "2001:db8::7")
        self.assertIsNone(self.proxied_for("C: PROXY UNKNOWN", *hello))
        header = "\\r\\n\\r\\n\\x00\\r\\nQUIT\\n\\x21\\x11\\x00\\x0c\\xc0\\x00\\x02\\x4d\\xc6\\x33\\x64\\x01\\x0f\\xa0\\x00\\x19"
        self.assertEqual(self.proxied_for("C. " + header, *hello), "192.0.2.77")
        for command in ("XCLIENT", "XFORWARD"):
            self.assertEqual(self.proxied_for(*hello, "C: %s NAME=pc ADDR=192.0.2.77" % command, "S: 250 ok"), "192.0.2.77")
            self.assertEqual(self.proxied_for(*hello, "C: %s ADDR=IPV6:2001:db8::7" % command, "S: 220 mx"), "2001:db8::7")
            self.assertIsNone(self.proxied_for(*hello, "C: %s ADDR=[UNAVAILABLE]" % command, "S: 250 ok"))
            self.assertIsNone(self.proxied_for(*hello, "C: %s ADDR=192.0.2.77" % command, "S: 550 5.7.0 not you"))

    def test_a_proxy_is_no_early_talker(self):
        record = self.record("C: PROXY TCP4 192.0.2.77 198.51.100.1 4000 25", *GREETING, "S: 250 mx", "sent", "quit")
        self.assertEqual((record["outcome"], record["findings"] and [f["id"] for f in record["findings"] if "early" in f["id"]]),
                         ("delivered", []))

    def test_lmtp_answers_for_each_recipient(self):
        begin = ["port 24", "S: 220 mx.example.org LMTP", "C: LHLO pc", "S: 250 mx.example.org", "C: MAIL FROM:<a@b>", "S: 250 ok"]
        for name in "xyz":
            begin += ["C: RCPT TO:<%s@example.org>" % name, "S: 550 5.1.1 no such user" if name == "y" else "S: 250 ok"]
        begin += ["C: DATA", "S: 354 go", "C. Hi\\r\\n.\\r\\n"]
        both = self.record(*begin, "S. 250 2.0.0 x has it\\r\\n452 4.2.2 z is full\\r\\n", "quit")
        self.assertEqual((both["protocol"], both["outcome"], both["verdict"]["cause"]), ("lmtp", "partial", "ok-delivered-partial"))
        got = [(r["address"][0], r["outcome"], r["cause"], r["code"]) for r in both["messages"][0]["recipients"]]
        self.assertEqual(got, [("x", "delivered", "ok-delivered", 250), ("y", "stuck", "rcpt-unknown-user", 550),
                               ("z", "stuck", "rcpt-mailbox-full", 452)])
        none = self.record(*begin, "S. 552 5.2.2 x is full\\r\\n452 4.2.2 z is full\\r\\n", "quit")
        self.assertEqual(none["outcome"], "stuck")

    def test_decrypted_in_place(self):
        lines = GREETING + ["S. 250-mx.example.org\\r\\n250 STARTTLS\\r\\n", "C: STARTTLS", "S: 220 go ahead", "C: EHLO pc",
                            "S: 250 mx.example.org", "sent", "quit"]
        record = self.record(*lines)
        self.assertEqual((record["outcome"], record["security"]), ("delivered", "none"))

    def test_exchange_properties_are_no_dialogue(self):
        blob = "\\x01\\x00\\r\\nQUIT\\r\\nMAIL FROM:<no@one>\\r\\n"
        record = self.record(*GREETING, "S: 250 mx.example.org", "C: MAIL FROM:<a@b>", "S: 250 ok", "C: RCPT TO:<c@d>", "S: 250 ok",
                             "C: XEXCH50 30 2", "S: 354 Send binary data", "C. " + blob, "S: 250 XEXCH50 OK",
                             "C: DATA", "S: 354 go", "C. Hi\\r\\n.\\r\\n", "S: 250 queued", "quit")
        self.assertEqual((record["outcome"], len(record["messages"]), record["messages"][0]["size_seen"]), ("delivered", 1, 4))

    def test_verbose_sendmail(self):
        record = self.record(*GREETING, "S: 250 mx.example.org", "C: MAIL FROM:<a@b>", "S: 250 ok", "C: RCPT TO:<c@d>", "S: 250 ok",
                             "C: DATA", "S: 354 go", "C. Hi\\r\\n.\\r\\n", "S. 050 <c@d>... Connecting\\r\\n050 550 no such user\\r\\n",
                             "S: 250 2.0.0 accepted", "quit")
        self.assertEqual((record["outcome"], record["messages"][0]["final_reply"]["code"]), ("delivered", 250))

    def test_the_whole_refusal_is_kept(self):
        record = self.record(*GREETING, "S: 250 mx.example.org", "C: MAIL FROM:<a@b>",
                             "S. 550-5.7.1 first\\r\\n550-5.7.1 second\\r\\n550 5.7.1 the reason is spam\\r\\n", "quit")
        self.assertEqual(record["verdict"]["reply"]["text"].count("\n"), 2)
        self.assertIn("the reason is spam", record["verdict"]["reply"]["text"])

    def test_request_to_a_proxy_in_pieces(self):
        """Wherever the client's first words to a proxy are cut, the mail behind it is found, and a refusal is one."""
        connect = "CONNECT mx.example.org:25 HTTP/1.1\\r\\nHost: mx.example.org:25\\r\\n\\r\\n"
        asks = [
            ("HTTP/1.1 200 OK\\r\\n\\r\\n", "HTTP/1.1 403 No\\r\\n\\r\\n", [connect]),
            ("\\x00\\x5a\\0\\0\\0\\0\\0\\0", "\\x00\\x5b\\0\\0\\0\\0\\0\\0",
             ["\\x04\\x01\\x00\\x19\\x00\\x00\\x00\\x01anna\\x00mx.example.org\\x00"]),
            ("\\x05\\0\\0\\x01\\0\\0\\0\\0\\0\\0", "\\x05\\x02\\0\\x01\\0\\0\\0\\0\\0\\0",
             ["\\x05\\x02\\x00\\x01", "\\x05\\x01\\x00\\x03\\x0emx.example.org\\x00\\x19"]),
        ]
        for granted, refused, requests in asks:
            units = re.findall(r"\\x..|\\.|.", requests[0])
            for cut in range(1, len(units)):
                script = ["port 3128", "C. " + "".join(units[:cut]), "C. " + "".join(units[cut:])]
                for request in requests[1:]:
                    script += ["S. \\x05\\x00", "C. " + request]
                found = self.record(*script, "S. " + granted, "hello", "sent", "quit")
                self.assertEqual((found["outcome"], found["verdict"]["cause"]), ("delivered", "ok-delivered"), (granted, cut))
                lost = self.record(*script, "S. " + refused, "close S")
                self.assertEqual((lost["outcome"], lost["verdict"]["cause"]), ("stuck", "mbx-proxy-failed"), (refused, cut))

    def test_what_only_begins_like_a_request_to_a_proxy(self):
        for first in ("CONN", "\\x05", "\\x04\\x01", "\\x05\\x03\\x00"):
            for then in (["C. IE HERE\\r\\n"], ["S: 220 mx.example.org ESMTP", "C: EHLO pc", "S: 250 mx"], []):
                found = run("-o", "json", self.capture("one.pcap", ["port 3128", "C. " + first] + then + ["close C"]))
                self.assertEqual((found.sessions(), found.status), ([], 0), (first, then))


common.main()
