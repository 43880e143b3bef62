#!/usr/bin/env python3
"""Every line of pcaps/INDEX.tsv against the program: outcome, cause and stage of each session, all of them.

INDEX.tsv has a heading with at least the columns file, outcome, cause and stage. Lines of the same file are its
sessions in the order of the records; an outcome of "-" says that the capture holds no session.
"""
import csv
import os
import sys

import common

COMPARED = ("outcome", "cause", "stage")


def expected_sessions():
    expected = {}
    with open(os.path.join(common.PCAPS, "INDEX.tsv"), encoding="utf-8", newline="") as file:
        lines = [line for line in file if line.strip() and (not line.startswith("#") or line.startswith("#file\t"))]
    lines[0] = lines[0].lstrip("#")
    for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        sessions = expected.setdefault(row["file"], [])
        if row["outcome"] != "-":
            sessions.append(row)
    return expected


def actual_sessions(name):
    result = common.run("-o", "json", os.path.join(common.PCAPS, name))
    found = []
    for session in result.sessions():
        verdict = session["verdict"]
        found.append({"outcome": session["outcome"], "cause": verdict["cause"], "stage": verdict["stage"],
                      "frame": session["capture"]["first_frame"]})
    return found


def compare(name, expected):
    wrong = []
    actual = actual_sessions(name)
    if len(actual) != len(expected):
        wrong.append("%s: %d sessions, expected %d" % (name, len(actual), len(expected)))
    for number, (want, got) in enumerate(zip(expected, actual), 1):
        for key in COMPARED:
            if want.get(key) and want[key] != got[key]:
                wrong.append("%s session %d (frame %s): %s is %s, expected %s"
                             % (name, number, got["frame"], key, got[key], want[key]))
    return wrong


def main():
    if not os.path.exists(os.path.join(common.PCAPS, "INDEX.tsv")):
        print("there is no pcaps/INDEX.tsv yet")
        return common.SKIPPED
    expected = expected_sessions()
    wrong = ["%s: not in INDEX.tsv" % name for name in common.captures() if name not in expected]
    for name in sorted(expected):
        wrong += compare(name, expected[name])
    for line in wrong:
        print(line)
    total = sum(len(sessions) for sessions in expected.values())
    print("%d captures, %d sessions, %d differences" % (len(expected), total, len(wrong)))
    return 1 if wrong or not total else 0


if __name__ == "__main__":
    sys.exit(main())
