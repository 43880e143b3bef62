#!/usr/bin/env python3
"""skipped.py JUNIT... - how many tests were skipped in these runs of ctest, which, and the last thing that each said."""
import os
import sys
import xml.etree.ElementTree as ElementTree


def skipped(path):
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.get("status") in ("notrun", "disabled"):
            said = (case.findtext("system-out") or "").strip().splitlines()
            yield case.get("name"), said[-1] if said else "says nothing"


def main():
    found = [(os.path.basename(os.path.dirname(path)), *what) for path in sys.argv[1:] for what in skipped(path)]
    print("%d tests were skipped%s" % (len(found), ":" if found else ""))
    for preset, name, why in found:
        print("  %s (%s): %s" % (name, preset, why))


if __name__ == "__main__":
    main()
