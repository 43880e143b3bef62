#!/usr/bin/env python3
"""cost.py PROGRAM TOPIC [NAME...] - what each attack of attacks.py costs, counted in instructions (valgrind) at three sizes.

The cost must be linear: the second half of a capture may cost hardly more than its first half. It must be small: a
megabyte of it takes less than a second of the optimised program. And memory must be flat: where all caps are small, a
capture of twice the size needs no more of it (SW_PEAK tells that).
"""
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile

import attacks

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import start  # noqa: E402  (needs the path above)

SKIPPED = 77
PEAK = os.environ.get("SW_PEAK", "")
AGAIN = os.environ["SW_AGAIN"]
GROWTH = 1.10  # of the cost of one more thing, when there are twice as many
SLACK = 400000  # instructions: tables that double in size, and other steps
# A second of the optimised program is more than 2,500 million instructions, and the program built for development, whose
# instructions are counted here, needs no fewer.
BUDGET = 2500 * 10**6
MEGABYTE = 1 << 20
FLAT_KB = 1024
CAPS = ("connections=64,half-open=32,held-bytes=4096,held-total=65536,fragments=16,fragment-bytes=65536,session-bytes=65536,session-lines=128,"
        "reply-bytes=1024,unfinished-lines=8,lookups=16,neighbours=16,dns-streams=4,stories=16,story-bytes=65536,held-attempts=16,clients=16,"
        "strangers=4,keys=16,damage=10")


class Counted:
    """The program under valgrind, loaded once (again.c). What is counted of a run includes the beginning, which all have in common."""

    def __init__(self, folder, path):
        self.log = os.path.join(folder, "valgrind.log")
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", "--log-file=" + self.log, AGAIN]
        self.process = subprocess.Popen(command + ["-o", "json:/dev/null", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=dict(os.environ, **start.TRUST))

    def instructions(self, path, limits):
        words = [AGAIN, "-o", "json:/dev/null"] + (["--limits", limits] if limits else []) + [path]
        self.process.stdin.write("\t".join(words) + "\n")
        self.process.stdin.flush()
        child, _, status = self.process.stdout.readline().partition(" ")
        with open(self.log, encoding="utf-8", errors="replace") as log:
            told = log.read()
        found = re.search(r"(?m)^==%s== I *refs: *([\d,]+)" % (child or "nobody"), told)
        if status.strip() not in ("0", "3") or not found:
            raise RuntimeError("exit %s: %s" % (status, told[-2000:]))
        return int(found.group(1).replace(",", ""))

    def close(self):
        self.process.communicate()


def peak_kb(program, path, told):
    subprocess.run([PEAK, told, program, "-o", "json:/dev/null", "--limits", CAPS, path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   check=False, timeout=300)
    with open(told, encoding="ascii") as text:
        return int(text.read())


def size_of(name, path):
    """Of a compressed capture what counts is what is unpacked, empty members too; the ratio is capped."""
    if not name.endswith("bomb-gz"):
        return os.path.getsize(path)
    with gzip.open(path) as packed:
        return len(packed.read())


def measure(counted, program, name, function, size, limits, folder):
    """Problems, as text."""
    costs, sizes, peaks = [], [], []
    path = os.path.join(folder, "capture")
    for factor in (1, 2, 4):
        attacks.make(function, size * factor, path)
        costs.append(counted.instructions(path, limits))
        sizes.append(size_of(name, path))
        if PEAK and factor > 1:
            peaks.append(peak_kb(program, path, os.path.join(folder, "peak")))
    first, second = costs[1] - costs[0], (costs[2] - costs[1]) / 2
    million = 10**6
    megabyte = (costs[2] - costs[1]) / (sizes[2] - sizes[1]) * MEGABYTE + costs[0]
    print("%-32s %6d: %8.2f %8.2f %8.2f M instructions, growth %5.3f, %6.0f M for a megabyte, memory %s kB"
          % (name, size, *[c / million for c in costs], second / first if first else 0, megabyte / million, peaks), flush=True)
    if second > first * GROWTH + SLACK:
        yield "%s: not linear: %d more things cost %.2f M instructions, then %.2f M" % (name, size, first / million, second / million)
    if megabyte > BUDGET:
        yield "%s: a megabyte costs %.0f M instructions" % (name, megabyte / million)
    if peaks and peaks[1] - peaks[0] > FLAT_KB:
        yield "%s: memory grows from %d kB to %d kB" % (name, *peaks)


def main():
    if not shutil.which("valgrind"):
        print("skipped: valgrind is not installed")
        return SKIPPED
    program, topic, wanted = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
    chosen = [attack for attack in attacks.attacks(topic) if not wanted or attack[0] in wanted]
    problems = []
    with tempfile.TemporaryDirectory(prefix="smtpwhy-cost-") as folder:
        first = os.path.join(folder, "first")
        attacks.make(*chosen[0][1:3], first)
        counted = Counted(folder, first)
        for name, function, size, limits in chosen:
            problems += measure(counted, program, name, function, size, limits, folder)
        counted.close()
    for problem in problems:
        print("WRONG " + problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
