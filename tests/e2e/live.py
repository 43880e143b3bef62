#!/usr/bin/env python3
"""Live traffic between real clients and servers in network namespaces: verdicts while it runs, the same as from a file."""
import datetime
import json
import os
import pty
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings

import common

sys.path.insert(0, os.path.join(common.ROOT, "pcaps", "lab"))
NAMES = "198.51.100.53"  # a name server of the lab
PLENTY = 60  # seconds that nothing here takes; a bound for hangs, no measure of speed
# The leak checker looks at the process from outside, which the sandbox forbids: leaks are sought where it is left out.
LEAKS_SOUGHT = ("--no-sandbox",) if os.environ.get("SW_SANITIZED") == "1" else ()


def missing():
    """What keeps these tests from running, or None."""
    if os.geteuid() != 0:
        return "they need root, for network namespaces"
    for tool in ("ip", "nft", "ethtool", "tcpdump", "swaks", "postfix"):
        if subprocess.run(["sh", "-c", "command -v %s" % tool], capture_output=True, check=False).returncode:
            return "they need %s" % tool
    name = "swlive%d" % os.getpid()
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0 and \
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], capture_output=True, check=False).returncode == 0
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return None if made else "network namespaces cannot be made here"


def seconds(text):
    """RFC 3339 in UTC as seconds since 1970."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.datetime.strptime(whole + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    return moment.timestamp() + float("0." + (fraction or "0"))


class Live:
    """The program at work on an interface of the lab; what it prints is collected with the time at which it came."""

    def __init__(self, lab, folder, *options, interface="c0", host=None):
        self.notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = os.path.join(folder, "notify")
        if os.path.exists(path):
            os.unlink(path)
        self.notes.bind(path)
        os.chmod(path, 0o777)
        self.notes.settimeout(PLENTY)
        self.lines, self.errors = queue.Queue(), []
        command = ["ip", "netns", "exec", host or lab.client, common.PROGRAM, "live", "-i", interface] + list(options)
        environment = dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC="200000", LC_ALL="C.UTF-8")
        if "--no-sandbox" not in options:
            environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                        env=environment)
        self.threads = [threading.Thread(target=target, daemon=True) for target in (self.collect, self.complaints)]
        for thread in self.threads:
            thread.start()
        self.heard = b""
        while b"READY=1" not in self.heard:
            self.heard = self.notes.recv(4096)

    def collect(self):
        for line in self.process.stdout:
            self.lines.put((time.time(), line.decode("utf-8")))
        self.lines.put(None)

    def complaints(self):
        for line in self.process.stderr:
            self.errors.append(line.decode("utf-8"))

    def next(self):
        got = self.lines.get(timeout=PLENTY)
        return got

    def sessions(self, count):
        """The next session records, each with the time at which it came."""
        found = []
        while len(found) < count:
            came, line = self.next()
            record = json.loads(line)
            if record["type"] == "session":
                found.append((came, record))
        return found

    def stop(self, how=signal.SIGTERM):
        """Ends it; returns the rest of what it prints, its exit status, and how long that took."""
        began = time.time()
        self.process.send_signal(how)
        rest = []
        while True:
            got = self.next()
            if got is None:
                break
            rest.append(got[1])
        status = self.process.wait(timeout=PLENTY)
        self.notes.close()
        for thread in self.threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return rest, status, time.time() - began


# What swaks is given besides the common part (a text: another recipient), and what an expert says of it: outcome, cause.
TO_POSTFIX = [
    ((), "delivered", "ok-delivered"),
    ("nobody@example.org", "stuck", "rcpt-unknown-user"),
    ("anna@example.com", "stuck", "rcpt-relay-denied"),
    (("--port", "2525"), "stuck", "tcp-refused"),
    (("--tlsc", "--port", "25"), "stuck", "mode-tls-to-plain-port"),
]
# The same, with the script of the server for each connection.
AUTH = "250-mx.example.org\n250 AUTH PLAIN LOGIN"
TO_SCRIPT = [
    ({"greeting": "421 4.3.2 Too busy, come back later", "QUIT": "221 Bye"}, (), "stuck", "greet-421-busy"),
    ({"EHLO": AUTH, "login": "535 5.7.8 Error: authentication failed"},
     ("--auth", "PLAIN", "--auth-user", "anna", "--auth-password", "lab-Secret-4711"), "stuck", "auth-bad-credentials"),
    ({"MAIL": "530 5.7.0 Must issue a STARTTLS command first"}, (), "stuck", "starttls-required-not-used"),
    ({"RCPT": "450 4.2.0 <bob@example.org>: Recipient address rejected: Greylisted, try again in 5 minutes"}, (), "stuck", "rcpt-greylisted"),
    ({"DOT": "552 5.3.4 Message size exceeds fixed limit"}, (), "stuck", "data-size-exceeded"),
    ({"DOT": "!close"}, (), "stuck", "data-closed-after-dot"),
    ({"RCPT": "!reset"}, (), "stuck", "tcp-reset-by-server"),
]
PASSWORD = "lab-Secret-4711"


class TestLive(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        import net
        warnings.simplefilter("ignore", ResourceWarning)  # the lab leaves its processes to the end of their namespaces
        self.lab = net.Lab(1, "")
        self.lab.__enter__()
        self.addCleanup(self.lab.__exit__)

    def same(self, live, saved):
        """What is said of a session that depends neither on where the capture begins nor on the recorder's clock."""
        def said(record):
            verdict = record["verdict"]
            tcp = {key: value for key, value in record["tcp"].items() if not key.endswith("_s") and key != "icmp"}
            if tcp["reset"]:
                del tcp["reset"]["frame"]
            return ([record["outcome"], record["client"], record["server"], tcp, record["security"]]
                    + [verdict[k] for k in ("cause", "stage", "permanence", "actor", "confidence", "summary", "advice")]
                    + [[(step["from"], step["verb"], step["code"], step["text"]) for step in record["dialogue"]]])
        self.assertEqual(said(live), said(saved))

    def test_failures_are_told_while_they_happen(self):
        import clients
        import servers
        lab = self.lab
        servers.postfix(lab)
        servers.odd(lab, [script for script, _, _, _ in TO_SCRIPT], 587)
        lab.on_server("nft add table ip f")
        lab.on_server("nft add chain ip f i '{ type filter hook input priority 0; }'")
        lab.on_server("nft add rule ip f i tcp dport 465 drop")
        lab.on_server("nft add rule ip f i tcp dport 24 reject with icmp type admin-prohibited")
        lab.target = os.path.join(lab.folder, "same.pcap")
        lab.record("not udp", nano=True)
        live = Live(lab, lab.folder, "-o", "json", "--limits", "connect=6", *LEAKS_SOUGHT)
        steps = [(options, outcome, cause) for options, outcome, cause in TO_POSTFIX]
        steps += [(("--port", "587") + options, outcome, cause) for _, options, outcome, cause in TO_SCRIPT]
        steps += [(("--port", "465"), "stuck", "tcp-syn-timeout"), (("--port", "24"), "stuck", "net-icmp-prohibited")]
        records, waited = [], []
        for options, outcome, cause in steps:
            to, options = (options, ()) if isinstance(options, str) else ("bob@example.org", options)
            clients.swaks(lab, *options, to=to, timeout=4)
            (came, record), = live.sessions(1)
            with self.subTest(cause=cause):
                self.assertEqual((record["outcome"], record["verdict"]["cause"]), (outcome, cause))
            records.append(record)
            waited.append((came - seconds(record["end"]), cause))
        self.assertIsNone(live.process.poll())
        rest, status, took = live.stop()
        lab.stop()
        print("seconds from the last packet of a session to its verdict: " + ", ".join("%.2f %s" % w for w in waited)
              + "; from SIGTERM to the end: %.2f" % took, file=sys.stderr)
        summary = json.loads(rest[-1])
        self.assertEqual((summary["type"], summary["sessions"], status), ("summary", len(steps), 0), live.errors)
        self.assertEqual(sum(summary["by_outcome"].values()), len(steps))
        self.assertNotIn(PASSWORD, json.dumps(records))
        saved = common.run("-o", "json", "--limits", "connect=6", lab.target + ".tmp").sessions()
        self.assertEqual(len(saved), len(records))
        for record, again in zip(records, saved):
            with self.subTest(cause=record["verdict"]["cause"]):
                self.same(record, again)

    def test_two_interfaces_and_any_see_one_session(self):
        """A router's two cards show every packet twice; so does the device that stands for all of them."""
        import clients
        import servers
        lab = self.lab
        lab.router()
        servers.odd(lab, [{}, {"RCPT": "550 5.1.1 No such user"}], 25)
        for interface, outcome in (("b0,b1", "delivered"), ("any", "stuck")):
            with self.subTest(interface=interface):
                live = Live(lab, lab.folder, "-o", "json", interface=interface, host=lab.between)
                clients.swaks(lab)
                (_, record), = live.sessions(1)
                rest, status, _ = live.stop()
                self.assertEqual((record["outcome"], record["capture"]["file"]), (outcome, interface))
                self.assertIn("duplicated", [quality["kind"] for quality in record["capture_quality"]])
                self.assertEqual((json.loads(rest[-1])["sessions"], status), (1, 0), live.errors)

    def test_interfaces_that_go_down_or_away(self):
        """One that is down for a while is watched on; of one that is gone it is said at once, and the other is watched on."""
        import clients
        import net
        import servers
        lab = self.lab
        lab.router()
        servers.odd(lab, {}, 25)
        live = Live(lab, lab.folder, "-o", "json", interface="b0,b1", host=lab.between)
        clients.swaks(lab)
        live.sessions(1)
        net.sh("ip -n %s link set b0 down" % lab.between)
        net.sh("ip -n %s link set b0 up" % lab.between)
        clients.swaks(lab)
        (_, record), = live.sessions(1)
        self.assertIn("duplicated", [quality["kind"] for quality in record["capture_quality"]])  # both cards show it
        self.assertEqual(live.errors, [])
        net.sh("ip -n %s link del b1" % lab.between)
        end = time.time() + PLENTY
        while not live.errors and time.time() < end:
            time.sleep(0.05)
        self.assertEqual(live.errors, ["smtpwhy: b1: capturing ended: The interface disappeared\n"])
        self.assertIsNone(live.process.poll())
        rest, status, _ = live.stop()
        self.assertEqual(status, 3)
        self.assertEqual([damage["file"] for damage in json.loads(rest[-1])["damage"]], ["b1"])

    def test_text_for_people_who_watch(self):
        """Every stuck mail gets its lines, also the tenth of a kind; a long silence is told before it ends."""
        import clients
        import servers
        lab = self.lab
        servers.odd(lab, [{"RCPT": "550 5.1.1 No such user"}] * 10 + [{"DATA": "354 Go ahead"}], 25)
        live = Live(lab, lab.folder, "--limits", "stall=2")
        for _ in range(10):
            clients.swaks(lab)
        lab.spawn(lab.client, ["python3", "-c", "import smtplib, time\n"
                               "s = smtplib.SMTP('198.51.100.25', 25); s.ehlo(); s.mail('anna@example.net'); s.rcpt('bob@example.org')\n"
                               "s.docmd('DATA'); time.sleep(60)"])
        text = ""
        while "(so far)" not in text:
            text += " ".join(live.next()[1].split()) + " "
        self.assertEqual(text.count("STUCK"), 10, text)
        self.assertIn("354 was given", text)
        self.assertIn("the client has sent nothing since (so far)", text)
        rest, status, _ = live.stop(signal.SIGINT)
        self.assertEqual(status, 0)
        self.assertIn("10 stuck, 1 unknown", " ".join(rest))

    def traffic(self):
        """Mail on its ports and beside them, refused, sent and stuck, among other things; the last client still waits."""
        import clients
        import servers
        lab = self.lab
        lab.resolver(lab.client, NAMES)
        servers.dns(lab, {"mail.example.org/A": ["198.51.100.25"]}, address=NAMES)
        servers.odd(lab, [{}, {"RCPT": "550 5.1.1 No such user"}, {"DATA": "354 Go ahead"}], 25)
        servers.odd(lab, [{}, {"MAIL": "451 4.3.0 Try again later"}], 8025)
        lab.spawn(lab.server, ["/usr/bin/python3", "-m", "http.server", "80"])
        lab.spawn(lab.server, ["/usr/bin/python3", "-m", "http.server", "8080"])
        lab.wait_port(80)
        lab.wait_port(8080)

        def act():
            clients.swaks(lab, server="mail.example.org")
            clients.swaks(lab)
            for port in (80, 8080):
                lab.run(["curl", "-s", "http://198.51.100.25:%d/" % port])
            clients.swaks(lab, "--port", "8025")
            clients.swaks(lab, "--port", "8025", server="mail.example.org")
            clients.swaks(lab, "--port", "465")
            lab.run(["python3", "-c", "import socket; socket.create_connection(('198.51.100.25', 2525), 1)"])
            waits = os.path.join(tempfile.mkdtemp(dir=lab.folder), "begun")
            lab.spawn(lab.client, ["python3", "-c", "import smtplib, time\n"
                                   "s = smtplib.SMTP('198.51.100.25', 25); s.ehlo(); s.mail('anna@example.net'); s.rcpt('bob@example.org')\n"
                                   "s.docmd('DATA'); open('%s', 'w').close(); time.sleep(60)" % waits])
            lab.run(["getent", "ahostsv4", "smtp.example.com"])
            until = time.monotonic() + 60
            while not os.path.exists(waits) and time.monotonic() < until:
                time.sleep(0.05)
        return act

    @staticmethod
    def read(*paths):
        return [json.loads(line) for path in paths for line in open(path, encoding="utf-8")]

    def test_recordings_say_the_same(self):
        """All frames: every byte of the JSON but for the name. What concerns mail: the same verdicts and words."""
        lab, act = self.lab, self.traffic()
        raw, mail = (os.path.join(lab.folder, name) for name in ("raw.pcapng", "mail.pcapng"))
        lives = [Live(lab, lab.folder, "-o", "json", "-w", raw, "--record", "all"), Live(lab, lab.folder, "-o", "json", "-w", mail, *LEAKS_SOUGHT)]
        act()
        time.sleep(2)
        said = []
        for live in lives:
            lines, status, _ = live.stop()
            self.assertEqual(status, 0, live.errors)
            self.assertIn("is a raw recording", "".join(live.errors))
            said.append("".join(lines))
        self.assertEqual(said[0].count('"type":"session"'), 8, said[0])
        for path in (raw, mail):
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        again = common.run("-o", "json", raw)
        self.assertEqual(again.status, 0, again.err)
        self.assertEqual(again.out.replace(json.dumps(raw), '"c0"'), said[0])

        def words(text):
            found = []
            for record in map(json.loads, text.splitlines()):
                if record["type"] == "session":
                    found.append([record["id"], record["outcome"], record["messages"]] + [record["verdict"][k] for k in ("cause", "stage", "summary", "confidence", "advice")]
                                 + [[(step["verb"], step["text"]) for step in record["dialogue"]]])
            return json.dumps(found, indent=1)
        smaller = common.run("-o", "json", mail).out
        strip = lambda text: re.sub(r'("frame": )\d+', r"\1-", words(text))  # noqa: E731
        self.assertEqual(strip(smaller), strip(said[1]))
        ports = subprocess.run(["tcpdump", "-nn", "-r", mail, "tcp and not port 25 and not port 8025 and not port 465 and not port 2525"],
                               capture_output=True, text=True, check=False).stdout
        self.assertNotIn("HTTP", ports)

    def test_rotating_files(self):
        """Each file is whole when the next one begins; no more are kept than asked for; together they are one stream."""
        import clients
        lab, act = self.lab, self.traffic()
        base = os.path.join(lab.folder, "by-%s.pcapng" % "%Y%m%d-%H%M%S")
        live = Live(lab, lab.folder, "-o", "json", "-w", base, "--record", "all", "-G", "2", "-W", "3")
        act()
        time.sleep(5)
        clients.swaks(lab)
        live.stop()
        files = sorted(os.path.join(lab.folder, name) for name in os.listdir(lab.folder) if name.startswith("by-"))
        self.assertLessEqual(len(files), 3)
        for path in files:
            done = subprocess.run(["capinfos", "-c", path], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), path)
        self.assertNotEqual(common.run("-o", "json", *files).status, 2)

    def test_ring_writes_what_is_stuck(self):
        """And the look-ups that led there, or that failed before there was a connection."""
        lab, act = self.lab, self.traffic()
        path = os.path.join(lab.folder, "stuck.pcapng")
        live = Live(lab, lab.folder, "-o", "json", "-w", path, "--ring", "8")
        act()
        lines = []
        while not any('"mail-temp-failure"' in line or '"451' in line for line in lines):
            lines.append(live.next()[1])
        time.sleep(1)
        rest, _, _ = live.stop()
        told = [json.loads(line) for line in lines + rest]
        said = lambda records: sorted((r["server"]["ip"] or "", r["server"]["name"] or "", r["verdict"]["cause"], r["verdict"]["summary"], r["id"])  # noqa: E731
                                      for r in records if r["type"] == "session")
        stuck = [r for r in told if r["type"] == "session" and r["outcome"] == "stuck"]
        saved = common.run("-o", "json", path).sessions()
        self.assertEqual(said(saved), said(stuck))
        self.assertIn(("", "smtp.example.com", "dns-nxdomain"), [s[:3] for s in said(saved)])
        self.assertIn("mail.example.org", [s[1] for s in said(saved)])
        self.assertEqual({s["outcome"] for s in saved}, {"stuck"})

    def test_what_was_lost_is_told(self):
        """Frames that the kernel had no room for are counted, and nothing that failed meanwhile is certain."""
        import servers
        lab = self.lab
        servers.odd(lab, [{"RCPT": "550 5.1.1 No such user"}], 25)
        live = Live(lab, lab.folder, "-o", "json")
        talk = lab.spawn(lab.client, ["python3", "-u", "-c", """
import smtplib, socket, sys
s = smtplib.SMTP('198.51.100.25', 25); s.ehlo(); s.mail('anna@example.net')
print('ready'); sys.stdin.readline()
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); link.bind(('c0', 0))
noise = bytes(12) + b'\\x88\\xb5' + bytes(1400)
for i in range(60000): link.send(noise)
print('done'); sys.stdin.readline()
s.rcpt('bob@example.org'); s.quit()
"""], stdin=subprocess.PIPE)
        self.assertEqual(talk.stdout.readline(), b"ready\n")
        time.sleep(0.5)
        live.process.send_signal(signal.SIGSTOP)
        talk.stdin.write(b"\n")
        talk.stdin.flush()
        self.assertEqual(talk.stdout.readline(), b"done\n")
        live.process.send_signal(signal.SIGCONT)
        time.sleep(1)
        talk.stdin.write(b"\n")
        talk.stdin.flush()
        (_, record), = live.sessions(1)
        rest, status, _ = live.stop()
        self.assertEqual((record["verdict"]["cause"], record["verdict"]["confidence"]), ("rcpt-unknown-user", "likely"))
        self.assertRegex(record["verdict"]["explanation"], r"The recorder lost \d+ packets")
        summary = json.loads(rest[-1])
        self.assertGreater(summary["skipped"]["dropped-by-recorder"], 0)
        self.assertEqual(status, 3)

    def test_signals(self):
        """SIGUSR1 tells the counts, SIGHUP opens the output again, the watchdog hears of us, an idle link does not hold us up."""
        import clients
        import servers
        lab = self.lab
        servers.odd(lab, {}, 25)
        path = os.path.join(lab.folder, "out.json")
        live = Live(lab, lab.folder, "-o", "json:" + path)

        def wait_for(name, what):
            end = time.time() + PLENTY
            while time.time() < end:
                if os.path.exists(name) and what in open(name, encoding="utf-8").read():
                    return
                time.sleep(0.05)
            self.fail("%s never holds %s" % (name, what))
        clients.swaks(lab)
        wait_for(path, '"delivered"')
        os.rename(path, path + ".1")
        live.process.send_signal(signal.SIGHUP)
        wait_for(path, "")
        clients.swaks(lab)
        wait_for(path, '"delivered"')
        live.process.send_signal(signal.SIGUSR1)
        end = time.time() + PLENTY
        while not live.errors and time.time() < end:
            time.sleep(0.05)
        self.assertRegex("".join(live.errors), r"c0: \d+ frames, \d+ bytes, 2 connections, 2 sessions told; lost: 0 by the kernel")
        while b"WATCHDOG=1" not in live.heard:
            live.heard = live.notes.recv(4096)
        _, status, took = live.stop()
        print("from SIGTERM to the end on an idle link: %.2f s" % took, file=sys.stderr)
        self.assertEqual(status, 0)
        self.assertEqual([len(open(p, encoding="utf-8").readlines()) for p in (path + ".1", path)], [1, 2])  # and the summary

    def test_who_sits_before_it_is_told_what_it_does(self):
        ours, theirs = pty.openpty()
        live = subprocess.Popen([common.PROGRAM, "live", "-i", "lo", "-f", "tcp port 9", *LEAKS_SOUGHT], stdout=subprocess.PIPE, stderr=theirs,
                                stdin=subprocess.DEVNULL, env=dict(os.environ, LC_ALL="C.UTF-8"))
        os.close(theirs)
        said = b""
        while b"summary" not in said:
            said += os.read(ours, 4096)
        self.assertIn(b"watching lo, frames that match 'tcp port 9'; ^C ends it, with a summary", said)
        live.send_signal(signal.SIGINT)
        out, _ = live.communicate(timeout=PLENTY)
        os.close(ours)
        self.assertIn("No frames passed here at all; watch the interface", " ".join(out.decode("utf-8").split()))
        self.assertEqual(live.returncode, 0)

    def test_what_cannot_be_watched_is_said(self):
        for arguments, words in ((("-i", "nowhere0"), "nowhere0: there is no such interface"), ((), "no interface given"),
                                 (("-i", "lo", "x.pcap"), "'x.pcap' is no option: an interface is named with -i"), (("eth0",), "(smtpwhy live -i eth0)"),
                                 (("-i", "lo", "-w", "/nowhere/x", *LEAKS_SOUGHT), "/nowhere/x: No such file or directory"), (("-i", "lo", "-w", "/dev", *LEAKS_SOUGHT), "/dev: Is a directory"),
                                 (("-i", "lo", "--retain", "3"), "--retain belongs to --db"), (("-i", "lo", "-f", "nonsense here"), "filter 'nonsense here'"),
                                 (("-i", "lo", "-C", "1"), "name a file with -w"), (("-i", "lo", "-w", "x", "-G", "9"), "needs a name with the time in it"),
                                 (("-i", "lo", "-w", "x", "-W", "9"), "give one of them as well")):
            done = common.run("live", *arguments)
            self.assertEqual(done.status, 2, arguments)
            self.assertIn(words, done.err)


if __name__ == "__main__":
    common.main(missing())
