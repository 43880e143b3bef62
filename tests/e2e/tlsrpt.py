#!/usr/bin/env python3
"""-o tlsrpt: reports as RFC 8460 section 4.4 has them, and what they say of captures that are known."""
import json
import os
import unittest

import common
from common import REFUSED, SILENT, run

try:
    import jsonschema
except ImportError:
    jsonschema = None

KNOWN = {"tls/expired-curl-tls1.2.pcap": "certificate-expired", "tls/unknown-ca-curl-tls1.2.pcap": "certificate-not-trusted",
         "tls/self-signed-python-tls1.2.pcap": "certificate-not-trusted", "tls/no-shared-cipher.pcap": "validation-failure",
         "starttls/not-offered.pcap": "starttls-not-supported", "starttls/refused-for-now.pcap": "starttls-not-supported",
         "rcpt/relay-denied.pcap": "starttls-not-supported"}


def report(*words):
    found = run("-o", "tlsrpt", *words).records()
    assert len(found) <= 1, found
    return found[0] if found else None


class TlsReport(common.Case):
    def test_known_captures(self):
        for name, result in KNOWN.items():
            found = report(os.path.join(common.PCAPS, name))
            self.assertEqual([d["result-type"] for p in found["policies"] for d in p["failure-details"]], [result], name)
            self.assertEqual(sum(p["summary"]["total-failure-session-count"] for p in found["policies"]), 1, name)
            self.assertEqual(sum(p["summary"]["total-successful-session-count"] for p in found["policies"]), 0, name)

    def test_success_and_domain(self):
        stem = os.path.join(common.PCAPS, "tls", "relay-denied-postfix-by-curl-587-tls1.3")
        closed, opened = report(stem + ".pcap"), report("-k", stem + ".keys", stem + ".pcap")
        for found in (closed, opened):
            self.assertEqual(found["policies"][0]["summary"],
                             {"total-successful-session-count": 1, "total-failure-session-count": 0})
            self.assertNotIn("failure-details", found["policies"][0])
        self.assertEqual(opened["policies"][0]["policy"]["policy-domain"], "elsewhere.example")

    def test_what_says_nothing_of_tls_does_not_count(self):
        self.assertIsNone(report(self.capture("silent.pcap", SILENT)))
        self.assertIsNone(report(self.capture("greeting.pcap", ["S: 554 no", "C: QUIT", "S: 221 bye"])))

    def test_sums(self):
        path = self.capture("m.pcap", REFUSED, REFUSED, REFUSED)
        policies = report(path)["policies"]
        self.assertEqual(len(policies), 1)
        self.assertEqual(policies[0]["summary"]["total-failure-session-count"], 3)
        self.assertEqual([d["failed-session-count"] for d in policies[0]["failure-details"]], [3])

    @unittest.skipUnless(jsonschema, "python3-jsonschema is not installed")
    def test_own_captures(self):
        with open(os.path.join(common.ROOT, "docs", "tlsrpt.schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        found = run("-o", "tlsrpt", *[os.path.join(common.PCAPS, name) for name in common.captures()]).records()
        self.assertGreater(len(found), 100)
        for document in found:
            for error in validator.iter_errors(document):
                self.fail("%s: %s" % (list(error.absolute_path), error.message[:300]))
            for policy in document["policies"]:
                self.assertEqual(sum(d["failed-session-count"] for d in policy.get("failure-details", [])),
                                 policy["summary"]["total-failure-session-count"])
        self.assertFalse(validator.is_valid({k: v for k, v in found[0].items() if k != "date-range"}))

    def test_anonymize(self):
        text = run("--anonymize", "-o", "tlsrpt", self.capture("a.pcap", REFUSED)).out
        for word in ("192.0.2.", "198.51.100", "example.com", "mx.example"):
            self.assertNotIn(word, text)


if __name__ == "__main__":
    common.main()
