#!/usr/bin/env python3
"""Runs the verdict files; see README.md."""
import json
import os
import re
import subprocess
import sys
import tempfile

# Verdicts that may rest on other connections of the capture as well, which their evidence names.
BY_OTHERS = {"mbx-captive-portal", "mbx-starttls-stripped", "client-gave-up-after-ehlo", "tcp-port25-blocked", "tcp-syn-timeout",
             "tcp-attempt-superseded", "mode-plain-to-tls-port", "ok-no-attempt"}
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from dialogue import Capture, ScriptError  # noqa: E402


def read_cases(path):
    cases = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("==="):
                cases.append({"name": line[3:].strip(), "expect": [], "deliveries": [], "script": []})
            elif not cases:
                if line.strip() and not line.startswith("#"):
                    raise ScriptError("%s: text before the first === line" % path)
            elif line.startswith("expect "):
                cases[-1]["expect"].append(line[7:].split())
            elif line.startswith("expect-delivery "):
                cases[-1]["deliveries"].append(line[16:].split())
            else:
                cases[-1]["script"].append(line)
    return cases


def value_of(record, key):
    if record["type"] == "delivery":
        found = record[key]
        return ",".join(str(v) for v in found) if isinstance(found, list) else found
    verdict = record["verdict"]
    if key in ("outcome", "protocol", "security"):
        return record[key]
    if key == "also":
        return [a["cause"] for a in verdict["also"]]
    if key == "finding":  # each as it may be asked for: id, id:severity, id@frame, id:severity@frame
        return [f["id"] + severity + frame for f in record["findings"]
                for severity in ("", ":" + f["severity"]) for frame in ("", "@%d" % f["frame"])]
    if key == "messages":
        return ",".join(m["outcome"] for m in record["messages"])
    if key == "recipients":
        return ",".join(r["outcome"] for m in record["messages"] for r in m["recipients"])
    if key == "evidence":
        return [str(e["frame"]) for e in verdict["evidence"]]
    return verdict[key]


def check(record, words):
    for word in words:
        match = re.match(r"^([a-z_]+)(!=|=|!~|~)(.*)$", word)
        if not match:
            yield "not understood: %s" % word
            continue
        key, operator, wanted = match.groups()
        found = value_of(record, key)
        if operator in ("~", "!~"):
            good = (wanted.replace("_", " ") in str(found)) == (operator == "~")
        elif isinstance(found, list):
            good = (wanted in found) == (operator == "=")
        else:
            good = (str(found) == wanted) == (operator == "=")
        if not good:
            yield "wanted %s, got %s=%s" % (word, key, found)


def consistency(record, script):
    """What holds for every record, whatever the case is about."""
    verdict = record["verdict"]
    if not verdict["evidence"]:
        yield "no evidence"
    first, last = record["capture"]["first_frame"], record["capture"]["last_frame"]
    for item in verdict["evidence"]:
        before = verdict["stage"] == "dns" and item["frame"] < first  # what came before the connection
        if not (first <= item["frame"] <= last or before or verdict["cause"] in BY_OTHERS):
            yield "evidence frame %d is not of this session (%d-%d)" % (item["frame"], first, last)
    for finding in record["findings"]:
        if not first <= finding["frame"] <= last:
            yield "%s: frame %d is not of this session (%d-%d)" % (finding["id"], finding["frame"], first, last)
    said = [finding["summary"] for finding in record["findings"]]
    for text in [verdict["summary"], verdict["explanation"], " ".join(verdict["advice"])] + said:
        if re.search(r"[{}]|\[\[|\]\]", text) and "{" not in script:
            yield "unfilled template: %s" % text


def check_deliveries(records, case):
    """Sessions are named by their number in place of their id."""
    found = [r for r in records if r["type"] == "delivery"]
    wanted = [words for words in case["deliveries"] if words != ["none"]]
    if len(found) != len(wanted):
        yield "%d deliveries, %d expected: %s" % (len(found), len(wanted), "; ".join(d["summary"] for d in found))
        return
    number = {r["id"]: n for n, r in enumerate((r for r in records if r["type"] == "session"), 1)}
    for record, words in zip(found, wanted):
        record["recovered_by"] = number.get(record["recovered_by"])
        for key in ("attempts", "same_as"):
            record[key] = [number[i] for i in record[key]]
        for problem in check(record, words):
            yield "delivery: %s\n      %s" % (problem, record["summary"])


def run_case(program, case):
    capture = Capture()
    try:
        capture.run(case["script"])
    except ScriptError as error:
        return [str(error)]
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        capture.write(file.name)
        done = subprocess.run([program, "-o", "json", *capture.arguments, file.name], capture_output=True, timeout=60, check=False)
    if done.returncode not in (0, 3):
        return ["exit status %d: %s" % (done.returncode, done.stderr.decode(errors="replace"))]
    records = [json.loads(line) for line in done.stdout.splitlines()]
    sessions = [r for r in records if r["type"] == "session"]
    expected = case["expect"] if case["expect"] != [["nothing"]] else []
    if len(sessions) != len(expected):
        got = ", ".join("%s/%s" % (s["outcome"], s["verdict"]["cause"]) for s in sessions)
        return ["%d sessions, %d expected (%s)" % (len(sessions), len(expected), got)]
    problems = []
    for index, (record, words) in enumerate(zip(sessions, expected)):
        for problem in list(check(record, words)) + list(consistency(record, "".join(case["script"]))):
            problems.append("session %d: %s\n      %s" % (index + 1, problem, record["verdict"]["explanation"]))
    if case["deliveries"]:
        problems += check_deliveries(records, case)
    return problems


def main():
    program = sys.argv[1]
    files = sys.argv[2:] or sorted(os.path.join(folder, f) for folder in (HERE, os.path.join(HERE, "findings"))
                                   for f in os.listdir(folder) if f.endswith(".txt") and f != "CMakeLists.txt")
    passed = failed = 0
    for path in files:
        for case in read_cases(path):
            problems = run_case(program, case) if case["expect"] else ["no expect line"]
            if problems:
                failed += 1
                print("FAILED %s: %s" % (os.path.basename(path), case["name"]))
                for problem in problems:
                    print("    " + problem)
            else:
                passed += 1
    print("verdict cases: %d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
