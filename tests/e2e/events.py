#!/usr/bin/env python3
"""-o zeek:DIR, parsed as zeek-cut does, and -o eve against docs/eve.schema.json."""
import json
import os
import re
import unittest

import common
from common import DELIVERED, LOGIN, REFUSED, SILENT, run

try:
    import jsonschema
except ImportError:
    jsonschema = None

# Zeek's own columns (scripts/base/protocols/smtp/main.zeek, ssl/main.zeek, x509 in ssl/files.zeek, validate-certs.zeek).
ID = [("ts", "time"), ("uid", "string"), ("id.orig_h", "addr"), ("id.orig_p", "port"), ("id.resp_h", "addr"), ("id.resp_p", "port")]
SMTP = ID + [("trans_depth", "count"), ("helo", "string"), ("mailfrom", "string"), ("rcptto", "set[string]"), ("date", "string"),
             ("from", "string"), ("to", "set[string]"), ("cc", "set[string]"), ("reply_to", "string"), ("msg_id", "string"),
             ("in_reply_to", "string"), ("subject", "string"), ("x_originating_ip", "addr"), ("first_received", "string"),
             ("second_received", "string"), ("last_reply", "string"), ("path", "vector[addr]"), ("user_agent", "string"),
             ("tls", "bool"), ("fuids", "vector[string]")]
SSL = ID + [("version", "string"), ("cipher", "string"), ("curve", "string"), ("server_name", "string"), ("resumed", "bool"),
            ("last_alert", "string"), ("next_protocol", "string"), ("established", "bool"), ("ssl_history", "string"),
            ("cert_chain_fps", "vector[string]"), ("client_cert_chain_fps", "vector[string]"), ("subject", "string"),
            ("issuer", "string"), ("client_subject", "string"), ("client_issuer", "string"), ("sni_matches_cert", "bool"),
            ("validation_status", "string")]
KEYED = os.path.join(common.PCAPS, "tls", "relay-denied-postfix-by-curl-587-tls1.3")


def unescape(text):
    def one(match):
        return b"\\" if match.group(0) == b"\\\\" else bytes([int(match.group(1), 16)])
    return re.sub(rb"\\\\|\\x([0-9a-f]{2})", one, text)


def value(kind, text):
    """A field as Zeek's readers take it; raises when it is not of its type."""
    if text == b"-":
        return None
    inner = re.match(r"(?:set|vector)\[(.*)\]", kind)
    if inner:
        return [] if text == b"(empty)" else [value(inner.group(1), item) for item in text.split(b",")]
    if kind in ("time", "interval"):
        if not re.fullmatch(rb"\d+\.\d{6}", text):
            raise ValueError("%s: %r" % (kind, text))
        return float(text)
    if kind in ("count", "port"):
        return int(text)
    if kind == "bool":
        return {b"T": True, b"F": False}[text]
    if kind == "addr":
        if not re.fullmatch(rb"[0-9a-f.:]+", text):
            raise ValueError("addr: %r" % text)
        return text.decode()
    return "" if text == b"(empty)" else unescape(text).decode("utf-8", "surrogateescape")


def parse(data):
    """Header and rows of one log, as zeek-cut reads it."""
    head, rows = {}, []
    lines = data.split(b"\n")
    assert lines.pop() == b"", "the last line has no end"
    assert lines[0] == b"#separator \\x09", lines[0]
    for line in lines[1:]:
        if line.startswith(b"#"):
            name, *values = line[1:].split(b"\t")
            head[name.decode()] = [v.decode() for v in values]
            continue
        fields = line.split(b"\t")
        assert len(fields) == len(head["fields"]) == len(head["types"]), line
        rows.append({n: value(k, f) for n, k, f in zip(head["fields"], head["types"], fields)})
    return head, rows


