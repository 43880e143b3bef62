#!/usr/bin/env python3
"""Encrypted sessions opened with the key log beside the capture: the verdict that pcaps/KEYS.tsv says, with its frame."""
import csv
import os
import struct
import sys
import tempfile

import common


def compare(row):
    path = os.path.join(common.PCAPS, row["file"])
    session = common.run("-o", "json", "-k", os.path.join(common.PCAPS, row["keys"]), path).sessions()[int(row["session"]) - 1]
    verdict = session["verdict"]
    found = {"outcome": session["outcome"], "cause": verdict["cause"], "stage": verdict["stage"]}
    for key, value in found.items():
        if value != row[key]:
            yield "%s: %s is %s, expected %s" % (row["file"], key, value, row[key])
    if row["evidence"] and int(row["evidence"]) not in [e["frame"] for e in verdict["evidence"]]:
        yield "%s: frame %s is not among the evidence" % (row["file"], row["evidence"])
    if row["stage"] != "tls" and not session["tls"]["decrypted"]:  # where TLS failed hardly anything was said inside
        yield "%s: not decrypted" % row["file"]


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def as_pcapng(capture, before=b"", behind=b""):
    """The frames of a pcap file with blocks of secrets before and behind them."""
    secrets = [block(10, struct.pack("<II", 0x544C534B, len(keys)) + keys) if keys else b"" for keys in (before, behind)]
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 0)) + secrets[0]
    at = 24
    while at < len(capture):
        seconds, micros, length, whole = struct.unpack("<IIII", capture[at:at + 16])
        time = seconds * 1000000 + micros
        out += block(6, struct.pack("<IIIII", 0, time >> 32, time & 0xFFFFFFFF, length, whole) + capture[at + 16:at + 16 + length])
        at += 16 + length
    return out + secrets[1]


