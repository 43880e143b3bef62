#!/usr/bin/env python3
"""The audit: what was found at whom, and how each rule of a policy stands."""
import csv
import json
import os
import re
import xml.etree.ElementTree as xml

import jsonschema

import common
import tls
from common import DELIVERED, LOGIN, PCAPS, REFUSED, run

TLS = ["port 587", "starttls", "tls version=1.2 cert=good", "sent-inside", "quit-inside", "close S"]
# Each rule with what keeps it, what breaks it, and what does not show it.
HOLES = ["midstream", "mail", "rcpt", "data", "text", "queued", "quit"]
RULES = {
    "clear-text-login = forbid": (
        ["port 587", "starttls", "tls version=1.2", "C+ AUTH PLAIN AGFubmEAc2VjcmV0", "S+ 235 2.7.0 Ok", "sent-inside",
         "quit-inside", "close S"],
        LOGIN,
        HOLES),
    "clear-text-mail = forbid": (TLS, ["client 203.0.113.9"] + DELIVERED, ["midstream", "mail", "lost S: 250 2.1.5 Ok", "quit"]),
    "starttls = require": (["hello STARTTLS", "sent", "quit"], DELIVERED,
                           ["S: 220 mx.example.org ESMTP", "C: EHLO pc", "lost S: 250-mx.example.org", "lost S: 250 STARTTLS",
                            "C: QUIT", "S: 221 Bye", "close S"]),
    "tls-version-min = 1.2": (TLS, ["port 587", "starttls", "tls version=1.1", "sent-inside", "quit-inside", "close S"], DELIVERED),
    "certificate = require": (TLS, ["port 587", "starttls", "tls version=1.2 cert=outdated", "sent-inside", "quit-inside", "close S"],
                              ["port 587", "starttls", "tls version=1.3", "sent-inside", "quit-inside", "close S"]),
    "certificate-days-min = 30": (["port 587", "starttls", "tls version=1.2 cert=outdated", "sent-inside", "quit-inside",
                                   "close S"],
                                  ["port 587", "starttls", "tls version=1.2 cert=soon", "sent-inside", "quit-inside", "close S"],
                                  ["port 587", "starttls", "tls version=1.3", "sent-inside", "quit-inside", "close S"]),
    "greeting-delay-max = 2s": (DELIVERED, ["handshake", "wait 3"] + DELIVERED, ["handshake", "wait 1", "fin C"]),
    "failure-rate-max = 50%": (DELIVERED, REFUSED, ["midstream", "C: DATA", "S: 354 go", "body 3000"]),
    "finding-max = high": (DELIVERED, LOGIN, HOLES),
    "forbid-finding = aud-vrfy-enabled": (
        DELIVERED, ["hello", "C: VRFY anna", "S: 250 2.1.5 Anna <anna@example.org>", "quit"], HOLES),
}

with open(os.path.join(common.ROOT, "docs", "audit.schema.json"), encoding="utf-8") as schema:
    SCHEMA = jsonschema.Draft202012Validator(json.load(schema))


