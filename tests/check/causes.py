#!/usr/bin/env python3
"""Every cause, of tier 1 and 2, has a verdict file with a case that expects it and a near miss that does not."""
import os
import re

import common

# Causes whose evidence is not looked for yet. A verdict file takes a cause off this list.
LATER = {
}
ROW = re.compile(r'SW_CAUSE\(\s*(\w+),\s*"([^"]+)",\s*(\d),\s*(\w+),\s*(\w+),', re.S)


def expectations(text):
    """For each case of a verdict file, the causes that its expect lines ask for."""
    for case in re.split(r"^===", text, flags=re.M)[1:]:
        yield set(re.findall(r"^expect .*?\bcause=([a-z0-9-]+)", case, re.M)), case


def problems(cause, text):
    cases = list(expectations(text))
    if not any(cause in wanted for wanted, _ in cases):
        yield "has no case that expects %s" % cause
    if not any(cause not in wanted and "expect " in case for wanted, case in cases):
        yield "has no near miss"


def check(root):
    rows = ROW.findall(common.read(root, "src/analyzer/cause.def"))
    if len(rows) < 100:
        yield "cause.def could not be read"
    known = {cause for _, cause, _, _, _ in rows}
    for cause in sorted(set(LATER) - known):
        yield "LATER: there is no cause %s" % cause
    for cause in sorted(known):
        path = "tests/verdicts/%s.txt" % cause
        if os.path.exists(os.path.join(root, path)):
            for problem in problems(cause, common.read(root, path)):
                yield "%s %s" % (path, problem)
            if cause in LATER and root == common.ROOT:
                print("%s has a verdict file now: take it off LATER" % cause)
        elif cause not in LATER:
            yield "%s has no verdict file" % cause


PLANTED = 'SW_CAUSE(PLANTED, "tcp-planted", 2, NONE, SESSION, SERVER_ADMIN, TEMPORARY)\n'


def plant(root, text):
    common.plant(root, "src/analyzer/cause.def", PLANTED)
    if text:
        common.plant(root, "tests/verdicts/tcp-planted.txt", text)


common.main(check, [
    ("a cause without a test", lambda root: plant(root, "")),
    ("no near miss", lambda root: plant(root, "=== one\nexpect outcome=stuck cause=tcp-planted\nhello\n")),
    ("a cause that is never expected", lambda root: plant(root, "=== one\nexpect cause!=tcp-planted\nhello\n")),
])