def inside(row, folder):
    """Secrets in the capture itself: in good time, too late, half of a line, and none at all in a block of junk."""
    with open(os.path.join(common.PCAPS, row["file"]), "rb") as file:
        capture = file.read()
    with open(os.path.join(common.PCAPS, row["keys"]), "rb") as file:
        keys = file.read()
    cases = {"before": (keys, b"", True), "behind": (b"", keys, None), "cut": (keys[:len(keys) // 3], b"", None),
             "junk": (b"\xff\0CLIENT_RANDOM\n" * 300, b"", False)}
    plain = common.run("-o", "json", os.path.join(common.PCAPS, row["file"])).sessions()[0]
    for name, (before, behind, opened) in cases.items():
        path = os.path.join(folder, name + ".pcapng")
        with open(path, "wb") as file:
            file.write(as_pcapng(capture, before, behind))
        session = common.run("-o", "json", path).sessions()[0]
        verdict = (session["outcome"], session["verdict"]["cause"])
        true = (row["outcome"], row["cause"])
        if opened is not None and verdict != (true if opened else (plain["outcome"], plain["verdict"]["cause"])):
            yield "%s, secrets %s: %s %s" % (row["file"], name, *verdict)
        if opened is None and verdict != true and session["outcome"] not in ("unknown", plain["outcome"]):
            yield "%s, secrets %s: claims %s %s" % (row["file"], name, *verdict)


UNOPENED = "could not be opened with the keys that were given"
# Which lines of a key log of TLS 1.3 are there, and what is still certain then.
HALVES = (("nothing of the server's dialogue", lambda line: b"SERVER_TRAFFIC" not in line, ("unknown", "unk-incomplete")),
          ("nothing of the client's dialogue", lambda line: b"CLIENT_TRAFFIC" not in line, ("delivered", "ok-delivered")),
          ("the handshake alone", lambda line: b"HANDSHAKE" in line, ("unknown", "enc-likely-delivered")),
          ("the dialogue alone", lambda line: b"TRAFFIC_SECRET_0" in line, ("delivered", "ok-delivered")))


def halves(folder):
    """Half a key log: the explanation says that records stayed closed, and of what was not opened nothing is claimed."""
    path = os.path.join(common.PCAPS, "tls", "sent-postfix-by-curl-587-tls1.3.pcap")
    with open(path[:-5] + ".keys", "rb") as file:
        lines = file.readlines()
    for name, wanted, expected in HALVES:
        keys = os.path.join(folder, "half.keys")
        with open(keys, "wb") as file:
            file.writelines(line for line in lines if wanted(line))
        session = common.run("-o", "json", "-k", keys, path).sessions()[0]
        verdict = (session["outcome"], session["verdict"]["cause"])
        if verdict != expected or UNOPENED not in session["verdict"]["explanation"]:
            yield "%s, %s: %s %s, %s" % (os.path.basename(path), name, *verdict, session["verdict"]["explanation"])


def early(folder):
    """0-RTT without its secret: the server took what is not known, and what it answered is answer to nothing that is."""
    path = os.path.join(common.PCAPS, "tls", "sent-by-s_client-early-data-starttls.pcap")
    keys = os.path.join(folder, "late.keys")
    with open(path[:-5] + ".keys", "rb") as file, open(keys, "wb") as out:
        out.writelines(line for line in file if b"EARLY" not in line)
    session = common.run("-o", "json", "-k", keys, path).sessions()[0]
    inside = [step["verb"] for step in session["dialogue"] if step["from"] == "client"][2:]
    if session["outcome"] != "delivered" or inside != ["MAIL", "RCPT", "DATA", ".", "QUIT"] or \
            "took and which could not be opened" not in session["verdict"]["explanation"]:
        yield "early data without its secret: %s %s" % (inside, session["verdict"]["explanation"])


def words(session):
    """The dialogue; where a damaged text ended is known by its answer alone."""
    return {(step["verb"] == "." or step["frame"], step["from"], step["verb"], step["code"], step["text"]) for step in session["dialogue"]}


def damaged(folder):
    """A record that was changed behind TCP's back, one after the other: what it said is missed, and nothing is made up."""
    path = os.path.join(common.PCAPS, "tls", "sent-postfix-by-curl-587-tls1.3.pcap")
    with open(path, "rb") as file:
        capture = file.read()
    whole = common.run("-o", "json", "-k", path[:-5] + ".keys", path).sessions()[0]
    said = words(whole)
    at, frame, tried = 24, 0, 0
    while at < len(capture):
        length, frame = struct.unpack("<I", capture[at + 8:at + 12])[0], frame + 1
        body = at + 16 + 14 + 20 + 32
        if length > 14 + 20 + 32 + 30 and capture[body:body + 3] == b"\x17\3\3":
            changed = bytearray(capture)
            for place, by in ((body + 10, 1), (body + 12, -1)):  # the checksum of TCP stays right
                changed[place] = (changed[place] + by) % 256
            carried = capture[body + 10] != 255 and capture[body + 12] != 0
            with open(os.path.join(folder, "damaged.pcap"), "wb") as file:
                file.write(changed)
            session = common.run("-o", "json", "-k", path[:-5] + ".keys", os.path.join(folder, "damaged.pcap")).sessions()[0]
            heard, tried = words(session), tried + carried
            if carried and (heard - said or UNOPENED not in session["verdict"]["explanation"]):
                yield "%s, frame %d damaged: %s, %s" % (os.path.basename(path), frame, heard - said, session["verdict"]["explanation"])
        at += 16 + length
    if tried < 10:
        yield "only %d records were damaged" % tried


def main():
    with open(os.path.join(common.PCAPS, "KEYS.tsv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    wrong = [line for row in rows for line in compare(row)]
    with tempfile.TemporaryDirectory() as folder:
        for row in rows[::12]:
            wrong += inside(row, folder)
        wrong += list(halves(folder)) + list(damaged(folder)) + list(early(folder))
    # The keys of another connection open nothing, change no verdict, and the explanation says so.
    for row, other in zip(rows[:10], rows[1:11]):
        path = os.path.join(common.PCAPS, row["file"])
        result = common.run("-o", "json", "-k", os.path.join(common.PCAPS, other["keys"]), path)
        session, plain = result.sessions()[0], common.run("-o", "json", path).sessions()[0]
        if result.status != 0 or session["tls"]["decrypted"] or session["outcome"] != plain["outcome"]:
            wrong.append("%s: foreign keys change the verdict" % row["file"])
        if "hold none for this connection" not in session["verdict"]["explanation"]:
            wrong.append("%s: nothing is said of the foreign keys" % row["file"])
    print("\n".join(wrong + ["%d encrypted sessions, %d differences" % (len(rows), len(wrong))]))
    return 1 if wrong or len(rows) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
