#!/usr/bin/env python3
"""seed.py FOLDER - writes first inputs for the fuzzers, FOLDER/<target>/..., made from the transcripts and pcaps/.

Whole captures for the targets that read files, their frames for the decoder, dialogues in the step format of
fuzz_smtp, texts of mails, and connections of OpenSSL with their keys and certificates in that of the targets for TLS.
"""
import hashlib
import os
import re
import ssl
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

from tls import Connection, STORE  # noqa: E402  # pylint: disable=wrong-import-position

WHOLE_FILE_BYTES = 12 * 1024  # larger captures only make a fuzzer slow
FRAMES_OF_A_FILE = 12
ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
FIN, GAP = 0x3C, 0x3E


def put(folder, target, data):
    where = os.path.join(folder, target)
    os.makedirs(where, exist_ok=True)
    with open(os.path.join(where, hashlib.sha1(data).hexdigest()), "wb") as file:
        file.write(data)


def unescape(text):
    out, at = bytearray(), 0
    while at < len(text):
        if text[at] != "\\":
            out += text[at].encode("utf-8")
            at += 1
        elif text[at + 1] == "x":
            out.append(int(text[at + 2:at + 4], 16))
            at += 4
        else:
            out += ESCAPES[text[at + 1]].encode()
            at += 2
    return bytes(out)


def steps_of(transcript):
    """The dialogue of a transcript as the input of fuzz_smtp: a byte of direction and cut, a length, the bytes."""
    out = bytearray([0])
    for line in transcript.split("----")[0].splitlines():
        words = line.split()
        if line == "midstream":
            out[0] = 1
        elif line[:3] in ("S: ", "C: ", "S. ", "C. "):
            data = unescape(line[3:]) if line[1] == "." else line[3:].encode("utf-8") + b"\r\n"
            side = 1 if line[0] == "S" else 0
            for at in range(0, len(data), 255):
                part = data[at:at + 255]
                out += bytes([side | 6, len(part)]) + part
        elif words and words[0] in ("gap", "fin"):
            side = 1 if words[1] == "S" else 0
            length = min(int(words[2]), 255) if words[0] == "gap" else 0
            out += bytes([side | (GAP if words[0] == "gap" else FIN), length])
    return bytes(out)


