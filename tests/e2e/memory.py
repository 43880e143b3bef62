#!/usr/bin/env python3
"""What the program leaves in its memory when it is done: no password, no token, not even a part of one.

A small library (left_behind.c) is loaded into the program and writes all its writable memory to a file at the end: heap
with what was freed, stacks, globals. Every secret of the captures made here is looked for in pieces, in each form in
which it could stand there; in sessions that were opened with a key log, the secrets of the log too. Two secrets that are
left on purpose have to be found.
"""
import base64
import functools
import gzip
import hashlib
import hmac
import os
import shutil
import struct
import subprocess
import sys

import common
import dialogue

LIBRARY = os.environ.get("SW_LEFT_BEHIND", "")
PIECE = 12  # a run of twice this length is found wherever it begins
HEAD = 64
PAGE = 4096
LAB_PASSWORD = b"lab-Secret-4711"  # of the recordings in pcaps/ (pcaps/SECRETS.txt)


def secret(name):
    """A password that stands nowhere else."""
    return "L4b-" + hashlib.sha256(name.encode()).hexdigest()[:36] + "-" + name


def encoded(text):
    raw = text if isinstance(text, bytes) else text.encode("latin-1")
    return base64.b64encode(raw).decode("ascii")


def plain(name):
    return encoded("\0anna\0" + secret(name))


def ntlm(name):
    """A type 3 message whose responses are made of the secret."""
    blobs = [secret(name)[:24].encode(), secret(name)[-24:].encode(), "CORP".encode("utf-16-le"), "anna".encode("utf-16-le"),
             "PC".encode("utf-16-le"), b""]
    fields, body = b"", b""
    for blob in blobs:
        fields += struct.pack("<HHI", len(blob), len(blob), 64 + len(body))
        body += blob
    return encoded(b"NTLMSSP\0" + struct.pack("<I", 3) + fields + struct.pack("<I", 1) + body)


