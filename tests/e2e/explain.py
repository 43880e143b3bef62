#!/usr/bin/env python3
"""explain, causes and findings on the real command line: replies from standard input, every form of a code, exit statuses."""
import os

import common
from common import run

FIXTURES = os.path.join(common.ROOT, "tests", "replies", "fixtures.tsv")


def fixtures():
    with open(FIXTURES, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return rows[1:]


class Explain(common.Case):
    def one(self, *words):
        result = run("explain", "-o", "json", *words)
        self.assertEqual(result.status, 0, result.err)
        return result.records()[0]

    def test_replies_from_standard_input(self):
        rows = fixtures()
        self.assertGreaterEqual(len(rows), 120)
        for prefix in ("%s: %s\n", "%s %s\n"):
            lines = "".join(prefix % (row[0], row[1]) for row in rows)
            result = run("explain", stdin=lines.encode())
            self.assertEqual((result.status, result.err), (0, ""))
            for row, record in zip(rows, result.records(), strict=True):
                self.assertEqual((record["type"], record["kind"]), ("explanation", "reply"), row)
                self.assertEqual((record["cause"], record["decided_by"]), (row[2], row[3]), row)
                self.assertTrue(record["stage_given"], row)
                self.assertTrue(record["summary"] and record["advice"] and record["references"], row)

    def test_stage_as_verb_in_any_case(self):
        for prefix in ("RCPT:", "rcpt:", "Rcpt To:", "rcpt"):
            self.assertEqual(self.one(prefix + " 550 5.7.1 Relaying denied")["stage"], "rcpt")
        self.assertEqual(self.one("EHLO: 550 Access denied")["cause"], "hello-rejected-policy")
        self.assertEqual(self.one("DATA: 554 5.5.1 no valid recipients")["stage"], "data")

    def test_a_reply_without_its_stage_is_read_where_its_code_belongs(self):
        for words, stage, cause in (
                ("550 5.2.1 The email account that you tried to reach is disabled", "rcpt", "rcpt-disabled"),
                ("Diagnostic-Code: smtp; 550 5.2.1 The email account that you tried to reach is disabled", "rcpt", "rcpt-disabled"),
                ("554 5.7.1 Ihre E-Mail wurde als SPAM eingestuft", "final", "data-spam-rejected"),
                ("535 5.7.8 The account is disabled", "auth", "auth-account-disabled"),
                ("Mensaje rechazado por spam", "final", "data-spam-rejected"),
                ("Empfänger abgelehnt", "rcpt", "rcpt-unknown-user"),
                ("Remote server returned '550 5.4.300 Message expired'", "rcpt", "data-temp-failure")):
            record = self.one(words)
            self.assertEqual((record["kind"], record["stage"], record["cause"]), ("reply", stage, cause), words)
        self.assertEqual(run("explain", "-o", "json", "spam").records()[0]["kind"], "unknown")  # one short word

    def test_a_dialog_that_quotes_the_server_without_the_basic_code(self):
        shown = "An error occurred while sending mail. The mail server responded: %s Please check the message recipient \"bob@example.com\" and try again."
        self.assertEqual(self.one(shown % "5.7.1 <bob@example.com>: Relay access denied.")["cause"], "rcpt-relay-denied")
        self.assertEqual(self.one("The server responded: 4.7.0 Temporary authentication failure")["cause"], "auth-temp-failure")
        self.assertEqual(self.one(shown % "no.")["client_codes"][0]["code"], "errorSendingRcptCommand")
        password = "Unable to authenticate to Outgoing server (SMTP) mx.example.org. Please check the password."
        self.assertEqual(self.one(password)["client_codes"][0]["code"], "smtpAuthFailure")
        self.assertNotEqual(self.one("Thunderbird: 5.0.1 is running, 0x800CCC0E")["kind"], "reply")  # a version

    def test_every_form_of_a_windows_code(self):
        for form in ("0x800CCC0B", "0x800ccc0b", "800CCC0B", "2148322315", "-2146644981", "(0x800CCC0B)",
                     "Outlook says 0x800CCC0B when sending"):
            record = self.one(form)
            self.assertEqual((record["kind"], record["client_codes"][0]["code"]), ("client-code", "0x800CCC0B"), form)

    def test_the_question_that_is_asked_most(self):
        shown = " ".join(run("explain", "0x800CCC0B").out.split())
        for words in ("no single answer of a server stands behind it", "IXP_E_BUSY", "What to look for on the wire, in this order",
                      "greet-421-busy", "auth-required-not-attempted", "tcp-port25-blocked", "smtp-reply-timeout", "[IN-USE]",
                      "Close the mail program completely", "My server requires authentication", "587"):
            self.assertIn(words, shown)
        self.assertLess(shown.index("421"), shown.index("port 25 without an answer"))

    def test_sentences_without_a_session(self):
        """Names in a sentence have a noun in their place here, and the sentence must bear it."""
        causes = [record["id"] for record in run("causes", "-o", "json").records()]
        for record in run("explain", "-o", "json", *causes).records():
            for text in [record["summary"], record["meaning"] or ""] + record["advice"]:
                self.assertNotRegex(text, r"\baddress the (sending|recip)|\b(the|a|an) (the|a|an|this) ", record["query"])
        advice = self.one("greet-no-banner")["advice"]
        self.assertTrue(any("On port 465 " in step for step in advice) and any("On port 25 or 587 " in step for step in advice))

    def test_statuses(self):
        self.assertEqual(run("explain", "tcp-refused", "frobnicate").status, 0)
        nothing = run("explain", "frobnicate")
        self.assertEqual((nothing.status, nothing.err), (2, ""))
        self.assertIn("nearest", nothing.out)
        self.assertEqual(run("explain", stdin=b"frobnicate\n").status, 2)
        self.assertEqual(run("explain", stdin=b"").status, 2)
        self.assertEqual(run("explain", stdin=b"frobnicate\n550 no\n").status, 0)
        self.assertEqual(run("explain", "-z").status, 2)
        self.assertIn("quotation marks", run("explain", "550", "5.7.1", "Relaying", "denied").err)
        self.assertEqual(run("explain", "550", "5.7.1").err, "")

    def test_nothing_is_said_twice(self):
        for query in ("421", "535", "5.7.139", "0x800CCC0E", "rcpt: 550 5.1.1 no such user", "10061", "250"):
            record = self.one(query)
            said = [record["summary"]] + record["meaning"].split("\n") + record["advice"]
            self.assertEqual(len(said), len(set(said)), said)
            if query != "250":
                self.assertNotIn(record["summary"].split(" means: ")[-1], record["meaning"])

    def test_lists_are_complete(self):
        causes = [line.split()[0] for line in run("causes").out.splitlines() if line and not line.startswith(" ")]
        self.assertGreater(len(causes), 100)
        for name in causes[::10]:
            if "-" in name:
                self.assertEqual(self.one(name)["cause"], name)


common.main()
