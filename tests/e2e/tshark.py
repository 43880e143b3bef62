#!/usr/bin/env python3
"""Commands, replies and their frames of every capture in pcaps/, as smtpwhy and as tshark read them; what is encrypted
with the key log beside the capture, where there is one.

tshark.tsv lists where the two differ because tshark is wrong or says less, each with its reason: file, frame, who says
it (`smtpwhy` or `tshark`), what, reason. A difference that is not listed fails the test, and so does a line of the list
that is no difference any more. --print shows the differences that are not listed, in that form.
"""
import collections
import csv
import json
import os
import re
import shutil
import subprocess
import sys

import common

HERE = os.path.dirname(os.path.abspath(__file__))
FIELDS = ("tcp.segment", "smtp.req.command", "smtp.response.code")
ESCAPE = re.compile(r"\\(.)")
ESCAPED = dict(zip("abfnrtv", "\a\b\f\n\r\t\v"))
KNOWN_PORTS = {25, 465, 587}  # tshark takes these for mail by itself


def shown(verb):
    """Fit for a line of the list. tshark cuts this one verb to the four letters that all others have."""
    verb = "STARTTLS" if verb == "STAR" else verb
    return verb.strip().upper().encode("unicode_escape").decode("ascii")


def key_log(path):
    keys = os.path.splitext(path)[0] + ".keys"
    return keys if os.path.exists(keys) else None


class Wireshark:
    """Its engine, which reads one capture after the other: with one start of tshark for each, starting is nearly all of the work."""

    def __init__(self, ports):
        """Connections to `ports` are read as SMTP."""
        self.loaded = 0
        self.process = subprocess.Popen(["sharkd", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if ports:
            self.ask("setconf", name="smtp.tcp.port", value=",".join(map(str, sorted(ports | KNOWN_PORTS))))

    def ask(self, method, **parameters):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError("%s %s: %s" % (method, parameters, answer["error"]))
        return answer["result"]

    def close(self):
        self.process.communicate()

    @staticmethod
    def values(tree):
        """What stands in a frame of the fields looked at, as (field, value)."""
        nodes = list(reversed(tree))
        while nodes:
            node = nodes.pop()
            nodes += reversed(node.get("n", []))
            field, equals, value = node.get("f", "").partition(" == ")
            if equals and field in FIELDS:
                yield field, ESCAPE.sub(lambda match: ESCAPED.get(match[1], match[1]), value[1:-1]) if value.startswith('"') else value

    def read(self, path):
        """Counts of (frame, "C VERB" or "S CODE")."""
        said = collections.Counter()
        keys = key_log(path)
        self.ask("setconf", name="tls.keylog_file", value=keys or "")
        self.ask("load", file=path)
        self.loaded += 1  # it takes a filter that it knows to say the same of every capture
        wanted = "(smtp.req.command || smtp.response.code) && %sframe.number < %d" % ("" if keys else "!tls && ", 10**9 + self.loaded)
        for row in self.ask("frames", filter=wanted):
            found = list(self.values(self.ask("frame", frame=row["num"], proto=True)["tree"]))
            first = min([row["num"]] + [int(value) for field, value in found if field == "tcp.segment"])  # of a line in several segments
            for field, value in found:
                if field == "smtp.req.command" and value:
                    said[first, "C " + shown(value)] += 1
                elif field == "smtp.response.code":
                    said[first, "S " + value] += 1
        return said


def smtpwhy(names):
    """The same of each of these captures, and the ports. The final dot and the lines of a login are no commands to tshark, junk no reply."""
    found = {os.path.join(common.PCAPS, name): (collections.Counter(), set()) for name in names}
    together = [[path for path in found if not key_log(path)]] + [[path] for path in found if key_log(path)]
    for paths in together:
        keys = key_log(paths[0])
        for session in common.run("-o", "json", *(["-k", keys] if keys else []), *paths).sessions():
            said, ports = found[session["capture"]["file"]]
            ports.update({session["server"]["port"]} - KNOWN_PORTS - {None})
            for step in session["dialogue"]:
                if step["from"] == "server":
                    if step["code"]:
                        said[step["frame"], "S %d" % step["code"]] += 1
                elif step["verb"] and step["verb"] != "." and not step["verb"].startswith("("):
                    said[step["frame"], "C " + shown(step["verb"])] += 1
    return found


def listed():
    path = os.path.join(HERE, "tshark.tsv")
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.reader((line for line in file if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
        return {(row[0], int(row[1]), row[2], row[3]): row[4] for row in rows if row}


def differences(name, ours, theirs):
    for key in sorted((ours - theirs).keys()):
        yield (name, key[0], "smtpwhy", key[1])
    for key in sorted((theirs - ours).keys()):
        yield (name, key[0], "tshark", key[1])


def compared(ports, said):
    """What differs in captures that are read with the same ports."""
    wireshark = Wireshark(ports)
    try:
        return [item for path, ours in said for item in differences(os.path.relpath(path, common.PCAPS), ours, wireshark.read(path))]
    finally:
        wireshark.close()


def main():
    if not shutil.which("sharkd"):
        print("skipped: tshark and its sharkd are not installed")
        return common.SKIPPED
    of_ports = collections.defaultdict(list)
    for path, (ours, ports) in smtpwhy(common.captures()).items():
        of_ports[frozenset(ports)].append((path, ours))
    found = {item for ports, said in of_ports.items() for item in compared(ports, said)}
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
