#!/usr/bin/env python3
"""Every header compiles alone."""
import subprocess

import common


def check(root):
    for path in common.sources(root, (".h",)):
        done = subprocess.run(["gcc", "-std=c17", "-D_DEFAULT_SOURCE", "-Wall", "-Werror", "-fsyntax-only", "-Isrc", "-I.", "-x", "c", path],
                              cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            yield "%s does not compile alone: %s" % (path, done.stderr.strip().splitlines()[0])


common.main(check, [
    ("a header that needs another", lambda r: common.plant(r, "src/flow/seq.h", "sw_unknown sw_planted(void);\n")),
])
