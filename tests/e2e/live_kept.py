#!/usr/bin/env python3
"""What live analysis keeps: the history of --db, and outputs that are rotated, whatever ends or disturbs it."""
import csv
import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import unittest
import warnings
from contextlib import closing

import common
from live import PLENTY, Live, missing


def kept(database):
    try:
        with closing(sqlite3.connect("file:%s?mode=ro" % database, uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM session").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def wait_until(condition, what):
    end = time.time() + PLENTY
    while not condition():
        if time.time() > end:
            raise AssertionError("never: " + what)
        time.sleep(0.05)


def of_program(process):
    """`ip netns exec` becomes the program: its own children are the helpers."""
    out = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in out.split()]


class InALab(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        import net
        import servers
        warnings.simplefilter("ignore", ResourceWarning)
        self.lab = net.Lab(1, "")
        self.lab.__enter__()
        self.addCleanup(self.lab.__exit__)
        servers.odd(self.lab, {"RCPT": "550 5.1.1 No such user"}, 25)

    def path(self, name):
        return os.path.join(self.lab.folder, name)

    def mail(self):
        import clients
        clients.swaks(self.lab)


class History(InALab):
    def setUp(self):
        super().setUp()
        self.db = self.path("history.db")

    def test_what_was_seen_is_kept_whatever_happens(self):
        live = Live(self.lab, self.lab.folder, "-o", "json", "--db", self.db)
        self.mail()
        self.mail()
        live.sessions(2)
        wait_until(lambda: kept(self.db) == 2, "two sessions in the history")
        while_it_runs = common.run("audit", "--db", self.db, "-o", "json")
        self.assertEqual((while_it_runs.status, while_it_runs.records()[-1]["sessions"]), (0, 2), while_it_runs.err)
        self.mail()
        (_, record), = live.sessions(1)
        live.stop(signal.SIGKILL)
        wait_until(lambda: kept(self.db) == 3, "the session before the kill in the history")
        audit = common.run("audit", "--db", self.db, "-o", "json")
        self.assertEqual((audit.status, audit.records()[-1]["by_outcome"]["stuck"]), (0, 3), audit.err)
        with closing(sqlite3.connect(self.db, isolation_level=None)) as connection:
            self.assertIn((int(record["id"], 16),), [(row[0] & (1 << 64) - 1,) for row in connection.execute("SELECT id FROM session")])
            self.assertEqual(connection.execute("PRAGMA integrity_check").fetchone(), ("ok",))

    def test_an_orderly_end(self):
        """All of it is there when the program has ended; what is too old is forgotten; nothing but the file is left."""
        live = Live(self.lab, self.lab.folder, "-o", "json", "--db", self.db)
        self.mail()
        _, status, took = live.stop()
        print("from SIGTERM to the end with a history: %.2f s" % took, file=sys.stderr)
        self.assertEqual((status, kept(self.db)), (0, 1), live.errors)
        with closing(sqlite3.connect(self.db, isolation_level=None)) as connection:
            connection.execute("UPDATE fact SET start_ns = start_ns - 40 * 86400 * 1000000000")
        live = Live(self.lab, self.lab.folder, "-o", "json", "--db", self.db, "--retain", "30")
        self.mail()
        _, status, _ = live.stop()
        left = [name for name in os.listdir(self.lab.folder) if name.startswith("history.db")]
        self.assertEqual(left, ["history.db"])
        self.assertEqual((status, kept(self.db)), (0, 1), live.errors)

    def test_while_another_program_writes(self):
        """A locked file delays what is kept, and nothing else."""
        socket = self.path("http")
        live = Live(self.lab, self.lab.folder, "-o", "json", "--db", self.db, "--http", socket)

        def metrics():
            text = subprocess.run(["curl", "-s", "--unix-socket", socket, "http://x/metrics"], capture_output=True, text=True, check=True).stdout
            return dict(re.findall(r"(?m)^smtpwhy_(export_[^ ]*) (.*)$", text))
        other = sqlite3.connect(self.db, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        self.mail()
        live.sessions(1)
        time.sleep(3)
        self.assertEqual(kept(self.db), 0)
        self.assertEqual(metrics()['export_batches_total{sink="history",result="ok"}'], "0")
        other.execute("ROLLBACK")
        other.close()
        wait_until(lambda: kept(self.db) == 1, "the session in the history")
        wait_until(lambda: metrics()['export_batches_total{sink="history",result="ok"}'] == "1", "the batch in the metrics")
        self.assertEqual((metrics()['export_sessions_lost_total{sink="history"}'], metrics()['export_spool_bytes{sink="history"}']), ("0", "0"))
        _, status, _ = live.stop()
        self.assertEqual((status, len(live.errors)), (0, 1), live.errors)  # where the dashboard is

    def test_its_process_ends(self):
        """Analysis goes on, and says that nothing is kept."""
        live = Live(self.lab, self.lab.folder, "-o", "json", "--db", self.db)
        self.mail()
        live.sessions(1)
        wait_until(lambda: kept(self.db) == 1, "the session in the history")
        for pid in of_program(live.process):
            if os.path.basename(self.db) in "".join(os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)):
                os.kill(pid, signal.SIGKILL)
        self.mail()
        live.sessions(1)
        _, status, _ = live.stop()
        self.assertEqual(status, 2)
        self.assertIn("history.db: sessions are not kept", "".join(live.errors))
        self.assertEqual(kept(self.db), 1)

    def test_what_is_no_history(self):
        with open(self.db, "w", encoding="utf-8") as file:
            file.write("a text that somebody needs\n" * 100)
        done = common.run("live", "-i", "lo", "--db", self.db)
        self.assertEqual(done.status, 2)
        self.assertIn("history.db: is no history of smtpwhy", done.err)


class Rotation(InALab):
    """As logrotate does it: files are renamed, then SIGHUP."""

    def test_what_is_moved_away_is_whole_and_so_is_what_follows(self):
        names = {kind: self.path("out." + kind) for kind in ("html", "csv", "json", "eve", "tlsrpt")}
        zeek = self.path("zeek")
        outputs = [word for kind, path in names.items() for word in ("-o", "%s:%s" % (kind, path))]
        live = Live(self.lab, self.lab.folder, "-o", "json", "-o", "zeek:" + zeek, *outputs)
        self.mail()
        first = live.sessions(1)[0][1]["id"]
        moved = list(names.values()) + [os.path.join(zeek, name) for name in ("smtp.log", "ssl.log", "smtpwhy.log")]
        for path in moved:
            os.rename(path, path + ".1")
        live.process.send_signal(signal.SIGHUP)
        for path in moved:
            wait_until(lambda: os.path.exists(path), path)  # noqa: B023
        live.process.send_signal(signal.SIGHUP)  # nothing was moved: nothing happens
        self.mail()
        second = live.sessions(1)[0][1]["id"]
        _, status, _ = live.stop()
        self.assertEqual((status, live.errors), (0, []))
        for end, session, count in ((".1", first, 1), ("", second, 2)):
            data = lambda kind: open(names[kind] + end, encoding="utf-8", newline="").read()  # noqa: B023,E731,SIM115
            page = open(names["html"] + end, "rb").read()
            self.assertEqual((page.count(b"<html"), page.count(b"</html>")), (1, 1))
            lines = [json.loads(line) for block in common.page_blocks(page) for line in block.splitlines()]
            self.assertEqual([r["id"] for r in lines if r["type"] == "session"], [session])
            self.assertEqual([r["sessions"] for r in lines if r["type"] == "summary"], [count])
            table = list(csv.reader(io.StringIO(data("csv"))))
            self.assertEqual((len(table), table[0][0:2]), (2, ["start", "end"]))
            self.assertEqual([r["id"] for r in map(json.loads, data("json").splitlines()) if r["type"] == "session"], [session])
            self.assertEqual(len([line for line in data("eve").splitlines() if json.loads(line)]), len(data("eve").splitlines()))
            log = open(os.path.join(zeek, "smtpwhy.log" + end), encoding="utf-8").read().splitlines()
            self.assertEqual([line.split()[0] for line in log if line.startswith("#")],
                             ["#separator", "#set_separator", "#empty_field", "#unset_field", "#path", "#open", "#fields", "#types", "#close"])
            self.assertEqual(len([line for line in log if not line.startswith("#")]), 1)

    def test_a_file_that_cannot_be_made_again(self):
        folder = self.path("gone")
        os.mkdir(folder)
        path = os.path.join(folder, "out.json")
        live = Live(self.lab, self.lab.folder, "-o", "json", "-o", "json:" + path)
        os.rename(folder, folder + ".1")
        live.process.send_signal(signal.SIGHUP)
        wait_until(lambda: live.errors, "a complaint")
        self.mail()
        live.sessions(1)
        _, status, _ = live.stop()
        self.assertIn("out.json: No such file or directory", live.errors[0])
        self.assertEqual(status, 0)
        self.assertEqual(len(open(os.path.join(folder + ".1", "out.json"), encoding="utf-8").readlines()), 2)


if __name__ == "__main__":
    common.main(missing())
