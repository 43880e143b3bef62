#!/usr/bin/env python3
"""The `auth` object of every kind of login: who, with what, how it ended, encrypted or not; and what the explanation says."""
import base64
import json
import struct

import common
from common import run

SECRET = "Lab-Secret-4711"
GREETING = ["S: 220 mx.example.org ESMTP", "C: EHLO pc.example.net"]


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def ehlo(*keywords):
    lines = ["mx.example.org"] + list(keywords)
    return ["S: 250%s%s" % ("-" if i < len(lines) - 1 else " ", line) for i, line in enumerate(lines)]


def ntlm3(domain, user, computer):
    """An AUTHENTICATE message (MS-NLMP 2.2.1.3) as Windows lays it out."""
    parts = {"domain": domain.encode("utf-16-le"), "user": user.encode("utf-16-le"),
             "computer": computer.encode("utf-16-le"), "lm": b"\0" * 24, "nt": b"\x11" * 24, "key": b""}
    body, where = b"", {}
    for name in ("domain", "user", "computer", "lm", "nt", "key"):
        where[name] = (len(parts[name]), 64 + len(body))
        body += parts[name]
    fields = b"".join(struct.pack("<HHI", where[n][0], *where[n]) for n in ("lm", "nt", "domain", "user", "computer", "key"))
    return b"NTLMSSP\0" + struct.pack("<I", 3) + fields + struct.pack("<I", 1) + body


PLAIN = b64("\0anna\0" + SECRET)
WITH_AUTHZID = b64("boss\0anna\0" + SECRET)
LOGIN_END = ["S: 334 UGFzc3dvcmQ6", "C: " + b64(SECRET)]
TOKEN = b64("user=anna@example.net\x01auth=Bearer " + SECRET + "\x01\x01")
BEARER = b64("n,a=anna@example.net,\x01auth=Bearer " + SECRET + "\x01\x01")
TOKEN_ERROR = json.dumps({"status": "401", "schemes": "bearer", "scope": "https://mail.example.org/"})
OK, NO = "S: 235 2.7.0 ok", "S: 535 5.7.8 no"

