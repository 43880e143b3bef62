#!/usr/bin/env python3
"""The history of audits: each session once, changes told exactly, nothing lost whatever ends the program."""
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import jsonschema

import common
from common import DELIVERED, LOGIN, PCAPS, PROGRAM, REFUSED, run

with open(os.path.join(common.ROOT, "docs", "audit.schema.json"), encoding="utf-8") as schema:
    SCHEMA = jsonschema.Draft202012Validator(json.load(schema))
KILLS = int(os.environ.get("SMTPWHY_KILLS", "15"))  # many more (200) when the writing was changed


def ids(database):
    with sqlite3.connect("file:%s?mode=ro" % database, uri=True) as connection:
        return [row[0] & (1 << 64) - 1 for row in connection.execute("SELECT id FROM session")]


# The first layout, as it was written until the second one.
FIRST_LAYOUT = """
CREATE TABLE run(id INTEGER PRIMARY KEY, began_ns INTEGER NOT NULL, what TEXT NOT NULL);
CREATE TABLE file(id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE);
CREATE TABLE certificate(id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, subject TEXT, issuer TEXT, names TEXT,
 not_before TEXT, not_after TEXT);
CREATE TABLE session(id INTEGER PRIMARY KEY, run INTEGER NOT NULL, start_ns INTEGER NOT NULL, file INTEGER NOT NULL,
 first_frame INTEGER NOT NULL, client BLOB NOT NULL, server BLOB, port INTEGER NOT NULL, server_name TEXT,
 outcome TEXT NOT NULL, cause TEXT NOT NULL, security TEXT, login INTEGER, clear_mail INTEGER, clear_mail_frame INTEGER,
 starttls INTEGER, starttls_frame INTEGER, tls INTEGER, tls_version INTEGER, tls_frame INTEGER, certified INTEGER,
 certificate INTEGER, certificate_problems INTEGER, certificate_frame INTEGER, greeting_delay_ns INTEGER,
 greeting_due INTEGER, greeting_wait_ns INTEGER, greeting_frame INTEGER, clear_keywords TEXT, inner_keywords TEXT,
 findings TEXT NOT NULL);
CREATE INDEX session_start ON session(start_ns);
CREATE INDEX session_run ON session(run);
CREATE TABLE login(session INTEGER NOT NULL, seq INTEGER NOT NULL, user TEXT, mechanism TEXT, exposed INTEGER NOT NULL,
 accepted INTEGER NOT NULL, frame INTEGER, PRIMARY KEY(session, seq)) WITHOUT ROWID;
PRAGMA application_id=0x53576879;
PRAGMA user_version=1;
"""
FACTS = """SELECT f.id, run, start_ns, file, first_frame, client, nullif(server, x''), port, nullif(name, ''), outcome, cause,
 nullif(security, ''), login, clear_mail, starttls, tls, tls_version, certified, certificate, certificate_problems,
 greeting_delay_ns, greeting_due, coalesce(greeting_wait_ns, 0), nullif(clear_keywords, ''), nullif(inner_keywords, ''),
 findings, frames FROM fact f JOIN shape s ON s.id = f.shape JOIN peer p ON p.id = f.peer"""


def as_first_layout(new, old):
    """Writes what the history `new` holds as the first layout had it."""
    with sqlite3.connect(new) as source, sqlite3.connect(old) as target:
        target.executescript(FIRST_LAYOUT)
        for table in ("run", "file", "certificate"):
            for row in source.execute("SELECT * FROM " + table):
                target.execute("INSERT INTO %s VALUES(%s)" % (table, ",".join("?" * len(row))), row)
        target.executemany("INSERT INTO login VALUES(?,?,?,?,?,?,?)", source.execute(
            "SELECT f.id, seq, user, mechanism, exposed, accepted, frame FROM login JOIN fact f ON f.n = login.fact"))
        for row in source.execute(FACTS):
            frames = [None if frame is None else row[4] + frame for frame in json.loads(row[26])]
            findings = [[*finding, frame or 0] for finding, frame in zip(json.loads(row[25]), frames[5:])]
            old_row = (*row[:14], frames[0], row[14], frames[1], *row[15:17], frames[2], *row[17:20], frames[3],
                       *row[20:23], frames[4], *row[23:25], json.dumps(findings, separators=(",", ":")))
            target.execute("INSERT INTO session VALUES(%s)" % ",".join("?" * len(old_row)), old_row)


