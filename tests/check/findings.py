#!/usr/bin/env python3
"""Every finding has its words, and a verdict file with a case that must show it and a near miss that must not."""
import os
import re

import common

# What is not looked for yet, and why.
LATER = {}
ROW = re.compile(r'SW_FINDING\((\w+), "([^"]+)", (\w+)\)')
WORDS = ("summary", "meaning", "advice", "references")


def wordings(root):
    """The words of each symbol: member to text."""
    text = common.read(root, "src/analyzer/finding_wording.def")
    found = {}
    for symbol, body in re.findall(r"\[SW_FINDING_(\w+)\] = \{(.*?)\n\},", text, re.S):
        found[symbol] = {name: "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', value))
                         for name, value in re.findall(r"\.(\w+) = ((?:\s*\"(?:[^\"\\]|\\.)*\")+)", body)}
    return found


def cases(text):
    for part in re.split(r"^===", text, flags=re.M)[1:]:
        yield " ".join(line for line in part.splitlines() if line.startswith("expect "))


def judge_words(finding, words):
    for name in WORDS:
        if not words.get(name):
            yield "%s has no %s" % (finding, name)
    summary = words.get("summary", "")
    if summary and (not summary.endswith(".") or not summary[0].isupper() or re.search(r"[.!?]\s", summary)):
        yield "%s: the summary is not one sentence: %s" % (finding, summary)


def check(root):
    rows = ROW.findall(common.read(root, "src/analyzer/finding.def"))
    if len(rows) < 50:
        yield "finding.def could not be read"
    said = wordings(root)
    ids = [finding for _, finding, _ in rows]
    for finding in sorted(LATER):
        if finding not in ids:
            yield "%s is put off and does not exist" % finding
    for symbol, finding, _ in rows:
        for problem in judge_words(finding, said.get(symbol, {})):
            yield problem
        path = "tests/verdicts/findings/%s.txt" % finding
        there = os.path.exists(os.path.join(root, path))
        if finding in LATER and there:
            yield "%s has a verdict file and is still put off" % finding
        if finding in LATER:
            continue
        if not there:
            yield "%s has no verdict file" % finding
            continue
        expected = list(cases(common.read(root, path)))
        wanted = re.compile(r"\bfinding=%s(?![\w-])" % re.escape(finding))
        if not any(wanted.search(case) for case in expected):
            yield "%s has no case that must show the finding" % path
        if not any("finding!=" + finding in case.split() and not wanted.search(case) for case in expected):
            yield "%s has no near miss" % path
    for name in sorted(os.listdir(os.path.join(root, "tests/verdicts/findings"))):
        if name.endswith(".txt") and name[:-4] not in ids:
            yield "tests/verdicts/findings/%s is about no finding" % name


def without_near_misses(root):
    path = "tests/verdicts/findings/aud-bcc-leak.txt"
    text = common.read(root, path)
    with open(os.path.join(root, path), "w", encoding="utf-8") as out:
        out.write(re.sub(r"^=== near miss.*?(?=^===|\Z)", "", text, flags=re.M | re.S))


def without_advice(root):
    path = "src/analyzer/finding_wording.def"
    text = common.read(root, path)
    with open(os.path.join(root, path), "w", encoding="utf-8") as out:
        out.write(text.replace('.advice = "Switch EXPN off."', '.advice = NULL', 1))


common.main(check, [
    ("a finding without a test and without words", lambda r: common.plant(
        r, "src/analyzer/finding.def", 'SW_FINDING(PLANTED, "aud-planted", LOW)\n')),
    ("a file without a near miss", without_near_misses),
    ("a finding without advice", without_advice),
])