# about, offered, lines, (mechanism, user, computer, result, code) of each attempt
LOGINS = [
    ("PLAIN with the command", "PLAIN", ["C: AUTH PLAIN " + PLAIN, OK], [("PLAIN", "anna", None, "accepted", 235)]),
    ("PLAIN in two steps, for somebody else", "PLAIN", ["C: AUTH PLAIN", "S: 334 ", "C: " + WITH_AUTHZID, NO],
     [("PLAIN", "anna", None, "rejected", 535)]),
    ("LOGIN", "LOGIN", ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: " + b64("anna")] + LOGIN_END + [OK],
     [("LOGIN", "anna", None, "accepted", 235)]),
    ("LOGIN with the name in the command", "LOGIN", ["C: AUTH LOGIN " + b64("anna")] + LOGIN_END + [NO],
     [("LOGIN", "anna", None, "rejected", 535)]),
    ("CRAM-MD5", "CRAM-MD5", ["C: AUTH CRAM-MD5", "S: 334 " + b64("<1.2@mx>"),
                              "C: " + b64("anna b 9e95aee09c40af2b84a0c2b3bbae786e"), NO],
     [("CRAM-MD5", "anna b", None, "rejected", 535)]),
    ("DIGEST-MD5", "DIGEST-MD5", ["C: AUTH DIGEST-MD5", "S: 334 " + b64('realm="mx",nonce="x"'),
                                  "C: " + b64('charset=utf-8,username="anna",realm="mx",response=ab'),
                                  "S: 334 " + b64("rspauth=ab"), "C: ", OK], [("DIGEST-MD5", "anna", None, "accepted", 235)]),
    ("SCRAM", "SCRAM-SHA-256", ["C: AUTH SCRAM-SHA-256 " + b64("n,,n=anna,r=x"), "S: 334 " + b64("r=xy,s=QQ==,i=4096"),
                                "C: " + b64("c=biws,r=xy,p=QQ=="), "S: 334 " + b64("v=QQ=="), "C: ", OK],
     [("SCRAM-SHA-256", "anna", None, "accepted", 235)]),
    ("NTLM", "NTLM", ["C: AUTH NTLM", "S: 334 ntlm supported", "C: " + b64(b"NTLMSSP\0\1\0\0\0"),
                      "S: 334 " + b64(b"NTLMSSP\0\2\0\0\0"), "C: " + b64(ntlm3("LAB", "anna", "PC-17")), NO],
     [("NTLM", "LAB\\anna", "PC-17", "rejected", 535)]),
    ("Negotiate with NTLM inside", "GSSAPI", ["C: AUTH GSSAPI", "S: 334 ", "C: " + b64(b"\xa1\x10" + ntlm3("LAB", "anna", "PC-17")), NO],
     [("GSSAPI", "LAB\\anna", "PC-17", "rejected", 535)]),
    ("Kerberos", "GSSAPI", ["C: AUTH GSSAPI " + b64(b"\x60\x82\1\2"), "S: 334 YIIC", "C: ", "S: 334 YIIC", "C: " + b64(b"\5\4"), OK],
     [("GSSAPI", None, None, "accepted", 235)]),
    ("XOAUTH2", "XOAUTH2", ["C: AUTH XOAUTH2 " + TOKEN, OK], [("XOAUTH2", "anna@example.net", None, "accepted", 235)]),
    ("XOAUTH2 refused", "XOAUTH2", ["C: AUTH XOAUTH2 " + TOKEN, "S: 334 " + b64(TOKEN_ERROR), "C: ", NO],
     [("XOAUTH2", "anna@example.net", None, "rejected", 535)]),
    ("OAUTHBEARER refused", "OAUTHBEARER", ["C: AUTH OAUTHBEARER", "S: 334 ", "C: " + BEARER, "S: 334 " + b64(TOKEN_ERROR),
                                            "C: AQ==", NO], [("OAUTHBEARER", "anna@example.net", None, "rejected", 535)]),
    ("EXTERNAL", "EXTERNAL", ["C: AUTH EXTERNAL " + b64("anna"), OK], [("EXTERNAL", "anna", None, "accepted", 235)]),
    ("EXTERNAL with an empty response", "EXTERNAL", ["C: AUTH EXTERNAL =", NO], [("EXTERNAL", None, None, "rejected", 535)]),
    ("ANONYMOUS", "ANONYMOUS", ["C: AUTH ANONYMOUS " + b64("sirhc"), OK], [("ANONYMOUS", None, None, "accepted", 235)]),
    ("cancelled", "LOGIN", ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: *", "S: 501 5.7.0 Authentication aborted"],
     [("LOGIN", None, None, "cancelled", 501)]),
    ("cancelled, and no answer", "LOGIN", ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: *", "close C"],
     [("LOGIN", None, None, "cancelled", None)]),
    ("not now", "PLAIN", ["C: AUTH PLAIN " + PLAIN, "S: 454 4.7.0 Temporary authentication failure"],
     [("PLAIN", "anna", None, "temporary", 454)]),
    ("never answered", "PLAIN", ["C: AUTH PLAIN " + PLAIN, "close S"], [("PLAIN", "anna", None, "unanswered", None)]),
    ("several attempts", "NTLM PLAIN LOGIN", ["C: AUTH NTLM", "S: 504 5.5.4 no", "C: AUTH PLAIN " + PLAIN, NO, "C: AUTH LOGIN",
                                             "S: 334 VXNlcm5hbWU6", "C: " + b64("berta")] + LOGIN_END + [OK],
     [("NTLM", None, None, "rejected", 504), ("PLAIN", "anna", None, "rejected", 535), ("LOGIN", "berta", None, "accepted", 235)]),
    ("a second login", "PLAIN", ["C: AUTH PLAIN " + PLAIN, OK, "C: AUTH PLAIN " + PLAIN, "S: 503 5.5.1 already authenticated"],
     [("PLAIN", "anna", None, "accepted", 235), ("PLAIN", "anna", None, "rejected", 503)]),
]


