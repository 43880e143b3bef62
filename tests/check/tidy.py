#!/usr/bin/env python3
"""clang-tidy finds nothing in src and dissectors (.clang-tidy says what it looks for)."""
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import common

FLAGS = ["-std=c17", "-D_DEFAULT_SOURCE", "-Isrc", "-I.", "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion"]
FINDING = re.compile(r"^(\S+?:\d+):\d+: (?:error|warning): (.*)$")
AT_ONCE = 8


def tidy(root, files):
    done = subprocess.run(["clang-tidy", "--quiet", *files, "--", *FLAGS, *common.ndpi_flags()], cwd=root, capture_output=True, text=True,
                          check=False)
    found = [match for match in map(FINDING.match, done.stdout.splitlines()) if match]
    if done.returncode and not found:
        return ["clang-tidy failed: %s" % done.stderr.strip()[-200:]]
    return ["%s: %s" % (os.path.relpath(m[1], root), m[2]) for m in found]


FOUND = {}  # files with their texts -> problems: in the copy all groups but the one with the planted file are the same


def known(root, files):
    key = tuple((path, common.read(root, path)) for path in files)
    if key not in FOUND:
        FOUND[key] = tidy(root, files)
    return FOUND[key]


def check(root):
    files = list(common.sources(root, (".c",)))
    groups = [files[i:i + AT_ONCE] for i in range(0, len(files), AT_ONCE)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for problems in pool.map(lambda group: known(root, group), groups):
            yield from problems


if not common.installed("clang-tidy"):
    sys.exit(common.SKIPPED)
common.main(check, [
    ("a result that nobody looks at", lambda r: common.plant(
        r, "src/base/span.c", "#include <stdio.h>\nvoid sw_planted(void);\nvoid sw_planted(void)\n{\n    remove(\"x\");\n}\n")),
])