def planted_changes(case):
    """Two captures, of two days: what nine servers do before, and what becomes of them."""
    tls = ["port 587", "starttls", "tls version=%s cert=%s", "sent-inside", "quit-inside", "close S"]
    def inside(server, version, cert):
        return ["server " + server] + [line % (version, cert) if "%" in line else line for line in tls]
    before = case.capture("before.pcap",
                          ["server 198.51.100.1"] + DELIVERED, ["server 198.51.100.2"] + REFUSED,
                          ["server 198.51.100.3", "hello STARTTLS SIZE_1000", "sent", "quit"],
                          inside("198.51.100.4", "1.2", "good"), inside("198.51.100.5", "1.2", "good"),
                          ["server 198.51.100.6"] + DELIVERED, ["server 198.51.100.7", "port 587", "hello AUTH_PLAIN", "sent", "quit"])
    after = case.capture("after.pcap", ["wait 90000"],
                         ["wait 90000", "server 198.51.100.1"] + REFUSED, ["server 198.51.100.2"] + DELIVERED,
                         ["server 198.51.100.3", "hello SIZE_1000", "sent", "quit"],
                         inside("198.51.100.4", "1.1", "good"), inside("198.51.100.5", "1.2", "soon"),
                         ["server 198.51.100.6"] + DELIVERED, ["server 198.51.100.7"] + LOGIN,
                         ["server 198.51.100.8"] + DELIVERED, ["server 198.51.100.9"] + REFUSED)
    return before, after


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

    def test_an_older_file_is_brought_up_to_date(self):
        files = [os.path.join(PCAPS, name) for name in common.captures() if name.startswith(("auth/", "tls/", "dns/"))]
        self.assertEqual(run("-q", "--db", self.db, *files).status, 0)
        arguments = ("--policy", "default", "-o", "json", "--db")
        expected = run("audit", *arguments, self.db)
        old = self.path("old.db")
        as_first_layout(self.db, old)
        told = run("audit", *arguments, old)
        self.assertEqual((told.err, told.out, told.status), (expected.err, expected.out, expected.status))
        as_first_layout(self.db, self.path("written.db"))
        self.assertEqual(run("-q", "--db", self.path("written.db"), *files).status, 0)
        self.assertEqual(run("audit", *arguments, self.path("written.db")).out, expected.out)
        for name in (old, self.path("written.db")):
            self.assertEqual(sorted(ids(name)), sorted(ids(self.db)))
            with sqlite3.connect(name) as connection:
                self.assertEqual(connection.execute("PRAGMA integrity_check").fetchone(), ("ok",))
                self.assertEqual(connection.execute("PRAGMA user_version").fetchone(), (2,))

    def test_people_can_read_it(self):
        path = self.capture("two.pcap", LOGIN, DELIVERED)
        run("-q", "--db", self.db, path)
        records = [r for r in run("-o", "json", path).records() if r["type"] == "session"]
        with sqlite3.connect(self.db) as connection:
            rows = list(connection.execute(
                "SELECT session, start, client, server, port, server_name, outcome, cause, file FROM session ORDER BY start"))
            found = set(connection.execute("SELECT printf('%016x', session), finding, frame FROM finding"))
        self.assertEqual(rows, [(r["id"], r["start"], r["client"]["ip"], r["server"]["ip"], r["server"]["port"],
                                 "mx.example.org", r["outcome"], r["verdict"]["cause"], path) for r in records])
        self.assertEqual(found, {(r["id"], f["id"], f["frame"]) for r in records for f in r["findings"]})

    def test_what_makes_no_sense_is_passed_over(self):
        path = self.capture("two.pcap", LOGIN, DELIVERED, REFUSED)
        for number, change in enumerate(("UPDATE shape SET outcome='x', cause=7, security=x'00', tls=99, findings='[[\"aud-'",
                       "UPDATE shape SET findings='[[\"aud-vrfy-enabled\",9]]'", "UPDATE shape SET findings=zeroblob(100000)",
                       "UPDATE fact SET frames='[18446744073709551616,-,,x'", "UPDATE fact SET frames=x'00ff'",
                       "UPDATE fact SET frames='', client='abc', file=-1, certificate=9223372036854775807",
                       "DELETE FROM shape", "DELETE FROM peer", "UPDATE peer SET server='a', port=-1, name=zeroblob(200000)",
                       "UPDATE login SET fact=fact-1")):
            database = self.path("odd%d.db" % number)
            run("-q", "--db", database, path)
            with sqlite3.connect(database) as connection:
                connection.execute(change)
            for arguments in ((), ("--diff", "2001-01-01")):
                result = run("audit", "--policy", "default", "-o", "json", "--db", database, *arguments)
                self.assertIn(result.status, (0, 1), change)
                self.assertEqual(result.records()[-1]["sessions"], 3, change)

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

    def test_anonymized_when_it_is_told(self):
        run("-q", "--db", self.db, self.capture("a.pcap", LOGIN, REFUSED))
        told = run("audit", "-v", "--anonymize", "--db", self.db)
        self.assertEqual(told.status, 0)
        self.assertIn("aud-plaintext-auth-used", told.out)
        for word in ("192.0.2.", "198.51.100", "anna", "mx.example"):
            self.assertNotIn(word, told.out)

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
        before, after = planted_changes(self)
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
        self.assertEqual(self.changes("2001-01-01"), [])
        self.assertEqual(self.audit("--diff", "2001-01-01", "--fail-on", "worse")[0].status, 0)
        for form in ("text", "html"):  # there is only one time: no change, but no comparison either
            for since, words in (("2100-01-01", "nothing to compare: no session began since then"),
                                 ("2001-01-01", "nothing to compare with: no session began before")):
                self.assertIn(words, run("audit", "--db", self.db, "--diff", since, "-o", form).out)

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
                            ("later.db", "later version of smtpwhy"), ("no/such.db", "no/such.db: No such file")):
            for arguments in (["audit", "--db", self.path(name)], ["-q", "--db", self.path(name), good]):
                result = run(*arguments)
                self.assertEqual(result.status, 2, arguments)
                self.assertIn(words, result.err)
        for arguments, words in ((["audit", "--diff", "last", good], "name it with --db"),
                                 (["audit", "--fail-on", "worse", good], "needs --diff"),
                                 (["audit", "--db", self.db, "--diff", "soon"], "takes 'last'"),
                                 (["audit", "--db", self.db, "-f", "tcp port 25"], "are about captures, and none is given"),
                                 (["audit", "--db", self.db, "-p", "25"], "sessions are chosen with --client, --server"),
                                 (["--db", self.db, "--anonymize", good], "exclude each other"),
                                 (["audit", "--db", self.db, "--anonymize", good], "exclude each other"),
                                 (["--db", self.db, "--retain", "0", good], "takes a number of days")):
            result = run(*arguments)
            self.assertEqual(result.status, 2, arguments)
            self.assertIn(words, result.err)

    def test_who_may_not_write_is_told_so(self):
        """Also of a file that is there to be read: SQLite makes others beside it."""
        good = self.capture("good.pcap", DELIVERED)
        run("-q", "--db", self.path("kept.db"), good)
        program = shutil.copy(PROGRAM, self.path("smtpwhy"))
        for name, mode in (("kept.db", 0o444), ("good.pcap", 0o444), ("", 0o555)):
            os.chmod(self.path(name), mode)
        user = 65534 if os.geteuid() == 0 else None  # root may write everywhere
        for arguments, words in ((["audit", "--db", self.path("kept.db")], b"no permission to write to it or to make files beside it"),
                                 (["-q", "--db", self.path("kept.db"), good], b"no permission to write to it"),
                                 (["-q", "--db", self.path("new.db"), good], b"new.db: Permission denied")):
            done = subprocess.run([program] + arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, user=user, check=False)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(words, done.stderr)
        os.chmod(self.path(""), 0o755)

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
