#!/usr/bin/env python3
"""Stories of several sessions: pcaps/DELIVERIES.tsv against the program, and what the whole program makes of them.

DELIVERIES.tsv has a line for each story that an expert reads off a capture with several sessions; "-" in place of the
sessions says that there is none. A recovered_by that is empty is null.
"""
import csv
import os
import unittest

import common
from common import DELIVERED, REFUSED, run

GREYLISTED = ["hello", "mail", "C: RCPT TO:<bob@example.org>", "S: 450 4.2.0 Greylisted, please try again", "quit"]
LATER = ["wait 300"]


def rows(name):
    with open(os.path.join(common.PCAPS, name), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def stories(result):
    return [record for record in result.records() if record["type"] == "delivery"]


class OwnCaptures(common.Case):
    def told(self, name):
        """Each story as a line of DELIVERIES.tsv tells it."""
        result = run("-o", "json", os.path.join(common.PCAPS, name))
        number = {s["id"]: str(n) for n, s in enumerate(result.sessions(), 1)}
        return [(",".join(number[i] for i in d["attempts"]), d["outcome"], number.get(d["recovered_by"], ""), d["cause"])
                for d in stories(result)]

    def test_stories(self):
        expected = {}
        for row in rows("DELIVERIES.tsv"):
            told = expected.setdefault(row["file"], [])
            if row["sessions"] != "-":
                told.append((row["sessions"], row["outcome"], row["recovered_by"], row["cause"]))
        self.assertGreater(len(expected), 10)
        for name, wanted in expected.items():
            self.assertEqual(self.told(name), wanted, name)

    def test_every_capture_with_several_sessions_was_read(self):
        sessions = [row["file"] for row in rows("INDEX.tsv") if row["outcome"] != "-"]
        several = {name for name in sessions if sessions.count(name) > 1}
        self.assertEqual(several - {row["file"] for row in rows("DELIVERIES.tsv")}, set())

    def test_one_session_is_no_story(self):
        self.assertEqual(self.told("rcpt/relay-denied-postfix.pcap"), [])


class Program(common.Case):
    def story(self, *scripts):
        return self.capture("story.pcap", *scripts)

    def test_fail_on_stuck_follows_the_mail(self):
        recovered = self.story(GREYLISTED, LATER + DELIVERED)
        self.assertEqual(run("--fail-on", "stuck", recovered).status, 0)
        self.assertEqual(run("-q", "--fail-on", "stuck", recovered).status, 0)
        self.assertEqual(run("--fail-on", "stuck", "--only", "stuck", recovered).status, 0)
        self.assertEqual(run("--fail-on", "rcpt-greylisted", recovered).status, 1)
        self.assertEqual(run("--fail-on", "stuck", self.story(GREYLISTED, LATER + GREYLISTED)).status, 1)
        self.assertEqual(run("--fail-on", "stuck", self.story(GREYLISTED, LATER + DELIVERED, REFUSED)).status, 1)

    def test_a_session_with_two_mails_is_settled_by_both(self):
        two = GREYLISTED[:-1] + ["C: RSET", "S: 250 Ok", "mail", "C: RCPT TO:<carol@example.org>", "S: 450 4.2.0 Greylisted", "quit"]
        carol = ["hello", "mail", "rcpt carol", "data", "text", "queued", "quit"]
        self.assertEqual(run("--fail-on", "stuck", self.story(two, LATER + DELIVERED)).status, 1)
        self.assertEqual(run("--fail-on", "stuck", self.story(two, LATER + DELIVERED, carol)).status, 0)

    def test_headline_counts_mails(self):
        out = run(self.story(GREYLISTED, LATER + DELIVERED)).out
        self.assertIn("\nThe mail left the outbox.\n  mails      1 delivered\n  sessions   1 stuck, 1 delivered\n", out)
        out = run(self.story(GREYLISTED, LATER + DELIVERED, REFUSED)).out
        self.assertIn("\n1 of 2 mails stayed in the outbox.\n", out)

    def test_text_tells_the_story(self):
        out = " ".join(run(self.story(GREYLISTED, LATER + DELIVERED)).out.split())
        self.assertIn("Sessions 1 and 2 are one mail from anna@example.net to bob@example.org: greylisted at 22:13:20, "
                      "accepted on the second attempt at 22:18:20.", out)

    def test_shown_with_any_of_its_sessions(self):
        path = self.story(GREYLISTED, LATER + DELIVERED)
        self.assertEqual(len(stories(run("-o", "json", "--only", "delivered", path))), 1)
        self.assertEqual(len(stories(run("-o", "json", "--only", "unknown", path))), 0)
        self.assertEqual(run("-o", "json", "--only", "unknown", path).records()[-1]["deliveries"], 1)

    def test_anonymized(self):
        result = run("-o", "json", "--anonymize", self.story(["server 203.0.113.1", "refuse"], ["server 203.0.113.2"] + DELIVERED))
        self.assertEqual(result.status, 0)
        for secret in ("203.0.113", "192.0.2.", "anna", "bob", "example.org"):
            self.assertNotIn(secret, result.out)
        told = stories(result)
        self.assertEqual(len(told), 1)
        self.assertEqual(told[0]["attempts"], [s["id"] for s in result.sessions()])
        self.assertEqual(told[0]["recovered_by"], told[0]["attempts"][1])

    def test_same_bytes_whatever_j_says(self):
        paths = [os.path.join(common.PCAPS, row["file"]) for row in rows("DELIVERIES.tsv")]
        self.assertEqual(run("-o", "json", *paths).raw, run("-o", "json", "-j", "4", *paths).raw)

    def test_a_day_later_the_date_is_told(self):
        big = "C: MAIL FROM:<anna@example.net> SIZE=99"
        first = ["hello", big, "S: 250 Ok", "C: RCPT TO:<bob@example.org>", "S: 450 4.2.0 Greylisted", "quit"]
        later = ["wait 86400", "hello", big, "S: 250 Ok", "rcpt", "data", "text", "queued", "quit"]
        self.assertEqual(stories(run("-o", "json", self.story(first, later)))[0]["summary"],
                         "greylisted at 2023-11-14 22:13:20, accepted on the second attempt at 2023-11-15 22:13:20")

    def test_stories_come_when_they_are_final(self):
        """Long after it was accepted, and before what is still open when the capture ends."""
        path = self.story(GREYLISTED, LATER + DELIVERED, ["wait 4000"] + REFUSED, ["wait 4000"] + REFUSED)
        self.assertEqual([r["type"] for r in run("-o", "json", path).records()],
                         ["session", "session", "session", "delivery", "session", "summary"])

    def many(self, count, accepted):
        """Clients whose mail is greylisted; then it is accepted."""
        scripts = []
        for wave in range(2 if accepted else 1):
            for i in range(count):
                name = ["client 10.1.%d.%d" % (i // 200, i % 200 + 1)] + (["wait 300"] if i == 0 else [])
                scripts.append(name + (DELIVERED if wave else GREYLISTED))
        return self.story(*scripts)

    def test_caps(self):
        path = self.many(50, True)
        self.assertEqual(len(stories(run("-o", "json", path))), 50)
        result = run("-o", "json", "--limits", "stories=16", path)
        self.assertEqual(result.status, 3)
        # 34 of 50 are let go for the others and one for the first that is accepted; 15 are still there to go on with
        self.assertEqual(result.records()[-1]["limits"], {"stories": 35})
        self.assertEqual(len(stories(result)), 15)
        self.assertEqual(sum(result.records()[-1]["mails"].values()), 85)
        held = run("-o", "json", "--limits", "held-attempts=16", path)
        self.assertEqual((held.status, len(stories(held))), (0, 50))


if __name__ == "__main__":
    common.main()
