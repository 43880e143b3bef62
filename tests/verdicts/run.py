#!/usr/bin/env python3
"""Runs the verdict files; see README.md."""
import json
import os
import re
import subprocess
import sys
import tempfile

# Verdicts that may rest on other connections of the capture as well, which their evidence names.
BY_OTHERS = {"mbx-captive-portal", "mbx-starttls-stripped", "client-gave-up-after-ehlo", "tcp-port25-blocked", "tcp-syn-timeout", "tcp-refused",
             "tcp-attempt-superseded", "mode-plain-to-tls-port", "ok-no-attempt"}
TOGETHER = 100  # captures in one run: to start the program takes longer than to read such a capture
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
    if key == "quality":
        return [q["kind"] for q in record["capture_quality"]]
    if key == "messages":
        return ",".join(m["outcome"] for m in record["messages"])
    if key == "recipients":
        return ",".join(r["outcome"] for m in record["messages"] for r in m["recipients"])
    if key == "causes":
        return ",".join(m["cause"] for m in record["messages"])
    if key == "recipient_causes":
        return ",".join(r["cause"] for m in record["messages"] for r in m["recipients"])
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


def analyse(program, arguments, paths):
    """The records of these captures, which one run of the program reads; RuntimeError when it fails."""
    done = subprocess.run([program, "-o", "json", *arguments, *paths], capture_output=True, timeout=300, check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError("exit status %d: %s" % (done.returncode, done.stderr.decode(errors="replace")))
    return [json.loads(line) for line in done.stdout.splitlines()]


def judge(case, records):
    """What is wrong with the records of a case."""
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


def run_alone(program, case):
    try:
        return judge(case, analyse(program, case["arguments"], [case["path"]]))
    except RuntimeError as error:
        return [str(error)]


def run_together(program, cases):
    """The captures have nothing to do with each other, so that one run says of each what a run of its own would say. Deliveries
    are made out of the sessions of all captures: who looks at them is alone."""
    try:
        records = analyse(program, cases[0]["arguments"], [case["path"] for case in cases])
    except RuntimeError:  # which one is it?
        found = [run_alone(program, case) for case in cases]
        return found if any(found) else [["fails only together with those before and behind it"]] * len(cases)
    of_case = {case["path"]: [] for case in cases}
    for record in records:
        if record["type"] == "session":
            of_case[record["capture"]["file"]].append(record)
    return [judge(case, of_case[case["path"]]) for case in cases]


def name_of(number):
    """In letters: files with numbers would be taken for parts of one capture."""
    return "".join("abcdefghij"[int(digit)] for digit in str(number)) + ".pcap"


def write_cases(cases, folder):
    """Their captures; the cases in groups, each for a run of the program."""
    groups, alone = {}, []
    for number, case in enumerate(cases):
        capture = Capture()
        try:
            if not case["expect"]:
                raise ScriptError("no expect line")
            capture.run(case["script"])
        except ScriptError as error:
            case["problems"] = [str(error)]
            continue
        case["path"], case["arguments"] = os.path.join(folder, name_of(number)), capture.arguments
        capture.write(case["path"])
        if case["deliveries"]:
            alone.append([case])
        else:
            groups.setdefault(tuple(capture.arguments), []).append(case)
    return alone + [group[at:at + TOGETHER] for group in groups.values() for at in range(0, len(group), TOGETHER)]


def main():
    program = sys.argv[1]
    files = sys.argv[2:] or sorted(os.path.join(folder, f) for folder in (HERE, os.path.join(HERE, "findings"))
                                   for f in os.listdir(folder) if f.endswith(".txt") and f != "CMakeLists.txt")
    cases = [dict(case, file=os.path.basename(path)) for path in files for case in read_cases(path)]
    with tempfile.TemporaryDirectory() as folder:
        for group in write_cases(cases, folder):
            found = run_together(program, group) if len(group) > 1 else [run_alone(program, group[0])]
            for case, problems in zip(group, found):
                case["problems"] = problems
    failed = 0
    for case in cases:
        if case["problems"]:
            failed += 1
            print("FAILED %s: %s" % (case["file"], case["name"]))
            for problem in case["problems"]:
                print("    " + problem)
    passed = len(cases) - failed
    print("verdict cases: %d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
