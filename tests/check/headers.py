#!/usr/bin/env python3
"""Every header compiles alone."""
import subprocess

import common


SAID = {}  # (path, text) -> what the compiler says: in the copy all headers but the planted one are the same


def compiler(root, path):
    key = (path, common.read(root, path))
    if key not in SAID:
        done = subprocess.run(["gcc", "-std=c17", "-D_DEFAULT_SOURCE", "-Wall", "-Werror", "-fsyntax-only", "-Isrc", "-I.", "-x", "c", path],
                              cwd=root, capture_output=True, text=True, check=False)
        SAID[key] = done.stderr.strip().splitlines()[0] if done.returncode else None
    return SAID[key]


def check(root):
    for path in common.sources(root, (".h",)):
        said = compiler(root, path)
        if said:
            yield "%s does not compile alone: %s" % (path, said)


common.main(check, [
    ("a header that needs another", lambda r: common.plant(r, "src/flow/seq.h", "sw_unknown sw_planted(void);\n")),
])
