#!/usr/bin/env python3
"""Golden test: the text and JSON of every capture in pcaps/ against the files beside this script.

    run.py PROGRAM [--update] [CAPTURE...]      CAPTURE is relative to pcaps/; all without one

--update rewrites the expected files; look at the difference with git before you commit it. A capture without expected
files, and an expected file without capture, are failures. Both are compared at -v, which shows everything.
"""
import difflib
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import start  # noqa: E402  (needs the path above)

PCAPS = os.path.join(ROOT, "pcaps")
CAPTURES = (".pcap", ".pcapng", ".cap")
ENDINGS = (".txt", ".jsonl")
SKIPPED = 77
DIFF_LINES = 60


def find(root, endings):
    found = []
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if not name.startswith(".")]  # the lab's workshop
        for name in names:
            if name.endswith(endings):
                found.append(os.path.relpath(os.path.join(folder, name), root))
    return sorted(found)


def run(program, capture):
    """Text and JSON of one run: what differs between two is nothing but its beginning, which takes longer than the capture."""
    with tempfile.NamedTemporaryFile() as text:
        status, out, err = start.run([program, "-v", "-o", "text:" + text.name, "-o", "json", capture], environment={"NO_COLOR": "1"}, cwd=PCAPS)
        outputs = [raw.decode("utf-8", "backslashreplace") for raw in (text.read(), out)]
    if status not in (0, 3):
        outputs = [output + "exit status %d: %s" % (status, err.decode("utf-8", "replace")) for output in outputs]
    return outputs


def difference(expected, got, name):
    lines = list(difflib.unified_diff(expected.splitlines(), got.splitlines(), "expected " + name, "got " + name,
                                      lineterm="", n=1))
    more = len(lines) - DIFF_LINES
    return "\n".join(line[:300] for line in lines[:DIFF_LINES]) + ("\n... %d more lines" % more if more > 0 else "")


def read(path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def check(program, capture, update):
    failures = 0
    for ending, got in zip(ENDINGS, run(program, capture)):
        name = capture + ending
        path = os.path.join(HERE, name)
        expected = read(path)
        if expected == got:
            continue
        if update:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(got)
            print("rewritten: %s" % name)
            continue
        failures += 1
        print("MISSING: %s (run.py --update makes it)" % name if expected is None else difference(expected, got, name))
    return failures


def stale(captures, update):
    known = {capture + ending for capture in captures for ending in ENDINGS}
    failures = 0
    for name in find(HERE, ENDINGS):
        if name in known or name == "CMakeLists.txt":
            continue
        if update:
            os.remove(os.path.join(HERE, name))
            print("removed: %s" % name)
        else:
            print("STALE: %s has no capture" % name)
            failures += 1
    return failures


def main():
    arguments = [a for a in sys.argv[1:] if a != "--update"]
    update = "--update" in sys.argv
    if not arguments:
        print(__doc__)
        return 2
    program = os.path.abspath(arguments[0])
    captures = find(PCAPS, CAPTURES)
    if not captures:
        print("there is no capture in pcaps/ yet")
        return SKIPPED
    chosen = arguments[1:] or captures
    failures = sum(check(program, capture, update) for capture in chosen)
    if not arguments[1:]:
        failures += stale(captures, update)
    print("%d captures, %d differences" % (len(chosen), failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
