#!/usr/bin/env python3
"""No password and no token in any output format, at full verbosity, in any form it could take.

Checked are logins made here (several mechanisms, accepted and refused) and, when they are there, the project's captures
with the secrets of pcaps/SECRETS.txt (one a line).
"""
import base64
import os

import common
from common import run

PASSWORD = "Lab-Secret-4711"
TOKEN = "ya29.Lab-Token-0815"


def encoded(text):
    return base64.b64encode(text.encode("latin-1")).decode("ascii")


def forms(secret):
    """Raw, UTF-16, hex of both, and the part of their base64 that does not depend on what stands beside them."""
    for raw in (secret.encode("utf-8"), secret.encode("utf-16-le")):
        yield raw
        yield raw.hex().encode("ascii")
        yield raw.hex().upper().encode("ascii")
        for before in range(3):
            whole = base64.b64encode(b"x" * before + raw)
            first = (before * 8 + 5) // 6
            last = (before + len(raw)) * 8 // 6
            yield whole[first:last]


def outputs(path):
    for options in (["-o", "text"], ["-v", "-o", "text"], ["-v", "--color", "always", "-o", "text"], ["-o", "json"],
                    ["--anonymize", "-o", "json"]):
        result = run(*options, path)
        yield options, result.raw + result.err.encode("utf-8", "surrogateescape")


LOGINS = {
    "plain-initial": ["C: AUTH PLAIN " + encoded("\0anna\0" + PASSWORD), "S: 235 2.7.0 ok"],
    "plain-refused": ["C: AUTH PLAIN " + encoded("\0anna\0" + PASSWORD), "S: 535 5.7.8 no"],
    "plain-later": ["C: AUTH PLAIN", "S: 334 ", "C: " + encoded("\0anna\0" + PASSWORD), "S: 235 ok"],
    "login": ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: " + encoded("anna"), "S: 334 UGFzc3dvcmQ6",
              "C: " + encoded(PASSWORD), "S: 535 5.7.8 Authentication failed"],
    "login-initial": ["C: AUTH LOGIN " + encoded("anna"), "S: 334 UGFzc3dvcmQ6", "C: " + encoded(PASSWORD), "S: 235 ok"],
    "lower-case": ["C: auth login", "S: 334 VXNlcm5hbWU6", "C: " + encoded("anna"), "S: 334 UGFzc3dvcmQ6",
                   "C: " + encoded(PASSWORD), "S: 235 ok"],
    "xoauth2": ["C: AUTH XOAUTH2 " + encoded("user=anna@example.net\x01auth=Bearer " + TOKEN + "\x01\x01"), "S: 235 ok"],
    "oauthbearer": ["C: AUTH OAUTHBEARER", "S: 334 ",
                    "C: " + encoded("n,a=anna@example.net,\x01auth=Bearer " + TOKEN + "\x01\x01"), "S: 535 5.7.8 no"],
    "unknown-mechanism": ["C: AUTH X-HOUSE " + encoded(PASSWORD), "S: 504 5.5.4 no such mechanism"],
    "refused-command": ["C: AUTH PLAIN " + encoded("\0anna\0" + PASSWORD), "S: 503 5.5.1 not now"],
    "unanswered": ["C: AUTH PLAIN " + encoded("\0anna\0" + PASSWORD), "close C"],
    "password-not-asked-for": ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: " + encoded("anna"), "S: 535 5.7.8 no"],
    "raw-password": ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: " + encoded("anna"), "S: 334 UGFzc3dvcmQ6",
                     "C: " + PASSWORD, "S: 501 5.5.2 cannot decode"],
    "pipelined": ["C. AUTH LOGIN\\r\\n%s\\r\\n%s\\r\\n" % (encoded("anna"), encoded(PASSWORD)),
                  "S: 334 VXNlcm5hbWU6", "S: 334 UGFzc3dvcmQ6", "S: 235 ok"],
}


class Secrets(common.Case):
    def clean(self, path, secrets):
        for options, shown in outputs(path):
            for secret in secrets:
                for form in forms(secret):
                    self.assertFalse(form in shown, "%s with %s shows a secret" % (path, options))

    def test_this_test_can_find_a_secret(self):
        for text in (PASSWORD, encoded("x" + PASSWORD), PASSWORD.encode("utf-16-le").hex()):
            shown = b"before " + text.encode("ascii") + b" after"
            self.assertTrue(any(form in shown for form in forms(PASSWORD)), text)

    def test_logins(self):
        for name, login in LOGINS.items():
            with self.subTest(name):
                path = self.capture(name + ".pcap", ["port 587", "hello AUTH_PLAIN_LOGIN_XOAUTH2_OAUTHBEARER"] + login)
                self.assertEqual(len(run("-o", "json", path).sessions()), 1)
                self.clean(path, (PASSWORD, TOKEN))

    def test_capture_that_begins_inside_a_login(self):
        script = ["port 587", "midstream", "S: 334 UGFzc3dvcmQ6", "C: " + encoded(PASSWORD), "S: 235 2.7.0 ok", "mail", "quit"]
        self.clean(self.capture("inside.pcap", script), (PASSWORD,))

    def test_login_seen_from_one_side(self):
        script = ["port 587", "only C", "hello AUTH_LOGIN"] + LOGINS["login"]
        self.clean(self.capture("client.pcap", script), (PASSWORD,))

    def test_own_captures(self):
        listing = os.path.join(common.PCAPS, "SECRETS.txt")
        if not os.path.exists(listing):
            self.skipTest("there is no pcaps/SECRETS.txt")
        with open(listing, encoding="utf-8") as file:
            secrets = [line.split("\t")[0].strip() for line in file if line.strip() and not line.startswith("#")]
        self.assertTrue(secrets)
        for name in common.captures():
            self.clean(os.path.join(common.PCAPS, name), secrets)


if __name__ == "__main__":
    common.main()