class Zeek(common.Case):
    def logs(self, *words):
        result = run("-o", "zeek:" + self.path("logs"), *words)
        self.assertEqual(result.out, "")
        self.assertEqual(sorted(os.listdir(self.path("logs"))), ["smtp.log", "smtpwhy.log", "ssl.log"])
        found = {}
        for name in ("smtp", "ssl", "smtpwhy"):
            found[name] = parse(self.read("logs/%s.log" % name))
            head = found[name][0]
            self.assertEqual(head["path"], [name])
            self.assertEqual((head["set_separator"], head["empty_field"], head["unset_field"]), ([","], ["(empty)"], ["-"]))
            for moment in ("open", "close"):
                self.assertRegex(head[moment][0], r"^\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d$")
        return found

    def test_own_captures(self):
        paths = [os.path.join(common.PCAPS, name) for name in common.captures()]
        logs, records = self.logs(*paths), run("-o", "json", *paths).sessions()
        for name, columns in (("smtp", SMTP), ("ssl", SSL)):
            self.assertEqual(list(zip(logs[name][0]["fields"], logs[name][0]["types"])), columns)
        verdicts = logs["smtpwhy"][1]
        self.assertEqual(len(verdicts), len(records))
        for row, record in zip(verdicts, records):
            self.assertEqual(row["outcome"], record["outcome"])
            self.assertEqual(row["cause"], record["verdict"]["cause"])
            self.assertEqual(row["evidence"], [e["frame"] for e in record["verdict"]["evidence"]])
            self.assertEqual(row["id.orig_h"], record["client"]["ip"])
            self.assertEqual(row["community_id"], record["community_id"])
        known = {row["uid"] for row in verdicts}
        self.assertEqual(len(known), len({record["id"] for record in records}))
        spoken = [r for r in records if r["protocol"] in ("smtp", "lmtp") and r["dialogue"]]
        self.assertGreaterEqual(len(logs["smtp"][1]), len(spoken))
        for name in ("smtp", "ssl"):
            self.assertLessEqual({row["uid"] for row in logs[name][1]}, known)
        self.assertEqual(len(logs["ssl"][1]), sum(1 for r in records if r["tls"] and (r["tls"]["ja3"] or r["tls"]["version"])))

    def test_what_dies_before_mail(self):
        for script, cause in ((["S: 554 5.7.1 no", "C: QUIT", "S: 221 bye"], "greet-554-rejected"), (SILENT, "tcp-syn-timeout")):
            logs = self.logs(self.capture("a.pcap", script))
            self.assertEqual(logs["smtpwhy"][1][0]["cause"], cause)
            self.assertEqual(logs["smtp"][1][0]["last_reply"] if script is not SILENT else len(logs["smtp"][1]),
                             "554 5.7.1 no" if script is not SILENT else 0)

    def test_values(self):
        row = self.logs(self.capture("a.pcap", REFUSED))["smtp"][1][0]
        self.assertEqual((row["trans_depth"], row["rcptto"], row["tls"], row["subject"]), (1, ["bob@example.com"], False, None))
        self.assertEqual(row["last_reply"], "550 5.7.1 <bob@example.com>: Relay access denied")
        self.assertEqual(row["path"], [row["id.resp_h"], row["id.orig_h"]])
        logs = self.logs("-k", KEYED + ".keys", KEYED + ".pcap")
        self.assertEqual((logs["ssl"][1][0]["version"], logs["ssl"][1][0]["established"], logs["smtp"][1][0]["tls"]),
                         ("TLSv13", True, True))

    def test_headers(self):
        """What Zeek's columns say of a mail's header block, and what --anonymize leaves of it."""
        lines = ["Received: from mx1.example.net (mx1.example.net [203.0.113.7]) by mx.example.org with ESMTP id 1;",
                 "Received: from [10.1.2.3] (helo=pc-of-carol) (192.0.2.44) by mx1.example.net; Mon, 1 Jan 2024 00:00:01 +0000",
                 "Received: from pc (unknown [IPv6:2001:db8::7]) by relay.example.net", "Received: by cafe.example.net with HTTP",
                 "From: \"Smith, Carol\" <carol@example.net>", "To: Bob <bob@example.com>, \"Doe, Jane\" <jane@example.com>,", "\tbob2@example.com,",
                 "\tBob <bob@example.com>", "Cc: dave@example.com", "Reply-To: Carol's desk <desk@example.net>", "In-Reply-To: <old@example.net>",
                 "X-Mailer: Mailprog 1.0", "Subject: secret plan", "", "text"]
        path = self.capture("h.pcap", ["hello", "mail", "rcpt", "data"] + ["C: " + line for line in lines] + ["C: .", "S: 250 ok", "quit"])
        row = self.logs(path)["smtp"][1][0]
        self.assertEqual(row["from"], '"Smith, Carol" <carol@example.net>')
        self.assertEqual(row["to"], ["Bob <bob@example.com>", '"Doe, Jane" <jane@example.com>', "bob2@example.com"])
        self.assertEqual((row["cc"], row["reply_to"], row["in_reply_to"]), (["dave@example.com"], "Carol's desk <desk@example.net>", "<old@example.net>"))
        self.assertEqual(row["user_agent"], "Mailprog 1.0")
        self.assertEqual(row["first_received"], "by cafe.example.net with HTTP")
        self.assertEqual(row["second_received"], "from pc (unknown [IPv6:2001:db8::7]) by relay.example.net")
        self.assertEqual(row["path"], [row["id.resp_h"], row["id.orig_h"], "203.0.113.7", "192.0.2.44", "2001:db8::7"])
        row = self.logs("--anonymize", path)["smtp"][1][0]
        raw = self.read("logs/smtp.log").decode()
        for word in ("carol", "Carol", "bob", "Bob", "jane", "dave", "desk", "old@", "secret", "203.0.113.7", "192.0.2.44", "2001:db8::7", "cafe"):
            self.assertNotIn(word, raw)
        self.assertEqual((len(row["to"]), len(row["path"]), row["first_received"]), (3, 5, None))
        self.assertRegex(row["to"][0], r"^user-[0-9a-f]{8}@host-[0-9a-f]{8}\.example$")

    def test_long_headers(self):
        """A list that is longer than what is read of it ends behind its last whole address."""
        names = ["somebody%03d@example.com" % i for i in range(200)]
        text = ["C: To: " + names[0] + ","] + ["C:  " + name + "," for name in names[1:-1]] + ["C:  " + names[-1]]
        received = ["C: Received: from x (x [10.0.%d.%d]) by y" % (i >> 8, i & 255) for i in range(300)]
        path = self.capture("l.pcap", ["hello", "mail", "rcpt", "data"] + received + text + ["C: ", "C: .", "S: 250 ok", "quit"])
        row = self.logs(path)["smtp"][1][0]
        self.assertGreater(len(row["to"]), 30)
        self.assertLessEqual(set(row["to"]), set(names))
        self.assertEqual((row["first_received"], row["second_received"]), ("from x (x [10.0.1.43]) by y", "from x (x [10.0.1.42]) by y"))
        self.assertEqual(len(row["path"]), 2 + 32)

    def test_escapes(self):
        odd = "S: 220 tab\\there \\\\ back \\x01 \\xff, comma"
        path = self.capture("o.pcap", [odd, "hello", "C: MAIL FROM:<>", "S: 250 ok", "C: RCPT TO:<a,b@example.org>", "S: 550 -", "quit"])
        self.logs(path)
        raw = self.read("logs/smtp.log").decode("utf-8")
        self.assertIn("a\\x2cb@example.org", raw)
        row = parse(self.read("logs/smtp.log"))[1][0]
        self.assertEqual((row["mailfrom"], row["rcptto"]), ("", ["a,b@example.org"]))
        self.assertEqual(parse(self.read("logs/smtpwhy.log"))[1][0]["reply"], "-")
        quit_early = self.capture("q.pcap", [odd.replace("220", "554"), "C: QUIT", "S: 221 x"])
        self.logs(quit_early)
        raw = self.read("logs/smtpwhy.log")
        self.assertIn(b"tab\\x09here \\\\ back \\x01 \\xff, comma", raw)

    def test_many_files_and_none(self):
        paths = [self.capture("%d.pcap" % i, REFUSED) for i in range(4)]
        one = self.logs(*paths)
        data = {name: self.read("logs/%s.log" % name) for name in one}
        self.logs("-j", "4", *paths)
        self.assertEqual({name: self.read("logs/%s.log" % name) for name in one}, data)
        self.assertEqual(len(self.logs("--only", "delivered", *paths)["smtpwhy"][1]), 0)

    def test_usage_and_trouble(self):
        path = self.capture("a.pcap", REFUSED)
        self.assertIn("name a directory", run("-o", "zeek", path).err)
        blocked = self.file("blocked", b"")
        self.assertEqual(run("-o", "zeek:" + blocked, path).status, 2)
        os.mkdir(self.path("full"))
        os.symlink("/dev/full", self.path("full/smtpwhy.log"))
        result = run("-o", "zeek:" + self.path("full"), path)
        self.assertEqual(result.status, 2)
        self.assertIn("full/smtpwhy.log: No space left on device", result.err)

    def test_anonymize(self):
        self.logs("--anonymize", self.capture("a.pcap", LOGIN, REFUSED))
        for name in ("smtp", "ssl", "smtpwhy"):
            text = self.read("logs/%s.log" % name).decode()
            for word in ("192.0.2.", "198.51.100", "bob@example", "anna@", "mx.example"):
                self.assertNotIn(word, text)


