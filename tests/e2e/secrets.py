#!/usr/bin/env python3
"""No password and no token in any output format, at full verbosity, in any form it could take.

Checked are logins made here (several mechanisms, accepted and refused, passwords at wrong places, repeated by the server,
behind gaps), what `explain` says of lines that hold a password, messages of damaged files and, when they are there, the
project's captures with the secrets of pcaps/SECRETS.txt (one a line).
"""
import base64
import os
import struct
import tempfile

import common
from common import run

SANITIZED = os.environ.get("SW_SANITIZED") == "1"  # what is printed does not depend on it, so it sees fewer captures
PASSWORD = "Lab-Secret-4711"
TOKEN = "ya29.Lab-Token-0815"
TOGETHER = 30  # captures in one run


def encoded(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode("latin-1")).decode("ascii")


def forms(secret):
    """Raw, URL-encoded, UTF-16, hex of all, and the part of their base64 that does not depend on what stands beside
    them."""
    yield "".join("%%%02X" % c if not chr(c).isalnum() else chr(c) for c in secret.encode("utf-8")).encode("ascii")
    yield "".join("%%%02x" % c for c in secret.encode("utf-8")).encode("ascii")
    yield "".join("%%%02X" % c for c in secret.encode("utf-8")).encode("ascii")
    for raw in (secret.encode("utf-8"), secret.encode("utf-16-le")):
        yield raw
        yield raw.hex().encode("ascii")
        yield raw.hex().upper().encode("ascii")
        for before in range(3):
            whole = base64.b64encode(b"x" * before + raw)
            first = (before * 8 + 5) // 6
            last = (before + len(raw)) * 8 // 6
            yield whole[first:last]


def ntlm_response():
    """A type 3 message (MS-NLMP 2.2.1.3) whose responses are the secrets."""
    fields, body = b"", b""
    for blob in (PASSWORD.encode(), TOKEN.encode(), "CORP".encode("utf-16-le"), "anna".encode("utf-16-le"), b"", b""):
        fields += struct.pack("<HHI", len(blob), len(blob), 64 + len(body))
        body += blob
    return b"NTLMSSP\0" + struct.pack("<I", 3) + fields + struct.pack("<I", 1) + body


FRAMES = set()


def page_without_known_frame(page):
    """What surrounds the records is large and the same in every page: it is looked at once."""
    frame = common.page_frame(page)
    if frame not in FRAMES:
        FRAMES.add(frame)
        return page
    return b"".join(common.PAGE_BLOCK.findall(page) + common.PAGE_PLAIN.findall(page))


