#!/usr/bin/env python3
"""Commands, replies and their frames of every capture in pcaps/, as smtpwhy and as tshark read them; what is encrypted
with the key log beside the capture, where there is one.

tshark.tsv lists where the two differ because tshark is wrong or says less, each with its reason: file, frame, who says
it (`smtpwhy` or `tshark`), what, reason. A difference that is not listed fails the test, and so does a line of the list
that is no difference any more. --print shows the differences that are not listed, in that form.
"""
import collections
import csv
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import common

HERE = os.path.dirname(os.path.abspath(__file__))
FIELDS = ("frame.number", "tcp.stream", "tcp.segment", "smtp.req.command", "smtp.response.code")
KNOWN_PORTS = {25, 465, 587}  # tshark takes these for mail by itself


def shown(verb):
    """Fit for a line of the list. tshark cuts this one verb to the four letters that all others have."""
    verb = "STARTTLS" if verb == "STAR" else verb
    return verb.strip().upper().encode("unicode_escape").decode("ascii")


def key_log(path):
    keys = os.path.splitext(path)[0] + ".keys"
    return keys if os.path.exists(keys) else None


def tshark(path, ports):
    """Counts of (frame, "C VERB" or "S CODE"); connections to `ports` are read as SMTP."""
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|"]
    keys = key_log(path)
    command += ["-o", "tls.keylog_file:" + keys, "-Y", "smtp"] if keys else ["-Y", "smtp && !tls"]
    for port in sorted(ports):
        command += ["-d", "tcp.port==%d,smtp" % port]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = collections.Counter()
    for line in done.stdout.splitlines():
        frame, _, segments, commands, codes = (line.split("\t") + [""] * 5)[:5]
        if not frame.isdigit():
            continue  # the rest of a command that holds a line feed
        frame = int(frame)
        first = min([frame] + [int(n) for n in segments.split("|") if n])  # of a line in several segments
        for verb in filter(None, commands.split("|")):
            said[first, "C " + shown(verb)] += 1
        codes = [code for code in codes.split("|") if code]
        for code in codes:
            said[first, "S " + code] += 1
    return said


def smtpwhy(path):
    """The same, and the ports. The final dot and the lines of a login are no commands to tshark, junk no reply."""
    said, ports = collections.Counter(), set()
    keys = key_log(path)
    for session in common.run("-o", "json", *(["-k", keys] if keys else []), path).sessions():
        ports.add(session["server"]["port"])
        for step in session["dialogue"]:
            if step["from"] == "server":
                if step["code"]:
                    said[step["frame"], "S %d" % step["code"]] += 1
            elif step["verb"] and step["verb"] != "." and not step["verb"].startswith("("):
                said[step["frame"], "C " + shown(step["verb"])] += 1
    return said, ports - KNOWN_PORTS - {None}


def listed():
    path = os.path.join(HERE, "tshark.tsv")
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.reader((line for line in file if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
        return {(row[0], int(row[1]), row[2], row[3]): row[4] for row in rows if row}


def differences(name):
    path = os.path.join(common.PCAPS, name)
    ours, ports = smtpwhy(path)
    theirs = tshark(path, ports)
    for key in sorted((ours - theirs).keys()):
        yield (name, key[0], "smtpwhy", key[1])
    for key in sorted((theirs - ours).keys()):
        yield (name, key[0], "tshark", key[1])


def main():
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        return common.SKIPPED
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = {item for items in pool.map(lambda name: list(differences(name)), common.captures()) for item in items}
    known = {} if not os.path.exists(os.path.join(HERE, "tshark.tsv")) else listed()
    unknown = sorted(found - set(known))
    gone = sorted(set(known) - found)
    for item in unknown:
        print("\t".join(map(str, item)) + ("\t?" if "--print" in sys.argv else "\tis not listed"))
    for item in gone:
        print("\t".join(map(str, item)) + "\tis listed but is no difference")
    empty = [item for item, reason in known.items() if not reason.strip()]
    for item in empty:
        print("\t".join(map(str, item)) + "\thas no reason")
    print("%d differences, %d listed" % (len(found), len(known)))
    return 1 if unknown or gone or empty else 0


if __name__ == "__main__":
    sys.exit(main())
