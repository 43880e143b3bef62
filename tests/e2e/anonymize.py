#!/usr/bin/env python3
"""--anonymize: nothing that names somebody is left in any output, in whatever form the wire had it."""
import base64

import common
from common import run

HIDDEN = ("corpmail", "q7", "secretanna", "BIGCORP", "hidden-host", "hiddendomain", "hiddenauth", "quoted name", "hidden.example", "192.0.2.10",
          "198.51.100.25", "010.020.030.040", "oddid$1$", "monster", "carol", "zz@", "192.0.2", "2001:", ":db8:", "sentfor", "alice", "joneshidden", "doehidden")
SCRIPT = [
    "port 587", "S: 220 corpmail ESMTP Postfix", "C: EHLO q7",
    r"S. 250-corpmail Hello q7 [192.0.2.10], pleased to meet you\r\n250-SIZE 1000\r\n250 AUTH CRAM-MD5 NTLM\r\n",
    "C: VRFY secretanna", "S: 252 secretanna maybe",
    "C: AUTH CRAM-MD5", "S: 334 " + base64.b64encode(b"<12.456@corpmail.hidden.example>").decode(),
    "C: " + base64.b64encode(b"secretanna b913a602c7eda7a495b4e6e7334d3890").decode(), "S: 535 user BIGCORP\\\\secretanna refused from 192.0.2.10 (010.020.030.040)",
    "C: XCLIENT NAME=hidden-host ADDR=203.0.113.77", "S: 220 corpmail ESMTP",
    "C: XFORWARD ADDR=IPV6:2001:db8::77", "S: 250 ok", "C: ETRN hiddendomain", "S: 250 ok",
    "C: EXPN staff", 'S: 250-2.1.5 Alice Joneshidden <aj@hidden.example>', 'S: 250 "Carl Doehidden" <cd@hidden.example>',
    "C: MAIL FROM:<anna@hidden.example> AUTH=hiddenauth ENVID=sentfor+2B17", "S: 250 ok",
    'C: RCPT TO:<"quoted name"@hidden.example> ORCPT=rfc822;zz@hidden.example',
    'S: 550 no "quoted name" here, see http://help.hidden.example/?e=zz%40hidden.example&ip=192.0.2.10',
    "C: RCPT TO:<eve@hidden.example>", "S: 550 SPF http://spf.hidden.example/Why?s=mfrom;ip=2001:db8::77;r=mx (client-ip=2001:DB8::77)",
    "C: RCPT TO:<carol@>", "S: 501 <carol@>: domain missing", "C: RCPT TO:<dave@hidden.example>", "S: 250 ok", "C: DATA", "S: 354 go",
    "C: Message-ID: <oddid$1$@monster>", "C: From: anna@hidden.example", "C: Subject: hiddendomain", "C: ", "C: Hi", "C: .",
    "S: 250 queued, " + "x" * 100 + " 192.0.2.10", "quit"]


class Anonymize(common.Case):
    def test_nothing_that_names_somebody_is_left(self):
        path = self.capture("a.pcap", SCRIPT)
        for arguments in (["-v"], ["--flow"], ["-o", "json"], []):
            plain, veiled = run(*arguments, path).out, run("--anonymize", *arguments, path).out
            unwrapped = " ".join(veiled.split())
            for word in HIDDEN:
                self.assertNotIn(word.lower(), unwrapped.lower(), (arguments, word))
            self.assertNotIn(base64.b64encode(b"<12.456@corpmail").decode()[:16], unwrapped)
            if arguments == ["-v"]:
                for word in ("corpmail", "secretanna", "hidden-host", "monster", "Joneshidden"):
                    self.assertIn(word, plain, word)

    def test_words_that_name_nobody_stay(self):
        out = " ".join(run("--anonymize", "-v", self.capture("a.pcap", SCRIPT)).out.split())
        for word in ("ESMTP Postfix", "pleased to meet you", "SIZE 1000", "AUTH CRAM-MD5 NTLM", "250 2.1.5 user-", "domain missing", "The client said EHLO",
                     "The mail was accepted for some of its recipients"):
            self.assertIn(word, out)

    def test_one_name_is_one_pseudonym(self):
        session = run("--anonymize", "-o", "json", self.capture("a.pcap", SCRIPT)).sessions()[0]
        user = session["auth"]["attempts"][0]["user"]
        self.assertIn("VRFY " + user, " ".join(d["verb"] + " " + (d["argument"] or "") for d in session["dialogue"] if d["verb"]))
        self.assertIn("\\" + user, session["auth"]["attempts"][0]["text"])

    def test_many_recipients(self):
        many = ["hello", "mail"]
        for i in range(200):
            many += ["C: RCPT TO:<person%03d@example.org>" % i, "S: 550 5.1.1 person%03d is unknown here" % i]
        path = self.capture("many.pcap", many + ["quit"])
        for arguments in (["-v"], ["-o", "json"]):
            self.assertNotIn("person0", run("--anonymize", *arguments, path).out)


if __name__ == "__main__":
    common.main()
