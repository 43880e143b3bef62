#!/usr/bin/env python3
"""The formats that say a session in one row: csv, ecs, ocsf, against the JSON records and their schemas."""
import contextlib
import csv
import io
import json
import os
import re
import subprocess
import unittest

import common
from common import DELIVERED, LOGIN, REFUSED, SILENT, run

try:
    import jsonschema
except ImportError:
    jsonschema = None


KEYED = [["-k", os.path.join(common.PCAPS, "tls", name + ".keys"), os.path.join(common.PCAPS, "tls", name + ".pcap")]
         for name in ("relay-denied-postfix-by-curl-587-tls1.3", "sent-with-login-by-msmtp-587-tls1.2")]


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def fields():
    """The table of fields, as --help prints it."""
    lines = run("--help", "fields").out.splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines]


def paths(value, before=""):
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from paths(inner, before + key + ".")
        else:
            yield before + key


def walk(value, path):
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


class Csv(common.Case):
    def test_header_is_documented(self):
        header = run("-o", "csv", self.capture("a.pcap", REFUSED)).out.split("\r\n")[0].split(",")
        self.assertEqual(header, [row[2] for row in fields() if row[2]])
        with open(os.path.join(common.ROOT, "docs", "FORMATS.md"), encoding="utf-8") as file:
            self.assertIn(run("--help", "fields").out, file.read(), "run: smtpwhy --help fields")

    def test_rows_say_what_the_records_say(self):
        paths_ = [os.path.join(common.PCAPS, name) for name in common.captures()]
        text = run("-o", "csv", *paths_).out
        self.assertEqual(text.count("\r\n"), text.count("\n"))
        table, sessions = rows(text), run("-o", "json", *paths_).sessions()
        self.assertEqual(len(table), len(sessions))
        for row, record in zip(table, sessions):
            verdict, reply = record["verdict"], record["verdict"]["reply"] or {}
            self.assertEqual(row["id"], record["id"])
            self.assertEqual(row["start"], record["start"])
            self.assertEqual(row["outcome"], record["outcome"])
            self.assertEqual(row["cause"], verdict["cause"])
            self.assertEqual(row["stage"], verdict["stage"])
            self.assertEqual(row["reply_code"], str(reply.get("code") or ""))
            self.assertEqual(row["reply_enhanced"], reply.get("enhanced") or "")
            self.assertEqual(row["evidence_frames"], "; ".join(str(e["frame"]) for e in verdict["evidence"]))
            self.assertEqual(row["client_port"], str(record["client"]["port"] or ""))
            self.assertEqual(row["tls_version"], (record["tls"] or {}).get("version") or "")
            self.assertEqual(row["messages"], str(len(record["messages"])))

    def test_one_header_for_many_files(self):
        paths_ = [self.capture("%d.pcap" % i, REFUSED, DELIVERED) for i in range(3)]
        one = run("-o", "csv", *paths_).out
        self.assertEqual(len(rows(one)), 6)
        self.assertEqual(one.count("outcome,cause"), 1)
        self.assertEqual(run("-j", 3, "-o", "csv", *paths_).out, one)
        self.assertEqual(len(rows(run("-o", "csv", self.path("missing.pcap"), *paths_).out)), 6)
        self.assertEqual(run("-q", "-o", "csv", *paths_).out.count("\r\n"), 1)

    def test_formulas_are_neutralised(self):
        for start in ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", " =1", "\t=1", '"=1'):
            path = self.capture("f.pcap", ["S: 554 " + start.replace("\t", "\\t"), "C: QUIT", "S: 221 =x"])
            text = run("-o", "csv", path).out
            row = rows(text)[0]
            for key in ("reply_text", "banner"):
                self.assertNotRegex(row[key], r"^[\s]*[=+\-@]", start)
            self.assertIn(start.strip().strip('"'), row["reply_text"])
        self.assertRegex(row["banner"], '^"=1')  # a quotation mark makes it text already

    def test_hostile_text_stays_in_its_cell(self):
        path = self.capture("h.pcap", ['S: 220 a","b\\x00\\x1b[31m\\xff, c', "C: EHLO x\\ry", "S: 550 5.7.1 no", "quit"])
        text = run("-o", "csv", path).out
        row = rows(text)[0]
        self.assertEqual(row["banner"], 'a","b\\x00\\x1b[31m\\xff, c')
        self.assertEqual(row["cause"], run("-o", "json", path).sessions()[0]["verdict"]["cause"])
        self.assertNotIn("\x1b", text)


