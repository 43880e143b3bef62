#!/usr/bin/env python3
"""The HTML report in a headless Chromium, driven by web/test/browser.mjs: what it shows against the JSON of the same
captures, filter, sort, permalinks, keyboard, print, accessibility, and that nothing is loaded or executed."""
import json
import os
import shutil
import subprocess
import sys

import common
from common import run

sys.path.insert(0, os.path.join(common.ROOT, "tests", "support"))
import web  # noqa: E402  (needs the path above)
import dialogue  # noqa: E402

LARGE = 10000
HOSTILE = ["</script><script>window.hacked=1</script>", "<img src=x onerror=window.hacked=2>", "\"'><b>bold</b>"]


def write(path, *arguments):
    result = run("-o", "html:" + path, *arguments)
    if result.status not in (0, 3):
        raise RuntimeError(result.err)


def hostile_capture(path):
    capture = dialogue.Capture()
    capture.run(["S: 220 mx %s" % HOSTILE[0], "C: EHLO %s" % HOSTILE[1], "S: 250 mx", "C: MAIL FROM:<a@example.net>",
                 "S: 250 ok", "C: RCPT TO:<b@example.net>", "S: 250 ok", "C: DATA", "S: 354 go",
                 "C: Subject: %s" % HOSTILE[2], "C: ", "C: text", "C: .", "S: 554 5.7.1 %s" % HOSTILE[1], "quit"])
    capture.write(path)


def large_capture(path):
    """Sessions of one kind each in turn, one after the other."""
    capture = dialogue.Capture()
    kinds = (common.DELIVERED, common.REFUSED, common.LOGIN)
    lines = []
    for i in range(LARGE):
        lines += (["session"] if lines else []) + ["client 10.%d.%d.%d" % (i >> 16, i >> 8 & 255, i & 255)]
        lines += kinds[i % len(kinds)]
    capture.run(lines)
    capture.write(path)


def counted(sessions, fits):
    return sum(1 for session in sessions if fits(session))


def queries(sessions):
    """What is asked for, and how many the records themselves have of it."""
    middle = sorted(session["start"] for session in sessions)[len(sessions) // 2]
    of = {
        "outcome:stuck": lambda s: s["outcome"] == "stuck",
        "cause:auth-*": lambda s: s["verdict"]["cause"].startswith("auth-"),
        "-outcome:stuck,unknown": lambda s: s["outcome"] not in ("stuck", "unknown"),
        "stage:rcpt actor:sender-client": lambda s: (s["verdict"]["stage"], s["verdict"]["actor"]) == ("rcpt", "sender-client"),
        "code>=500": lambda s: s["verdict"]["reply"] and (s["verdict"]["reply"]["code"] or 0) >= 500,
        "client:192.0.2.0/24": lambda s: (s["client"]["ip"] or "").startswith("192.0.2."),
        "start<%s" % middle: lambda s: s["start"] < middle,
        "duration>2s": lambda s: s["duration_s"] > 2,
        "tls.version=TLSv1.3": lambda s: s["tls"] and s["tls"]["version"] == "TLSv1.3",
        "tcp.closed_by:server tcp.close:rst": lambda s: s["tcp"] and s["tcp"]["closed_by"] == "server" and s["tcp"]["close"] == "rst",
        '"RELAY access denied"': lambda s: "relay access denied" in json.dumps(s["dialogue"]).lower(),
    }
    return [{"query": query, "n": counted(sessions, fits)} for query, fits in of.items()]


def mixed_facts(records):
    sessions = [record for record in records if record["type"] == "session"]
    mails = records[-1]["mails"]
    causes = {}
    for session in sessions:
        if session["outcome"] in ("stuck", "partial"):
            causes[session["verdict"]["cause"]] = causes.get(session["verdict"]["cause"], 0) + 1
    refused = next(s for s in sessions if s["verdict"]["cause"] == "rcpt-relay-denied" and s["outcome"] == "stuck")
    tls = next(s for s in sessions if s["tls"] and any(c["problems"] for c in s["tls"]["certificates"]))
    return {
        "sessions": len(sessions),
        "outcomes": {outcome: n for outcome, n in records[-1]["by_outcome"].items() if n},
        "stuckMails": mails["stuck"],
        "triedMails": sum(n for outcome, n in mails.items() if outcome != "no-mail"),
        "topCause": max(causes.values()),
        "causes": len(causes),
        "queries": queries(sessions),
        "refused": refused["id"],
        "refusedSummary": refused["verdict"]["summary"],
        "refusedEvidence": len({one["frame"] for one in refused["verdict"]["evidence"] if one["frame"]}),
        "tls": tls["id"],
        "tlsProblem": next(c["problems"][0] for c in tls["tls"]["certificates"] if c["problems"]),
    }


def prepare(work):
    captures = [os.path.join(common.PCAPS, path) for path in common.captures()]
    write(os.path.join(work, "mixed.html"), *captures)
    facts = mixed_facts(run("-o", "json", *captures).records())
    if facts["sessions"] < 50:
        raise RuntimeError("too few sessions to say anything")
    hostile = os.path.join(work, "hostile.pcap")
    hostile_capture(hostile)
    write(os.path.join(work, "hostile.html"), hostile)
    facts["hostile"] = run("-o", "json", hostile).sessions()[0]["id"]
    facts["hostilePieces"] = HOSTILE
    large = os.path.join(work, "large.pcap")
    large_capture(large)
    write(os.path.join(work, "large.html"), large)
    facts["large"] = LARGE
    with open(os.path.join(work, "mixed.html"), "rb") as file:
        whole = file.read()
    with open(os.path.join(work, "cut.html"), "wb") as file:
        file.write(whole[:len(whole) * 2 // 3])
    with open(os.path.join(work, "facts.json"), "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)


def main():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        if not chromium:
            raise web.Missing("chromium is not installed")
        place = web.workshop()
    except web.Missing as missing:
        print("skipped: the HTML report was not looked at in a browser: %s" % missing)
        return common.SKIPPED
    work = os.path.join(common.ROOT, "build", "browser")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    prepare(work)
    return subprocess.run(["node", os.path.join(place, "test", "browser.mjs"), chromium, work], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
