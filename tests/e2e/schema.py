#!/usr/bin/env python3
"""Real output of the program against docs/record.schema.json, and records made wrong, which the schema must refuse."""
import copy
import json
import os
import unittest

import common
from common import DELIVERED, LOGIN, REFUSED, SILENT, run

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMA = os.path.join(common.ROOT, "docs", "record.schema.json")


@unittest.skipUnless(jsonschema, "python3-jsonschema is not installed")
class Schema(common.Case):
    def setUp(self):
        super().setUp()
        with open(SCHEMA, encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        self.validator = jsonschema.Draft202012Validator(schema)

    def valid(self, records, name):
        self.assertTrue(records)
        for record in records:
            for error in self.validator.iter_errors(record):
                self.fail("%s: %s %s: %s" % (name, record["type"], list(error.absolute_path), error.message[:300]))

    def test_made_captures(self):
        odd = ["C: EHLO \\xff\\xfe\\x1b[31m", "hello", "C: MAIL FROM:<\\xe9@example.net>", "S: 550 5.7.1 non \\xe9t\\xe9", "quit"]
        for name, script in (("good", DELIVERED), ("stuck", REFUSED), ("login", LOGIN), ("silent", SILENT), ("odd", odd)):
            self.valid(run("-o", "json", self.capture(name + ".pcap", script)).records(), name)

    def test_summary_adds_up(self):
        records = run("-o", "json", self.capture("m.pcap", DELIVERED, REFUSED, SILENT, ["noise"])).records()
        summary = records[-1]
        frames = summary["frames"]
        self.assertEqual(summary["type"], "summary")
        self.assertEqual(frames["read"], sum(frames[k] for k in ("decoded", "other", "undecodable", "filtered")))
        self.assertEqual(summary["sessions"], sum(summary["by_outcome"].values()))
        self.assertEqual(summary["sessions"], sum(summary["by_cause"].values()))
        self.assertEqual(summary["sessions"], sum(r["type"] == "session" for r in records))
        self.assertEqual(summary["deliveries"], sum(r["type"] == "delivery" for r in records))

    @unittest.skipIf(os.environ.get("SW_SANITIZED") == "1", "golden has the program say the same, and a sanitizer looks for nothing else")
    def test_own_captures(self):
        for name in common.captures():
            self.valid(run("-o", "json", os.path.join(common.PCAPS, name)).records(), name)

    def test_explanations_and_lists(self):
        queries = ["tcp-refused", "aud-plaintext-auth-used", "0x800CCC0B", "421", "5.7.139", "RCPT: 550 no such user", "qwertz"]
        self.valid(run("explain", "-o", "json", *queries).records(), "explain")
        self.valid(run("causes", "-o", "json").records(), "causes")
        self.valid(run("findings", "-o", "json").records(), "findings")

    def test_schema_refuses_what_is_wrong(self):
        good = run("-o", "json", self.capture("stuck.pcap", REFUSED)).sessions()[0]
        self.valid([good], "the record to break")
        def remove(record): del record["tcp"]["closed_by"]
        def outcome(record): record["outcome"] = "lost"
        def time(record): record["start"] = "2023-11-14 22:13:20"
        def evidence(record): record["verdict"]["evidence"] = []
        def number(record): record["dialogue"][0]["frame"] = "4"
        def missing(record): del record["auth"]
        for break_it in (remove, outcome, time, evidence, number, missing):
            bad = copy.deepcopy(good)
            break_it(bad)
            self.assertFalse(self.validator.is_valid(bad), break_it.__name__)


if __name__ == "__main__":
    common.main()
