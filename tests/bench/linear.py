#!/usr/bin/env python3
"""linear.py [PROGRAM] [KIND...] - instructions for each packet and each session at one size and at ten times that size.

Counted by valgrind, so that neither the machine nor its load matters. What is needed once (libraries, tables, nDPI) is
taken off with a capture of the same kind that is as small as possible. Fails when the two differ by a tenth or more.
"""
import os
import re
import subprocess
import sys
import tempfile

import run

# kind: the smallest, one, ten times one
SIZES = {"bulk": (1, 8, 80), "sessions": (60, 400, 4000), "noise": (1, 8, 80), "hostile": (1, 3, 30), "open": (20, 200, 2000)}
MOST = 0.10


def instructions(program, path):
    done = subprocess.run(["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", program, "-o",
                           "json:/dev/null", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    return int(re.search(r"I *refs: *([\d,]+)", done.stderr).group(1).replace(",", ""))


def main():
    words = sys.argv[1:]
    program = os.path.abspath(words.pop(0)) if words and os.path.exists(words[0]) else run.PROGRAM
    run.compile_tools()
    wrong = 0
    print("| capture | packets | sessions | instructions a packet | ten times as many packets | instructions a packet | difference | a session |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="smtpwhy-linear-") as folder:
        for kind in words or SIZES:
            measured = []
            for size in SIZES[kind]:
                path, truth = run.generate(kind, size, folder)
                measured.append((instructions(program, path), truth["frames"], truth["sessions"]))
                os.unlink(path)
            base, one, ten = measured
            packet = [(m[0] - base[0]) / (m[1] - base[1]) for m in (one, ten)]
            session = [(m[0] - base[0]) / max(m[2] - base[2], 1) for m in (one, ten)]
            apart = packet[1] / packet[0] - 1
            wrong += abs(apart) >= MOST
            print("| %s | %d | %d | %.0f | %d | %.0f | %+.1f %% | %+.1f %% |"
                  % (kind, one[1], one[2], packet[0], ten[1], packet[1], 100 * apart, 100 * (session[1] / session[0] - 1)), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
