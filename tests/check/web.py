#!/usr/bin/env python3
"""The page of the HTML report: its sources pass lint, format, types and unit tests, and the built file that is committed
is what they build."""
import os
import sys

import common

sys.path.insert(0, os.path.join(common.ROOT, "tests", "support"))
import web  # noqa: E402  (needs the path above)


def differs(place):
    """What is wrong with the committed page, or None."""
    with open(os.path.join(web.SOURCES, "built", "report.html"), "rb") as file:
        committed = file.read()
    said = web.npm(place, "bundle")  # lint has looked at the types
    if said is not None:
        return "it does not build:\n" + said
    with open(os.path.join(place, "built", "report.html"), "rb") as file:
        built = file.read()
    if built != committed:
        return "web/built/report.html is not what web/ builds: run 'npm ci && npm run build' in web/ and commit it"
    return None


def self_test(place):
    """A changed source must show."""
    path = os.path.join(place, "src", "words.ts")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace('label: "Stuck"', 'label: "Struck"'))
    wrong = differs(place)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return wrong is not None and "is not what" in wrong


def main():
    try:
        place = web.workshop()
    except web.Missing as missing:
        print("skipped: that web/built/report.html is current cannot be shown: %s" % missing)
        return common.SKIPPED
    failed = False
    for script in ("lint", "test"):
        said = web.npm(place, script)
        if said is not None:
            print("web/: npm run %s fails:\n%s" % (script, said))
            failed = True
    wrong = differs(place)
    if wrong:
        print(wrong)
        failed = True
    if "--self-test" in sys.argv and not failed and not self_test(place):
        print("a changed source was not noticed")
        failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
