#!/usr/bin/env python3
"""The branches of the nDPI shim for versions that are not installed compile against what those versions declare."""
import os
import subprocess

import common

FOLDER = "tests/support/ndpi"
FLAGS = ["-std=c17", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsyntax-only", "-Isrc", "-I."]


def check(root):
    versions = sorted(os.listdir(os.path.join(root, FOLDER)))
    for version in versions:
        if not os.path.isdir(os.path.join(root, FOLDER, version)):
            continue
        done = subprocess.run(["gcc"] + FLAGS + ["-isystem", os.path.join(FOLDER, version), "src/pipeline/ndpi_shim.c"],
                              cwd=root, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            yield "nDPI %s: %s" % (version, done.stderr.strip())


def old_call(root):
    path = os.path.join(root, "src/pipeline/ndpi_shim.c")
    text = common.read(root, "src/pipeline/ndpi_shim.c").replace("NDPI_AT_LEAST(4, 11)", "NDPI_AT_LEAST(9, 9)")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


common.main(check, [("a branch that is missing", old_call)])