class Logins(common.Case):
    def record(self, lines):
        return run("-o", "json", self.capture("login.pcap", ["port 587"] + lines)).sessions()[0]

    def test_every_kind(self):
        for about, offered, lines, attempts in LOGINS:
            with self.subTest(about):
                open_ended = lines[-1].startswith("close")
                record = self.record(GREETING + ehlo("AUTH " + offered) + lines + ([] if open_ended else ["quit"]))
                auth = record["auth"]
                self.assertEqual(auth["offered"], offered.split())
                shown = [(a["mechanism"], a["user"], a["computer"], a["result"], a["code"]) for a in auth["attempts"]]
                self.assertEqual(shown, attempts)
                for attempt in auth["attempts"]:
                    self.assertFalse(attempt["encrypted"])
                    self.assertTrue(attempt["frame"])
                self.assertNotIn(SECRET, json.dumps(record))

    def test_offered_the_old_way(self):
        record = self.record(GREETING + ehlo("AUTH=LOGIN PLAIN", "AUTH LOGIN CRAM-MD5") + ["quit"])
        self.assertEqual(record["auth"]["offered"], ["LOGIN", "PLAIN", "CRAM-MD5"])
        self.assertEqual(record["auth"]["attempts"], [])

    def test_nothing_to_do_with_logins(self):
        self.assertIsNone(self.record(GREETING + ehlo("SIZE") + ["quit"])["auth"])

    def test_offered_after_tls_only(self):
        lines = GREETING + ehlo("STARTTLS") + ["C: STARTTLS", "S: 220 go ahead", "C: EHLO pc.example.net"] + ehlo("AUTH PLAIN")
        record = self.record(lines + ["C: AUTH PLAIN " + PLAIN, OK, "quit"])
        self.assertEqual(record["auth"]["offered"], ["PLAIN"])

    def test_token_error_is_told(self):
        for lines in (["C: AUTH XOAUTH2 " + TOKEN], ["C: AUTH OAUTHBEARER " + BEARER]):
            record = self.record(GREETING + ehlo("AUTH XOAUTH2 OAUTHBEARER") + lines
                                 + ["S: 334 " + b64(TOKEN_ERROR), "C: ", NO, "quit"])
            verdict = record["verdict"]
            self.assertEqual(verdict["cause"], "auth-oauth-rejected")
            for words in ("status 401", "schemes bearer", "scope https://mail.example.org/", "expired"):
                self.assertIn(words, verdict["explanation"])

    def test_computer_is_told(self):
        lines = ["C: AUTH NTLM", "S: 334 ", "C: " + b64(ntlm3("LAB", "anna", "PC-17")), NO, "quit"]
        record = self.record(GREETING + ehlo("AUTH NTLM") + lines)
        self.assertIn("LAB\\anna from the computer PC-17", record["verdict"]["explanation"])
        path = self.path("login.pcap")
        self.assertIn("NTLM as LAB\\anna on PC-17: rejected, not encrypted", run("-v", path).out)
        for options in (["-v"], ["-o", "json"]):
            self.assertNotIn("PC-17", run("--anonymize", *options, path).out)

    def test_what_cannot_be_read_is_unknown(self):
        kerberos = GREETING + ehlo("AUTH GSSAPI", "ATRN") + ["C: AUTH GSSAPI YIIB", OK]
        layer = self.record(kerberos + ["C. \\x00\\x00\\x00\\x04abcd", "S. \\x00\\x00\\x00\\x04abcd", "close C"])
        turned = self.record(kerberos + ["C: ATRN example.net", "S: 250 ok", "C: 220 pc", "S: MAIL FROM:<a@b>", "close C"])
        for record, words in ((layer, "inside the encryption"), (turned, "changed places")):
            self.assertEqual((record["outcome"], record["verdict"]["cause"], record["messages"]), ("unknown", "unk-incomplete", []))
            self.assertIn(words, record["verdict"]["explanation"])

    def test_what_a_provider_leaves_unsaid(self):
        for words, maybe in (("535 5.7.3 Authentication unsuccessful", ["auth-tenant-disabled"]),
                             ("535 5.5.3 Authentication unsuccessful", [])):
            record = self.record(["S: 220 smtp.office365.com ESMTP", GREETING[1]] + ehlo("AUTH PLAIN")
                                 + ["C: AUTH PLAIN " + PLAIN, "S: " + words, "quit"])
            self.assertEqual(record["verdict"]["cause"], "auth-bad-credentials")
            self.assertEqual([also["cause"] for also in record["verdict"]["also"]], maybe)

    def verdict(self, *lines):
        record = self.record(list(lines))
        return record["outcome"], record["verdict"]["cause"]

    def test_verdicts(self):
        hello = GREETING + ehlo("AUTH LOGIN PLAIN")
        begun = ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: *"]
        self.assertEqual(self.verdict(*hello, *begun, "S: 501 5.7.0 aborted", "quit"), ("stuck", "auth-cancelled"))
        self.assertEqual(self.verdict(*hello, *begun, "S: 535 5.7.0 aborted", "quit"), ("stuck", "auth-cancelled"))
        self.assertEqual(self.verdict(*hello, "C: AUTH PLAIN !!!", "S: 501 5.5.2 Cannot decode", "quit"),
                         ("stuck", "auth-malformed"))
        self.assertEqual(self.verdict(*GREETING, *ehlo("AUTH GSSAPI"), "quit"), ("stuck", "auth-mech-mismatch"))
        self.assertEqual(self.verdict(*GREETING, *ehlo("AUTH GSSAPI"), "C: AUTH PLAIN", "S: 535 5.7.8 no mechanism available", "quit"),
                         ("stuck", "auth-mech-mismatch"))
        self.assertEqual(self.verdict(*GREETING, *ehlo("STARTTLS"), "quit"), ("stuck", "auth-hidden-until-tls"))
        self.assertEqual(self.verdict(*hello, "C: AUTH PLAIN " + PLAIN, OK, "quit"), ("no-mail", "ok-auth-test-only"))
        self.assertEqual(self.verdict(*hello, "C: AUTH PLAIN " + PLAIN, OK, "C: AUTH PLAIN " + PLAIN,
                                      "S: 503 5.5.1 already authenticated", "sent", "quit"), ("delivered", "ok-delivered"))
        self.assertEqual(self.verdict(*hello, "C: AUTH XOAUTH2 " + TOKEN, "S: 504 5.5.4 Unrecognized authentication type", "quit"),
                         ("stuck", "auth-mech-mismatch"))
        self.assertEqual(self.verdict(*hello, "C: AUTH XOAUTH2 " + TOKEN, "S: 535 5.7.8 Invalid token", "quit"),
                         ("stuck", "auth-oauth-rejected"))


common.main()
