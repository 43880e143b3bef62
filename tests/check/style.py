#!/usr/bin/env python3
"""Length of files, functions and lines; tabs, trailing blanks; banned functions; words that do not belong into the tree."""
import os
import re

import common

FILE_LINES, FUNCTION_LINES, COLUMNS = 600, 80, 100
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|alloca|scanf|sscanf|setjmp)\s*\(")
STRANGE = re.compile(r"\bTODO\b|\bFIXME\b|\bXXX\b|\.\./shared")


def functions(text):
    """Start line and length of each function body (braces in the first column, as clang-format leaves them)."""
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number - start + 1
            start = None


def check(root):
    for path in common.sources(root, below=("src", "dissectors", "tests")):
        text = common.read(root, path)
        lines = text.splitlines()
        if len(lines) > FILE_LINES:
            yield "%s: %d lines, %d are allowed" % (path, len(lines), FILE_LINES)
        for start, length in functions(text):
            if length > FUNCTION_LINES and path.endswith(".c") and not path.startswith("tests/"):
                yield "%s:%d: a function of %d lines does not fit a screen" % (path, start, length)
        for number, line in enumerate(lines, 1):
            if "\t" in line:
                yield "%s:%d: a tab" % (path, number)
            if line != line.rstrip():
                yield "%s:%d: blanks at the end" % (path, number)
            if len(line) > COLUMNS and not path.endswith(".def") and "wording_" not in path:
                yield "%s:%d: %d columns" % (path, number, len(line))
            if BANNED.search(line):
                yield "%s:%d: banned function: %s" % (path, number, line.strip())
    for folder in ("src", "dissectors", "docs", "pcaps", "tests", "."):
        base = os.path.join(root, folder)
        walk = os.walk(base) if folder != "." else [(base, [], [f for f in os.listdir(base) if os.path.isfile(os.path.join(base, f))])]
        for where, _, files in walk:
            for name in files:
                if not name.endswith((".c", ".h", ".def", ".md", ".py", ".sh", ".tsv", ".txt")) or "tests/check" in where:
                    continue
                relative = os.path.relpath(os.path.join(where, name), root)
                if "build/" in relative or "/.unpacked/" in relative:
                    continue
                for number, line in enumerate(common.read(root, relative).splitlines(), 1):
                    if STRANGE.search(line):
                        yield "%s:%d: does not belong here: %s" % (relative, number, line.strip()[:80])


common.main(check, [
    ("a tab", lambda r: common.plant(r, "src/base/span.c", "\n\t\n")),
    ("strcpy", lambda r: common.plant(r, "src/base/span.c", "\nvoid f(void) { strcpy(a, b); }\n")),
    ("a file that is too long", lambda r: common.plant(r, "src/base/span.c", "int x;\n" * 601)),
])