def halves(text):
    return ["C. " + text[:len(text) // 2], "C. " + text[len(text) // 2:] + "\\r\\n"]


def login(name, answer):
    return ["C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: " + encoded("anna"), "S: 334 UGFzc3dvcmQ6", "C: " + encoded(secret(name))] + answer


OFFER = "hello AUTH_PLAIN_LOGIN_XOAUTH2_OAUTHBEARER_NTLM_CRAM-MD5"
SESSIONS = {
    "plain": [OFFER, "C: AUTH PLAIN " + plain("plain"), "S: 235 ok", "sent", "quit"],
    "plain-later": [OFFER, "C: AUTH PLAIN", "S: 334 ", "C: " + plain("plain-later"), "S: 535 no", "quit"],
    "login": [OFFER] + login("login", ["S: 235 ok", "quit"]),
    "login-refused": [OFFER] + login("login-refused", ["S: 535 5.7.8 no", "close S"]),
    "login-raw": [OFFER, "C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: anna", "S: 334 UGFzc3dvcmQ6", "C: " + secret("login-raw"), "S: 501 no", "quit"],
    "xoauth2": [OFFER, "C: AUTH XOAUTH2 " + encoded("user=anna\x01auth=Bearer " + secret("xoauth2") + "\x01\x01"), "S: 334 " + encoded('{"status":"401"}'),
                "C: ", "S: 535 no", "quit"],
    "oauthbearer": [OFFER, "C: AUTH OAUTHBEARER", "S: 334 ", "C: " + encoded("n,a=anna,\x01auth=Bearer " + secret("oauthbearer") + "\x01\x01"), "S: 235 ok", "quit"],
    "cram": [OFFER, "C: AUTH CRAM-MD5", "S: 334 " + encoded("<1@mx>"), "C: " + encoded("anna " + secret("cram")), "S: 235 ok", "quit"],
    "ntlm": [OFFER, "C: AUTH NTLM " + encoded(b"NTLMSSP\0\1\0\0\0" + b"\0" * 20), "S: 334 " + encoded(b"NTLMSSP\0\2\0\0\0" + b"\0" * 40),
             "C: " + ntlm("ntlm"), "S: 235 ok", "quit"],
    "own-command": [OFFER, "C: " + secret("own-command"), "S: 500 5.5.2 what?", "quit"],
    "pass-command": [OFFER, "C: PASS " + secret("pass-command"), "S: 500 5.5.2 what?", "quit"],
    "for-the-mechanism": [OFFER, "C: AUTH " + secret("for-the-mechanism"), "S: 504 5.5.4 what?", "quit"],
    "echo": [OFFER, "C: AUTH PLAIN " + plain("echo"), 'S: 501 5.5.2 cannot decode "%s"' % plain("echo"), "quit"],
    "echo-raw": [OFFER, "C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: " + secret("echo-raw"), 'S: 501 5.5.2 bad base64: %s' % secret("echo-raw"), "quit"],
    "split": [OFFER] + halves("AUTH PLAIN " + plain("split")) + ["S: 235 ok", "quit"],
    "unfinished": [OFFER, "C. AUTH PLAIN " + plain("unfinished"), "rst C"],
    "unanswered": [OFFER, "C: AUTH PLAIN " + plain("unanswered"), "close C"],
    "pipelined": [OFFER, "C. AUTH LOGIN\\r\\n%s\\r\\n%s\\r\\n" % (encoded("anna"), encoded(secret("pipelined"))), "S: 334 VXNlcm5hbWU6",
                  "S: 334 UGFzc3dvcmQ6", "S: 235 ok", "quit"],
    "behind-a-gap": [OFFER, "lost C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: " + encoded("anna"), "lost S: 334 UGFzc3dvcmQ6",
                     "C: " + encoded(secret("behind-a-gap")), "S: 235 ok", "quit"],
    "midstream": ["midstream", "C: " + encoded(secret("midstream")), "S: 235 2.7.0 ok", "sent", "quit"],
    "client-only": ["only C", OFFER] + login("client-only", ["S: 235 ok", "quit"]),
    "sent-twice": [OFFER, "C: AUTH PLAIN " + plain("sent-twice"), "again C: AUTH PLAIN " + plain("sent-twice"), "S: 235 ok", "quit"],
    "two-copies": [OFFER, "C: AUTH PLAIN " + plain("two-copies"), "again C: AUTH PLAIN " + plain("two-other!"), "S: 235 ok", "quit"],
    "repeated": [OFFER, "repeat C AUTH_PLAIN_" + plain("repeated")],
    "web-login": ["C: GET / HTTP/1.1", "C: Authorization: Basic " + encoded("anna:" + secret("web-login")), "C: ", "S: HTTP/1.1 400 Bad", "close S"],
    "many-lines": [OFFER] + login("many-lines", ["S: 535 no"]) * 40 + ["close S"],
}
SECRETS = sorted(SESSIONS) + ["two-other!"]


def forms(text):
    raw = text if isinstance(text, bytes) else text.encode("ascii")
    yield raw
    yield raw.hex().encode("ascii")
    yield raw.hex().upper().encode("ascii")
    yield raw.decode("latin-1").encode("utf-16-le")
    for before in range(3):
        whole = base64.b64encode(b"x" * before + raw)
        yield whole[(before * 8 + 5) // 6:(before + len(raw)) * 8 // 6]


@functools.lru_cache(maxsize=None)
def pieces(text):
    """Each with the pairs of words of memory that it fills, by where in a word it begins."""
    made = []
    for form in forms(text):
        for at in range(0, len(form) - PIECE + 1, PIECE):
            piece = form[at:at + PIECE]
            made.append((piece, [struct.unpack_from("=II", piece, begin) for begin in range(4)]))
    return made


def pages(dump):
    """Runs of neighbouring pages: (name of the mapping, address, bytes)."""
    runs = []
    for at in range(0, len(dump), HEAD + PAGE):
        address, = struct.unpack_from("<Q", dump, at)
        name = dump[at + 8:at + HEAD].split(b"\0")[0].decode("utf-8", "replace")
        page = dump[at + HEAD:at + HEAD + PAGE]
        if runs and runs[-1][1] + len(runs[-1][2]) == address:
            runs[-1][2].extend(page)
        else:
            runs.append((name, address, bytearray(page)))
    return runs


def found(runs, names, secret=secret):
    words = set()  # all that stand in memory: most pieces need no search through it
    for _, _, content in runs:
        words.update(memoryview(content).cast("I"))
    for wanted in names:
        near = [piece for piece, pairs in pieces(secret(wanted)) if any(one in words and other in words for one, other in pairs)]
        for name, address, content in runs if near else []:
            for piece in near:
                at = content.find(piece)
                if at >= 0:
                    around = bytes(content[max(at - 24, 0):at + 40])
                    yield "%s in %s at %#x: %r" % (wanted, name or "anonymous memory", address + at, around)
                    break


def traffic_keys(traffic):
    """The keys of 128 and 256 bits that TLS 1.3 makes of a traffic secret (RFC 8446 7.3)."""
    digest = "sha256" if len(traffic) == 32 else "sha384"
    for size in (16, 32):
        info = struct.pack("!HB", size, 9) + b"tls13 key" + b"\0"
        yield "key of %d bytes" % size, hmac.new(traffic, info + b"\1", digest).digest()[:size]


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))


def with_secrets(capture, keys):
    """The frames of a pcap file as a pcapng file that begins with a Decryption Secrets Block."""
    magic = struct.unpack_from("<I", capture)[0]
    nanoseconds = magic == 0xa1b23c4d
    assert nanoseconds or magic == 0xa1b2c3d4
    link, = struct.unpack_from("<I", capture, 20)
    out = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    out += block(10, struct.pack("<II", 0x544c534b, len(keys)) + keys)
    out += block(1, struct.pack("<HHI", link & 0xffff, 0, 0) + struct.pack("<HHBxxxHH", 9, 1, 9 if nanoseconds else 6, 0, 0))
    at = 24
    while at < len(capture):
        seconds, part, kept, whole = struct.unpack_from("<IIII", capture, at)
        time = seconds * (10**9 if nanoseconds else 10**6) + part
        out += block(6, struct.pack("<IIIII", 0, time >> 32, time & 0xffffffff, kept, whole) + capture[at + 16:at + 16 + kept])
        at += 16 + kept
    return out


class Memory(common.Case):
    def after(self, *arguments, stdin=None, plant=None, says="192.0.2.10"):
        environment = dict(os.environ, LD_PRELOAD=LIBRARY, SW_DUMP=self.path("dump"))
        if plant:
            environment["SW_PLANT"] = plant
        done = subprocess.run([common.PROGRAM] + list(arguments), stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=environment, timeout=120)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        self.assertIn(says.encode("ascii"), done.stdout)
        runs = pages(self.read("dump"))
        self.assertTrue(any(name == "[heap]" for name, _, _ in runs))
        self.assertTrue(any(name == "[stack]" for name, _, _ in runs))
        return runs

    def all_sessions(self, name="all.pcap"):
        return self.capture(name, *[["client 192.0.2.%d" % (10 + i), "port 587"] + SESSIONS[key] for i, key in enumerate(sorted(SESSIONS))])

    def clean(self, *arguments, **more):
        self.assertEqual(list(found(self.after(*arguments, **more), SECRETS)), [])

    def test_what_is_left_on_purpose_is_found(self):
        plant = self.file("plant", ("%s\n%s\n" % (secret("kept"), encoded("x" + secret("freed")))).encode("ascii"))
        seen = " ".join(found(self.after("-o", "json", self.all_sessions(), plant=plant), ["kept", "freed", "absent"]))
        self.assertIn("kept in ", seen)
        self.assertIn("freed in ", seen)
        self.assertNotIn("absent in ", seen)

    def test_text(self):
        self.clean("-v", self.all_sessions())

    def test_json(self):
        self.clean("-o", "json", self.all_sessions())

    def test_standard_input(self):
        with open(self.all_sessions(), "rb") as capture:
            self.clean("-o", "json", "-", stdin=capture)

    def test_several_files_on_threads(self):
        names = [self.all_sessions("%d.pcap" % i) for i in range(4)]
        self.clean("-j", "2", "-v", *names)

    def test_filter(self):
        self.clean("-v", "-f", "tcp port 587", self.all_sessions())

    def test_limits(self):
        self.clean("-v", "--limits", "session-bytes=16K,session-lines=64,reply-bytes=512,unfinished-lines=2,held-bytes=2048", self.all_sessions())

    def test_sessions_that_rest(self):
        """Line by line in turns: all but a few wait in the middle of their logins, squeezed (src/flow/rest.c, mail_rest.c)."""
        made = dialogue.Capture()
        scripts = [["client 192.0.2.%d" % (10 + i), "port 587"] + SESSIONS[key] for i, key in enumerate(sorted(SESSIONS))]
        sessions = []
        for script in scripts:
            made.new_session()
            sessions.append(made.session)
        for step in range(max(map(len, scripts))):
            for made.session, script in zip(sessions, scripts):
                if step < len(script):
                    made.say(script[step])
        made.write(self.path("woven.pcap"))
        for connections in (len(scripts), 16):  # a quarter of them need not rest
            self.clean("-o", "json", "--limits", "connections=%d" % connections, self.path("woven.pcap"))

    def test_damaged_file(self):
        with open(self.all_sessions(), "rb") as file:
            content = file.read()
        self.clean("-o", "json", self.file("cut.pcap", content[:-30]))

    def test_each_session_alone(self):
        """Nothing behind it that would take its place in memory."""
        for name in sorted(SESSIONS):
            with self.subTest(name):
                self.clean("-o", "json", self.capture(name + ".pcap", ["port 587"] + SESSIONS[name]))

    def large(self):
        """More than the windows of the decompressors and of the reader hold."""
        lines = []
        for i in range(4):
            lines += [["client 192.0.2.%d" % (10 + i), "port 587", OFFER, "mail", "rcpt", "data", "body 400000", "C: .", "queued", "quit"]]
            lines += [["client 192.0.2.%d" % (100 + i), "port 587"] + SESSIONS[key] for key in sorted(SESSIONS)]
        return self.capture("large.pcap", *lines)

    def test_gzip(self):
        with open(self.large(), "rb") as file:
            self.clean("-o", "json", self.file("large.pcap.gz", gzip.compress(file.read())))

    def packed(self, packer):
        if not shutil.which(packer):
            self.skipTest("there is no " + packer)
        path = self.large()
        with open(path + ".packed", "wb") as out:
            subprocess.run([packer, "-q", "-c", path], stdout=out, check=True)
        self.clean("-o", "json", path + ".packed")

    def test_zstd(self):
        self.packed("zstd")

    def test_lz4(self):
        self.packed("lz4")

    def test_segments_out_of_order(self):
        made = dialogue.Capture()
        line = "AUTH PLAIN " + plain("split")
        made.run(["port 587", OFFER, "C. " + line[:30], "C. " + line[30:60], "C. " + line[60:] + "\\r\\n", "S: 235 ok", "sent", "quit"])
        at = [i for i, (_, frame) in enumerate(made.frames) if frame.endswith(line[30:60].encode())][0]
        first, last = made.frames[at - 2], made.frames[at]
        made.frames[at - 2], made.frames[at] = (first[0], last[1]), (last[0], first[1])
        made.write(self.path("order.pcap"))
        self.clean("-v", self.path("order.pcap"))

    def test_parts_of_ip_packets(self):
        made = dialogue.Capture()
        made.run(["port 587", OFFER, "C: AUTH PLAIN " + plain("split"), "S: 235 ok", "quit"])
        at = [i for i, (_, frame) in enumerate(made.frames) if plain("split").encode() in frame][0]
        time, frame = made.frames[at]
        head, body = frame[14:34], frame[34:]
        parts = []
        for begin in range(0, len(body), 48):
            more = 0x2000 if begin + 48 < len(body) else 0
            piece = body[begin:begin + 48]
            new = head[:2] + struct.pack("!H", 20 + len(piece)) + head[4:6] + struct.pack("!H", more | begin // 8) + head[8:10] + b"\0\0" + head[12:]
            new = new[:10] + struct.pack("!H", dialogue.checksum(new)) + new[12:]
            parts.append((time, frame[:14] + new + piece))
        self.assertGreater(len(parts), 2)
        made.frames[at:at + 1] = [parts[1], parts[0]] + parts[2:]
        made.write(self.path("parts.pcap"))
        self.assertIn("accepted", common.run("-v", self.path("parts.pcap")).out)
        self.clean("-v", self.path("parts.pcap"))

    def opened(self, name, *arguments):
        """A recording of pcaps/tls, opened with the keys beside it: passwords and keys are gone."""
        stem = os.path.join(common.PCAPS, "tls", name)
        with open(stem + ".keys", encoding="ascii") as file:
            lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
        inside = {"key %d %s" % (i, line[0]): bytes.fromhex(line[2]) for i, line in enumerate(lines)}
        for label, traffic in list(inside.items()):
            if "_TRAFFIC_SECRET" in label:
                inside.update({"%s %s" % (label, name): made for name, made in traffic_keys(traffic)})
        inside.update({"password": LAB_PASSWORD, "login": b"\0" + LAB_PASSWORD})
        runs = self.after(*arguments, says="AUTH")
        self.assertEqual(list(found(runs, inside, inside.get)), [])

    def recordings(self):
        folder = os.path.join(common.PCAPS, "tls")
        names = sorted(name[:-5] for name in os.listdir(folder) if "-login-" in name and name.endswith(".keys"))
        self.assertGreater(len(names), 5)
        return [(name, os.path.join(folder, name)) for name in names]

    def test_opened_with_a_key_log(self):
        for name, stem in self.recordings():
            for output in ("json", "text"):
                with self.subTest(name + " " + output):
                    self.opened(name, "-v", "-o", output, "--keylog", stem + ".keys", stem + ".pcap")

    def test_opened_with_secrets_inside(self):
        for name, stem in self.recordings():
            with self.subTest(name):
                with open(stem + ".pcap", "rb") as capture, open(stem + ".keys", "rb") as keys:
                    self.opened(name, "-v", self.file("inside.pcapng", with_secrets(capture.read(), keys.read())))


if __name__ == "__main__":
    if not os.path.exists(LIBRARY):
        print("SW_LEFT_BEHIND does not name the library")
        sys.exit(1)
    common.main()
