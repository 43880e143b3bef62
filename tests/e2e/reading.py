#!/usr/bin/env python3
"""The text report as a person reads it: grammar of the headline, long lists, what is worth a line."""
import common
from common import DELIVERED, REFUSED, SILENT, run

PARTLY = ["hello", "mail", "rcpt", "C: RCPT TO:<eve@example.org>", "S: 550 5.1.1 <eve@example.org>: User unknown", "data", "text", "queued",
          "quit"]
CUT = ["hello", "sent", "mail", "rcpt", "data", "C: Hi"]


class Reading(common.Case):
    def headline(self, *scripts):
        lines = run(self.capture("a.pcap", *scripts)).out.splitlines()
        return lines[[i for i, line in enumerate(lines) if line.startswith("  sessions ")][0] - 1]

    def test_the_headline_is_good_english(self):
        other = ["client 192.0.2.77"]
        self.assertEqual(self.headline(DELIVERED), "The mail left the outbox.")
        self.assertEqual(self.headline(DELIVERED, other + DELIVERED), "Both mails left the outbox.")
        self.assertEqual(self.headline(REFUSED), "The mail stayed in the outbox.")
        self.assertEqual(self.headline(REFUSED, other + REFUSED), "Both mails stayed in the outbox.")
        self.assertEqual(self.headline(REFUSED, other + DELIVERED), "1 of 2 mails stayed in the outbox.")
        self.assertEqual(self.headline(PARTLY), "The mail was accepted for only some of its recipients.")
        self.assertEqual(self.headline(PARTLY, other + DELIVERED), "1 of 2 mails was accepted for only some of its recipients.")
        self.assertEqual(self.headline(["syn 1"]), "The capture does not tell whether the mail was delivered.")
        self.assertEqual(self.headline(["syn 1"], other + DELIVERED), "The capture does not tell whether 1 of 2 mails was delivered.")

    def test_many_recipients_are_counted(self):
        many = ["hello", "mail"]
        for i in range(40):
            refused = i in (20, 30)
            many += ["C: RCPT TO:<user%d@example.org>" % i, "S: 550 5.1.1 User unknown" if refused else "S: 250 2.1.5 Ok"]
        text = run("-v", self.capture("many.pcap", many + ["data", "text", "queued", "quit"])).out
        self.assertEqual([line.split("<")[1].split(">")[0] for line in text.splitlines() if line.strip().startswith("to <")],
                         ["user%d@example.org" % i for i in (0, 1, 2, 3, 4, 20, 30)])
        self.assertIn("and 33 more: 33 delivered (-o json has all)", text)
        self.assertEqual([line.split("RCPT TO:<")[1].split(">")[0] for line in text.splitlines() if "C  RCPT TO:<" in line],
                         ["user%d@example.org" % i for i in (0, 1, 2, 3, 4, 20, 30)])
        self.assertEqual([line.strip() for line in text.splitlines() if "more RCPT" in line],
                         ["... and %d more RCPT, all accepted" % n for n in (15, 9, 9)])
        self.assertEqual((text.count("S  250 2.1.5 Ok"), text.count("S  550 5.1.1")), (5, 2))
        pipelined = ["hello", "mail"] + ["C: RCPT TO:<user%d@example.org>" % i for i in range(30)]
        pipelined += ["S: 550 5.1.1 User unknown" if i == 20 else "S: 250 2.1.5 Ok" for i in range(30)]
        text = run("-v", self.capture("pipelined.pcap", pipelined + ["data", "text", "queued", "quit"])).out
        self.assertEqual([line.strip() for line in text.splitlines() if "more RCPT" in line], ["... and 15 more RCPT, all accepted", "... and 9 more RCPT, all accepted"])
        self.assertEqual((text.count("S  250 2.1.5 Ok"), text.count("S  550 5.1.1")), (5, 1))
        twelve = ["hello", "mail"] + ["C: RCPT TO:<a%d@example.org>" % i if i % 2 else "S: 250 Ok" for i in range(1, 25)]
        self.assertNotIn("more:", run("-v", self.capture("few.pcap", twelve + ["data", "text", "queued", "quit"])).out)

    def test_a_connection_that_never_was_has_no_silences(self):
        text = run("-v", self.capture("one.pcap", ["syn 1"])).out
        self.assertIn("never connected, 1 SYN\n", text)
        self.assertNotIn("silence", text)
        self.assertIn("never connected, 3 SYNs (1.0 s, 2.0 s apart), in all 3.0 s", run("-v", self.capture("more.pcap", SILENT)).out)
        self.assertIn("1 SYN, in all 1.0 ms, refused (rst)", run("-v", self.capture("refused.pcap", ["refuse"])).out)

    def test_an_address_that_talks_to_itself_stands_once_in_the_filter(self):
        self.capture("self.pcap", ["client 127.0.0.1", "server 127.0.0.1"] + DELIVERED)
        session = run("-o", "json", self.path("self.pcap")).sessions()[0]
        self.assertEqual(session["capture"]["display_filter"].count("127.0.0.1"), 1)


if __name__ == "__main__":
    common.main()
