#!/usr/bin/env python3
"""ledger.py add TARGET SECONDS RUNS FINDINGS   notes one run of a fuzzer in tests/fuzz/ledger.tsv
ledger.py table                             adds them up: the table of docs/FUZZING.md is written anew

Seconds are CPU seconds. A finding counts as one run that ended with it, until it is mended
and has a test.
"""
import datetime
import fcntl
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LEDGER = os.path.join(ROOT, "tests", "fuzz", "ledger.tsv")
PAGE = os.path.join(ROOT, "docs", "FUZZING.md")
COLUMNS = "day target seconds runs commit findings".split()
MARK = "<!-- made by tests/fuzz/ledger.py table -->\n"


def add(target, seconds, runs, findings):
    commit = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    day = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    with open(LEDGER, "a", encoding="ascii") as out:
        fcntl.flock(out, fcntl.LOCK_EX)
        if out.tell() == 0:
            out.write("\t".join(COLUMNS) + "\n")
        out.write("\t".join((day, target, str(int(seconds)), str(int(runs)), commit or "-", str(int(findings)))) + "\n")


def read():
    if not os.path.exists(LEDGER):
        return []
    with open(LEDGER, encoding="ascii") as text:
        rows = [dict(zip(COLUMNS, line.rstrip("\n").split("\t"))) for line in text if line.strip()]
    return rows[1:]


def table():
    sums = {}
    for row in read():
        mine = sums.setdefault(row["target"], {"seconds": 0, "runs": 0, "findings": 0, "days": set()})
        for name in ("seconds", "runs", "findings"):
            mine[name] += int(row[name])
        mine["days"].add(row["day"])
    lines = ["| target | CPU hours | runs | days | runs that ended with a finding |", "|---|---|---|---|---|"]
    for target, mine in sorted(sums.items()):
        lines.append("| `%s` | %.2f | %s | %d | %d |" % (target, mine["seconds"] / 3600, "{:,}".format(mine["runs"]), len(mine["days"]), mine["findings"]))
    lines.append("| all | %.2f | %s | %d | %d |" % (
        sum(m["seconds"] for m in sums.values()) / 3600, "{:,}".format(sum(m["runs"] for m in sums.values())),
        len(set().union(*[m["days"] for m in sums.values()])) if sums else 0, sum(m["findings"] for m in sums.values())))
    return "\n".join(lines) + "\n"


def main():
    if len(sys.argv) == 6 and sys.argv[1] == "add":
        add(*sys.argv[2:])
        return 0
    if sys.argv[1:] == ["table"]:
        with open(PAGE, encoding="utf-8") as text:
            before = text.read().split(MARK)[0]
        with open(PAGE, "w", encoding="utf-8") as out:
            out.write(before + MARK + table())
        return 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main())
