#!/usr/bin/env python3
"""Encrypted sessions opened with the key log beside the capture: the verdict that pcaps/KEYS.tsv says, with its frame."""
import csv
import os
import sys

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
    if session["tls"]["decrypted"] != (row["stage"] != "tls"):  # where TLS failed nothing was said inside
        yield "%s: not decrypted" % row["file"]


def main():
    with open(os.path.join(common.PCAPS, "KEYS.tsv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    wrong = [line for row in rows for line in compare(row)]
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