def outputs(paths, every_format=True):
    for options in (["-o", "text"], ["-v", "-o", "text"], ["-v", "--color", "always", "-o", "text"], ["-o", "json"],
                    ["--anonymize", "-o", "json"], ["-q"], ["--anonymize", "-v"], ["-n", "-v"],
                    ["--limits", "session-bytes=16K,reply-bytes=512", "-v"]):
        result = run(*options, *paths)
        yield options, result.raw + result.err.encode("utf-8", "surrogateescape")
    for options in (["-o", "html"], ["--anonymize", "-o", "html"]):
        raw = run(*options, *paths).raw
        yield options, page_without_known_frame(raw) + b"".join(common.page_blocks(raw))
    if not every_format:
        return
    for options in (["--flow"], ["-o", "csv"], ["-o", "eve"], ["-o", "ecs"], ["-o", "ocsf"], ["-o", "tlsrpt"],
                    ["audit"], ["audit", "-v", "--policy", "default", "-o", "html"], ["audit", "-o", "json"]):
        yield options, run(*options, *paths).raw
    with tempfile.TemporaryDirectory() as folder:
        run("-o", "zeek:" + os.path.join(folder, "zeek"), "--db", os.path.join(folder, "history.db"), *paths)
        run("-o", "pcapng:" + os.path.join(folder, "annotated.pcapng"), "--only", "stuck,partial,delivered,no-mail,unknown", *paths)
        written = sorted(os.path.join(where, name) for where, _, names in os.walk(folder) for name in names)
        if len(written) < 3:
            raise AssertionError(written)
        for name in written:
            with open(name, "rb") as file:
                yield [name], file.read()


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
    "cram-md5": ["C: AUTH CRAM-MD5", "S: 334 " + encoded("<1.2@mx>"), "C: " + encoded("anna " + TOKEN), "S: 235 ok"],
    "digest-md5": ["C: AUTH DIGEST-MD5", "S: 334 " + encoded('realm="x",nonce="y"'),
                   "C: " + encoded('username="anna",response=' + TOKEN), "S: 535 no"],
    "scram": ["C: AUTH SCRAM-SHA-256 " + encoded("n,,n=anna,r=abc"), "S: 334 " + encoded("r=abcdef,s=QQ==,i=4096"),
              "C: " + encoded("c=biws,r=abcdef,p=" + TOKEN), "S: 535 no"],
    "ntlm": ["C: AUTH NTLM " + encoded(b"NTLMSSP\0\1\0\0\0" + b"\0" * 20), "S: 334 " + encoded(b"NTLMSSP\0\2\0\0\0" + b"\0" * 40),
             "C: " + encoded(ntlm_response()), "S: 535 no"],
    "ntlm-raw": ["C: AUTH NTLM", "S: 334 NTLM supported", "C: " + PASSWORD, "S: 501 what"],
    # at wrong places
    "own-command": ["C: " + PASSWORD, "S: 500 5.5.2 what?"],
    "own-command-encoded": ["C: " + encoded("\0anna\0" + PASSWORD), "S: 500 5.5.2 what?"],
    "odd-first-letter": ["C: %" + PASSWORD, "S: 500 5.5.2 what?"],
    "pass-command": ["C: PASS " + PASSWORD, "S: 500 5.5.2 what?"],
    "login-command": ["C: a1 LOGIN anna " + PASSWORD, "S: 500 5.5.2 what?"],
    "url-encoded": ["C: GET /login?password=" + PASSWORD.replace("-", "%2D") + " HTTP/1.1", "C: Cookie: session=" + TOKEN, "S: 500 what?"],
    "for-the-mechanism": ["C: AUTH " + PASSWORD, "S: 504 5.5.4 what?"],
    "third-word": ["C: AUTH PLAIN anna " + PASSWORD, "S: 501 5.5.4 what?"],
    "behind-the-login": ["C: AUTH PLAIN " + encoded("\0anna\0" + PASSWORD), "S: 235 ok", "C: " + PASSWORD, "S: 500 what?"],
    "when-refused": ["C: AUTH LOGIN", "S: 503 5.5.1 not now", "C: anna", "S: 500 what?", "C: " + PASSWORD, "S: 500 what?"],
    "cancelled": ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: anna", "S: 334 UGFzc3dvcmQ6", "C: *", "S: 501 cancelled", "C: " + PASSWORD, "S: 500 what?"],
    # in pieces
    "split": ["C. AUTH PLAIN " + encoded("\0anna\0" + PASSWORD)[:14], "C. " + encoded("\0anna\0" + PASSWORD)[14:] + "\\r\\n", "S: 235 ok"],
    "cut": ["C. AUTH PLAIN " + encoded("\0anna\0" + PASSWORD), "rst C"],
    "cut-raw": ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: anna", "S: 334 UGFzc3dvcmQ6", "C. " + PASSWORD, "close S"],
    "folded": ["C. AUTH PLAIN\\r\\n " + encoded("\0anna\0" + PASSWORD) + "\\r\\n", "S: 334 ", "S: 501 what?"],
    # repeated by the server
    "repeated": ["C: AUTH PLAIN " + encoded("\0anna\0" + PASSWORD), 'S: 501 5.5.2 cannot decode "%s"' % encoded("\0anna\0" + PASSWORD)],
    "repeated-raw": ["C: " + PASSWORD, 'S: 500 5.5.2 unrecognized command: "%s"' % PASSWORD],
    "repeated-lines": ["C: " + PASSWORD, "S: 500-5.5.2 you said", 'S: 500-5.5.2 "%s"' % PASSWORD, "S: 500 5.5.2 which is no command"],
    "repeated-later": ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: anna", "S: 334 UGFzc3dvcmQ6", "C: " + PASSWORD,
                       "S: 535 no", "C: NOOP", "S: 250 your password %s is wrong" % PASSWORD],
    "repeated-junk": ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: anna", "S: 334 UGFzc3dvcmQ6", "C: " + PASSWORD,
                      "S: debug: got " + PASSWORD, "S: 535 no"],
    "bad-bdat": ["C: BDAT " + PASSWORD, "S: 501 what?"],
    # behind gaps
    "auth-lost": ["lost C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: " + encoded("anna"), "S: 334 UGFzc3dvcmQ6", "C: " + PASSWORD, "S: 535 no"],
    "prompt-lost": ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: " + encoded("anna"), "lost S: 334 UGFzc3dvcmQ6", "C: " + PASSWORD, "S: 535 no"],
    "half-lost": ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "lost C: anna", "lost S: 334 UGFzc3dvcmQ6", "C: " + encoded(PASSWORD), "S: 535 no"],
    "name-lost": ["C: AUTH LOGIN", "lost S: 334 VXNlcm5hbWU6", "lost C: anna", "lost S: 334 UGFzc3dvcmQ6", "C: " + PASSWORD, "lost S: 535 no", "C: " + TOKEN, "S: 500 what?"],
}


