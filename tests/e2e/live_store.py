#!/usr/bin/env python3
"""--store of live analysis: sessions arrive, each once, whatever the store, the network or a signal does; capture never waits."""
import ctypes
import glob
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import common
from live import PLENTY, Live, missing
from live_kept import InALab, of_program, wait_until
from store import PASSWORD, Fake

CLONE_NEWNET = 0x40000000


def in_namespace(name, make):
    """What `make` makes there: a socket stays in the namespace of the thread that made it."""
    made = []

    def work():
        with open("/var/run/netns/" + name, "rb") as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        made.append(make())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return made[0]


class Store(InALab):
    def setUp(self):
        super().setUp()
        self.lab.run(["ip", "link", "set", "lo", "up"])
        self.fake = in_namespace(self.lab.client, Fake)
        self.addCleanup(lambda: self.fake.close())
        self.spool = self.path("spool")
        os.environ["SMTPWHY_STORE_PASSWORD"] = PASSWORD
        self.addCleanup(lambda: os.environ.pop("SMTPWHY_STORE_PASSWORD"))

    def arguments(self):
        return ["--store", self.fake.url, "--spool", self.spool, "--sensor", "one"]

    def live(self, *more):
        return Live(self.lab, self.lab.folder, "-o", "json", *self.arguments(), *more)

    def told(self, live, count):
        """So many mails, each told by the program whatever the store does; their ids."""
        for _ in range(count):
            self.mail()
        return {record["id"] for _, record in live.sessions(count)}

    def stored(self):
        return {uid for _, uid in self.fake.rows}

    def segments(self):
        return glob.glob(os.path.join(self.spool, "*", "*.ndjson.gz"))

    def helpers(self, live):
        """The spooler and the carrier that it has started."""
        for pid in of_program(live.process):
            below = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
            if below:
                return pid, int(below[0])
        return None

    def metrics(self, socket):
        text = subprocess.run(["curl", "-s", "--unix-socket", socket, "http://x/metrics"], capture_output=True, text=True, check=True).stdout
        return {key: int(value) for key, value in re.findall(r'(?m)^smtpwhy_(export_[^ ]*) (.*)$', text)}

    def heard(self, live, words):
        wait_until(lambda: words in "".join(live.errors), words)

    def send_the_rest(self):
        """The next run, here one that only sends."""
        done = subprocess.run(["ip", "netns", "exec", self.lab.client, common.PROGRAM, *self.arguments()],
                              capture_output=True, text=True, check=False, timeout=PLENTY)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.segments(), [])

    def test_sessions_arrive_while_it_runs(self):
        socket = self.path("http")
        live = self.live("--http", socket)
        ids = self.told(live, 2)
        wait_until(lambda: self.stored() == ids, "two sessions in the store")
        wait_until(lambda: self.metrics(socket)['export_batches_total{sink="store",result="ok"}'] >= 1, "the batch in the metrics")
        ids |= self.told(live, 1)
        wait_until(lambda: self.stored() == ids, "the third")
        wait_until(lambda: self.metrics(socket)['export_spool_bytes{sink="store"}'] == 0, "an empty spool")
        with open("/proc/%d/environ" % live.process.pid, "rb") as file:
            self.assertNotIn(PASSWORD.encode(), file.read(), "who looks at packets needs no password")
        self.mail()
        rest, status, took = live.stop()
        print("from SIGTERM to the end with a store: %.2f s" % took, file=sys.stderr)
        ids |= {r["id"] for r in map(json.loads, rest) if r["type"] == "session"}
        self.assertEqual((status, len(ids), self.segments(), len(live.errors)), (0, 4, [], 1), live.errors)
        self.assertEqual(self.stored(), ids)
        self.assertEqual(self.fake.received, 4)
        self.assertEqual({row["outcome"] for row in self.fake.rows.values()}, {"stuck"})
        self.assertEqual(self.fake.users, {("fleet", PASSWORD)})

    def test_an_outage_holds_up_nobody(self):
        socket = self.path("http")
        self.fake.plan = lambda: "error"
        live = self.live("--http", socket)
        ids = self.told(live, 2)
        self.heard(live, "answers 500: Memory limit exceeded: sessions wait in " + self.spool)
        ids |= self.told(live, 2)
        wait_until(lambda: self.metrics(socket)['export_batches_total{sink="store",result="failed"}'] >= 2, "attempts")
        self.assertGreater(self.metrics(socket)['export_spool_bytes{sink="store"}'], 0)
        self.assertEqual(self.stored(), set())
        self.fake.plan = lambda: None
        self.heard(live, "the store has taken everything that waited")
        wait_until(lambda: self.stored() == ids, "everything in the store")
        _, status, _ = live.stop()
        self.assertEqual((status, len(live.errors)), (0, 3), live.errors)
        self.assertEqual((self.fake.received, self.segments()), (4, []))

    def test_a_store_that_never_answers(self):
        """Nor does it hold up the end; the next run sends what waits."""
        answers = threading.Event()
        self.addCleanup(answers.set)
        self.fake.plan = lambda: answers.wait() and None
        live = self.live()
        ids = self.told(live, 3)
        wait_until(lambda: self.fake.inserts == 1, "a segment on its way")
        _, status, took = live.stop()
        print("from SIGTERM to the end with a store that hangs: %.2f s" % took, file=sys.stderr)
        self.assertEqual(status, 3, live.errors)
        self.assertRegex(live.errors[-1], r"the store has not got everything: \d segments? \(\d kB\) waits? in .*, and will be sent by the next run")
        answers.set()
        self.send_the_rest()
        self.assertEqual(self.stored(), ids)

    def test_a_kill_of_the_program(self):
        """What it has told is in the store all the same, and nothing twice."""
        live = self.live()
        ids = self.told(live, 3)
        live.stop(signal.SIGKILL)
        wait_until(lambda: self.stored() == ids, "the sessions before the kill in the store")
        again = self.live()
        ids |= self.told(again, 1)
        again.stop()
        self.assertEqual((self.stored(), self.segments(), self.fake.received), (ids, [], 4))

    def test_a_kill_of_the_carrier(self):
        """Another takes its place; what it was sending may arrive twice, and counts once."""
        answers = threading.Event()
        self.addCleanup(answers.set)
        self.fake.plan = lambda: answers.wait() and None
        live = self.live()
        ids = self.told(live, 1)
        wait_until(lambda: self.fake.inserts == 1, "a segment on its way")
        carrier = self.helpers(live)[1]
        os.kill(carrier, signal.SIGKILL)
        answers.set()
        ids |= self.told(live, 1)
        wait_until(lambda: self.stored() == ids, "both sessions in the store")
        self.assertNotEqual(self.helpers(live)[1], carrier)
        _, status, _ = live.stop()
        self.assertEqual((status, live.errors, self.segments()), (0, [], []))
        self.assertEqual(len(self.fake.rows), 2)

    def test_a_kill_of_the_spooler(self):
        """Analysis goes on and says that nothing is kept; what was spooled before is not lost."""
        self.fake.plan = lambda: "error"
        live = self.live()
        ids = self.told(live, 2)
        wait_until(lambda: self.fake.inserts > 0, "an attempt")
        spooler, carrier = self.helpers(live)
        os.kill(spooler, signal.SIGKILL)
        self.heard(live, "--store: sessions are not kept, its process has ended")
        wait_until(lambda: not os.path.exists("/proc/%d" % carrier), "the end of the carrier")
        self.told(live, 1)
        _, status, _ = live.stop()
        self.assertEqual(status, 2)
        self.assertRegex(live.errors[-1], r"--store: [12] sessions? w(as|ere) not kept")
        lost = int(re.search(r"--store: (\d)", live.errors[-1]).group(1))
        self.fake.plan = lambda: None
        self.send_the_rest()
        self.assertLessEqual(self.stored(), ids)
        self.assertEqual(len(self.stored()) + lost, 3)

    def test_the_spool_has_an_end(self):
        """What is beyond is counted and said; when there is room again, sessions are kept again."""
        socket = self.path("http")
        folder = os.path.join(self.spool, "127.0.0.1_%d_smtpwhy" % self.fake.port)
        os.makedirs(folder)
        old = os.path.join(folder, "of-yesterday.ndjson.gz")
        with open(old, "wb") as other:
            other.write(bytes(1 << 20))
        self.fake.plan = lambda: "error"
        live = self.live("--spool-size", "1", "--http", socket)
        self.told(live, 2)
        self.heard(live, "holds 1 MB that the store has not taken, which is all that --spool-size allows")
        wait_until(lambda: self.metrics(socket)['export_sessions_lost_total{sink="store"}'] == 2, "two sessions shed")
        os.remove(old)
        self.fake.plan = lambda: None
        self.heard(live, "there is room in the spool again; 2 sessions were not kept so far")
        ids = self.told(live, 1)
        wait_until(lambda: self.stored() == ids, "a session in the store")
        _, status, _ = live.stop()
        self.assertEqual(status, 2)
        self.assertIn("--store: 2 sessions were not kept", live.errors[-1])
        self.assertEqual("".join(live.errors).count("allows"), 1)

    def test_what_is_refused(self):
        self.fake.plan = lambda: "refuse"
        live = self.live()
        self.told(live, 1)
        self.heard(live, "your key is ***")
        _, status, _ = live.stop()
        self.assertEqual((status, len(self.segments())), (2, 1))
        self.assertNotIn(PASSWORD, "".join(live.errors))

    def test_usage(self):
        self.fake.close()
        for arguments, words in ((("--store", "clickhouse:8123"), "takes http://"), (("--spool", "x"), "belong to --store"),
                                 (("--store", "http://a", "--store-wait", "3"), "--store-wait does not apply to 'live'"),
                                 (("--store", "http://a", "--anonymize"), "exclude each other"),
                                 (("--store", "http://a", "--spool", "/dev/null/x"), "the spool /dev/null/x/a_8123_smtpwhy cannot be used")):
            done = common.run("live", "-i", "lo", *arguments)
            self.assertEqual(done.status, 2, arguments)
            self.assertIn(words, done.err)


if __name__ == "__main__":
    common.main(missing())
