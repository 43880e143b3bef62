#!/usr/bin/env python3
"""Dissectors allocate nothing, print nothing and see no file; no library room has changeable globals; by their symbols.

    purity.py [--self-test] [--objects FOLDER]      where the build has left its objects: these need not be compiled again
"""
import os
import re
import subprocess
import sys
import tempfile

import common

ALLOWED = re.compile(r"^(sw_[a-z0-9_]+|(smtp|mime|tls|dns)_[a-z0-9_]+|mem(chr|cmp|cpy|move|set|rchr)|strlen|__stack_chk_fail)$")
NO_EXIT = re.compile(r"^(exit|_exit|abort|printf|puts|putchar|vprintf|perror|__printf_chk|__assert_perror_fail)$")
LIBRARY = ("base", "capture", "decode", "flow", "session", "analyzer", "crypto", "pipeline")


KNOWN = {}  # (path, text) -> symbols: in the copies all files but the planted one are the same


def read_objects(objects):
    """(object, its symbols as (kind, name)); what cannot change once it is bound (.data.rel.ro) is as good as a constant."""
    table = subprocess.run(["nm", "--format=sysv", *objects], capture_output=True, text=True, check=True).stdout
    for part in re.split(r"(?m)^(?:Symbols|Undefined symbols) from ", table)[1:]:
        name, _, rows = part.partition(":\n")
        cells = [[cell.strip() for cell in row.split("|")] for row in rows.splitlines() if row.count("|") == 6]
        yield name, [("r" if row[6].startswith(".data.rel.ro") else row[2], row[0]) for row in cells]


def take_built(folder):
    """Of files that are as they were when they were built."""
    built = {}
    for below, _, names in os.walk(folder):
        for name in names:
            at = re.search(r"\.dir/((?:src|dissectors)/.*)\.o$", os.path.join(below, name))
            if at and os.path.getmtime(os.path.join(below, name)) > os.path.getmtime(os.path.join(common.ROOT, at[1])):
                built[os.path.join(below, name)] = at[1]
    for obj, found in read_objects(built):
        if found:
            KNOWN[built[obj], common.read(common.ROOT, built[obj])] = found


def symbols(root, path):
    key = (path, common.read(root, path))
    if key not in KNOWN:
        with tempfile.TemporaryDirectory() as folder:
            obj = os.path.join(folder, "object.o")
            common.compile_object(root, path, obj)
            KNOWN[key] = next(read_objects([obj]))[1]
    return KNOWN[key]


def check(root):
    for path in common.sources(root, (".c",)):
        room = common.room_of(path)
        if room != "dissectors" and room not in LIBRARY:
            continue
        for kind, name in symbols(root, path):
            if kind == "U" and room == "dissectors" and not ALLOWED.match(name):
                yield "%s: a dissector may not use %s" % (path, name)
            if kind == "U" and NO_EXIT.match(name):
                yield "%s: the library never prints or exits: %s" % (path, name)
            if kind in "bBdDC" and not re.match(r"^(\.|__)", name):
                yield "%s: %s is a global that can change" % (path, name)


if "--objects" in sys.argv:
    take_built(sys.argv[sys.argv.index("--objects") + 1])
common.main(check, [
    ("printf in a dissector", lambda r: common.plant(
        r, "dissectors/smtp/verb.c", '\nint printf(const char *, ...);\nvoid smtp_planted(void);\nvoid smtp_planted(void) { printf("%d", 1); }\n')),
    ("malloc in a dissector", lambda r: common.plant(
        r, "dissectors/smtp/verb.c", "\nvoid *malloc(unsigned long);\nvoid *smtp_planted(void);\nvoid *smtp_planted(void) { return malloc(1); }\n")),
    ("a changeable global", lambda r: common.plant(r, "src/flow/control.c", "\nint sw_planted = 1;\n")),
    ("exit in the library", lambda r: common.plant(
        r, "src/session/session.c", "\n#include <stdlib.h>\nvoid sw_planted(void);\nvoid sw_planted(void) { exit(1); }\n")),
])
