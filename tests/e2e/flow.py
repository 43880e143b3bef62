#!/usr/bin/env python3
"""--flow: ten failing captures drawn at 80 and 120 columns, in UTF-8 and ASCII, with and without colour.

    flow.py PROGRAM [--update]      --update rewrites the expected drawings in flow/; read the difference
"""
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unicodedata

import common
from common import DELIVERED, REFUSED, run

EXPECTED = os.path.join(common.HERE, "flow")
CAPTURES = ["rcpt/relay-denied", "connect/syn-dropped", "connect/rejected-by-firewall", "dns/no-answer", "data/mtu-hole",
            "data/server-stops-reading", "auth/wrong-password-login", "tls/expired-curl-tls1.2", "session/peer-vanished",
            "tls/unknown-user-exim-by-curl-465-tls1.3"]
COLOUR = re.compile("\x1b\\[[0-9;]*m")
ROW = re.compile(r"^(?:E\d|  ) +(\d+) +(\d+\.\d{3})  ")
ASCII = {"LC_ALL": "C", "LANG": "C"}
UTF8 = {"LC_ALL": "C.UTF-8"}


def arguments(name):
    path = os.path.join(common.PCAPS, name)
    keys = ["-k", path + ".keys"] if os.path.exists(path + ".keys") else []
    return ["--flow"] + keys + [path + ".pcap"]


def columns(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def ladder(text):
    """The lines of the drawing, from its head to its legend."""
    lines = text.splitlines()
    head = next(i for i, line in enumerate(lines) if re.match(r" +frame +seconds ", line))
    end = next(i for i in range(head, len(lines)) if not lines[i] or lines[i].startswith("     E1"))
    return lines[head:end]


def on_terminal(width, environment, *words):
    """What the program writes on a terminal of that width."""
    try:
        master, slave = pty.openpty()
    except OSError:
        return None
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    variables = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG")}
    child = subprocess.Popen([common.PROGRAM, "--progress", "never"] + list(words), stdout=slave, stderr=subprocess.DEVNULL,
                             env=dict(variables, TERM="xterm", **environment))
    os.close(slave)
    written = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            piece = b""
        if not piece:
            break
        written += piece
    os.close(master)
    child.wait()
    return written.decode("utf-8").replace("\r\n", "\n")


class Flow(common.Case):
    def drawn(self, name, *more, environment=None):
        result = run(*more, *arguments(name), environment=environment)
        self.assertEqual((result.status, result.err), (0, ""), name)
        return result.out

    def check_lines(self, name, lines, width):
        """Nothing beyond the width, and the right rail in one column."""
        rails = set()
        for line in lines:
            self.assertLessEqual(columns(line), width, "%s: %r" % (name, line))
            if line[-1] in "|#:\u2502\u2551\u2506":
                rails.add(columns(line))
        self.assertEqual(rails, {width}, name)

    def test_expected_drawings(self):
        for name in CAPTURES:
            expected = os.path.join(EXPECTED, name.replace("/", "-") + ".txt")
            got = "\n".join(ladder(self.drawn(name))) + "\n"
            with open(expected, encoding="utf-8") as file:
                self.assertEqual(got, file.read(), name)

    def test_widths_and_character_sets(self):
        for name in CAPTURES:
            for width in (80, 120):
                for environment in (ASCII, UTF8):
                    text = on_terminal(width, environment, *arguments(name))
                    if text is None:
                        self.skipTest("this machine has no pseudo-terminals")
                    self.assertIn("\x1b[", text)
                    lines = ladder(COLOUR.sub("", text))
                    self.check_lines(name, lines, width)
                    self.assertEqual(environment is ASCII, "\n".join(lines).isascii())

    def test_colour_adds_nothing_but_colour(self):
        for name in CAPTURES:
            plain = self.drawn(name, "--color", "never")
            self.assertNotIn("\x1b", plain)
            self.assertEqual(COLOUR.sub("", self.drawn(name, "--color", "always")), plain)

    def test_evidence_is_marked(self):
        """Each frame of the evidence has its number beside it, or is named in the words below its arrow."""
        for name in CAPTURES:
            session = run("-o", "json", *arguments(name)).sessions()[0]
            lines = ladder(self.drawn(name))
            marked = {int(ROW.match(line).group(1)) for line in lines if re.match(r"E\d", line)}
            named = {int(n) for n in re.findall(r"E\d: frame (\d+),", "\n".join(lines))}
            for number, proof in enumerate(session["verdict"]["evidence"], 1):
                self.assertIn(proof["frame"], marked | named, "%s E%d" % (name, number))

    def test_frames_do_not_go_back(self):
        for name in CAPTURES + ["rcpt/pipelining-postfix", "session/421-in-text"]:
            frames = [int(ROW.match(line).group(1)) for line in ladder(self.drawn(name)) if ROW.match(line)]
            self.assertEqual(frames, sorted(frames), name)

    def test_secrets_stay_out(self):
        drawn = self.drawn("auth/wrong-password-login")
        with open(os.path.join(common.PCAPS, "SECRETS.txt"), encoding="utf-8") as file:
            for secret in (line.strip() for line in file):
                if secret and not secret.startswith("#"):
                    self.assertNotIn(secret, drawn)
        self.assertIn("(auth) ***", drawn)

    def test_as_a_file(self):
        path = os.path.join(common.PCAPS, "rcpt", "relay-denied.pcap")
        result = run("--flow", "-o", "text:" + self.path("flow.txt"), "-o", "json", path)
        self.assertEqual(result.sessions()[0]["outcome"], "stuck")
        written = self.read("flow.txt").decode("utf-8")
        self.check_lines("file", ladder(written), 100)

    def test_every_session_has_its_ladder(self):
        path = self.capture("many.pcap", DELIVERED, REFUSED, DELIVERED, REFUSED)
        self.assertEqual(len(re.findall(r"(?m)^ +frame +seconds ", run("--flow", path).out)), 4)
        self.assertEqual(len(re.findall(r"(?m)^ +frame +seconds ", run("--flow", "--only", "stuck", path).out)), 2)

    def test_hostile_and_wide_text(self):
        greeting = "220 " + "\u6f22\u5b57" * 10 + " \u202ereversed e\u0301\u0301 \x1b[31mred " + "x" * 300
        hostile = self.capture("hostile.pcap", [
            "S: " + greeting.encode("utf-8").decode("latin-1"), "C: EHLO a", "S: 550 no", "C: QUIT", "S: 221 bye"])
        for environment in (UTF8, ASCII):
            text = run("--flow", hostile, environment=environment).out
            self.assertNotIn("\x1b", text)
            self.assertNotIn("\u202e", text)
            self.check_lines("hostile", ladder(text), 100)

    def test_anonymize(self):
        text = run("--flow", "--anonymize", self.capture("a.pcap", REFUSED)).out
        for word in ("192.0.2", "bob", "example.com"):
            self.assertNotIn(word, "\n".join(ladder(text)))

    def test_not_with_quiet(self):
        self.assertEqual(run("--flow", "-q", self.capture("q.pcap", REFUSED)).status, 2)


def update():
    for name in CAPTURES:
        with open(os.path.join(EXPECTED, name.replace("/", "-") + ".txt"), "w", encoding="utf-8") as file:
            file.write("\n".join(ladder(run(*arguments(name)).out)) + "\n")


if __name__ == "__main__":
    if "--update" in sys.argv:
        update()
    else:
        common.main()
