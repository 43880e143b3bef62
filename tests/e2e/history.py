#!/usr/bin/env python3
"""The history of audits: each session once, changes told exactly, nothing lost whatever ends the program."""
import json
import os
import random
import signal
import sqlite3
import subprocess
import time

import jsonschema

import common
from common import DELIVERED, LOGIN, PCAPS, PROGRAM, REFUSED, run

with open(os.path.join(common.ROOT, "docs", "audit.schema.json"), encoding="utf-8") as schema:
    SCHEMA = jsonschema.Draft202012Validator(json.load(schema))
KILLS = 200


def ids(database):
    with sqlite3.connect("file:%s?mode=ro" % database, uri=True) as connection:
        return [row[0] & (1 << 64) - 1 for row in connection.execute("SELECT id FROM session")]


class History(common.Case):
    def setUp(self):
        super().setUp()
        self.db = self.path("history.db")

    def audit(self, *arguments):
        result = run("audit", "--db", self.db, "-o", "json", *arguments)
        for record in result.records():
            SCHEMA.validate(record)
        return result, result.records()

    def changes(self, *arguments):
        _, records = self.audit("--diff", *arguments)
        return [(r["change"], r["subject"]["ip"], r["what"]) for r in records if r["type"] == "audit-change"]

    def test_what_is_read_back_gives_the_same_audit(self):
        files = [os.path.join(PCAPS, name) for name in common.captures() if name.startswith(("auth/", "tls/", "dns/"))]
        self.assertEqual(run("-q", "--db", self.db, *files).status, 0)
        kept = run("audit", "--policy", "default", "-o", "json", "--db", self.db)
        read = run("audit", "--policy", "default", "-o", "json", *files)
        self.assertEqual(kept.out, read.out)
        self.assertEqual(kept.status, read.status)

    def test_a_series_keeps_the_files_of_its_frames(self):
        whole = self.capture("mail.pcap", LOGIN, REFUSED)
        data = self.read("mail.pcap")
        head, at, frames = data[:24], 24, []
        while at < len(data):
            length = 16 + int.from_bytes(data[at + 8:at + 12], "little")
            frames.append(data[at:at + length])
            at += length
        cut = 12
        first = self.file("t.pcap0", head + b"".join(frames[:cut]))
        second = self.file("t.pcap1", head + b"".join(frames[cut:]))
        os.remove(whole)
        read = run("audit", "-o", "json", "--db", self.db, first, second).out
        kept = run("audit", "-o", "json", "--db", self.db).out
        self.assertEqual(read, kept)
        self.assertIn("t.pcap1", kept)

    def test_the_same_capture_counts_once(self):
        path = self.capture("two.pcap", LOGIN, REFUSED)
        for _ in range(3):
            self.assertEqual(run("-q", "--db", self.db, path).status, 0)
        self.assertEqual(len(ids(self.db)), 2)
        self.assertEqual(self.audit()[1][-1]["sessions"], 2)
        with sqlite3.connect(self.db) as connection:
            self.assertEqual(connection.execute("SELECT count(*) FROM login").fetchone(), (1,))
            self.assertEqual({row[0] for row in connection.execute("SELECT run FROM session")}, {1})

    def test_changes_are_told_exactly(self):
        tls = ["port 587", "starttls", "tls version=%s cert=%s", "sent-inside", "quit-inside", "close S"]
        def inside(server, version, cert):
            return ["server " + server] + [line % (version, cert) if "%" in line else line for line in tls]
        before = self.capture("before.pcap",
                              ["server 198.51.100.1"] + DELIVERED, ["server 198.51.100.2"] + REFUSED,
                              ["server 198.51.100.3", "hello STARTTLS SIZE_1000", "sent", "quit"],
                              inside("198.51.100.4", "1.2", "good"), inside("198.51.100.5", "1.2", "good"),
                              ["server 198.51.100.6"] + DELIVERED, ["server 198.51.100.7", "port 587", "hello AUTH_PLAIN", "sent", "quit"])
        after = self.capture("after.pcap", ["wait 90000"],
                             ["wait 90000", "server 198.51.100.1"] + REFUSED, ["server 198.51.100.2"] + DELIVERED,
                             ["server 198.51.100.3", "hello SIZE_1000", "sent", "quit"],
                             inside("198.51.100.4", "1.1", "good"), inside("198.51.100.5", "1.2", "soon"),
                             ["server 198.51.100.6"] + DELIVERED, ["server 198.51.100.7"] + LOGIN,
                             ["server 198.51.100.8"] + DELIVERED, ["server 198.51.100.9"] + REFUSED)
        run("-q", "--db", self.db, before)
        run("-q", "--db", self.db, after)
        expected = [("fails", "198.51.100.1", "rcpt-relay-denied"), ("fails", "198.51.100.9", "rcpt-relay-denied"),
                    ("capability-lost", "198.51.100.3", "STARTTLS"),
                    ("tls-version-lower", "198.51.100.4", "TLSv1.1"), ("clear-text-login", "198.51.100.7", None),
                    ("works-again", "198.51.100.2", None)]
        told = self.changes("last")
        certificate = [change for change in told if change[0] == "certificate-changed"]
        self.assertEqual([c[1] for c in certificate], ["198.51.100.5"])
        self.assertEqual([change for change in told if change not in certificate], expected)
        self.assertEqual(self.audit("--diff", "last", "--fail-on", "worse")[0].status, 1)
        self.assertEqual(self.audit("--diff", "last", "--fail-on", "worse", "--server", "198.51.100.6")[0].status, 0)
        out = run("audit", "--db", self.db, "--diff", "last").out
        self.assertIn("198.51.100.1:25 (mx.example.org): no mail gets through now: rcpt-relay-denied", " ".join(out.split()))
        self.assertEqual(self.changes("2001-01-01"), [("fails", "198.51.100.9", "rcpt-relay-denied")])

    def test_retention(self):
        old = self.capture("old.pcap", DELIVERED)
        new = self.capture("new.pcap", ["wait 864000"] + LOGIN)
        run("-q", "--db", self.db, old)
        run("-q", "--db", self.db, "--retain", "11", new)
        self.assertEqual(len(ids(self.db)), 2)
        run("-q", "--db", self.db, "--retain", "9", new)
        self.assertEqual(len(ids(self.db)), 1)
        with sqlite3.connect(self.db) as connection:
            self.assertEqual([name for name, in connection.execute("SELECT names FROM file")], [new])

    def test_usage_and_foreign_files(self):
        good = self.capture("good.pcap", DELIVERED)
        self.file("text.db", b"this is no database, it is a text that is long enough to be looked at")
        with sqlite3.connect(self.path("foreign.db")) as connection:
            connection.execute("CREATE TABLE other(x)")
        run("-q", "--db", self.path("later.db"), good)
        with sqlite3.connect(self.path("later.db")) as connection:
            connection.execute("PRAGMA user_version=99")
        for name, words in (("text.db", "is no history of smtpwhy"), ("foreign.db", "is no history of smtpwhy"),
                            ("later.db", "later version of smtpwhy"), ("no/such.db", "no/such.db: unable to open")):
            for arguments in (["audit", "--db", self.path(name)], ["-q", "--db", self.path(name), good]):
                result = run(*arguments)
                self.assertEqual(result.status, 2, arguments)
                self.assertIn(words, result.err)
        for arguments, words in ((["audit", "--diff", "last", good], "name it with --db"),
                                 (["audit", "--fail-on", "worse", good], "needs --diff"),
                                 (["audit", "--db", self.db, "--diff", "soon"], "takes 'last'"),
                                 (["--db", self.db, "--retain", "0", good], "takes a number of days")):
            result = run(*arguments)
            self.assertEqual(result.status, 2, arguments)
            self.assertIn(words, result.err)

    def test_two_writers_at_once(self):
        paths = [self.capture("w%d.pcap" % n, *[["client 192.0.2.%d" % (20 * n + i)] + DELIVERED for i in range(10)])
                 for n in range(4)]
        writers = [subprocess.Popen([PROGRAM, "-q", "--db", self.db, path], stdout=subprocess.DEVNULL) for path in paths]
        self.assertEqual([writer.wait() for writer in writers], [0] * 4)
        self.assertEqual(len(set(ids(self.db))), 40)

    def test_a_kill_at_any_moment_loses_nothing_that_was_kept(self):
        paths = [os.path.join(PCAPS, name) for name in common.captures() if name.startswith("rcpt/")][:12]
        start = time.monotonic()
        run("-q", "--db", self.path("whole.db"), *paths)
        whole, length = set(ids(self.path("whole.db"))), time.monotonic() - start
        chance = random.Random(4711)
        kept = set()
        for _ in range(KILLS):
            writer = subprocess.Popen([PROGRAM, "-q", "--db", self.db, *paths], stdout=subprocess.DEVNULL)
            time.sleep(chance.random() * length * 1.1)
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            if not os.path.exists(self.db) or os.path.getsize(self.db) == 0:
                continue
            with sqlite3.connect(self.db) as connection:
                self.assertEqual(connection.execute("PRAGMA integrity_check").fetchone(), ("ok",))
                if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
                    continue
                now = [row[0] & (1 << 64) - 1 for row in connection.execute("SELECT id FROM session")]
            self.assertEqual(len(now), len(set(now)))
            self.assertLessEqual(kept, set(now))
            kept = set(now)
        run("-q", "--db", self.db, *paths)
        self.assertEqual(set(ids(self.db)), whole)


if __name__ == "__main__":
    common.main()
