"""What the tests of the whole program share: running it, and captures made from dialogue scripts."""
import base64
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PCAPS = os.path.join(ROOT, "pcaps")
SKIPPED = 77
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import dialogue  # noqa: E402  (needs the path above)
import start  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""

DELIVERED = ["hello", "sent", "quit"]
REFUSED = ["hello", "mail", "C: RCPT TO:<bob@example.com>", "S: 550 5.7.1 <bob@example.com>: Relay access denied", "quit"]
LOGIN = ["port 587", "hello AUTH_PLAIN", "login", "sent", "quit"]
SILENT = ["syn 3"]


class Result:
    def __init__(self, status, out, err):
        self.status = status
        self.raw = out
        self.out = out.decode("utf-8", "surrogateescape")
        self.err = err.decode("utf-8", "surrogateescape")

    def records(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def sessions(self):
        return [record for record in self.records() if record["type"] == "session"]


def run(*arguments, stdin=b"", environment=None, cwd=None):
    return Result(*start.run([PROGRAM] + [str(a) for a in arguments], stdin=stdin, environment=environment, cwd=cwd))


PAGE_BLOCK = re.compile(rb'<script type="application/x-smtpwhy">([A-Za-z0-9+/=]*)</script>\n')
PAGE_PLAIN = re.compile(rb"<noscript><(?:h2|p)>.*?</p></noscript>\n")


def page_frame(page):
    """What stands around the records in a page of -o html."""
    return PAGE_PLAIN.sub(b"", PAGE_BLOCK.sub(b"", page))


def page_blocks(page):
    """The records inside a page of -o html, as the bytes of each of its blocks."""
    return [zlib.decompress(base64.b64decode(block, validate=True), -15) for block in PAGE_BLOCK.findall(page)]


class Case(unittest.TestCase):
    """A test with a directory of its own and captures in it."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def capture(self, name, *scripts):
        """Writes a capture of one session for each script."""
        made = dialogue.Capture()
        lines = []
        for script in scripts:
            lines += (["session"] if lines else []) + list(script)
        made.run(lines)
        made.write(self.path(name))
        return self.path(name)

    def file(self, name, content):
        with open(self.path(name), "wb") as out:
            out.write(content)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()


def captures():
    """The project's own captures, relative to pcaps/; hidden directories are the lab's workshop."""
    found = []
    for folder, below, names in os.walk(PCAPS):
        below[:] = [name for name in below if not name.startswith(".")]
        found += [os.path.relpath(os.path.join(folder, name), PCAPS) for name in names
                  if name.endswith((".pcap", ".pcapng", ".cap"))]
    return sorted(found)


def pcap_header(link_type=1, snaplen=65535):
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snaplen, link_type)


def main(skipped_because=None):
    """Runs the tests of this file, unless something is missing that they need."""
    if skipped_because:
        print("skipped: " + skipped_because, file=sys.stderr)
        sys.exit(SKIPPED)
    if not PROGRAM or not os.path.exists(PROGRAM):
        print("usage: %s PROGRAM" % sys.argv[0])
        sys.exit(2)
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:], verbosity=1)
