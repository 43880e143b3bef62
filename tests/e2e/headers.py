#!/usr/bin/env python3
"""What the header block of a mail gives to the record, whichever way the text travels; and that its body gives nothing."""
import common
from common import run

BEFORE = ["C: MAIL FROM:<anna@example.net>", "S: 250 ok", "C: RCPT TO:<bob@example.org>", "S: 250 ok"]
HEADER = ("Message-ID: <17@pc.example.net>\\r\\nFrom: =?utf-8?q?J=C3=B6rg?= <joe@example.net>\\r\\n"
          "To: bob@example.org,\\r\\n carl@example.org\\r\\nCc: team:;\\r\\nDate: Wed, 26 Nov 2025 10:00:00 +0100\\r\\n"
          "Subject: =?ISO-8859-1?Q?Gr=FC=DFe?=\\r\\n from Ulm\\x1b[2J\\r\\nDKIM-Signature: v=1; b=abc\\r\\n"
          "Content-Type: multipart/mixed; boundary=secretname\\r\\n\\r\\n")
BODY = "Subject: of the body\\r\\nMessage-ID: <99@body>\\r\\n"
WANTED = {"from": "joe@example.net", "to_count": 2, "cc_count": 0, "date": "Wed, 26 Nov 2025 10:00:00 +0100",
          "content_type": "multipart/mixed", "dkim_signature": True, "complete": True}


def octets(text):
    return len(text.encode("latin-1").decode("unicode_escape"))


def data(text):
    return ["C: DATA", "S: 354 go on", "C. " + text + ".\\r\\n", "S: 250 queued"]


def chunks(*texts):
    lines = []
    for i, text in enumerate(texts):
        last = " LAST" if i == len(texts) - 1 else ""
        lines += ["C. BDAT %d%s\\r\\n%s" % (octets(text), last, text), "S: 250 ok"]
    return lines


class Headers(common.Case):
    def messages(self, lines, *options):
        path = self.capture("mail.pcap", ["hello CHUNKING"] + lines + ["quit"])
        return run("-o", "json", *options, path).sessions()[0]["messages"]

    def check(self, message):
        self.assertEqual(message["message_id"], "17@pc.example.net")
        self.assertEqual(message["subject"], "Gr\u00fc\u00dfe from Ulm\x1b[2J")
        self.assertEqual(message["header"], WANTED)

    def test_data(self):
        self.check(self.messages(BEFORE + data(HEADER + BODY))[0])

    def test_chunks(self):
        whole = HEADER + BODY
        self.check(self.messages(BEFORE + chunks(whole))[0])
        self.check(self.messages(BEFORE + chunks(whole[:40], whole[40:]))[0])

    def test_stuffed_dots_are_undone_in_data_only(self):
        text = ".Subject: dot\\r\\n\\r\\n"
        self.assertEqual(self.messages(BEFORE + data(text))[0]["subject"], "dot")
        self.assertIsNone(self.messages(BEFORE + chunks(text))[0]["subject"])

    def test_each_mail_has_its_own(self):
        two = self.messages(BEFORE + data(HEADER + BODY) + BEFORE + data("Subject: second\\r\\n\\r\\nx\\r\\n"))
        self.check(two[0])
        self.assertEqual((two[1]["subject"], two[1]["message_id"]), ("second", None))

    def test_a_mail_without_header_has_none(self):
        message = self.messages(BEFORE + data("Hello Bob\\r\\n" + BODY))[0]
        self.assertEqual((message["subject"], message["message_id"]), (None, None))
        self.assertFalse(message["header"]["dkim_signature"])

    def test_cut_off_in_the_header(self):
        path = self.capture("cut.pcap", ["hello"] + BEFORE + ["C: DATA", "S: 354 go on", "C. Subject: half a li", "rst C"])
        message = run("-o", "json", path).sessions()[0]["messages"][0]
        self.assertEqual((message["subject"], message["header"]["complete"]), ("half a li", False))

    def test_lost_beginning_is_not_guessed(self):
        lost = ["hello"] + BEFORE + ["C: DATA", "S: 354 go on", "lost C: Received: by a", "C. " + BODY + "\\r\\n.\\r\\n", "S: 250 ok"]
        path = self.capture("lost.pcap", lost)
        message = run("-o", "json", path).sessions()[0]["messages"][0]
        self.assertEqual((message["subject"], message["message_id"], message["header"]), (None, None, None))

    def test_text_report(self):
        path = self.capture("mail.pcap", ["hello"] + BEFORE + data(HEADER + BODY) + ["quit"])
        shown = run("-v", path).out
        self.assertIn("subject: Gr\u00fc\u00dfe from Ulm\\x1b[2J", shown)
        self.assertIn("message id: 17@pc.example.net", shown)
        self.assertNotIn("of the body", shown)

    def test_text_that_goes_on_after_a_refusal_is_not_shown(self):
        refused = BEFORE + ["C: DATA", "S: 554 5.7.1 no", "C. " + HEADER + "Dear Bob\\r\\n.\\r\\n"] + ["S: 500 what"] * 11
        path = self.capture("mail.pcap", ["hello"] + refused + ["quit"])
        for options in (["-v"], ["-o", "json"]):
            shown = run(*options, path).out
            for hidden in ("Dear", "Subject", "from Ulm", "17@pc"):
                self.assertNotIn(hidden, shown)

    def test_anonymized(self):
        path = self.capture("mail.pcap", ["hello"] + BEFORE + data(HEADER + BODY) + ["quit"])
        for options in (["-v"], ["-o", "json"]):
            shown = run("--anonymize", *options, path).out
            for hidden in ("Ulm", "Gr\u00fc", "pc.example.net", "joe", "J\u00f6rg", "secretname"):
                self.assertNotIn(hidden, shown)


common.main()
