#!/usr/bin/env python3
"""Encrypted sessions with the key log beside the capture, against pcaps/KEYS.tsv; and what is said of them without it.

With the key log outcome, cause and stage are those of an expert who reads the dialogue. Without it no dialogue may be called
anything but unknown, no message that went up may be overlooked, and what was called probably
accepted and was not are the mails that were refused at the end of their text, which no size can tell: docs/OUTPUT.md states
the figures. Where TLS itself failed there is no dialogue to guess at: INDEX.tsv says what can be seen of that.
"""
import csv
import os
import sys

import common


def main():
    with open(os.path.join(common.PCAPS, "KEYS.tsv"), encoding="utf-8", newline="") as file:
        truth = {row["file"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    wrong, likely, none, misled, handshakes = [], 0, 0, 0, 0
    for name, row in sorted(truth.items()):
        session = common.run("-o", "json", os.path.join(common.PCAPS, name)).sessions()[0]
        cause = session["verdict"]["cause"]
        opened = common.run("-o", "json", "--keylog", os.path.join(common.PCAPS, row["keys"]), os.path.join(common.PCAPS, name)).sessions()[0]
        found = (opened["outcome"], opened["verdict"]["cause"], opened["verdict"]["stage"])
        failed = row["stage"] == "tls" or row["cause"].startswith("tls-")
        if found != (row["outcome"], row["cause"], row["stage"]) or not (row["stage"] == "tls" or opened["tls"]["decrypted"]):
            wrong.append("%s: with its keys %s/%s at %s" % ((name,) + found))
        handshakes += failed
        if failed:
            continue
        uploaded = row["stage"] in ("final", "quit")
        expected = "enc-likely-delivered" if uploaded else "enc-no-upload"
        if session["outcome"] != "unknown" or session["verdict"]["confidence"] != "possible" or cause != expected:
            wrong.append("%s: %s %s (%s), the keys show %s %s" % (name, session["outcome"], cause, session["verdict"]["confidence"],
                                                                 row["outcome"], row["cause"]))
        likely += cause == "enc-likely-delivered"
        none += cause == "enc-no-upload"
        misled += cause == "enc-likely-delivered" and row["outcome"] != "delivered"
    print("\n".join(wrong + ["%d encrypted dialogues: %d probably accepted (%d of them were refused after all), %d without an upload; in %d more TLS "
                             "failed; %d wrong" % (len(truth) - handshakes, likely, misled, none, handshakes, len(wrong))]))
    return 1 if wrong or len(truth) - handshakes < 120 else 0


if __name__ == "__main__":
    sys.exit(main())