def frames_of(data):
    """Link type and frames of a little-endian microsecond pcap, as the lab writes them; nothing for other files."""
    if data[:4] != b"\xd4\xc3\xb2\xa1":
        return 0, []
    link, at, frames = struct.unpack("<I", data[20:24])[0], 24, []
    while at + 16 <= len(data) and len(frames) < FRAMES_OF_A_FILE:
        length = struct.unpack("<I", data[at + 8:at + 12])[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return link, frames


def captures():
    for folder, _, names in os.walk(os.path.join(ROOT, "pcaps")):
        for name in sorted(names):
            if name.endswith((".pcap", ".pcapng")):
                with open(os.path.join(folder, name), "rb") as file:
                    yield file.read()


def link_types():
    with open(os.path.join(ROOT, "src", "capture", "link.def"), encoding="utf-8") as file:
        return [int(line.split("(")[1].split(",")[0]) for line in file if line.startswith("SW_LINK(")]


# --- TLS: the formats are those at the top of fuzz_tls.c, fuzz_decrypt.c and fuzz_certificate.c ---

WITH_RSA, SERVER, LOST, SEALED = 2, 1, 2, 4
NO_ENCRYPT_THEN_MAC = 1 << 19  # SSL_OP_NO_ENCRYPT_THEN_MAC, which Python has no name for
LABELS = {"early": 0, "handshake": 1, "traffic": 2}
END_OF_EARLY, TOOK_EARLY = b"\x05\0\0\0", b"\x08\0\0\x06\0\x04\0\x2a\0\0"
KEY_UPDATE, FINISHED_13, FINISHED_12 = b"\x18\0\0\1\0", b"\x14\0\0\x20" + bytes(32), b"\x14\0\0\x0c" + bytes(12)


def talk(options, session=None):
    """A connection: the key log, and what was said as (side, bytes)."""
    log = tempfile.NamedTemporaryFile(delete=False)  # pylint: disable=consider-using-with
    log.close()
    said = []
    contexts = None if session else Connection.contexts(options, None)
    if contexts:
        contexts[0].options |= options.get("options", 0)
    connection = Connection(options, session, contexts)
    connection.client_context.keylog_filename = log.name
    connection.shake(lambda side, data: said.append((side, data)))
    handshake = len(said)
    for side, text in ((1, b"220 mx\r\n"), (0, b"EHLO pc\r\n"), (1, b"250 OK\r\n"), (0, b"x" * 300)):
        said.append((side, connection.write(side, text)))
    said.append((0, connection.close(0)))
    with open(log.name, "rb") as file:
        keys = b"".join(line for line in file if b"EXPORTER" not in line and line[:1] != b"#")
    os.unlink(log.name)
    return connection, keys, said, handshake


def records_of(data):
    while data:
        length = 5 + struct.unpack(">H", data[3:5])[0]
        yield data[:length]
        data = data[length:]


def raw(side, data):
    return struct.pack(">BH", side, len(data)) + data


def lost(side, data):
    return struct.pack(">BH", side | LOST, len(data))


def sealed(side, text, content=23, number=0, label="traffic", updates=0, damage=0):
    return struct.pack(">BHBBBBB", side | SEALED, len(text), LABELS[label], updates, number, content, damage) + text


def with_keys(keys, steps, flags=0x10, rsa=b""):
    key = struct.pack(">H", len(rsa)) + rsa if rsa else b""
    return struct.pack(">BH", flags | (WITH_RSA if rsa else 0), len(keys)) + keys + key + b"".join(steps)


def steps_for_tls(said):
    out = bytearray([0])
    for side, data in said:
        for at in range(0, len(data), 255):
            out += bytes([side, len(data[at:at + 255])]) + data[at:at + 255]
    return bytes(out)


def assembled(text):
    """The bytes that a line of tests/tls stands for."""
    out, opened = bytearray(), []
    for token in re.findall(r'"[^"]*"|\*\d+:[0-9a-fA-F]{2}|\[\d|\]|[0-9a-fA-F]{2}', text):
        if token[0] == '"':
            out += token[1:-1].encode("utf-8")
        elif token[0] == "*":
            count, byte = token[1:].split(":")
            out += bytes.fromhex(byte) * int(count)
        elif token[0] == "[":
            opened.append((len(out), int(token[1:])))
            out += bytes(int(token[1:]))
        elif token == "]":
            at, size = opened.pop()
            out[at:at + size] = (len(out) - at - size).to_bytes(size, "big")
        else:
            out += bytes.fromhex(token)
    return bytes(out)


def steps_of_tls(text):
    """A transcript of tests/tls for fuzz_tls."""
    out = bytearray([0])
    for line in text.split("\n----")[0].splitlines():
        words = line.split(None, 3)
        if line == "midstream":
            out[0] |= 1
        elif words and words[0] == "gap":
            out += bytes([0x06 | (words[1] == "S"), min(int(words[2]), 255)])
        elif words and words[0] == "inner":
            data = assembled(line[10:])[:255]
            out += bytes([0x04 | (words[1] == "S") | (int(words[2]) - 20 & 3) << 4, len(data)]) + data
        elif line[:2] in ("C:", "S:"):
            data = assembled(line[2:])
            for at in range(0, len(data), 255):
                out += bytes([line[0] == "S", len(data[at:at + 255])]) + data[at:at + 255]
    return bytes(out)


def put_connection(folder, options):
    connection, keys, said, handshake = talk(options)
    steps = [raw(side, data) for side, data in said]
    rsa = b""
    if options.get("cert") == "weak":
        with open(STORE.path("weak.key"), "rb") as file:
            rsa = file.read()
        put(folder, "fuzz_decrypt", with_keys(b"", steps, rsa=rsa))
    put(folder, "fuzz_decrypt", with_keys(keys, steps))
    put(folder, "fuzz_decrypt", with_keys(keys, steps[:handshake + 1] + [lost(*said[handshake + 1])] + steps[handshake + 2:]))
    put(folder, "fuzz_decrypt", with_keys(keys[:len(keys) // 2], steps, flags=0))
    put(folder, "fuzz_tls", steps_for_tls(said[:handshake]))
    if options["version"] == "1.2":
        _, keys, said, _ = talk(options, connection)
        put(folder, "fuzz_decrypt", with_keys(keys, [raw(side, data) for side, data in said]))


def put_sealed_13(folder):
    """The hellos of a real connection, with the suite that fuzz_decrypt can write; behind them nothing is the real one's."""
    _, keys, said, _ = talk({"version": "1.3"})
    keys = b"".join(line[:-32] + b"\n" for line in keys.splitlines())  # as long as its hash
    hellos = [raw(0, said[0][1]), raw(1, next(records_of(said[1][1])).replace(b"\x13\x02\0", b"\x13\x01\0"))]
    begin = hellos + [sealed(1, FINISHED_13, 22, label="handshake"), sealed(0, FINISHED_13, 22, label="handshake")]
    words = [sealed(1, b"220 mx\r\n"), sealed(0, b"EHLO pc\r\n"), sealed(1, b"250 OK\r\n", number=1)]
    update = [sealed(0, KEY_UPDATE, 22, number=1), sealed(0, b"QUIT\r\n", updates=1), sealed(1, b"\1\0", 21, number=2)]
    put(folder, "fuzz_decrypt", with_keys(keys, begin + words + update))
    put(folder, "fuzz_decrypt", with_keys(keys, hellos + words + update))
    put(folder, "fuzz_decrypt", with_keys(keys, begin + [sealed(1, b"220 mx\r\n", damage=9), sealed(1, b"250 OK\r\n", number=1)]))
    put(folder, "fuzz_decrypt", with_keys(keys, begin + [lost(1, bytes(900)), sealed(1, b"250 OK\r\n", number=40)]))


def extended(hello, extension, extensions_at):
    """The record of a hello with one more extension; a ClientHello's or ServerHello's list of them begins there."""
    out = bytearray(hello + extension)
    for at, size in ((3, 2), (7, 2), (extensions_at, 2)):
        out[at:at + size] = struct.pack(">H", struct.unpack(">H", out[at:at + size])[0] + len(extension))
    return bytes(out)


def put_early(folder):
    """0-RTT: what the server takes, refuses, or answers before it can be told; and the end of it with nothing else to go by."""
    _, keys, said, _ = talk({"version": "1.3"})
    keys = b"".join(line[:-32] + b"\n" for line in keys.splitlines())
    client, server = said[0][1], next(records_of(said[1][1])).replace(b"\x13\x02\0", b"\x13\x01\0")
    at = 5 + 4 + 34
    at += 1 + client[at]
    at += 2 + struct.unpack(">H", client[at:at + 2])[0]
    client = extended(client, b"\0\x2a\0\0", at + 1 + client[at])
    server = extended(server, b"\0\x29\0\2\0\0", 5 + 4 + 34 + 1 + server[5 + 4 + 34] + 3)
    keys += b"CLIENT_EARLY_TRAFFIC_SECRET " + client[11:43].hex().encode("ascii") + b" " + bytes(range(32)).hex().encode("ascii") + b"\n"
    first = [raw(0, client), sealed(0, b"EHLO pc\r\n", label="early"), raw(1, server)]
    took = sealed(1, TOOK_EARLY, 22, label="handshake")
    end = [sealed(0, END_OF_EARLY, 22, number=2, label="early"), sealed(0, FINISHED_13, 22, label="handshake"), sealed(0, b"QUIT\r\n")]
    more, words = sealed(0, b"NOOP\r\n", number=1, label="early"), sealed(1, b"220 mx\r\n")
    finished = sealed(1, FINISHED_13, 22, number=1, label="handshake")
    put(folder, "fuzz_decrypt", with_keys(keys, first + [took, finished, words, more] + end))
    put(folder, "fuzz_decrypt", with_keys(keys, first + [more] + end + [words]))
    put(folder, "fuzz_decrypt", with_keys(keys, first + [sealed(1, b"\x08\0\0\2\0\0", 22, label="handshake"), finished, words, more] + end[1:]))
    put(folder, "fuzz_decrypt", with_keys(keys, first + [words, more, took] + end))
    put(folder, "fuzz_decrypt", with_keys(keys, first[:2] + [lost(0, bytes(30)), first[2], took, more] + end))
    torn = [raw(0, b"\x17\3\3\0\x40" + bytes(20)), lost(0, bytes(30)), raw(0, bytes(14))]
    put(folder, "fuzz_decrypt", with_keys(keys, first[:2] + torn + first[2:] + [took, more] + end))
    put(folder, "fuzz_decrypt", with_keys(keys, first + torn + [took, more] + torn + end))
    put(folder, "fuzz_decrypt", with_keys(keys, first[:1] + [sealed(0, b"EHLO pc\r\n", label="early", damage=5)] + first[2:] + [took, more] + end))


def put_sealed_12(folder):
    """The handshake in clear of a real connection, and a second one inside it."""
    _, keys, said, handshake = talk({"version": "1.2", "cipher": "ECDHE-ECDSA-AES128-GCM-SHA256"})
    clear, hello = [], {}
    for side, data in said[:handshake]:
        parts = list(records_of(data))
        if b"\x14\x03\x03\0\1\1" in parts:
            parts = parts[:parts.index(b"\x14\x03\x03\0\1\1") + 1]
        clear += [raw(side, part) for part in parts]
        hello.setdefault(side, parts[0][5:])
    begin = clear + [sealed(0, FINISHED_12, 22), sealed(1, FINISHED_12, 22), sealed(1, b"220 mx\r\n", number=1)]
    again = [sealed(0, hello[0], 22, number=1), sealed(1, hello[1], 22, number=2), sealed(0, b"\1", 20, number=2),
             sealed(1, b"\1", 20, number=3), sealed(0, b"EHLO pc\r\n"), sealed(1, b"250 OK\r\n")]
    put(folder, "fuzz_decrypt", with_keys(keys, begin + again))


def put_tls(folder):
    for cipher in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-CCM8",
                   "ECDHE-ECDSA-AES128-SHA"):
        put_connection(folder, {"version": "1.2", "cipher": cipher})
    for version, cipher in (("1.2", "AES128-GCM-SHA256"), ("1.2", "AES256-SHA"), ("1.0", "AES128-SHA"), ("1.1", "AES128-SHA")):
        put_connection(folder, {"version": version, "cipher": cipher, "cert": "weak"})
    put_connection(folder, {"version": "1.2", "cipher": "ECDHE-ECDSA-AES128-SHA", "options": NO_ENCRYPT_THEN_MAC})
    put_connection(folder, {"version": "1.3"})
    put_connection(folder, {"version": "1.3", "ask": "optional"})
    put_sealed_13(folder)
    put_early(folder)
    put_sealed_12(folder)
    put_certificates(folder)


HOSTS, FIRST_PIECE = 7, 6  # of fuzz_certificate.c


def der_of(name):
    with open(STORE.path(name + ".pem"), encoding="ascii") as file:
        return ssl.PEM_cert_to_DER_cert(file.read())


def pieces(*parts):
    return b"".join(struct.pack(">H", len(part)) + part for part in parts)


def put_certificates(folder):
    """Chains good and bad, keys of every kind, names and addresses; on several days, for several hosts, the last of them from the input."""
    chains = [["good"], ["rsa"], ["leaf", "middle"], ["leaf"], ["linked"], ["unknown", "stranger"], ["sha1"], ["weak"], ["own"], ["expired"], ["soon"]]
    for name in {name for names in chains for name in names}:
        STORE.make(name)
    made = {"addresses": ["-newkey", "rsa:2048", "-addext", "subjectAltName=IP:192.0.2.25,IP:2001:db8::25,DNS:*.example.org,DNS:mx.example.org,email:a@example.org"],
            "ed25519": ["-newkey", "ed25519"], "ed448": ["-newkey", "ed448"], "small": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp192k1"],
            "kin": ["-newkey", "ed25519", "-subj", "/O=Internet Security Research Group/CN=mx.example.org"]}
    STORE.openssl("dsaparam", "-out", "dsa.parameters", "1024")
    made["dsa"] = ["-newkey", "dsa:dsa.parameters"]
    for name, options in made.items():
        subject = [] if "-subj" in options else ["-subj", "/CN=mx.example.org"]
        STORE.openssl("req", "-x509", "-nodes", *options, *subject, "-keyout", name + ".key", "-out", name + ".pem", "-config", "config", "-days", "9000")
        chains.append([name])
    for names in chains:
        chain = [der_of(name) for name in names]
        put(folder, "fuzz_certificate", b"\1" + pieces(*chain))
        put(folder, "fuzz_certificate", bytes([2 * HOSTS + 5]) + pieces(*chain))
        put(folder, "fuzz_certificate", bytes([FIRST_PIECE]) + pieces(b"mail.example.org", *chain))
    address = der_of("addresses")
    for host in (2, 3, 4, HOSTS):
        put(folder, "fuzz_certificate", bytes([host]) + pieces(address))
    for host in (b"\0", b"mx\0.example.org", b".", b"*.example.org", b"x" * 255):
        put(folder, "fuzz_certificate", bytes([FIRST_PIECE]) + pieces(host, address))
    put(folder, "fuzz_certificate", b"\1" + pieces(address + b"\0", b"", address[:-40], address))


def main():
    folder = sys.argv[1]
    put_tls(folder)
    links = link_types()
    for data in captures():
        if len(data) <= WHOLE_FILE_BYTES:
            for target in ("fuzz_run", "fuzz_capture", "fuzz_pcapng"):
                put(folder, target, data)
        link, frames = frames_of(data)
        for frame in frames:
            if link in links:
                put(folder, "fuzz_decode", bytes([links.index(link), 0]) + frame)
    transcripts = os.path.join(ROOT, "tests", "transcripts")
    for name in sorted(os.listdir(transcripts)):
        if name.endswith(".txt") and name != "CMakeLists.txt":
            with open(os.path.join(transcripts, name), encoding="utf-8") as file:
                put(folder, "fuzz_smtp", steps_of(file.read()))
    for name in sorted(os.listdir(os.path.join(ROOT, "tests", "tls"))):
        if name.endswith(".txt") and name != "CMakeLists.txt":
            with open(os.path.join(ROOT, "tests", "tls", name), encoding="utf-8") as file:
                put(folder, "fuzz_tls", steps_of_tls(file.read()))
    put(folder, "fuzz_mime", b"\x01" + b"From: =?utf-8?q?Anna_M=C3=BCller?= <anna@example.net>\r\nTo: a@example.org,\r\n b@example.org\r\n"
        b"Subject: =?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?b?w6Q=?=\r\nMessage-ID: <1@example.net>\r\n\r\nHello\r\n..\r\n")


if __name__ == "__main__":
    main()
