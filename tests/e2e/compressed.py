#!/usr/bin/env python3
"""Certificates that come compressed (RFC 8879), in TLS 1.3 that is read with a key log: unpacked where that can be done and gives
just what was announced; else nothing is said of them, and the mail inside is read all the same."""
import os
import struct
import subprocess
import zlib

import common
import dialogue
import seal
import tls

SECRETS = {label: bytes([number]) * 32 for number, label in enumerate(
    ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"), 1)}
RANDOM = b"R" * 32
SAID = ((1, "220 mx.example.org ESMTP"), (0, "EHLO pc.example.net"), (1, "250 mx.example.org"), (0, "MAIL FROM:<anna@example.net>"),
        (1, "250 2.1.0 Ok"), (0, "RCPT TO:<bob@example.org>"), (1, "550 5.1.1 <bob@example.org>: User unknown"), (0, "QUIT"), (1, "221 2.0.0 Bye"))


def message(kind, body):
    return bytes([kind]) + struct.pack("!I", len(body))[1:] + body


def of24(data):
    return struct.pack("!I", len(data))[1:] + data


def hello(kind, rest):
    return b"\x16\x03\x03" + struct.pack("!H", len(rest) + 4) + message(kind, rest)


def certificate():
    """A Certificate message's body for mx.example.org."""
    tls.STORE.make("good")
    der = subprocess.run(["openssl", "x509", "-in", tls.STORE.path("good.pem"), "-outform", "DER"], capture_output=True, check=True).stdout
    return b"\0" + of24(of24(der) + b"\0\0")


def zstd(data):
    """A frame with one raw block (RFC 8878)."""
    return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(data)) + struct.pack("<I", len(data) << 3 | 1)[:3] + data


def packed(method, length, data):
    return message(25, struct.pack("!H", method) + struct.pack("!I", length)[1:] + of24(data))


def capture(compressed):
    made = dialogue.Capture()
    made.run(["port 465"])
    extensions = b"\0\x2b\0\3\2\3\4" + b"\0\0\0\x13\0\x11\0\0\x0emx.example.org" + b"\0\x1b\0\3\2\0\1"
    made.send(0, hello(1, b"\3\3" + RANDOM + b"\0" + b"\0\2\x13\3" + b"\1\0" + struct.pack("!H", len(extensions)) + extensions))
    extensions = b"\0\x2b\0\2\3\4" + b"\0\x33\0\x24\0\x1d\0\x20" + bytes(32)
    made.send(1, hello(2, b"\3\3" + b"S" * 32 + b"\0" + b"\x13\3" + b"\0" + struct.pack("!H", len(extensions)) + extensions))
    shaking = [seal.Writer(SECRETS[side + "_HANDSHAKE_TRAFFIC_SECRET"]) for side in ("CLIENT", "SERVER")]
    flight = message(8, b"\0\0") + compressed + message(15, b"\4\3\0\4abcd") + message(20, bytes(32))
    for at in range(0, len(flight), 500):  # messages over records
        made.send(1, shaking[1].record(22, flight[at:at + 500]))
    made.send(0, shaking[0].record(22, message(20, bytes(32))))
    talking = [seal.Writer(SECRETS[side + "_TRAFFIC_SECRET_0"]) for side in ("CLIENT", "SERVER")]
    for side, line in SAID:
        made.send(side, talking[side].record(23, line.encode() + b"\r\n"))
    made.do_close("C")
    return made


class Compressed(common.Case):
    def judged(self, compressed):
        with common.tempfile.TemporaryDirectory() as folder:
            path, keys = os.path.join(folder, "x.pcap"), os.path.join(folder, "x.keys")
            capture(compressed).write(path)
            with open(keys, "w", encoding="ascii") as file:
                file.writelines("%s %s %s\n" % (label, RANDOM.hex(), secret.hex()) for label, secret in SECRETS.items())
            result = common.run("-o", "json", "-k", keys, "--ca-file", tls.STORE.anchor(), path)
            self.assertEqual(result.status, 0, result.err)
            session, = result.sessions()
            self.assertEqual((session["outcome"], session["verdict"]["cause"]), ("stuck", "rcpt-unknown-user"))
            return session

    def test_what_can_be_unpacked(self):
        body = certificate()
        plain = self.judged(message(11, body))["tls"]["certificates"]
        self.assertEqual([c["names"] for c in plain], [["mx.example.org"]])
        for method, data in ((1, zlib.compress(body)), (3, zstd(body))):
            session = self.judged(packed(method, len(body), data))
            self.assertEqual(session["tls"]["certificates"], plain)
            self.assertNotIn("RFC 8879", session["verdict"]["explanation"])

    def test_what_cannot(self):
        body = certificate()
        good = zlib.compress(body)
        for name, method, length, data in (
                ("brotli", 2, len(body), b"\x0b\x02\x80abc\x03"), ("zlib", 1, len(body) - 1, good), ("zlib", 1, len(body) + 1, good),
                ("zlib", 1, len(body), good[:-5]), ("zlib", 1, len(body), good + b"x"), ("zlib", 1, len(body), b"no zlib at all"),
                ("zstd", 3, len(body), zstd(body)[:-1]), ("zlib", 1, 60000, zlib.compress(bytes(20000000))),
                ("zlib", 1, 16000000, zlib.compress(bytes(16000000))), ("an unknown method", 77, len(body), good)):
            session = self.judged(packed(method, length, data))
            self.assertEqual(session["tls"]["certificates"], [], (name, length))
            self.assertIn("compressed (%s, RFC 8879) and were not read" % name, session["verdict"]["explanation"])


common.main()