class Secrets(common.Case):
    def clean(self, paths, secrets, every_format=True):
        for options, shown in outputs(paths, every_format):
            for secret in secrets:
                for form in forms(secret):
                    self.assertFalse(form in shown, "%s with %s shows a secret" % (paths, options))

    def test_this_test_can_find_a_secret(self):
        for text in (PASSWORD, encoded("x" + PASSWORD), PASSWORD.encode("utf-16-le").hex()):
            shown = b"before " + text.encode("ascii") + b" after"
            self.assertTrue(any(form in shown for form in forms(PASSWORD)), text)

    def test_logins(self):
        names = sorted(LOGINS)
        start = ["port 587", "hello AUTH_PLAIN_LOGIN_XOAUTH2_OAUTHBEARER"]
        path = self.capture("all.pcap", *[["client 192.0.2.%d" % (10 + i)] + start + LOGINS[name] for i, name in enumerate(names)])
        self.assertEqual(len(run("-o", "json", path).sessions()), len(names))
        try:
            self.clean([path], (PASSWORD, TOKEN))
        except AssertionError:
            for name in names:  # which one is it?
                with self.subTest(name):
                    self.clean([self.capture(name + ".pcap", start + LOGINS[name])], (PASSWORD, TOKEN))
            raise

    def test_capture_that_begins_inside_a_login(self):
        script = ["port 587", "midstream", "S: 334 UGFzc3dvcmQ6", "C: " + encoded(PASSWORD), "S: 235 2.7.0 ok", "mail", "quit"]
        self.clean([self.capture("inside.pcap", script)], (PASSWORD,))

    def test_explain_repeats_no_login(self):
        plain = encoded("\0anna\0" + PASSWORD)
        for line in ("AUTH PLAIN " + plain, "C: auth login " + encoded(PASSWORD), '500 5.5.1 Command unrecognized: "AUTH PLAIN %s"' % plain,
                     "535 5.7.8 no\\n535 5.7.8 AUTH PLAIN " + plain, "334 UGFzc3dvcmQ6\\n%s\\n535 5.7.8 no" % encoded(PASSWORD),
                     "> PASS " + PASSWORD, '500 5.5.1 unrecognized command: "PASS %s"' % PASSWORD, "USER anna\\nPASS %s\\n500 what?" % PASSWORD,
                     "curl smtps://anna:%s@mail.example.org 535 5.7.8 no" % PASSWORD):
            for options in ([], ["-o", "json"]):
                shown = run("explain", *options, line)
                for form in forms(PASSWORD):
                    self.assertFalse(form in shown.raw + shown.err.encode(), line)

    def test_explain_repeats_no_dialogue_with_a_login(self):
        dialogues = [
            "* Server auth using PLAIN\n> AUTH PLAIN %s\n< 535 5.7.8 no\n" % encoded("\0anna\0" + PASSWORD),
            "CLIENT -> SERVER: AUTH LOGIN\nSERVER -> CLIENT: 334 VXNlcm5hbWU6\nCLIENT -> SERVER: YW5uYQ==\n"
            "SERVER -> CLIENT: 334 UGFzc3dvcmQ6\nCLIENT -> SERVER: %s\nSERVER -> CLIENT: 535 5.7.8 no\n" % encoded(PASSWORD),
            "CLIENT -> SERVER: AUTH PLAIN\nSERVER -> CLIENT: 334\nCLIENT -> SERVER: %s\nSERVER -> CLIENT: 535 5.7.8 no\n" % encoded("\0anna\0" + PASSWORD),
            "send: 'AUTH LOGIN YW5uYQ==\\r\\n'\nreply: b'334 UGFzc3dvcmQ6\\r\\n'\nreply: retcode (334); Msg: b'UGFzc3dvcmQ6'\n"
            "send: '%s\\r\\n'\nreply: b'535 5.7.8 no\\r\\n'\n" % encoded(PASSWORD)]
        for dialogue in dialogues:
            for shown in (run("explain", stdin=dialogue.encode()), run("explain", dialogue)):
                self.assertIn("auth-bad-credentials", shown.out)
                for form in forms(PASSWORD):
                    self.assertFalse(form in shown.raw + shown.err.encode(), dialogue)

    def test_messages_of_damaged_files(self):
        path = self.capture("whole.pcap", ["port 587", "hello AUTH_PLAIN"] + LOGINS["plain-initial"])
        content = self.read("whole.pcap")
        at = content.index(b"AUTH PLAIN")
        for name, damaged in (("cut.pcap", content[:at + 30]), ("bent.pcap", content[:at - 60] + b"\xff" * 8 + content[at - 52:])):
            self.clean([self.file(name, damaged)], (PASSWORD,))
        self.clean([path], (PASSWORD,))

    def test_login_seen_from_one_side(self):
        script = ["port 587", "only C", "hello AUTH_LOGIN"] + LOGINS["login"]
        self.clean([self.capture("client.pcap", script)], (PASSWORD,))

    def test_own_captures(self):
        listing = os.path.join(common.PCAPS, "SECRETS.txt")
        if not os.path.exists(listing):
            self.skipTest("there is no pcaps/SECRETS.txt")
        with open(listing, encoding="utf-8") as file:
            secrets = [line.split("\t")[0].strip() for line in file if line.strip() and not line.startswith("#")]
        self.assertTrue(secrets)
        names = common.captures()
        logins = [name for name in names if name.startswith(("auth/", "proxy/"))]
        self.clean_groups(logins, secrets, True)
        if not SANITIZED:
            self.clean_groups([name for name in names if name not in logins], secrets, False)

    def clean_groups(self, names, secrets, every_format):
        """Many at once: a run costs more than what it looks at."""
        for at in range(0, len(names), TOGETHER):
            paths = [os.path.join(common.PCAPS, name) for name in names[at:at + TOGETHER]]
            try:
                self.clean(paths, secrets, every_format)
            except AssertionError:
                for path in paths:  # which one is it?
                    with self.subTest(path):
                        self.clean([path], secrets, every_format)
                raise


if __name__ == "__main__":
    common.main()
