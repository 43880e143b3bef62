#!/usr/bin/env python3
"""The fleet store: whatever happens to the program, the network or the store, each session arrives, and counts once.

Most of it runs against a server made here that speaks ClickHouse's HTTP as far as it is needed and fails on demand; the
last part against a real clickhouse-server with two shards, where one is installed.
"""
import base64
import glob
import gzip
import http.server
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import textwrap
import threading
import time
import unittest
import urllib.parse

import common
from common import DELIVERED, LOGIN, PCAPS, PROGRAM, REFUSED, run
import clickhouse
import history
import slurm

PASSWORD = "S3cret of the: fleet\"'%"
KILLS = int(os.environ.get("SW_STORE_KILLS", "15"))


class Fake:
    """As much of ClickHouse as the sender talks to. `plan` is asked before each INSERT and names a mishap, or None."""

    def __init__(self):
        self.rows = {}       # (sensor, session_uid) -> row, the newest run_ver wins
        self.received = 0    # rows, however often
        self.inserts = 0
        self.users = set()
        self.asked = []
        self.layout = 0
        self.plan = lambda: None
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                outer.answer(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a program that is killed hangs up
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self):
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()

    @property
    def url(self):
        return "http://fleet@127.0.0.1:%d" % self.port

    @staticmethod
    def say(handler, status, text):
        body = text.encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(handler.path).query).get("query", [""])[0] or body.decode()
        with self.lock:
            self.asked.append(query)
            self.users.add((handler.headers["X-ClickHouse-User"], handler.headers["X-ClickHouse-Key"]))
        if query.startswith("INSERT INTO `smtpwhy`.session "):
            return self.insert(handler, body)
        if "max(version)" in query:
            if not self.layout:
                return self.say(handler, 404, "Code: 81, e.displayText() = DB::Exception: Database smtpwhy doesn't exist")
            return self.say(handler, 200, "%d\n" % self.layout)
        if ".layout (version)" in query and query.startswith("INSERT"):
            self.layout = int(re.search(r"VALUES \((\d+)\)", query).group(1))
        return self.say(handler, 200, "")

    def insert(self, handler, body):
        with self.lock:
            self.inserts += 1
            mishap = self.plan()
        if mishap == "refuse":
            return self.say(handler, 400, "Code: 117, e.displayText() = DB::Exception: your key is %s"
                            % handler.headers["X-ClickHouse-Key"])
        if mishap == "error":
            return self.say(handler, 500, "Code: 241. DB::Exception: Memory limit exceeded")
        if mishap == "cut-before":
            return handler.connection.shutdown(2)
        rows = [json.loads(line) for line in gzip.decompress(body).decode("utf-8", "surrogateescape").splitlines()]
        with self.lock:
            self.received += len(rows)
            for row in rows:
                key = (row["sensor"], row["session_uid"])
                if key not in self.rows or self.rows[key]["run_ver"] <= row["run_ver"]:
                    self.rows[key] = row
        if mishap == "slow":
            time.sleep(1)
        if mishap == "cut-after":
            return handler.connection.shutdown(2)
        return self.say(handler, 200, "")


def captures(*folders):
    return [os.path.join(PCAPS, name) for name in common.captures() if name.startswith(folders)]


