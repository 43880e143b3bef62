#!/usr/bin/env python3
"""The code looks as clang-format (.clang-format) leaves it."""
import re
import subprocess
import sys

import common

FINDING = re.compile(r"^(\S+?:\d+):\d+: error: ")


def check(root):
    files = list(common.sources(root, (".c", ".h"), ("src", "dissectors", "tests")))
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], cwd=root, capture_output=True, text=True,
                          check=False)
    for match in filter(None, map(FINDING.match, done.stderr.splitlines())):
        yield "%s: run clang-format -i on it" % match[1]


if not common.installed("clang-format"):
    sys.exit(common.SKIPPED)
common.main(check, [
    ("a line that is not indented", lambda r: common.plant(r, "src/base/span.c", "int sw_planted(void)\n{\nreturn 0;\n}\n")),
])
