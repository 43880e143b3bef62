#!/usr/bin/env python3
"""What TCP tells, in the record: repetitions, losses, resets, closes, the pace of an upload."""
import common
import dialogue
from common import run

TO_TEXT = ["hello", "mail", "rcpt", "data"]


class Transport(common.Case):
    def record(self, *lines):
        return run("-o", "json", self.capture("one.pcap", lines)).sessions()[0]

    def tcp(self, *lines):
        return self.record(*lines)["tcp"]

    def test_times_of_connection_requests(self):
        self.assertEqual([round(t, 1) for t in self.tcp("syn 4 1")["syn_times_s"]], [0, 1, 3, 7])
        self.assertEqual(self.tcp("hello", "sent", "quit")["syn_times_s"], [0])
        self.assertEqual(self.tcp("midstream", "S: 220 mx", "C: EHLO pc")["syn_times_s"], [])

    def test_a_bounded_list(self):
        many = self.tcp("syn 9 1", "wait 0.5", "syn 9 1")
        self.assertEqual((many["syn_count"], len(many["syn_times_s"])), (18, 12))

    def test_text_shows_the_spacing(self):
        said = " ".join(run("-v", self.capture("one.pcap", ["syn 4 1"])).out.split())
        self.assertIn("never connected, 4 SYNs (1.0 s, 2.0 s, 4.0 s apart)", said)

    def test_pace_of_an_upload(self):
        slow = self.record(*TO_TEXT, "crawl 5 1000 2", "C: .", "queued", "quit")["messages"][0]
        self.assertAlmostEqual(slow["upload_s"], 10, delta=0.5)
        self.assertAlmostEqual(slow["upload_bytes_per_s"], slow["size_seen"] / slow["upload_s"], delta=1)
        none = self.record("hello", "mail", "C: RCPT TO:<x@example.org>", "S: 550 5.1.1 no", "quit")["messages"][0]
        self.assertEqual((none["upload_s"], none["upload_bytes_per_s"]), (None, None))

    def test_lost_by_the_capture_and_lost_on_the_wire(self):
        unseen = self.tcp("hello", "lost C: NOOP", "S: 250 ok", "sent", "quit")
        self.assertEqual((unseen["not_captured_bytes"], unseen["lost_bytes"]), ({"client": 6, "server": 0}, {"client": 0, "server": 0}))
        gone = self.tcp(*TO_TEXT, "hidden C 1400", "behind C the_end", "wait 70", "rst C")
        self.assertEqual((gone["not_captured_bytes"]["client"], gone["lost_bytes"]["client"]), (0, 1400))

    def test_half_closed(self):
        self.assertEqual(self.tcp("hello", "C: QUIT", "fin C", "S: 221 bye", "fin S")["half_closed_by"], "client")
        self.assertIsNone(self.tcp("hello", "quit")["half_closed_by"])
        self.assertIsNone(self.tcp("hello", "mail", "rst S")["half_closed_by"])

    def test_reset_and_its_sender(self):
        genuine = self.tcp("hello", "mail", "rst S")["reset"]
        self.assertEqual((genuine["from"], genuine["ttl"], genuine["other_ttls"], genuine["sender_went_on"]), ("server", 57, [57], None))
        forged = self.tcp("hello", "mail", "C: RCPT TO:<x@example.org>", "rst S 120", "wait 0.1", "S: 250 ok")["reset"]
        self.assertEqual((forged["ttl"], forged["other_ttls"]), (120, [57]))
        self.assertEqual(forged["sender_went_on"], forged["frame"] + 1)
        self.assertIsNone(self.tcp("hello", "quit")["reset"])

    def greeting(self, wrong):
        """An SSH server's first words to a mail client, the checksums of these frames being wrong."""
        made = dialogue.Capture()
        made.run(["S: SSH-2.0-OpenSSH_9.2", "C: QUIT", "S: Invalid SSH identification string.", "close S"])
        made.frames = [(t, f[:50] + bytes([f[50] ^ 0x55]) + f[51:] if wrong(i) else f) for i, (t, f) in enumerate(made.frames, 1)]
        made.write(self.path("wrong.pcap"))
        record = run("-o", "json", self.path("wrong.pcap")).sessions()[0]
        return record["verdict"]["cause"], record["verdict"]["confidence"]

    def test_wrong_checksums_mean_something_where_others_are_right(self):
        cause = "greet-not-smtp"
        self.assertEqual(self.greeting(lambda i: False), (cause, "certain"))
        self.assertEqual(self.greeting(lambda i: True), (cause, "certain"))  # addresses were rewritten, or a card fills them in
        self.assertEqual(self.greeting(lambda i: i == 4), (cause, "likely"))
        self.assertEqual(self.greeting(lambda i: i > 3), (cause, "likely"))  # those of the handshake are right
        self.assertEqual(self.greeting(lambda i: i <= 4), (cause, "likely"))  # later ones are


common.main()