class Store(common.Case):
    def setUp(self):
        super().setUp()
        self.fake = Fake()
        self.addCleanup(lambda: self.fake.close())
        self.spool = self.path("spool")

    def arguments(self, *more):
        return ["-q", "--store", self.fake.url, "--spool", self.spool, "--sensor", "one", "--store-wait", "0", *more]

    def send(self, *more, password=PASSWORD):
        result = run(*self.arguments(*more), environment={"SMTPWHY_STORE_PASSWORD": password})
        self.assertNotIn(password, result.out + result.err)
        return result

    def segments(self):
        return sorted(glob.glob(os.path.join(self.spool, "*", "*.ndjson.gz")))

    def spooled(self):
        """The sessions in whole segments; all of them have to be whole."""
        rows = []
        for path in self.segments():
            with gzip.open(path, "rb") as file:
                data = file.read()
            self.assertTrue(data.endswith(b"\n"))
            rows += [json.loads(line) for line in data.decode("utf-8", "surrogateescape").splitlines()]
        return [row["session_uid"] for row in rows]

    def stored(self):
        return {uid for _, uid in self.fake.rows}

    def test_what_is_sent_is_what_was_found(self):
        files = captures("auth/", "dns/")
        found = {s["id"]: s for s in run("-o", "json", *files).sessions()}
        result = self.send(*files)
        self.assertEqual((result.status, result.err), (0, ""))
        self.assertEqual(self.segments(), [])
        self.assertEqual(self.stored(), set(found))
        for (sensor, uid), row in self.fake.rows.items():
            session = found[uid]
            self.assertEqual(sensor, "one")
            self.assertEqual((row["outcome"], row["cause"]), (session["outcome"], session["verdict"]["cause"]))
            self.assertEqual((row["client"], row["server"] or None), (session["client"]["ip"], session["server"]["ip"]))
            self.assertEqual(row["finding"], [f["id"] for f in session["findings"]])
            self.assertEqual(row["finding_frame"], [f["frame"] for f in session["findings"]])
            self.assertEqual(row["login_user"], [a["user"] or "" for a in (session["auth"] or {"attempts": []})["attempts"]][:8])
        self.assertEqual(self.fake.users, {("fleet", PASSWORD)})

    def test_read_again_counts_once(self):
        path = self.capture("two.pcap", LOGIN, REFUSED)
        for _ in range(3):
            self.assertEqual(self.send(path).status, 0)
        self.assertEqual((self.fake.received, len(self.fake.rows)), (6, 2))
        self.assertEqual(self.send("--sensor", "two", path).status, 0)
        self.assertEqual(len(self.fake.rows), 4)
        made = [query for query in self.fake.asked if query.startswith("CREATE")]
        self.assertEqual(len(made), 3, "the tables are made once")

    def test_an_outage_is_made_up_for(self):
        first, second = self.capture("a.pcap", LOGIN), self.capture("b.pcap", REFUSED, DELIVERED)
        self.fake.plan = lambda: "error"
        result = self.send(first)
        self.assertEqual(result.status, 3)
        self.assertIn("answers 500: Memory limit exceeded: 1 segment", result.err)
        self.assertIn("will be sent by the next run", result.err)
        self.fake.close()
        result = self.send(second)
        self.assertEqual(result.status, 3)
        self.assertIn("2 segments", result.err)
        port = self.fake.port
        self.assertEqual(len(set(self.spooled())), 3)
        self.fake = Fake()
        folder, = os.listdir(self.spool)
        os.rename(os.path.join(self.spool, folder), os.path.join(self.spool, folder.replace(str(port), str(self.fake.port))))
        sent = []
        self.fake.plan = lambda: sent.append(1)
        result = run(*self.arguments()[1:], environment={"SMTPWHY_STORE_PASSWORD": PASSWORD})
        self.assertEqual((result.status, result.out, result.err), (0, "", ""))
        self.assertEqual(len(self.fake.rows), 3)
        self.assertEqual(self.segments(), [])

    def test_it_tries_again_for_a_while(self):
        moods = ["error", "cut-before", "cut-after", "slow"]
        self.fake.plan = lambda: moods.pop(0) if moods else None
        result = self.send("--store-wait", "20", self.capture("a.pcap", LOGIN))
        self.assertEqual((result.status, result.err), (0, ""))
        self.assertEqual(len(self.fake.rows), 1)
        self.assertGreaterEqual(self.fake.received, 2)

    def test_what_is_refused_stays_and_stops_nobody(self):
        self.fake.plan = lambda: "refuse"
        result = self.send(self.capture("a.pcap", LOGIN))
        self.assertEqual(result.status, 2)
        self.assertIn("your key is ***", result.err)
        moods = ["refuse"]
        self.fake.plan = lambda: moods.pop(0) if moods else None
        self.send(self.capture("b.pcap", DELIVERED))
        self.assertEqual(len(self.fake.rows), 2)

    def test_the_spool_has_an_end(self):
        self.fake.close()
        path = self.many("many.pcap", 500)
        self.assertEqual(self.send(path).status, 3)
        folder = os.path.dirname(self.segments()[0])
        with open(os.path.join(folder, "of-yesterday.ndjson.gz"), "wb") as other:
            other.write(bytes((1 << 20) - sum(map(os.path.getsize, self.segments())) - (32 << 10)))
        before = len(self.segments())
        result = self.send("--spool-size", "1", path)
        self.assertEqual(result.status, 2)
        self.assertIn("holds 1 MB that the store has not taken, which is all that --spool-size allows", result.err)
        self.assertGreater(len(self.segments()), before, "what fits is kept")
        self.assertLess(sum(os.path.getsize(p) for p in self.segments()), 1 << 20)

    def many(self, name, count):
        return self.capture(name, *[["client 10.%d.%d.%d" % (n >> 16, n >> 8 & 255, n & 255), *DELIVERED] for n in range(count)])

    def test_a_kill_at_any_moment_loses_nothing_and_doubles_nothing(self):
        path = self.many("many.pcap", 400)
        command = [PROGRAM] + self.arguments("--spool-size", "1", "--store-wait", "2", path)
        environment = dict(os.environ, SMTPWHY_STORE_PASSWORD=PASSWORD)
        chance = random.Random(4711)
        self.fake.plan = lambda: chance.choice([None, None, None, "error", "cut-before", "cut-after"])
        whole = {s["id"] for s in run("-o", "json", path).sessions()}
        start = time.monotonic()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        length = time.monotonic() - start
        self.fake.rows.clear()
        for leftover in self.segments():
            os.remove(leftover)
        committed = set()
        moments = 0
        for _ in range(KILLS):
            writer = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.random() * length)
            writer.send_signal(signal.SIGKILL)
            moments += writer.wait() == -signal.SIGKILL
            with self.fake.lock:
                now = self.stored() | set(self.spooled())
            self.assertLessEqual(committed, now, "a session was there and has gone")
            committed = now
        self.assertGreater(moments, 0)
        self.fake.plan = lambda: None
        self.assertEqual(self.send("--spool-size", "1", "--store-wait", "20", path).status, 0)
        self.assertEqual(self.segments(), [])
        self.assertEqual(glob.glob(os.path.join(self.spool, "*", "*.tmp")), [])
        self.assertEqual(self.stored(), whole)
        self.assertEqual(len(self.fake.rows), len(whole))

    def test_several_programs_share_a_spool(self):
        paths = [self.capture("w%d.pcap" % n, *[["client 192.0.2.%d" % (20 * n + i)] + DELIVERED for i in range(10)])
                 for n in range(4)]
        environment = dict(os.environ, SMTPWHY_STORE_PASSWORD=PASSWORD)
        chance = random.Random(7)
        self.fake.plan = lambda: chance.choice([None, "error", "slow"])
        writers = [subprocess.Popen([PROGRAM] + self.arguments("--store-wait", "60", path), env=environment,
                                    stdout=subprocess.DEVNULL) for path in paths]
        self.assertEqual([writer.wait() for writer in writers], [0] * 4)
        self.assertEqual((len(self.fake.rows), self.segments()), (40, []))

    def test_passwords(self):
        path = self.capture("a.pcap", LOGIN)
        result = run("-q", "--store", "http://fleet:%s@127.0.0.1" % "Tell-Nobody", path)
        self.assertEqual(result.status, 2)
        self.assertIn("does not belong on a command line", result.err)
        self.assertNotIn("Tell-Nobody", result.err)
        file = self.file("password", b"from a file\n")
        result = run(*self.arguments(path), environment={"SMTPWHY_STORE_PASSWORD_FILE": file})
        self.assertEqual((result.status, self.fake.users), (0, {("fleet", "from a file")}))
        self.assertEqual(run(*self.arguments(path), environment={"SMTPWHY_STORE_PASSWORD_FILE": self.path("none")}).status, 2)
        with open("/proc/self/environ", "rb") as own:
            self.assertNotIn(PASSWORD.encode(), own.read())

    def test_nothing_secret_is_spooled(self):
        self.fake.plan = lambda: "error"
        self.send(*captures("auth/"))
        self.assertTrue(self.segments())
        with open(os.path.join(PCAPS, "SECRETS.txt"), encoding="utf-8") as file:
            secrets = [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]
        for path in self.segments():
            with gzip.open(path, "rb") as file:
                data = file.read()
            for secret in [PASSWORD, *secrets]:
                self.assertNotIn(secret.encode(), data)
            self.assertEqual(os.stat(path).st_mode & 0o077, 0)

    def test_usage(self):
        path = self.capture("a.pcap", LOGIN)
        for arguments, words in ((["--store", "clickhouse:8123", path], "takes http://"),
                                 (["--store", "http://a/b-c", path], "letters, digits and '_'"),
                                 (["--store", "http://a/b,http://a/c", path], "the same database"),
                                 (["--store", "http://u@a/b,http://v@a/b", path], "the same user"),
                                 (["--store", "http://a b", path], "the host is none"),
                                 (["--store", self.fake.url, "--cluster", "a.b", path], "cluster"),
                                 (["--sensor", "x", path], "belong to --store"),
                                 (["--store", self.fake.url, "--anonymize", path], "exclude each other"),
                                 (["--store", self.fake.url, "--spool", path, path], "cannot be used"),
                                 (["--store", self.fake.url, "--spool-size", "0", path], "takes a number")):
            result = run(*arguments)
            self.assertEqual(result.status, 2, arguments)
            self.assertIn(words, result.err)
            self.assertEqual(len(result.err.splitlines()) <= 2, True)

    def test_a_store_of_later_versions_is_left_alone(self):
        self.fake.layout = 99
        result = self.send(self.capture("a.pcap", LOGIN))
        self.assertEqual(result.status, 2)
        self.assertIn("later version of smtpwhy", result.err)
        self.assertEqual((self.fake.inserts, len(self.segments())), (0, 1))