@unittest.skipUnless(jsonschema, "python3-jsonschema is not installed")
class Eve(common.Case):
    ENVELOPE = ["timestamp", "flow_id", "pcap_filename", "pcap_cnt", "event_type", "src_ip", "dest_ip", "proto", "app_proto"]

    def setUp(self):
        super().setUp()
        with open(os.path.join(common.ROOT, "docs", "eve.schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        self.validator = jsonschema.Draft202012Validator(schema)

    def valid(self, events):
        for event in events:
            for error in self.validator.iter_errors(event):
                self.fail("%s: %s: %s" % (event["event_type"], list(error.absolute_path), error.message[:300]))

    def test_own_captures(self):
        paths = [os.path.join(common.PCAPS, name) for name in common.captures()]
        events, records = run("-o", "eve", *paths).records(), run("-o", "json", *paths).sessions()
        self.valid(events)
        outbox = [e for e in events if e["event_type"] == "outbox"]
        self.assertEqual(len(outbox), len(records))
        for event, record in zip(outbox, records):
            self.assertEqual(event["outbox"]["verdict"], record["verdict"]["cause"])
            self.assertEqual(event["outbox"]["outcome"], record["outcome"])
            self.assertEqual([e["pcap_cnt"] for e in event["outbox"]["evidence"]], [e["frame"] for e in record["verdict"]["evidence"]])
            self.assertEqual(event["pcap_filename"], record["capture"]["file"])
        self.assertEqual([e["event_type"] for e in events].count("stats"), 1)
        self.assertEqual({e["flow_id"] for e in events if "flow_id" in e}, {e["flow_id"] for e in outbox})
        self.assertEqual({e["event_type"] for e in events}, {"smtp", "tls", "outbox", "stats"})

    def test_keys_in_clear(self):
        events = run("-o", "eve", "-k", KEYED + ".keys", KEYED + ".pcap").records()
        self.valid(events)
        smtp = next(e for e in events if e["event_type"] == "smtp")
        self.assertRegex(smtp["smtp"]["mail_from"], "^<.*>$")

    def test_schema_refuses_what_is_wrong(self):
        event = next(e for e in run("-o", "eve", self.capture("a.pcap", REFUSED, DELIVERED)).records() if e["event_type"] == "outbox")
        self.valid([event])
        for key in self.ENVELOPE:
            self.assertFalse(self.validator.is_valid({k: v for k, v in event.items() if k != key}), key)
        self.assertFalse(self.validator.is_valid(dict(event, timestamp="2023-11-14T22:13:20Z")))


if __name__ == "__main__":
    common.main()