class Audit(common.Case):
    def policy(self, *lines):
        return self.file("policy.ini", ("[rules]\n" + "\n".join(lines) + "\n").encode())

    def audit(self, *arguments):
        result = run("audit", "-o", "json", *arguments)
        records = result.records()
        self.assertEqual(records[-1]["type"], "audit-summary", result.err)
        for record in records:
            SCHEMA.validate(record)
        return result, records

    def judge(self, rule, script, *more):
        path = self.capture("one.pcap", script)
        result, records = self.audit("--policy", self.policy(rule), *more, path)
        return result.status, records[-1]["rules"][rule.split(" ")[0]], records

    def test_each_rule_is_kept_broken_and_not_measurable(self):
        for rule, (kept, broken, unseen) in RULES.items():
            with self.subTest(rule):
                status, mark, records = self.judge(rule, kept, "--ca-file", tls.STORE.anchor())
                self.assertEqual((status, mark), (0, "passed"), records)
                status, mark, records = self.judge(rule, broken)
                self.assertEqual((status, mark), (1, "failed"), records)
                failed = [r for r in records if r["type"] == "audit-rule" and r["result"] == "failed"]
                self.assertEqual(len(failed), 1)
                self.assertTrue(failed[0]["example"]["frame"], failed)
                status, mark, records = self.judge(rule, unseen)
                self.assertEqual((status, mark), (0, "not-measurable"), records)

    def test_a_rule_that_nothing_shows_is_not_measurable(self):
        for rule in ("tls-version-min = 1.2", "certificate = require", "clear-text-login = forbid"):
            status, mark, _ = self.judge(rule, DELIVERED)
            self.assertEqual((status, mark), (0, "not-measurable"), rule)

    def test_a_login_breaks_a_rule_where_its_password_stands(self):
        name_asked = ["port 587", "hello AUTH_LOGIN", "C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6"]
        sent = name_asked + ["C: YW5uYQ==", "S: 334 UGFzc3dvcmQ6", "C: c2VjcmV0", "S: 535 5.7.8 no", "quit"]
        refused = name_asked + ["C: &&&", "S: 501 no base64", "quit"]
        _, mark, records = self.judge("clear-text-login = forbid", sent)
        frames = {r["type"]: r["example"]["frame"] for r in records if r.get("finding") == "aud-plaintext-auth-used" or r["type"] == "audit-rule"}
        self.assertEqual((mark, frames), ("failed", {"audit-finding": 20, "audit-rule": 20}))
        self.assertEqual(self.judge("clear-text-login = forbid", refused)[1], "passed")

    def test_findings_by_subject(self):
        path = self.capture("two.pcap", LOGIN, ["client 192.0.2.77"] + LOGIN, DELIVERED)
        _, records = self.audit(path)
        used = [r for r in records if r["type"] == "audit-finding" and r["finding"] == "aud-plaintext-auth-used"]
        by_kind = {}
        for record in used:
            by_kind.setdefault(record["subject"]["kind"], []).append(record)
        self.assertEqual(sorted(by_kind), ["client", "server", "user"])
        self.assertEqual([r["sessions"] for r in by_kind["server"]], [2])
        self.assertEqual(sorted(r["subject"]["ip"] for r in by_kind["client"]), ["192.0.2.10", "192.0.2.77"])
        self.assertTrue(all(r["severity"] == "critical" and r["example"]["frame"] for r in used))
        self.assertEqual(records[-1]["sessions"], 3)

    def test_what_several_captures_show_is_said(self):
        path, other = self.capture("two.pcap", LOGIN, DELIVERED), self.capture("other.pcap", ["client 192.0.2.77"] + LOGIN)
        copy = self.file("copy.pcap", self.read("two.pcap"))
        for files, repeated in (([path, other], 0), ([path, other, copy], 2), ([path, copy, copy], 4)):
            for jobs in ("1", "3"):
                _, records = self.audit("-j", jobs, *files)
                self.assertEqual((records[-1]["repeated"], records[-1]["sessions"]), (repeated, 2 * len(files) - (other in files)))
            told = "%d sessions were seen in more than one capture and counted each time" % repeated
            for form in ("text", "html"):
                self.assertEqual(told in " ".join(run("audit", "-o", form, *files).out.split()), repeated > 0)
        history = self.path("history.db")
        self.assertEqual(run("-q", "--db", history, path, copy, other).status, 0)
        _, records = self.audit("--db", history)
        self.assertEqual((records[-1]["repeated"], records[-1]["sessions"]), (0, 3))

    def test_the_worst_comes_first_and_names_tell_apart(self):
        files = [os.path.join(PCAPS, name) for name in common.captures() if name.startswith(("auth/", "tls/"))]
        levels = ["info", "low", "medium", "high", "critical"]
        _, records = self.audit("--policy", "default", *files)
        worst = {}
        for record in records:
            if record["type"] == "audit-finding":
                worst[record["finding"]] = max(worst.get(record["finding"], 0), levels.index(record["severity"]))
        self.assertGreater(len(set(worst.values())), 3)
        self.assertEqual(list(worst.values()), sorted(worst.values(), reverse=True))
        text = " ".join(run("audit", "--policy", "default", *files).out.split())
        self.assertRegex(text, r"CN=mx.example.org \(SHA-256 [0-9a-f]{12}...\) 4 of 4 sessions from \S+ to \S+: expired 4, not trusted 4; for example")
        suites = xml.fromstring(run("audit", "--policy", "default", "-o", "junit", *files).raw)
        for suite in suites:
            names = [case.get("name") for case in suite.findall("testcase")]
            self.assertEqual(len(names), len(set(names)), suite.get("name"))

    def test_each_problem_of_a_certificate_has_its_own_count(self):
        shown = lambda name: ["port 587", "starttls", "tls version=1.2 cert=good name=" + name, "sent-inside", "quit-inside", "close S"]  # noqa: E731
        files = [self.capture("%d.pcap" % n, shown(name)) for n, name in enumerate(("mx.example.org", "mx.example.org", "mx.example.net"))]
        policy = self.policy("certificate = require")
        for jobs in ("1", "3"):
            _, records = self.audit("-j", jobs, *files)
            counts = [r["problem_sessions"] for r in records if r["type"] == "audit-certificate"]
            self.assertEqual(counts, [{"certificate-not-trusted": 3, "certificate-host-mismatch": 1}])
            for form in ("text", "html"):
                out = " ".join(run("audit", "-j", jobs, "--policy", policy, "-o", form, *files).out.split())
                self.assertRegex(out, r"3 of 3 sessions at \S+: not trusted 3, host mismatch 1;")
                self.assertEqual(out.count("not trusted 3, host mismatch 1"), 2, form)
        trusted = ["--policy", policy, "--ca-file", tls.STORE.anchor()]
        self.assertRegex(" ".join(run("audit", *trusted, *files).out.split()), r"1 of 3 sessions at \S+: host mismatch 1;")

    def test_scopes_and_waivers(self):
        path = self.capture("two.pcap", LOGIN, ["client 192.0.2.77"] + LOGIN)
        rules = b"[rules]\nclear-text-login = forbid\n"
        scope = b"[rules printer]\nclient = 192.0.2.77\nclear-text-login = allow\n"
        waiver = (b"[waiver printer]\nrule = clear-text-login\nclient = 192.0.2.10\nreason = is replaced\n"
                  b"until = %s\n")
        cases = ((rules, "failed", 1), (rules + scope, "failed", 1),
                 (rules + scope + waiver % b"2090-01-01", "waived", 0),
                 (rules + scope + waiver % b"1990-01-01", "failed", 1),
                 (rules + waiver % b"2090-01-01", "failed", 1))
        for text, mark, status in cases:
            result, records = self.audit("--policy", self.file("p.ini", text), path)
            self.assertEqual((records[-1]["rules"]["clear-text-login"], result.status), (mark, status), text)
        out = run("audit", "--policy", self.file("p.ini", rules + scope + waiver % b"2090-01-01"), path).out
        self.assertIn("waived until 2090-01-01 (is replaced)", out)
        out = run("audit", "--policy", self.file("p.ini", rules + waiver % b"1990-01-01"), path).out
        self.assertIn('The waiver "printer" (line 3) ended on 1990-01-01.', out)

    def test_statuses(self):
        good = self.capture("good.pcap", DELIVERED)
        stuck = self.capture("stuck.pcap", REFUSED)
        cut = self.file("cut.pcap", self.read("stuck.pcap")[:-3])
        policy = self.policy("failure-rate-max = 10%")
        self.assertEqual(run("audit", stuck).status, 0)
        self.assertEqual(run("audit", "--policy", policy, good).status, 0)
        self.assertEqual(run("audit", "--policy", policy, stuck).status, 1)
        self.assertEqual(run("audit", "--fail-on", "stuck", stuck).status, 1)
        self.assertEqual(run("audit", cut).status, 3)
        self.assertEqual(run("audit", "--policy", policy, cut).status, 1)
        self.assertEqual(run("audit", "--policy", policy, stuck, self.path("missing.pcap")).status, 2)
        self.assertEqual(run("audit", "--only", "delivered", "--policy", policy, good, stuck).status, 0)
        self.assertEqual(run("audit", "--policy", policy, "-o", "json:" + self.path("no/such/dir"), good).status, 2)
        if os.path.exists("/dev/full"):
            self.assertEqual(run("audit", "-o", "text:/dev/full", stuck).status, 2)

    def test_usage(self):
        good = self.capture("good.pcap", DELIVERED)
        bad = self.file("bad.ini", b"[rules]\nstarttls = perhaps\n")
        for arguments, words in ((["--policy", bad, good], "bad.ini:2: starttls: 'perhaps'"),
                                 (["--policy", self.path("none.ini"), good], "none.ini: No such file"),
                                 (["-o", "junit", good], "name one with --policy"),
                                 (["-o", "yaml", good], "available: text, json, junit, html"),
                                 ([], "no capture given")):
            result = run("audit", *arguments)
            self.assertEqual((result.status, result.out), (2, ""), arguments)
            self.assertIn(words, result.err)
        self.assertIn("--policy", run("audit", "--help").out)
        self.assertIn("certificate-days-min", run("audit", "--help", "policy").out)
        self.assertIn("does not apply to 'analyse'", run("--policy", "default", good).err)

    def test_the_printed_policy_can_be_read(self):
        text = run("audit", "--help", "policy").out
        text = text[text.index("# The policy that is built in"):]
        good = self.capture("good.pcap", DELIVERED)
        result, records = self.audit("--policy", self.file("copy.ini", text.encode()), good)
        self.assertEqual(result.err, "")
        _, built_in = self.audit("--policy", "default", good)
        self.assertEqual(records[-1]["rules"], built_in[-1]["rules"])

    def test_order_of_files_and_jobs_change_nothing(self):
        files = [os.path.join(PCAPS, name) for name in common.captures() if name.startswith(("auth/", "tls/expired"))]
        for form in ("json", "text", "junit"):
            plain = run("audit", "--policy", "default", "-o", form, *files).raw
            self.assertEqual(plain, run("audit", "--policy", "default", "-o", form, "-j", "4", *files).raw)
            self.assertEqual(plain, run("audit", "--policy", "default", "-o", form, *reversed(files)).raw)

    def test_junit(self):
        path = self.capture("two.pcap", LOGIN, DELIVERED)
        result = run("audit", "--policy", "default", "-o", "junit", path)
        suites = xml.fromstring(result.raw)
        self.assertEqual(suites.tag, "testsuites")
        failures = 0
        for suite in suites:
            cases = suite.findall("testcase")
            self.assertEqual(int(suite.get("tests")), len(cases))
            self.assertEqual(int(suite.get("failures")), len(suite.findall("testcase/failure")))
            self.assertEqual(int(suite.get("skipped")), len(suite.findall("testcase/skipped")))
            failures += int(suite.get("failures"))
        self.assertEqual(result.status, 1)
        self.assertGreater(failures, 0)

    def test_hostile_words_are_text(self):
        user = "PGI+PHNjcmlwdD4="  # <b><script>
        path = self.capture("bad.pcap", ["S: 220 mx.<script>alert(1)</script>.example ESMTP \x1b[31m", "C: EHLO pc",
                                         "S: 250-mx.example.org", "S: 250 AUTH LOGIN", "C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6",
                                         "C: " + user, "S: 334 UGFzc3dvcmQ6", "C: c2VjcmV0d29yZA==", "S: 235 Ok", "quit"])
        for form in ("html", "junit", "text", "json"):
            result = run("audit", "--policy", "default", "-o", form, path)
            self.assertNotIn("<script>", result.out if form in ("html", "junit") else "")
            self.assertNotIn("\x1b", result.out)
            self.assertNotIn("secretword", result.out)
            if form == "junit":
                xml.fromstring(result.raw)
        self.assertIn("Content-Security-Policy", run("audit", "-o", "html", path).out)

    def test_anonymize(self):
        path = self.capture("two.pcap", LOGIN)
        for form in ("html", "junit", "text", "json"):
            out = run("audit", "--anonymize", "--policy", "default", "-o", form, path).out
            for name in ("192.0.2.10", "198.51.100.25", "example.org", "anna", "mx."):
                self.assertNotIn(name, out, form)

    def test_the_recordings(self):
        """What was planted in recordings is found, and nothing in clean ones (audit.tsv, read off the wire)."""
        with open(os.path.join(common.HERE, "audit.tsv"), newline="") as table:
            rows = list(csv.DictReader((line for line in table if not line.startswith("#")), delimiter="\t"))
        self.assertGreater(len(rows), 20)
        for row in rows:
            _, records = self.audit("--policy", os.path.join(common.HERE, "audit.ini"), os.path.join(PCAPS, row["capture"]))
            broken = sorted(rule for rule, mark in records[-1]["rules"].items() if mark == "failed")
            self.assertEqual(broken, sorted(filter(None, re.split(r",\s*", row["broken"]))), row["capture"])


if __name__ == "__main__":
    common.main()