POLICY = b"""[policy]
name = Fleet
[rules]
clear-text-login = forbid
clear-text-mail = forbid
starttls = require
tls-version-min = 1.2
certificate = require
certificate-days-min = 30
greeting-delay-max = 20ms
failure-rate-max = 5%
finding-max = low
[rules some clients]
client = 192.0.2.0/28
greeting-delay-max = 2s
certificate-days-min = 400
[waiver for a while]
rule = clear-text-mail
until = 2026-11-24T17:00:00Z
reason = moves
[waiver one client]
finding = aud-starttls-not-offered
client = 192.0.2.10
until = 2030-01-01
reason = known
"""


@unittest.skipUnless(clickhouse.SERVER, "clickhouse-server is not installed: nothing is tested against a real one")
class Real(common.Case):
    """Two servers, one cluster."""

    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.TemporaryDirectory()
        cls.cluster = clickhouse.Cluster(cls.home.name, password=PASSWORD)
        cls.addClassCleanup(cls.home.cleanup)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()

    def setUp(self):
        super().setUp()
        Real.number = getattr(Real, "number", 0) + 1
        self.database = "test%d" % Real.number
        self.urls = ",".join("http://fleet@127.0.0.1:%d/%s" % (s.http, self.database) for s in self.cluster.shards)
        self.store = ["--store", self.urls, "--cluster", "mail"]

    def call(self, *arguments):
        result = run(*arguments, environment={"SMTPWHY_STORE_PASSWORD": PASSWORD})
        self.assertNotIn(PASSWORD, result.out + result.err)
        return result

    def send(self, *arguments):
        return self.call("-q", *self.store, "--spool", self.path("spool"), "--sensor", "one", "--store-wait", "2", *arguments)

    def audit(self, *arguments):
        return self.call("audit", *self.store, *arguments)

    @staticmethod
    def plain(report):
        """Where the sessions came from and how the lines are broken (long names of files: anywhere) is told differently."""
        return "".join(report.replace("the store", "the history").replace("one:", "").split())

    def count(self, shard=0, table="session_on_mail FINAL"):
        return int(self.cluster.shards[shard].ask("SELECT count() FROM %s.%s" % (self.database, table)))

    def test_the_audit_is_that_of_the_captures(self):
        files, seen = [], set()
        for session in run("-o", "json", *captures("auth/", "tls/", "dns/")).sessions():
            if session["id"] not in seen and session["capture"]["file"] not in files[-1:]:
                files.append(session["capture"]["file"])
            elif session["id"] in seen and session["capture"]["file"] in files:
                files.remove(session["capture"]["file"])  # the same packets in another wrapping: read here, they count again
            seen.add(session["id"])
        self.assertEqual(self.send(*files).err.count("segment"), 0)
        policy = self.file("policy.ini", POLICY)
        for arguments in (["--policy", policy], ["--client", "192.0.2.10", "--cause", "auth-bad-credentials,ok-delivered"],
                          ["--since", "2026-11-24T16:00:00Z", "--server", "198.51.100.0/26,2001:db8::/32", "--policy", "default"]):
            read = self.call("audit", "-o", "json", *arguments, *files)
            asked = self.audit("-o", "json", *arguments)
            self.assertEqual(asked.out.replace('"file":"one:', '"file":"'), read.out, arguments)
            self.assertEqual(asked.err, "")
            self.assertEqual(asked.status, 0 if read.status == 3 else read.status)
            self.assertGreater(len(read.out.splitlines()), 20)
        self.assertEqual(self.audit("-q", "-o", "json", "--policy", policy).out,
                         self.call("audit", "-q", "-o", "json", "--policy", policy, *files).out)
        database = self.path("history.db")
        self.assertIn(self.call("-q", "--db", database, *files).status, (0, 3))
        for form in ("text", "json", "html", "junit"):
            for arguments in (["--policy", policy], ["-v", "--policy", "default"], ["-q", "--policy", policy]):
                kept = self.call("audit", "--db", database, "-o", form, *arguments)
                asked = self.audit("-o", form, *arguments)
                self.assertEqual(self.plain(asked.out), self.plain(kept.out), (form, arguments))
                self.assertEqual(asked.status, kept.status)
        self.assertEqual([r["sessions"] for r in self.audit("--sensor", "two", "-o", "json").records()], [0])

    def test_what_changed_is_what_the_history_tells(self):
        files, database = history.planted_changes(self), self.path("history.db")
        self.send(*files)
        self.call("-q", "--db", database, *files)
        self.send(*captures("auth/", "tls/"))
        self.call("-q", "--db", database, *captures("auth/", "tls/"))
        times = {name: run("audit", "-o", "json", path).records()[-1]["first_seen"] for name, path in zip("ab", files)}
        told = []
        for when in (times["b"], times["a"], "2026-11-26T08:00:00Z", "2001-01-01"):
            for form in ("json", "text", "html"):
                arguments = ["--diff", when, "-o", form, "--policy", "default"]
                kept, asked = self.call("audit", "--db", database, *arguments), self.audit(*arguments)
                self.assertEqual(self.plain(asked.out), self.plain(kept.out), (when, form))
                self.assertEqual(asked.status, kept.status)
            told.append([(r["change"], r["subject"]["ip"]) for r in self.audit("-o", "json", "--diff", when).records() if r["type"] == "audit-change"])
        planted = [(change, ip) for change, ip in told[0] if ip.startswith("198.51.100.") and len(ip) == len("198.51.100.1")]
        self.assertEqual(planted, [("fails", "198.51.100.1"), ("fails", "198.51.100.9"), ("capability-lost", "198.51.100.3"),
                                   ("tls-version-lower", "198.51.100.4"), ("clear-text-login", "198.51.100.7"),
                                   ("works-again", "198.51.100.2"), ("certificate-changed", "198.51.100.5")])
        worse = ["--diff", times["b"], "--fail-on", "worse"]
        self.assertEqual((self.audit(*worse).status, self.audit(*worse, "--server", "198.51.100.6").status), (1, 0))
        for arguments, words in ((["--diff", "last"], "name a time"), (["--diff", "2001-01-01", files[0]], "no capture")):
            refused = self.audit(*arguments)
            self.assertEqual((refused.status, refused.out), (2, ""))
            self.assertIn(words, refused.err)

    def test_outage_of_a_shard_restart_and_everything_again(self):
        paths = [self.capture("p%d.pcap" % n, *[["client 10.0.%d.%d" % (n, i), *(DELIVERED if i % 2 else REFUSED)]
                                                for i in range(60)]) for n in range(3)]
        self.assertEqual(self.send(paths[0]).status, 0)
        shards = [self.count(n, "session FINAL") for n in (0, 1)]
        self.assertEqual(sum(shards), 60)
        self.assertGreater(min(shards), 10)
        self.cluster.shards[1].stop(signal.SIGKILL)
        try:
            result = self.send(paths[1])
            self.assertEqual(result.status, 3)
            self.assertIn("will be sent by the next run", result.err)
            place = "127.0.0.1:%d" % self.cluster.shards[1].tcp
            told = "shard 2 of 2 (%s) does not answer: the sessions there are missing here" % place
            for form in ("text", "json", "html", "junit"):
                part = self.audit("-o", form, "--policy", self.file("open.ini", b"[rules]\ntls-version-min = 1.0\n"))
                self.assertEqual((part.status, part.err), (3, "smtpwhy: %s\n" % told), form)
                self.assertIn(told, " ".join(part.out.split()), form)
            records = self.audit("-o", "json").records()
            self.assertIn(records[-1]["sessions"], range(shards[0], 60 + shards[0]))
            self.assertEqual(self.audit("--fail-on", "stuck").status, 1)
        finally:
            self.cluster.shards[1].start()
        self.assertEqual(self.send(paths[2]).status, 0)
        self.assertEqual((self.count(), os.listdir(os.path.join(self.path("spool"), os.listdir(self.path("spool"))[0]))), (180, []))
        self.cluster.shards[0].stop()
        try:
            part = self.audit("-o", "json")
            self.assertEqual(part.status, 3)
            self.assertIn("shard 1 of 2", part.records()[-1]["missing"])
            self.cluster.shards[1].stop()
            none = self.audit("-o", "json")
            self.assertEqual((none.status, none.out), (2, ""))
        finally:
            for shard in self.cluster.shards:
                shard.stop()
                shard.start()
        for path in paths:
            self.assertEqual(self.send(path).status, 0)
        self.assertEqual((self.count(), self.count(1)), (180, 180))
        whole = self.audit("-o", "json")
        self.assertEqual((whole.status, whole.err), (0, ""))
        self.assertEqual((whole.records()[-1]["sessions"], whole.records()[-1]["missing"]), (180, None))
        self.assertEqual(whole.records()[-1]["by_outcome"]["stuck"], 90)

    def test_a_kill_at_any_moment(self):
        """The same against servers that really store: what was there stays, nothing is there twice, and the audit agrees."""
        path = self.capture("many.pcap", *[["client 10.1.%d.%d" % (i // 200, i % 200), *(DELIVERED if i % 2 else REFUSED)] for i in range(400)])
        command = [PROGRAM, "-q", *self.store, "--spool", self.path("spool"), "--sensor", "one", "--spool-size", "1", "--store-wait", "2", path]
        environment = dict(os.environ, SMTPWHY_STORE_PASSWORD=PASSWORD)
        chance = random.Random(815)
        start = time.monotonic()
        self.assertEqual(self.send("--spool-size", "1", self.capture("one.pcap", DELIVERED)).status, 0)
        length = 3 * (time.monotonic() - start)
        committed, moments = set(), 0
        for _ in range(KILLS):
            writer = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.random() * length)
            writer.send_signal(signal.SIGKILL)
            moments += writer.wait() == -signal.SIGKILL
            now = set(self.cluster.shards[0].ask("SELECT session_uid FROM %s.session_on_mail FINAL" % self.database).split())
            self.assertLessEqual(committed, now, "a session was there and has gone")
            committed = now
        self.assertGreater(moments, 0)
        self.assertEqual(self.send("--store-wait", "20", path).status, 0)
        self.assertEqual((self.count(), self.count(1)), (401, 401))
        audited = self.audit("-o", "json").records()[-1]
        self.assertEqual((audited["sessions"], audited["by_outcome"]["stuck"], audited["missing"]), (401, 200, None))

    def test_one_server_alone(self):
        path = self.capture("a.pcap", LOGIN, REFUSED)
        self.store = ["--store", self.urls.split(",")[0]]
        self.assertEqual(self.audit().status, 2)
        self.assertEqual((self.send(path).status, self.send(path).status), (0, 0))
        self.assertEqual(self.count(0, "session FINAL"), 2)
        self.assertEqual(self.audit("-o", "json").records()[-1]["sessions"], 2)
        result = run("-q", *self.store, "--spool", self.path("other"), path, environment={"SMTPWHY_STORE_PASSWORD": "wrong-one"})
        self.assertEqual(result.status, 2)
        self.assertIn("Wrong password", result.err)
        self.assertNotIn("wrong-one", result.err)

    def test_a_segment_that_is_damaged_stops_nobody(self):
        for n, content in enumerate((b"no gzip", gzip.compress(b"{no json}\n"), gzip.compress(b'{"sensor":"x","other":1}\n'),
                                     gzip.compress(b'{"sensor":"x"}\n')[:-9], b"")):
            self.assertEqual(self.send(self.capture("a.pcap", ["client 10.0.0.%d" % n, *DELIVERED])).status, 0)
            folder = os.path.join(self.path("spool"), os.listdir(self.path("spool"))[0])
            broken = self.file(os.path.join(folder, "0-broken.ndjson.gz"), content)
            result = self.send(self.capture("b.pcap", ["client 10.0.1.%d" % n, *DELIVERED]))
            self.assertEqual(result.status, 2)
            self.assertIn("1 segment (%d kB) stays in %s until" % (min(1, len(content)), folder), result.err)
            self.assertEqual((os.listdir(folder), self.count()), (["0-broken.ndjson.gz"], 2 * n + 2))
            os.remove(broken)

    def test_times_that_cannot_be_and_names_of_odd_bytes(self):
        data = bytearray(self.read(os.path.basename(self.capture("a.pcap", LOGIN))))
        times = (0, 1, 1 << 31, (1 << 32) - 1000)
        paths = []
        for n, second in enumerate(times):
            at = 24
            copy = bytearray(data)
            first = int.from_bytes(data[24:28], "little")
            while at < len(copy):
                now = int.from_bytes(data[at:at + 4], "little") - first + second
                copy[at:at + 4] = now.to_bytes(4, "little")
                at += 16 + int.from_bytes(copy[at + 8:at + 12], "little")
            paths.append(self.file("t%d.pcap" % n, bytes(copy)))
        odd = base64.b64encode(b"\0a'\\\t\xff\xc3\xa4\"{\0secret-4711").decode()
        paths.append(self.capture("odd.pcap", ["port 587", "hello AUTH_PLAIN", "C: AUTH PLAIN " + odd, "S: 235 2.7.0 ok", "sent", "quit"]))
        result = self.send(*paths)
        self.assertEqual((result.status, result.err), (0, ""))
        self.assertEqual(self.count(), len({s["id"] for s in self.call("-o", "json", *paths).sessions()}))
        read = self.call("audit", "-o", "json", "--policy", "default", *paths)
        asked = self.audit("-o", "json", "--policy", "default")
        self.assertEqual(asked.out.replace('"file":"one:', '"file":"'), read.out)
        self.assertIn('"name_hex":"61275c09ffc3a4227b"', asked.out)

    @staticmethod
    def example(title):
        """The blocks of an example of the documentation."""
        with open(os.path.join(common.ROOT, "docs", "FLEET.md"), encoding="utf-8") as file:
            section = re.split(r"^### ", file.read(), flags=re.M)
        text, = [part for part in section if part.startswith(title + "\n")]
        return [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", text, re.M)]

    def archives(self, count):
        """Compressed captures of five sessions each, and what the examples take for granted."""
        os.mkdir(self.path("archive"))
        for n in range(count):
            path = self.capture("archive/mail %d.pcap" % n, *[["client 10.0.%d.%d" % (n, i)] + DELIVERED for i in range(5)])
            subprocess.run(["zstd", "-q", "--rm", path], check=True)
        self.file(".smtpwhy-store", PASSWORD.encode() + b"\n")
        self.store = ["--store", self.urls.split(",")[0]]

    def here(self, script):
        """With this store and these archives in place of those of the example."""
        script = re.sub(r"http://fleet@[a-z0-9.]+:8123", self.store[1], script)
        return re.sub(r"/archive\b", self.path("archive"), script)

    def follow(self, script, environment=()):
        variables = dict(os.environ, HOME=self.folder.name, PATH=os.path.dirname(PROGRAM) + ":" + os.environ["PATH"], **dict(environment))
        for name in ("SMTPWHY_STORE_PASSWORD", "XDG_STATE_HOME"):
            variables.pop(name, None)
        return subprocess.run(["bash", "-c", script], env=variables, cwd=self.folder.name, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", check=False, timeout=300)

    @unittest.skipUnless(shutil.which("parallel") and shutil.which("zstd"), "GNU parallel or zstd is not installed")
    def test_parallel(self):
        self.archives(6)
        script, = self.example("GNU parallel")
        done = self.follow(self.here(script))
        self.assertEqual(done.returncode, 1, done.stdout)  # the policy is broken: no STARTTLS
        self.assertIn("Audit of the store: 30 sessions", done.stdout)
        self.assertEqual((self.count(0, "session FINAL"), len(glob.glob(self.path("mail *.json")))), (30, 6))
        with open(self.path("mail.jobs"), encoding="utf-8") as file:
            self.assertEqual([line.split("\t")[6] for line in file][1:], ["0"] * 6)

    @unittest.skipUnless(slurm.installed() and shutil.which("zstd"), "Slurm, munge or zstd is not installed")
    def test_slurm(self):
        self.archives(4)
        job, commands = self.example("Slurm")
        self.file("smtpwhy.sbatch", self.here(job).encode())
        with tempfile.TemporaryDirectory() as folder, slurm.Slurm(os.path.join(folder, "slurm")) as cluster:
            done = self.follow(self.here(commands), cluster.environment)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("Audit of the store: 20 sessions", done.stdout)
            outputs = glob.glob(self.path("smtpwhy-[0-9]*.out"))
            self.assertEqual((self.count(0, "session FINAL"), len(outputs)), (20, 4))
            for path in outputs:
                self.assertIn("sessions 5", " ".join(self.read(path).decode().split()))
            # one of them again: nothing counts twice
            done = self.follow("sbatch --wait --array=3 smtpwhy.sbatch", cluster.environment)
            self.assertEqual((done.returncode, self.count(0, "session FINAL")), (0, 20), done.stdout)

    @unittest.skipUnless(shutil.which("zstd"), "zstd is not installed")
    def test_the_command_of_the_job(self):
        self.archives(3)
        job, = self.example("Kubernetes")
        command = textwrap.dedent(re.search(r"args:\n +- \|\n(.*?)\n +env:", job, re.S).group(1))
        names = sorted(glob.glob(self.path("archive/*.zst")))
        self.file("archive/archives.txt", "".join(name + "\n" for name in names).encode())
        os.mkdir(self.path("spool"))
        for index in range(3):
            done = self.follow(self.here(command).replace("/spool", self.path("spool")),
                               {"JOB_COMPLETION_INDEX": str(index), "STORE": self.store[1],
                                "SMTPWHY_STORE_PASSWORD_FILE": self.path(".smtpwhy-store")})
            self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.count(0, "session FINAL"), 15)


if __name__ == "__main__":
    common.main()