@unittest.skipUnless(jsonschema, "python3-jsonschema is not installed")
class Mapped(common.Case):
    def validator(self, form):
        with open(os.path.join(common.ROOT, "docs", form + ".schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        return jsonschema.Draft202012Validator(schema)

    def test_own_captures(self):
        column = {"ecs": 3, "ocsf": 4}
        for form in ("ecs", "ocsf"):
            validator, seen = self.validator(form), set()
            for words in KEYED + [[os.path.join(common.PCAPS, name) for name in common.captures()]]:
                events, records = run("-o", form, *words).records(), run("-o", "json", *words).sessions()
                self.assertEqual(len(events), len(records))
                for event, record in zip(events, records):
                    for error in validator.iter_errors(event):
                        self.fail("%s %s: %s: %s" % (form, record["capture"], list(error.absolute_path), error.message[:300]))
                    seen.update(paths(event))
                    self.same(form, event, record)
            table = {row[column[form]] for row in fields() if row[column[form]]}
            self.assertEqual(seen - table, set())
            # What no capture of the project has; what only a series has is tested in series.py.
            self.assertLessEqual(table - seen, {"email.x_mailer", "unmapped.mailer", "smtpwhy.capture.last_frame_file", "smtpwhy.evidence.file",
                                                "unmapped.last_frame_file", "unmapped.evidence_files"}, form)

    def same(self, form, event, record):
        verdict = record["verdict"]
        cause, outcome, frames = {
            "ecs": ("event.code", "smtpwhy.outcome", "smtpwhy.evidence.frame"),
            "ocsf": ("status_code", "unmapped.outcome", "unmapped.evidence_frames")}[form]
        self.assertEqual(walk(event, cause), verdict["cause"])
        self.assertEqual(walk(event, outcome), record["outcome"])
        self.assertEqual(walk(event, frames), [e["frame"] for e in verdict["evidence"]])

    def test_schema_refuses_what_is_wrong(self):
        for form, key in (("ecs", "event"), ("ocsf", "class_uid")):
            event = run("-o", form, self.capture("a.pcap", REFUSED)).records()[0]
            validator = self.validator(form)
            self.assertTrue(validator.is_valid(event))
            self.assertFalse(validator.is_valid({k: v for k, v in event.items() if k != key}))
            self.assertFalse(validator.is_valid(dict(event, surplus=1)))


class Every(common.Case):
    """What holds for every format, whichever there are."""

    def formats(self):
        return re.findall(r"(?m)^  (\w+) ", run("--help", "formats").out)

    def streams(self):
        """Those that can go to standard output."""
        return [form for form in self.formats() if form not in ("zeek",)]

    def test_several_at_once(self):
        path = self.capture("m.pcap", DELIVERED, REFUSED, SILENT)
        wanted = [form for form in self.streams() if form != "text"]
        result = run(*[x for form in wanted for x in ("-o", "%s:%s" % (form, self.path("out." + form)))], path)
        self.assertEqual((result.status, result.out, result.err), (0, "", ""))
        for form in wanted:
            self.assertEqual(self.read("out." + form), run("-o", form, path).raw, form)

    def test_full_disk(self):
        path = self.capture("m.pcap", DELIVERED, REFUSED)
        for form in self.streams():
            result = run("-o", form + ":/dev/full", path)
            self.assertEqual(result.status, 2, form)
            self.assertIn("/dev/full: No space left on device", result.err, form)

    def test_reader_goes_away(self):
        path = self.capture("m.pcap", *([REFUSED, DELIVERED] * 60))
        for form in self.streams():
            more = ["-v"] if form == "text" else []
            child = subprocess.Popen([common.PROGRAM, "-o", form] + more + [path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            child.stdout.close()
            error = child.stderr.read().decode()
            child.stderr.close()
            self.assertEqual(child.wait(), 2, form)
            self.assertIn("Broken pipe", error, form)

    def test_nobody_is_left_to_read_for(self):
        """With its last reader gone the program ends, whatever there still is to be read."""
        path = self.capture("m.pcap", *([REFUSED, DELIVERED] * 60))
        child = subprocess.Popen([common.PROGRAM, "-o", "json", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(child.kill)
        child.stdout.close()
        with open(path, "rb") as file, contextlib.suppress(BrokenPipeError):
            child.stdin.write(file.read())
            child.stdin.flush()  # and the pipe stays open
        self.assertEqual(child.wait(timeout=60), 2)
        self.assertEqual(child.stderr.read().decode(), "smtpwhy: standard output: Broken pipe\n")
        child.stderr.close()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()

    def test_the_other_output_is_written_to_the_end(self):
        captures = [self.capture("a.pcap", *([REFUSED] * 60)), self.capture("b.pcap", DELIVERED), self.capture("c.pcap", LOGIN)]
        whole = run("-o", "json", *captures)
        for kept in (["-o", "json:" + self.path("kept")], ["--db", self.path("kept.db")]):
            child = subprocess.Popen([common.PROGRAM, "-v", "-o", "text"] + kept + captures, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            child.stdout.close()
            self.assertEqual(child.wait(timeout=5), 2, kept)
        self.assertEqual(self.read("kept").decode(), whole.out)
        held = json.loads(run("audit", "--db", self.path("kept.db"), "-o", "json").out.splitlines()[-1])
        self.assertEqual(held["sessions"], len({session["id"] for session in whole.sessions()}))

    def test_anonymize(self):
        path = self.capture("a.pcap", LOGIN, REFUSED)
        for form in self.streams():
            if form == "pcapng":
                continue
            text, plain = run("--anonymize", "-o", form, path).out, run("-o", form, path).out
            if form == "html":  # what is around the records has names of its own, as examples
                text, plain = (b"".join(common.page_blocks(page.encode())).decode() for page in (text, plain))
            for word in ("192.0.2.", "198.51.100", "bob@example", "anna@example", "example.com", "mx.example"):
                self.assertNotIn(word, text, form)
            self.assertNotEqual(text, plain, form)

    def test_not_for_lists(self):
        for form in self.formats():
            result = run("causes", "-o", form)
            self.assertEqual(result.status, 0 if form in ("text", "json") else 2, form)


if __name__ == "__main__":
    common.main()
