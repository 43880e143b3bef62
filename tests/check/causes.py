#!/usr/bin/env python3
"""Every cause of the finished families has a verdict file with a case that names it."""
import os
import re

import common

FINISHED = {"TCP_CONNECT", "GREETING", "HELLO", "AUTH", "MAIL", "RCPT", "DATA", "SESSION", "OUTCOME", "UNKNOWN"}
# Tier 1 causes whose evidence is not looked for yet.
LATER = {"tcp-zero-window", "tcp-pmtu-blackhole", "enc-likely-delivered", "enc-no-upload"}
ROW = re.compile(r'SW_CAUSE\(\s*(\w+),\s*"([^"]+)",\s*(\d),\s*(\w+),\s*(\w+),', re.S)


def check(root):
    rows = ROW.findall(common.read(root, "src/analyzer/cause.def"))
    if len(rows) < 100:
        yield "cause.def could not be read"
    expected = {}
    folder = os.path.join(root, "tests/verdicts")
    for name in os.listdir(folder):
        if name.endswith(".txt") and name != "CMakeLists.txt":
            text = common.read(root, "tests/verdicts/" + name)
            expected[name[:-4]] = set(re.findall(r"\bcause=([a-z0-9-]+)", text))
    for _, cause, tier, _, family in rows:
        if tier != "1" or family not in FINISHED or cause in LATER:
            continue
        if cause not in expected:
            yield "%s has no verdict file" % cause
        elif cause not in expected[cause]:
            yield "tests/verdicts/%s.txt has no case that expects %s" % (cause, cause)
        elif len(re.findall(r"^===", common.read(root, "tests/verdicts/%s.txt" % cause), re.M)) < 2:
            yield "tests/verdicts/%s.txt has no near miss" % cause


common.main(check, [
    ("a cause without a test", lambda r: common.plant(
        r, "src/analyzer/cause.def", 'SW_CAUSE(PLANTED, "tcp-planted", 1, NONE, SESSION, SERVER_ADMIN, TEMPORARY)\n')),
])
