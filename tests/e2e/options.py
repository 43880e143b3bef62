#!/usr/bin/env python3
"""Options, exit statuses and where results go."""
import array
import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import termios
import time

import common
from common import DELIVERED, LOGIN, REFUSED, SILENT, run


class Options(common.Case):
    def usage(self, *arguments, words):
        result = run(*arguments)
        self.assertEqual(result.status, 2, result.err)
        self.assertEqual(result.out, "")
        self.assertIn(words, result.err)

    def test_usage_errors(self):
        good = self.capture("good.pcap", DELIVERED)
        self.usage(words="no capture given")
        self.usage("--fliter", "tcp", good, words="the nearest is --filter")
        self.usage("--bogus", good, words="there is no option --bogus\nTry")
        self.usage("-Z", good, words="there is no option -Z\nTry")
        self.usage("-r", "", good, words="the name of a file is empty")
        self.usage("-", good, "-", words="standard input ('-') can be read once only")
        self.usage("-j", "0", good, words="smtpwhy: -j takes a number")
        self.usage("--jobs", "0", good, words="smtpwhy: --jobs takes a number")
        self.usage("-i", "lo", good, words="only to 'live'")
        self.usage("--limits", "memory=1", good, words="memory must be at least 48M\n")
        self.usage("analyze", good, words="did you mean 'smtpwhy analyse'?")
        self.usage("help", words="did you mean 'smtpwhy --help'?")
        self.usage("--help", "no-such-topic", words="topics are limits, formats, fields and policy")
        self.usage("-o", "yaml", good, words="available: text, json, html, csv")
        self.usage("-o", "junit", good, words="only 'audit' has the output format 'junit'")
        self.usage("--rsa-key", "missing.pem", good, words="missing.pem")
        self.usage("--rsa-key", good, good, words="no RSA private key")
        self.usage("--tui", good, words="--tui does not apply to 'analyse'")
        self.usage("--keylog", "missing.keys", good, words="missing.keys")
        self.usage("--keylog", good, good, words="is no key log")
        self.usage("live", words="no interface given")
        self.usage("-i", "lo", good, words="-i does not apply to 'analyse'")
        self.usage("-f", "tcp port", good, words="filter")
        self.usage("--limits", "no-such=1", good, words="no-such")
        self.usage("--ports", "mail", good, words="ports")
        self.usage("--only", "lost", good, words="no outcome 'lost'")
        for option in ("--only", "--cause", "--client", "--server", "--fail-on", "--since", "--until"):
            self.usage(option, "", good, words=option + ": ")
        self.usage("causes", "x", words="no arguments")

    def test_messages_are_safe_on_a_terminal(self):
        """File names and words of the command line may hold anything; a '*' of the shell brings them along."""
        good = self.capture("good.pcap", DELIVERED)
        bad = self.file("bad\x1b[31m\x07.pcap", b"no capture")
        for arguments in ((bad,), (self.path("missing\x1b]0;x\x07.pcap"),), ("--f\x1b[31m", good), ("--only", "st\x1b[31m", good),
                          ("-f", "tcp\x1b[31m", good), ("-o", "json:/no\x1b[31m/x", good), ("-k", "\x1b[31m", good),
                          ("--since", "\x9b31m", good)):
            result = run(*arguments)
            self.assertNotRegex(result.err, r"\x1b[^\[]|\x1b\[[^K]|[\x00-\x09\x0b\x0c\x0e-\x1a\x80-\x9f]", arguments)
            self.assertTrue(result.err, arguments)

    def test_names_do_not_make_lines(self):
        """The name of a file may hold a line end, and what comes behind it could look like a message of ours."""
        self.file("bad\nsmtpwhy: all is well", b"no capture")
        result = run(self.path("bad\nsmtpwhy: all is well"), self.capture("good.pcap", DELIVERED))
        self.assertEqual(len(result.err.splitlines()), 1)
        self.assertNotRegex(result.out, r"(?m)^\W*smtpwhy: all is well")
        alone = run(self.path("missing.pcap"))
        self.assertRegex(alone.out, r"\ANothing could be read\.\n  problem    \S+missing.pcap: No such file")

    def test_a_subcommand_that_is_a_file(self):
        path = self.capture("helpp", DELIVERED)
        self.assertEqual(run("helpp", cwd=os.path.dirname(path)).status, 0)

    def test_help_and_version(self):
        result = run("--help")
        self.assertEqual((result.status, result.err), (0, ""))
        self.assertIn("--fail-on", result.out)
        self.assertNotIn("--tui", result.out)
        self.assertRegex(run("--version").out, r"^smtpwhy [0-9]+\.[0-9]+\.[0-9]+\n$")
        self.assertIn("session-bytes", run("--help", "limits").out)
        self.assertIn("explain", run("explain", "--help").out)
        self.assertEqual(run("--help", "live").out, run("live", "--help").out)
        self.assertIn("could not be", run("--help").out)

    def test_formats_of_each_subcommand(self):
        """What --help formats lists is taken, and nothing else is."""
        every = re.findall(r"(?m)^  (\w+) ", run("--help", "formats").out)
        self.assertIn("audit: text, json, junit, html", run("--help", "formats").out)
        self.assertNotIn("junit", every)
        path = self.capture("good.pcap", DELIVERED)
        for command, words, wanted in (("audit", ["--policy", "default", path], ["text", "json", "junit", "html"]), ("explain", ["550"], ["text", "json"]),
                                       ("causes", [], ["text", "json"]), ("findings", [], ["text", "json"])):
            listed = re.findall(r"(?m)^  (\w+) ", run(command, "--help", "formats").out)
            self.assertEqual(listed, wanted)
            for form in every + ["junit"]:
                done = run(command, "-o", form + ":" + self.path("out"), *words)
                self.assertEqual(done.status < 2, form in listed, (command, form))
        self.assertEqual(re.findall(r"(?m)^  (\w+) ", run("live", "--help", "formats").out), [f for f in every if f != "pcapng"])
        self.assertIn("no output formats", run("tui", "--help", "formats").out)

    def test_help_of_a_subcommand_is_about_it(self):
        shown = run("explain", "--help").out
        for words in ("a reply code (421, 5.7.139)", "greeting, hello, starttls, auth, mail, rcpt, data, final", "standard input",
                      "smtpwhy explain 'RCPT: 550 5.7.1 Relaying denied'"):
            self.assertIn(words, " ".join(shown.split()))
        self.assertNotIn("Reads network captures", shown)
        self.assertIn("list the ids of all causes", run("causes", "--help").out)

    def test_statuses_in_their_order(self):
        good = self.capture("good.pcap", DELIVERED)
        stuck = self.capture("stuck.pcap", REFUSED)
        cut = self.file("cut.pcap", self.read("stuck.pcap")[:-3])
        missing = self.path("missing.pcap")
        self.assertEqual(run(good, stuck).status, 0)
        self.assertEqual(run("--fail-on", "stuck", good).status, 0)
        self.assertEqual(run("--fail-on", "stuck", good, stuck).status, 1)
        self.assertEqual(run(good, cut).status, 3)
        self.assertEqual(run("--fail-on", "stuck", cut).status, 1)
        self.assertEqual(run("--fail-on", "stuck", stuck, missing).status, 2)
        self.assertEqual(run("--fail-on", "rcpt-relay-denied", stuck).status, 1)
        self.assertEqual(run("--fail-on", "tcp-refused", stuck).status, 0)
        self.assertEqual(run("--fail-on", "stuck", "--only", "delivered", stuck).status, 0)

    def test_fail_on_findings(self):
        login = self.capture("login.pcap", LOGIN)
        found = run("-o", "json", login).sessions()[0]["findings"]
        self.assertIn("aud-plaintext-auth-used", [f["id"] for f in found])
        self.assertEqual(run("--fail-on", "finding", login).status, 1)
        self.assertEqual(run("--fail-on", "finding:critical", login).status, 1)

    def test_selection(self):
        path = self.capture("mixed.pcap", DELIVERED, REFUSED, SILENT)
        outcomes = lambda *a: [s["outcome"] for s in run("-o", "json", *a, path).sessions()]  # noqa: E731
        self.assertEqual(sorted(outcomes()), ["delivered", "stuck", "stuck"])
        self.assertEqual(outcomes("--only", "delivered"), ["delivered"])
        self.assertEqual(outcomes("--cause", "rcpt-relay-denied"), ["stuck"])
        self.assertEqual(len(outcomes("--client", "192.0.2.0/24")), 3)
        self.assertEqual(outcomes("--client", "203.0.113.0/24"), [])
        self.assertEqual(outcomes("--server", "192.0.2.0/24"), [])
        self.assertEqual(len(outcomes("--since", "2023-11-14")), 3)
        self.assertEqual(outcomes("--until", "2023-11-14"), [])
        self.assertIn("1 of 3 sessions, as chosen", run("--only", "delivered", path).out)
        summary = run("-o", "json", "--only", "delivered", path).records()[-1]
        self.assertEqual(summary["sessions"], 3)

    def test_frames_and_filters(self):
        path = self.capture("good.pcap", DELIVERED)
        frames = lambda *a: run("-o", "json", *a, path).records()[-1]["frames"]  # noqa: E731
        everything = frames()
        self.assertEqual(frames("-c", "5")["read"], 5)
        self.assertEqual(frames("-c", "5", "-j", "4")["read"], 5)
        two = run("-o", "json", "-c", str(everything["read"] + 4), path, path).records()[-1]["frames"]
        self.assertEqual(two["read"], everything["read"] + 4)
        none = frames("-f", "udp")
        self.assertEqual(none["filtered"], everything["read"])
        self.assertEqual(none["read"], sum(none[k] for k in ("decoded", "other", "undecodable", "filtered")))
        self.assertEqual(run("-o", "json", "-f", "udp", path).sessions(), [])

    def test_ports(self):
        silent = self.capture("odd.pcap", ["port 4000", "syn 3"])
        self.assertEqual(run("-o", "json", silent).sessions(), [])
        self.assertEqual(len(run("-o", "json", "-p", "4000", silent).sessions()), 1)

    def test_names(self):
        path = self.capture("good.pcap", DELIVERED)
        self.assertEqual(run("-o", "json", path).sessions()[0]["server"]["name"], "mx.example.org")
        self.assertIsNone(run("-o", "json", "-n", path).sessions()[0]["server"]["name"])
        self.assertNotIn("(mx.example.org)", run("-n", path).out)

    def test_quiet_and_verbose(self):
        path = self.capture("stuck.pcap", REFUSED)
        self.assertNotIn("STUCK", run("-q", path).out)
        self.assertIn("The mail stayed in the outbox.", run("-q", path).out)
        self.assertEqual([r["type"] for r in run("-q", "-o", "json", path).records()], ["summary"])
        self.assertNotIn("C  EHLO", run(path).out)
        for form in ("csv", "zeek", "ecs", "ocsf", "tlsrpt", "pcapng"):  # of sessions alone: there is no summary in them
            result = run("-q", "-o", "text", "-o", form + ":" + self.path(form), path)
            self.assertEqual((result.status, result.err), (0, "smtpwhy: %s: -q is the summary only, and -o %s has none: it holds no "
                                                           "session\n" % (self.path(form), form)))
        for form in ("text", "json", "html", "eve"):
            self.assertEqual(run("-q", "-o", form, path).err, "")
        self.assertIn("C  EHLO pc.example.net", run("-v", path).out)

    def test_several_outputs_in_one_run(self):
        path = self.capture("stuck.pcap", REFUSED)
        result = run("-o", "text", "-o", "json:" + self.path("out.jsonl"), path)
        self.assertIn("STUCK", result.out)
        with open(self.path("out.jsonl"), encoding="utf-8") as file:
            lines = file.read()
        self.assertEqual(lines, run("-o", "json", path).out)
        only = run("-o", "json:" + self.path("out.jsonl"), path)
        self.assertEqual((only.status, only.out), (0, ""))

    def test_outputs_that_cannot_be_written(self):
        path = self.capture("good.pcap", DELIVERED)
        before = self.read("good.pcap")
        self.assertEqual(run("-o", "json:" + path, path).status, 2)
        self.assertEqual(self.read("good.pcap"), before)
        keys = self.file("keys.txt", b"# a key log\n")
        self.assertEqual(run("-k", keys, "-o", "json:" + keys, path).status, 2)
        self.assertEqual(self.read("keys.txt"), b"# a key log\n")
        self.assertEqual(run("--db", self.path("x.db"), path).status, 0)
        self.assertEqual(run("--db", self.path("x.db"), "-o", "csv:" + self.path("x.db"), path).status, 2)
        self.assertEqual(run("--db", self.path("x.db"), "-q", path).status, 0)
        self.assertEqual(run("-o", "json:" + self.path("no/such/dir"), path).status, 2)
        if os.path.exists("/dev/full"):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([common.PROGRAM, path], stdout=full, stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_two_outputs_in_one_file(self):
        path = self.capture("good.pcap", DELIVERED)
        os.symlink(self.path("out"), self.path("alias"))
        for one, other in (("out", "./out"), ("out", "alias"), ("alias", "out")):
            result = run("-o", "json:" + os.path.join(self.folder.name, one), "-o", "csv:" + os.path.join(self.folder.name, other), path)
            self.assertEqual((result.status, result.out), (2, ""), (one, other))
            self.assertIn("another", result.err)
        both = run("-o", "json:/dev/null", "-o", "csv:/dev/null", path)
        self.assertIn("two outputs", both.err)
        with open(self.path("stdout"), "wb") as file:
            done = subprocess.run([common.PROGRAM, "-o", "text", "-o", "json:" + self.path("stdout"), path], stdout=file,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 2)

    def interrupted(self, arguments, signals, pipe):
        """Runs the program, feeds it half of a capture, sends the signals, and ends the pipe."""
        half = self.capture("half.pcap", REFUSED)
        process = subprocess.Popen([common.PROGRAM] + arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        feed = process.stdin if pipe is None else open(pipe, "wb")  # pylint: disable=consider-using-with
        with open(half, "rb") as file:
            feed.write(file.read())
        feed.flush()
        while not self.waits_for_more(process.pid, feed.fileno()):
            time.sleep(0.01)
        for number in signals:
            process.send_signal(number)
            while not self.has_got(process.pid, number):
                time.sleep(0.01)
        if pipe is not None:
            with open(half, "rb") as file:
                feed.write(file.read()[24:])
            feed.close()
        elif signals == [signal.SIGINT]:
            process.stdin.close()
        held, process.stdin = process.stdin, None
        out, err = process.communicate(timeout=60)
        held.close()
        return process.returncode, out.decode(), err.decode()

    @staticmethod
    def status(pid):
        with open("/proc/%d/status" % pid, encoding="ascii") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file)

    def waits_for_more(self, pid, pipe):
        """It takes signals, has taken all that was written, and sleeps."""
        status = self.status(pid)
        left = array.array("i", [0])
        fcntl.ioctl(pipe, termios.FIONREAD, left)
        return int(status["SigCgt"], 16) >> (signal.SIGINT - 1) & 1 and left[0] == 0 and status["State"].startswith("S")

    def has_got(self, pid, number):
        """Two signals of a kind are one for a program that did not come to its turn between them."""
        return not int(self.status(pid)["ShdPnd"], 16) >> (number - 1) & 1

    def test_interrupted_on_standard_input(self):
        """^C reaches whoever writes to the pipe, too: what it still says is read; a second one, or SIGTERM, ends it."""
        status, out, err = self.interrupted(["-"], [signal.SIGINT], None)
        self.assertEqual((status, err), (0, ""))
        self.assertIn("The mail stayed in the outbox.", out)
        for signals in ([signal.SIGINT] * 2, [signal.SIGTERM]):
            status, out, err = self.interrupted(["-o", "json", "-"], signals, None)
            self.assertEqual((status, len(err.splitlines())), (3, 1), err)
            self.assertIn("standard input: interrupted", err)
            self.assertEqual([json.loads(line)["type"] for line in out.splitlines()], ["session", "summary"])

    def test_interrupted_in_a_file(self):
        """What was read is told, what was not is named, and outputs and history are whole."""
        os.mkfifo(self.path("slow.pcap"))
        later = self.capture("later.pcap", DELIVERED)
        page = self.path("page.html")
        status, out, err = self.interrupted(["-o", "json", "-o", "html:" + page, "--db", self.path("h.db"), self.path("slow.pcap"),
                                             later], [signal.SIGINT], self.path("slow.pcap"))
        self.assertEqual((status, len(err.splitlines())), (3, 1), err)
        records = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([r["outcome"] for r in records[:-1]], ["stuck"])
        self.assertEqual([os.path.basename(d["file"]) for d in records[-1]["damage"]], ["slow.pcap", "later.pcap"])
        with open(page, encoding="utf-8") as file:
            self.assertTrue(file.read().rstrip().endswith("</html>"))
        self.assertIn("1 session", run("audit", "--db", self.path("h.db")).out)

    def test_reader_that_goes_away(self):
        path = self.capture("many.pcap", *([REFUSED] * 300))
        reader = subprocess.Popen([common.PROGRAM, "-o", "json", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        reader.stdout.read(10)
        reader.stdout.close()
        message = reader.stderr.read()
        reader.stderr.close()
        self.assertEqual(reader.wait(timeout=60), 2)
        self.assertLessEqual(len(message.splitlines()), 1)

    def test_what_the_text_makes_of_a_verdict(self):
        """Advice for the port that was used, for a mail that was put off, and no name that is only the address."""
        silent = ["handshake", "wait 100", "close C"]
        self.assertIn("On port 25 try again in some minutes", run(self.capture("silent.pcap", silent)).out)
        many = ["hello", "mail", "rcpt bob", "C: RCPT TO:<dave@example.org>", "S: 452 4.5.3 Error: too many recipients", "quit"]
        self.assertIn("Split the recipients into several mails.", run(self.capture("many.pcap", many)).out)
        quota = ["hello", "mail", "C: RCPT TO:<bob@example.org>", "S: 550 5.4.5 Daily user sending limit exceeded.", "quit"]
        self.assertIn("trying again at once will not help", run(self.capture("quota.pcap", quota)).out)
        named = ["S: 220 198.51.100.25 ESMTP", "C: EHLO pc.example.net", "S: 250 ok", "sent", "quit"]
        self.assertNotIn("(198.51.100.25)", run(self.capture("named.pcap", named)).out)

    def test_colours(self):
        path = self.capture("stuck.pcap", REFUSED)
        self.assertNotIn("\x1b", run(path).out)
        self.assertIn("\x1b[1;31mSTUCK", run("--color", "always", path).out)
        self.assertIn("\x1b[1;31mSTUCK", run("--color=always", path, environment={"NO_COLOR": "1"}).out)
        coloured = re.sub("\x1b\\[[0-9;]*m", "", run("--color", "always", "-v", path).out)
        self.assertEqual(coloured, run("-v", path).out)

    def on_terminal(self, path, columns, options="-v", **environment):
        """What a terminal of this width gets."""
        variables = dict(os.environ, TERM="xterm", **environment)
        if "NO_COLOR" not in environment:
            variables.pop("NO_COLOR", None)
        command = "stty cols %d; exec '%s' %s '%s'" % (columns, common.PROGRAM, options, path)
        done = subprocess.run(["script", "-qec", command, "/dev/null"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              env=variables, timeout=60, check=False)
        return done.stdout.decode("utf-8", "replace")

    def test_terminal(self):
        path = self.capture("stuck.pcap", REFUSED)
        try:
            for side in pty.openpty():
                os.close(side)
            wide = self.on_terminal(path, 200)
        except FileNotFoundError:
            self.skipTest("no script(1)")
        except OSError:
            self.skipTest("this machine has no pseudo-terminals")
        narrow = self.on_terminal(path, 40)
        plain = re.compile("\x1b\\[[0-9;]*[mK]|\r")
        longest = lambda text: max(len(plain.sub("", line)) for line in text.splitlines())  # noqa: E731
        self.assertIn("\x1b[1;31mSTUCK", wide)
        self.assertTrue(100 < longest(wide) <= 120, longest(wide))
        self.assertTrue(longest(narrow) <= 80, longest(narrow))
        self.assertNotIn("\x1b[", self.on_terminal(path, 100, NO_COLOR="1"))
        self.assertNotIn("\x0a\x0d\x0d\x0a", self.on_terminal(path, 100, "-o pcapng"))
        self.assertIn("is a terminal", self.on_terminal(path, 100, "-o pcapng"))

    def test_jobs_do_not_change_the_output(self):
        paths = []
        for i, script in enumerate((DELIVERED, REFUSED, SILENT, LOGIN, DELIVERED, REFUSED, SILENT)):
            paths.append(self.capture("%d.pcap" % i, *([script] * (i + 1))))
        paths.insert(3, self.path("missing.pcap"))
        for form in ("text", "json"):
            one = run("-o", form, *paths)
            for jobs in (2, 4, 16):
                many = run("-j", jobs, "-o", form, *paths)
                self.assertEqual((many.status, many.out, many.err), (one.status, one.out, one.err))

    def test_same_result_every_time(self):
        path = self.capture("mixed.pcap", DELIVERED, REFUSED, LOGIN)
        self.assertEqual(run("-v", path).out, run("-v", path).out)
        self.assertEqual(run("-o", "json", path).out, run("-o", "json", path).out)

    def test_progress(self):
        path = self.capture("good.pcap", DELIVERED)
        self.assertEqual(run("--progress", "auto", path).err, "")
        self.assertEqual(run("--progress", "never", path).out, run("--progress", "always", path).out)

    def test_anonymize(self):
        path = self.capture("login.pcap", LOGIN)
        shown = run("--anonymize", "-v", "-o", "text", "-o", "json:" + self.path("x.jsonl"), path)
        with open(self.path("x.jsonl"), encoding="utf-8") as file:
            text = file.read()
        for secret in ("192.0.2.10", "198.51.100.25", "anna", "bob", "example.org", "example.net", "Hello"):
            self.assertNotIn(secret, shown.out)
            self.assertNotIn(secret, text.replace(self.folder.name, ""))
        record = json.loads(text.splitlines()[0])
        self.assertIn(record["client"]["ip"], shown.out)
        self.assertIn(record["messages"][0]["recipients"][0]["address"], shown.out)
        self.assertIsNone(record["messages"][0]["subject"])

    def test_explain(self):
        result = run("explain", "RCPT: 550 5.7.1 Relaying denied")
        self.assertEqual(result.status, 0)
        self.assertIn("rcpt-relay-denied", result.out)
        many = run("explain", stdin=b"RCPT: 550 5.1.1 User unknown\r\n\ngreeting: 421 too busy\nqwertyuiop\n")
        self.assertEqual(many.status, 0)
        kinds = [(r["kind"], r["cause"]) for r in many.records()]
        self.assertEqual(kinds, [("reply", "rcpt-unknown-user"), ("reply", "greet-421-busy"), ("unknown", None)])
        unknown = run("explain", "-o", "json", "qwertyuiop")
        self.assertEqual(unknown.status, 2)
        self.assertEqual(unknown.records()[0]["nearest"], [])
        self.assertEqual(run("explain", "-o", "json", "tcp-refusd").records()[0]["nearest"][0], "tcp-refused")
        self.assertEqual(run("explain", "qwertyuiop", "tcp-refused").status, 0)
        self.assertIn("0x800CCC0B", run("explain", "0x800CCC0B").out)

    def test_lists(self):
        causes = run("causes").out
        self.assertIn("tcp-refused ", causes)
        self.assertEqual(len(run("causes", "-o", "json").records()), len(causes.splitlines()))  # one line each
        self.assertEqual(len(run("findings", "-o", "json").records()), len(run("findings").out.splitlines()))
        self.assertIn("aud-plaintext-auth-used", run("findings").out)


if __name__ == "__main__":
    common.main()
