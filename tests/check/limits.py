#!/usr/bin/env python3
"""Every limit has its words and a name of its own, and docs/LIMITS.md says what src/base/limit.def does (--update writes it)."""
import os
import re
import sys

import common

TABLE, PAGE = "src/base/limit.def", "docs/LIMITS.md"
HEAD = """# Limits

Whatever the wire can grow has a cap. `--limits NAME=VALUE,...` sets them, `smtpwhy --help limits` lists them. A limit that
is hit is counted under its name in the summary, the exit status is 3, and a session that lost something to it says so
(`limits-hit` in `capture_quality`): what would have been certain of it is likely at most, or unknown.

`memory` is the whole program's. What is not set by hand takes less than the default where little memory is allowed, so
that all of them together fit; runs side by side (`-j`) share it.

This page is made of `src/base/limit.def` by `tests/check/limits.py --update`.

| limit | default | least | what | over it |
|---|---|---|---|---|
"""


def rows(root):
    source = re.sub(r"/\*.*?\*/", "", common.read(root, TABLE), flags=re.S)
    for match in re.finditer(r"SW_LIMIT\((.*?)\)\n(?=SW_LIMIT|\s*\Z)", source, flags=re.S):
        fields = [f.strip() for f in re.findall(r'(?:"(?:[^"\\]|\\.)*"\s*)+|[^,"]+', match.group(1)) if f.strip()]
        texts = ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', f)) for f in fields]
        if len(fields) == 10:
            yield {"name": texts[1], "unit": fields[3], "default": number(fields[4]), "least": number(fields[5]), "what": texts[8],
                   "shed": texts[9]}


def number(expression):
    plain = re.sub(r"UINT64_C\((\d+)\)", r"\1", expression)
    assert re.fullmatch(r"[\d\s*<()]+", plain), expression
    return eval(plain)  # pylint: disable=eval-used  # digits and operators only, see above


def shown(value, unit):
    if unit == "SECONDS":
        return "%d s" % value
    for size, letter in ((1 << 40, "T"), (1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")):
        if unit == "BYTES" and value >= size and value % size == 0:
            return "%d%s" % (value // size, letter)
    return "{:,}".format(value)


def page(found):
    line = "| `%s` | %s | %s | %s | %s |\n"
    return HEAD + "".join(line % (row["name"], shown(row["default"], row["unit"]), shown(row["least"], row["unit"]), row["what"], row["shed"])
                          for row in found)


def check(root):
    found = list(rows(root))
    names = [row["name"] for row in found]
    if len(found) < 20 or len(found) != common.read(root, TABLE).count("\nSW_LIMIT("):
        yield "rows of %s cannot be read" % TABLE
    for row in found:
        if names.count(row["name"]) > 1 or not row["name"] or not row["what"] or not row["shed"]:
            yield "the limit '%s' has no words, or is there twice" % row["name"]
    if not os.path.exists(os.path.join(root, PAGE)) or common.read(root, PAGE) != page(found):
        yield "%s is not what %s says: run tests/check/limits.py --update" % (PAGE, TABLE)


def plant_row(words):
    return lambda root: common.plant(root, TABLE, 'SW_LIMIT(PLANTED, "planted", planted, COUNT, 1, 1, 0, 0, "things", %s)\n' % words)


if "--update" in sys.argv:
    with open(os.path.join(common.ROOT, PAGE), "w", encoding="utf-8") as out:
        out.write(page(list(rows(common.ROOT))))
common.main(check, [
    ("a limit that the page does not know", plant_row('"it is gone"')),
    ("a limit without words", plant_row('""')),
])
