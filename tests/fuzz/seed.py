#!/usr/bin/env python3
"""seed.py FOLDER - writes first inputs for the fuzzers, FOLDER/<target>/..., made from the transcripts and pcaps/.

Whole captures for the targets that read files, their frames for the decoder, dialogues in the step format of
fuzz_smtp, streams of TLS and texts of mails in that of their targets.
"""
import hashlib
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

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


def main():
    folder = sys.argv[1]
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
    put(folder, "fuzz_mime", b"\x01" + b"From: =?utf-8?q?Anna_M=C3=BCller?= <anna@example.net>\r\nTo: a@example.org,\r\n b@example.org\r\n"
        b"Subject: =?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?b?w6Q=?=\r\nMessage-ID: <1@example.net>\r\n\r\nHello\r\n..\r\n")


if __name__ == "__main__":
    main()
