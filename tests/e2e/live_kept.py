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
from live import AUTH, PASSWORD, PLENTY, Live, missing


def kept(database):
    try:
        with closing(sqlite3.connect("file:%s?mode=ro" % database, uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM session").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def metrics(socket, kind):
    """Those whose names begin with smtpwhy_KIND, without that beginning of the program."""
    text = subprocess.run(["curl", "-s", "--unix-socket", socket, "http://x/metrics"], capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r"(?m)^smtpwhy_(%s_[^ ]*) (.*)$" % kind, text))


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
        other = sqlite3.connect(self.db, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        self.mail()
        live.sessions(1)
        time.sleep(3)
        self.assertEqual(kept(self.db), 0)
        self.assertEqual(metrics(socket, "export")['export_batches_total{sink="history",result="ok"}'], "0")
        other.execute("ROLLBACK")
        other.close()
        wait_until(lambda: kept(self.db) == 1, "the session in the history")
        wait_until(lambda: metrics(socket, "export")['export_batches_total{sink="history",result="ok"}'] == "1", "the batch in the metrics")
        counted = metrics(socket, "export")
        self.assertEqual((counted['export_sessions_lost_total{sink="history"}'], counted['export_spool_bytes{sink="history"}']), ("0", "0"))
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

    def test_a_recording_that_is_moved_away(self):
        """Each file is a whole one: the frames of its time, and the interfaces at its beginning."""
        names = {kind: self.path(kind + ".pcapng") for kind in ("all", "mail", "ring")}
        options = {"all": ("--record", "all"), "mail": (), "ring": ("--ring", "8")}
        lives = {kind: Live(self.lab, self.lab.folder, "-o", "json", "-w", path, *options[kind]) for kind, path in names.items()}
        ids = {}
        for end in (".1", ".2", ""):
            self.mail()
            for kind, live in lives.items():
                ids[kind + end] = live.sessions(1)[0][1]["id"]
            if not end:
                break
            time.sleep(1)
            for kind, live in lives.items():
                os.rename(names[kind], names[kind] + end)
                live.process.send_signal(signal.SIGHUP)
                wait_until(lambda: os.path.exists(names[kind]), names[kind])  # noqa: B023
                self.assertEqual(os.stat(names[kind]).st_mode & 0o777, 0o600)
                before = os.stat(names[kind]).st_ino
                live.process.send_signal(signal.SIGHUP)  # it is where it was: nothing happens
                live.process.send_signal(signal.SIGUSR1)
                wait_until(lambda: "lost: 0 by the kernel" in live.errors[-1], "an answer")  # noqa: B023
                live.errors.append("")
                self.assertEqual(os.stat(names[kind]).st_ino, before)
        for kind, live in lives.items():
            _, status, _ = live.stop()
            self.assertEqual(status, 0, live.errors)
            for end in (".1", ".2", ""):
                done = common.run("-o", "json", names[kind] + end)
                self.assertEqual((done.status, done.err), (0, ""), kind + end)
                if kind == "all":  # the parts of its file before the session may be of the one before
                    self.assertIn(ids[kind + end], [s["id"] for s in done.sessions()])
                else:
                    self.assertEqual([s["id"] for s in done.sessions()], [ids[kind + end]], kind + end)

    def test_a_recording_that_cannot_be_made_again(self):
        """It goes on in the file that is open."""
        folder = self.path("gone")
        os.mkdir(folder)
        path = os.path.join(folder, "r.pcapng")
        live = Live(self.lab, self.lab.folder, "-o", "json", "-w", path)
        wait_until(lambda: os.path.exists(path), path)
        os.rename(folder, folder + ".1")
        live.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(live.errors) == 2, "a complaint")
        self.mail()
        live.sessions(1)
        _, status, _ = live.stop()
        self.assertIn("r.pcapng: No such file or directory; it goes on in the file that was moved away", live.errors[1])
        self.assertEqual((status, len(common.run("-o", "json", os.path.join(folder + ".1", "r.pcapng")).sessions())), (0, 1))

    def test_a_disk_that_is_full(self):
        """The recording ends, which is said at once; the analysis goes on."""
        folder = self.path("full")
        os.mkdir(folder)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)
        live = Live(self.lab, self.lab.folder, "-o", "json", "-w", os.path.join(folder, "r.pcapng"), "--record", "all")
        self.lab.run(["python3", "-c", "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                      "for i in range(300): s.sendto(bytes(1400), ('198.51.100.25', 53)); time.sleep(0.002)"])
        wait_until(lambda: len(live.errors) == 2, "a complaint")
        self.assertIn("r.pcapng: the recording failed: No space left on device; it ends here, the analysis goes on", live.errors[1])
        self.mail()
        live.sessions(1)
        _, status, _ = live.stop()
        self.assertEqual((status, len(live.errors)), (2, 2), live.errors)

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


FORBID = "[rules]\nclear-text-login = forbid\nfailure-rate-max = 20%\n"


class Policy(InALab):
    """--policy: who breaks it is told at once, and the file may change while the program runs."""

    def setUp(self):
        import servers
        super().setUp()
        servers.odd(self.lab, [{"EHLO": AUTH, "login": "235 2.7.0 ok"}] * 9, 587)
        self.policy = self.path("mail.ini")
        self.write(FORBID)

    def write(self, text):
        with open(self.policy + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.policy + ".new", self.policy)  # as editors do

    def login(self):
        import clients
        clients.swaks(self.lab, "--port", "587", "--auth", "PLAIN", "--auth-user", "anna", "--auth-password", PASSWORD)

    def heard(self, live, words):
        wait_until(lambda: words in "".join(live.errors), words)

    def test_in_the_report_for_people(self):
        live = Live(self.lab, self.lab.folder, "--policy", self.policy)
        self.login()
        self.mail()
        text = ""
        while "STUCK" not in text:
            text += live.next()[1]
        rest, status, _ = live.stop()
        text = " ".join((text + "".join(rest)).split())
        self.assertEqual((status, live.errors), (1, []))
        self.assertRegex(text, r"1 mail policy clear-text-login = forbid: a password or token was sent without encryption \(anna, frame \d+\)")
        self.assertEqual(text.count(" policy "), 1, text)
        self.assertRegex(text, r"read \d+ frames Policy \S*mail.ini: 2 rules broken FAILED clear-text-login = forbid .*anna at 198.51.100.25:587 1 of 1 session")
        self.assertRegex(text, r"FAILED failure-rate-max = 20% more of the sessions failed, at 1 of 2 servers: 198.51.100.25:25")
        self.assertNotIn(PASSWORD, text)

    def test_what_programs_read_stays_as_it_is(self):
        """The output is byte by byte that of a file without a policy; messages say who breaks it."""
        raw = self.path("raw.pcapng")
        live = Live(self.lab, self.lab.folder, "-o", "json", "--policy", self.policy, "-w", raw, "--record", "all")
        self.login()
        self.heard(live, "policy broken: ")
        self.assertRegex(live.errors[1], r"^smtpwhy: policy broken: 20\S+Z  192.0.2.10 -> 198.51.100.25:587 \(mx.example.org\)  clear-text-login = forbid: "
                                         r"a password or token was sent without encryption \(anna, frame \d+\)\n$")
        lines, status, _ = live.stop()
        self.assertEqual((status, "".join(lines)), (1, common.run("-o", "json", raw).out.replace(json.dumps(raw), '"c0"')))

    def test_pseudonyms(self):
        live = Live(self.lab, self.lab.folder, "-o", "json", "--anonymize", "--policy", self.policy)
        self.login()
        self.heard(live, "policy broken: ")
        live.stop()
        for name in ("anna", "192.0.2.10", "198.51.100.25"):
            self.assertNotIn(name, "".join(live.errors))

    def test_it_is_read_again(self):
        """What is no policy is said with its line, and the one before goes on; what is one counts from then on."""
        socket = self.path("http")
        live = Live(self.lab, self.lab.folder, "-o", "json", "--policy", self.policy, "--http", socket)
        self.login()
        self.heard(live, "policy broken: ")
        self.write(FORBID + "clear-text-mial = forbid\n")
        live.process.send_signal(signal.SIGHUP)
        self.heard(live, "mail.ini:4: ")
        self.heard(live, "; the policy that was read before stays in force")
        counted = metrics(socket, "policy")
        self.assertEqual((counted["policy_last_reload_successful"], counted['policy_reloads_total{result="failed"}']), ("0", "1"))
        os.remove(self.policy)
        live.process.send_signal(signal.SIGHUP)
        self.heard(live, "mail.ini: No such file or directory; the policy that was read before stays in force")
        said = len(live.errors)
        self.login()
        live.sessions(2)
        wait_until(lambda: "policy broken: " in "".join(live.errors[said:]), "that the old policy is broken again")
        self.write(FORBID)
        live.process.send_signal(signal.SIGHUP)
        wait_until(lambda: metrics(socket, "policy")["policy_last_reload_successful"] == "1", "the policy that has not changed")
        self.write(FORBID.replace("forbid", "allow") + "starttls = ignore\n")
        said = len(live.errors)
        live.process.send_signal(signal.SIGHUP)
        self.heard(live, "the policy was changed and is in force from here on; until now:")
        self.heard(live, "2 of 2 sessions")
        self.login()
        live.sessions(1)
        self.assertNotIn("policy broken: ", "".join(live.errors[said:]))
        counted = metrics(socket, "policy")
        self.assertEqual((counted['policy_sessions_total{rule="clear-text-login",result="failed"}'], counted['policy_reloads_total{result="failed"}']), ("2", "2"))
        self.assertNotIn('policy_sessions_total{rule="failure-rate-max",result="passed"}', counted)
        _, status, _ = live.stop()
        self.assertEqual(status, 1, "what was broken before was broken")

    def test_what_is_no_policy_at_the_start(self):
        self.write("[rules]\nclear-text-login = forbidden\n")
        done = common.run("live", "-i", "lo", "--policy", self.policy)
        self.assertEqual(done.status, 2)
        self.assertIn("mail.ini:2: clear-text-login", done.err)


if __name__ == "__main__":
    common.main(missing())
