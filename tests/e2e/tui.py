#!/usr/bin/env python3
"""The terminal view, driven in tmux: keys are sent, the screen is read."""
import json
import os
import re
import shutil
import subprocess
import sys
import time
import warnings

import common
from common import run

# ncurses keeps what it read of the terminal until the process is gone, on purpose.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"

PLENTY = 60
HOSTILE = ["hello", "mail", "C: RCPT TO:<bob@example.com>", "S: 550 5.1.1 \x1b[2J\x1b[31mred\x07", "quit"]


class Screen:
    """A program in a terminal of its own."""

    def __init__(self, folder, command, columns=80, lines=24, before=()):
        self.name = "sw%d-%d" % (os.getpid(), time.time_ns() % 1000000)
        script = os.path.join(folder, "run.sh")
        with open(script, "w", encoding="utf-8") as file:
            file.write("cd '%s'\nLC_ALL=C.UTF-8 %s\necho the end: $?\nsleep 60\n" % (folder, " ".join("'%s'" % part for part in command)))
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines), *before, "sh", script)

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-L", self.name, *arguments], capture_output=True, text=True, check=False).stdout

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def text(self):
        return self.tmux("capture-pane", "-p")

    def marked(self):
        """The lines that are drawn in reverse, but for the first and the last."""
        lines = self.tmux("capture-pane", "-p", "-e").rstrip("\n").split("\n")[1:-1]
        return [line for line in lines if re.match("\x1b\\[([0-9]+;)*7m", line)]

    def wait(self, *words, absent=()):
        end = time.time() + PLENTY
        while time.time() < end:
            text = self.text()
            if all(word in text for word in words) and not any(word in text for word in absent):
                return text
            time.sleep(0.05)
        raise AssertionError("%s never come, but:\n%s" % (words, self.text()))

    def close(self):
        self.tmux("kill-server")


class Tui(common.Case):
    def setUp(self):
        super().setUp()
        warnings.simplefilter("ignore", ResourceWarning)  # the lab leaves its processes to the end of their namespaces

    def open(self, *scripts, columns=80, lines=24):
        path = self.capture("mail.pcap", *scripts)
        screen = Screen(self.folder.name, [common.PROGRAM, "tui", path], columns, lines)
        self.addCleanup(screen.close)
        return screen

    def test_list_and_session(self):
        screen = self.open(common.DELIVERED, common.REFUSED, common.SILENT, common.LOGIN)
        text = screen.wait("mail.pcap  4 sessions, 2 stuck")
        lines = text.split("\n")
        self.assertTrue(lines[1].endswith("DTGELAMRDQ"), lines[1])
        self.assertTrue(lines[2].startswith(">"), lines[2])
        self.assertEqual([line[10:19].strip() for line in lines[2:6]], ["delivered", "STUCK", "STUCK", "delivered"])
        self.assertEqual([line[-10:] for line in lines[2:6]], [".+++..++++", ".+++..+x.+", ".x........", ".+++.+++++"])
        self.assertIn("enter open", lines[23])
        self.assertTrue(lines[20].startswith("The mail was accepted"), lines[20])
        screen.keys("Down", "Enter")
        screen.wait("session 2 of mail.pcap", "Relay access denied")
        screen.keys("?")
        screen.wait("save its packets")
        screen.keys("x")
        screen.wait("session 2 of mail.pcap", "Relay access denied")
        screen.keys("End")
        self.assertRegex(screen.wait("E2"), r"E1 .*RCPT TO:<bob@example.com>")
        screen.keys("Tab")
        screen.wait("tab ladder", "The server greeted with")
        screen.keys("q")
        screen.wait("enter open")
        screen.keys("q")
        screen.wait("the end: 0")

    def test_filter_sort_and_search(self):
        screen = self.open(common.DELIVERED, common.REFUSED, common.SILENT, common.LOGIN)
        screen.wait("4 sessions")
        for outcome in ("stuck", "partial", "delivered", "unknown", "no-mail"):  # as the help has them
            screen.keys("f")
            text = screen.wait("f " + outcome, "only " + outcome)
            self.assertEqual("STUCK" in text, outcome == "stuck")
            self.assertEqual("No session is like that" in text, outcome not in ("stuck", "delivered"))
        screen.keys("f")
        screen.wait("f all", "STUCK", absent=["only"])
        screen.keys("/")
        screen.keys("-l", "relay")
        text = screen.wait("/relay_   1 of 4", "rcpt-relay-denied")
        self.assertEqual(text.count("STUCK"), 1)
        screen.keys("Enter", "Enter")
        screen.wait("session 2 of")
        screen.keys("n")
        screen.keys("q")
        screen.wait("1 of 4")
        screen.keys("Escape")
        screen.wait("enter open")
        screen.keys("o", "o")
        lines = screen.wait("o by cause").split("\n")[2:6]
        causes = [line[20:].split()[0] for line in lines]
        self.assertEqual(causes, sorted(causes))
        screen.keys("O")
        lines = screen.wait("(reverse)").split("\n")[2:6]
        self.assertEqual([line[20:].split()[0] for line in lines], causes[::-1])

    def test_what_is_left_out_is_named(self):
        """The outcome and the words are on the screen, however little room there is."""
        screen = self.open(common.DELIVERED, common.REFUSED, columns=60, lines=12)
        screen.wait("2 sessions")
        screen.keys("f", "f", "/")
        screen.keys("-l", "relay")
        screen.keys("Enter")
        text = screen.wait("No session is like that")
        self.assertIn("only partial", text.split("\n")[0])
        self.assertIn("/relay   0 of 2, only partial", text.split("\n")[-2])

    def test_by_time(self):
        """By when a session began, not by when it was told."""
        screen = self.open(common.REFUSED[:2] + ["session"] + common.DELIVERED + ["session 1"] + common.REFUSED[2:])
        lines = screen.wait("o by time").split("\n")
        self.assertEqual([line[10:19].strip() for line in lines[2:4]], ["STUCK", "delivered"])
        self.assertLessEqual(lines[2][1:9], lines[3][1:9])
        screen.keys("O")
        lines = screen.wait("(reverse)").split("\n")
        self.assertEqual([line[10:19].strip() for line in lines[2:4]], ["delivered", "STUCK"])

    def test_a_shorter_list_is_shown_whole(self):
        screen = self.open(*([common.REFUSED] * 20 + [common.DELIVERED] * 5))
        screen.wait("25 sessions")
        screen.keys("End")
        screen.wait(">", "delivered")
        screen.keys("f", "f", "f")
        text = screen.wait("f delivered")
        self.assertEqual(text.count(" delivered ok-delivered"), 5)

    def test_search_in_a_session(self):
        """It begins with words of its own, marks what it finds, and leaves those of the list alone."""
        screen = self.open(common.DELIVERED, common.REFUSED)
        screen.wait("2 sessions")
        screen.keys("/")
        screen.keys("-l", "relay")
        screen.wait("/relay_   1 of 2")
        screen.keys("Enter", "Enter")
        screen.wait("session 2 of")
        screen.keys("/")
        screen.keys("-l", "550")
        screen.wait(" /550_")
        screen.keys("Enter")
        screen.wait(" /550 ", absent=["do not come again"])
        marked = screen.marked()
        self.assertTrue(any("550" in line and "Relay access denied" in line for line in marked), marked)
        for _ in range(4):
            screen.keys("n")
        screen.wait("do not come again")
        screen.keys("q")
        screen.wait("/relay   1 of 2")

    def test_nothing_is_cut_in_half(self):
        """At 80 columns the port of a server, the time of a stage and a key are there, or they are not."""
        slow = [step for part in common.LOGIN for step in (part, "wait 0.123")]
        screen = self.open(slow, ["S: 220 ESMTP", "C: EHLO pc.example.net", "S: 250 ok", "sent", "quit"], common.SILENT)
        lines = screen.wait("3 sessions").split("\n")
        self.assertEqual([line[54:68].strip() for line in lines[2:5]], ["mx.example.org", "198.51.100.25", "198.51.100.25"])
        self.assertRegex(lines[22], r"^([TGEAMRDQ]\+[\d.]+m?s ?){8}$")
        screen.keys("f", "f", "f", "o", "O")
        self.assertRegex(screen.wait("f delivered", "o by outcome (reverse)"), r"q quit( |\n)")
        screen.keys("f", "f", "f", "Home")
        self.assertEqual(screen.wait("tcp x").split("\n")[22], "tcp x")

    def test_help_and_saving(self):
        screen = self.open(common.DELIVERED, common.REFUSED)
        screen.wait("2 sessions")
        screen.keys("?")
        screen.wait("save its packets", "+ done")
        screen.keys("x")
        screen.wait("enter open")
        screen.keys("End", "w")
        text = screen.wait("packets, raw")
        name = text[text.index("smtpwhy-", 80):].split(":")[0]
        self.assertEqual(os.stat(self.path(name)).st_mode & 0o777, 0o600)
        saved = run("-o", "json", self.path(name)).sessions()
        whole = run("-o", "json", self.path("mail.pcap")).sessions()
        self.assertEqual([s["id"] for s in saved], [whole[1]["id"]])
        self.assertEqual(saved[0]["verdict"]["cause"], whole[1]["verdict"]["cause"])

    def test_what_the_wire_said_stays_text(self):
        screen = self.open(HOSTILE)
        screen.wait("1 session, 1 stuck")
        screen.keys("Enter")
        screen.wait("session 1 of", "\\x1b[2J")

    def test_room(self):
        wide = self.open(common.REFUSED, columns=170, lines=40)
        wide.wait("1 session")
        wide.keys("Enter")
        wide.wait("E2", "The server greeted with")  # the ladder, and the story beside it
        small = self.open(common.REFUSED, columns=40, lines=10)
        small.wait("too small", "60x12", "40x10")
        smaller = self.open(common.REFUSED, columns=20, lines=3)
        smaller.wait("too small", "60x12", "20x3")

    def test_a_narrow_window_shows_all_of_a_session(self):
        screen = self.open(common.REFUSED, columns=60, lines=12)
        screen.wait("1 session,")
        screen.keys("?")
        screen.wait("left right", "the evidence marked\n", "for a line, n for the next one\n")
        screen.keys("x")
        screen.wait("enter open")
        screen.keys("Enter")
        screen.wait("session 1 of mail.pcap", "mx.example.org does not f\n", "left right")
        screen.keys("Right", "Right", "Right")
        screen.wait("mx.example.org does not forward mail to\n")
        screen.keys("Left", "Left")
        screen.wait("  1  STUCK ", "mx.example.org does not f\n")

    def test_which_capture_a_session_is_from(self):
        paths = [self.capture(name, script) for name, script in (("night.pcap", common.DELIVERED), ("day.pcap", common.REFUSED))]
        screen = Screen(self.folder.name, [common.PROGRAM, "tui"] + paths)
        self.addCleanup(screen.close)
        screen.wait("night.pcap, ...  2 sessions")
        screen.keys("-l", "f")  # the stuck ones
        screen.wait("only stuck")
        screen.keys("Enter")
        screen.wait("session 2 of day.pcap")

    def test_what_has_no_place_in_the_list_is_named(self):
        screen = self.open(*([common.SILENT] * 4100))
        screen.wait("4100 sessions (the last 4096 are here)")

    def test_a_file_without_sessions(self):
        screen = Screen(self.folder.name, [common.PROGRAM, "tui", "--only", "partial", self.capture("mail.pcap", common.DELIVERED)])
        self.addCleanup(screen.close)
        screen.wait("0 sessions", "There is no session in it, or none that was chosen.")

    def test_terminals_that_cannot(self):
        path = self.capture("mail.pcap", common.DELIVERED)
        done = run("tui", path)
        self.assertEqual(done.status, 2)
        self.assertIn("needs a terminal on standard input and output", done.err)
        screen = Screen(self.folder.name, ["env", "TERM=dumb", common.PROGRAM, "tui", path])
        self.addCleanup(screen.close)
        screen.wait("is 'dumb'", "the end: 2")

    def test_live(self):
        import live as base
        why = base.missing()
        if why:
            self.skipTest("the live view was not looked at: " + why)
        import clients
        import net
        import servers
        with net.Lab(4, "") as lab:
            servers.odd(lab, [{"RCPT": "550 5.1.1 No such user"}, {}], 25)
            screen = Screen(self.folder.name, ["ip", "netns", "exec", lab.client, common.PROGRAM, "live", "-i", "c0", "--tui"])
            self.addCleanup(screen.close)
            os.chmod(self.folder.name, 0o777)
            screen.wait("No session so far")
            clients.swaks(lab)
            screen.wait("1 session, 1 stuck", "rcpt-unknown-us")
            clients.swaks(lab)
            lines = screen.wait("2 sessions").split("\n")
            self.assertEqual([line[10:19].strip() for line in lines[2:4]], ["delivered", "STUCK"])  # the newest first
            screen.tmux("resize-window", "-x", "100", "-y", "30")  # which every process of ours in this terminal hears of
            while len(screen.wait("2 sessions").split("\n")[1]) < 90:
                time.sleep(0.05)
            for number, key in ((2, "Home"), (1, "End")):
                screen.keys(key, "w")
                screen.wait("-%d.pcapng: " % number, "packets, raw")
            names = sorted(name for name in os.listdir(self.folder.name) if name.endswith(".pcapng"))
            for name, number in zip(names, (1, 2), strict=True):  # also where both began in one second
                self.assertRegex(name, r"^smtpwhy-session-\d{8}-\d{6}-%d\.pcapng$" % number)
                self.assertEqual(len(run("-o", "json", self.path(name)).sessions()), 1)
            screen.keys("q")
            screen.wait("the end: 0")

    def test_its_terminal_is_closed(self):
        """Nobody looks on any more, and nobody could end it."""
        import live as base
        why = base.missing()
        if why:
            self.skipTest("the live view was not looked at: " + why)
        os.chmod(self.folder.name, 0o777)
        screen = Screen(self.folder.name, [common.PROGRAM, "live", "-i", "lo", "-f", "tcp port 9", "--tui", "-o", "json:out.json"])
        screen.wait("No session so far")
        screen.close()
        end = time.time() + PLENTY
        while not os.path.getsize(self.path("out.json")) and time.time() < end:
            time.sleep(0.05)
        with open(self.path("out.json"), encoding="utf-8") as file:
            self.assertEqual(json.loads(file.read())["type"], "summary")  # which is written when it ends

    def test_put_aside_and_taken_up_again(self):
        """^Z and fg in a shell: it stops and goes on, and so does whoever opens files for it."""
        import live as base
        why = base.missing()
        if why:
            self.skipTest("the live view was not looked at: " + why)
        os.chmod(self.folder.name, 0o777)
        screen = Screen(self.folder.name, ["bash", "--norc", "-i"])
        self.addCleanup(screen.close)
        screen.keys("-l", "PS1=ready; %s live -i lo -f 'tcp port 9' --tui -o json:out.json" % common.PROGRAM)
        screen.keys("Enter")
        screen.wait("No session so far")
        screen.keys("C-z")
        screen.wait("Stopped")
        # not the shell's own kill: with HUP that one wakes a stopped job, and the shell may think that it stopped again
        screen.keys("-l", "mv out.json before.json; env kill -HUP $(jobs -p); fg")
        screen.keys("Enter")
        screen.wait("No session so far")
        end = time.time() + PLENTY
        while not os.path.exists(self.path("out.json")) and time.time() < end:
            time.sleep(0.05)
        self.assertTrue(os.path.exists(self.path("out.json")))
        screen.keys("?")
        screen.wait("this page")
        screen.keys("q", "q")
        screen.wait("ready", absent=["No session so far"])

    def test_messages_wait_for_the_end_of_the_view(self):
        """Those of other processes of ours, too."""
        import live as base
        why = base.missing()
        if why:
            self.skipTest("the live view was not looked at: " + why)
        import clients
        import net
        import servers
        with net.Lab(4, "") as lab:
            servers.odd(lab, {}, 25)
            spool = self.path("spool")
            screen = Screen(self.folder.name, ["ip", "netns", "exec", lab.client, common.PROGRAM, "live", "-i", "c0", "--tui", "--store",
                                               "http://127.0.0.1:9", "--spool", spool, "--policy", "default"], columns=200, lines=70)
            self.addCleanup(screen.close)
            screen.wait("No session so far")
            clients.swaks(lab)
            screen.wait("1 session")
            end = time.time() + PLENTY
            while not any(name.endswith(".gz") for _, _, names in os.walk(spool) for name in names) and time.time() < end:
                time.sleep(0.05)
            time.sleep(2)
            self.assertNotIn("connect", screen.text())
            screen.keys("q")
            screen.wait("smtpwhy: http://127.0.0.1:9: Couldn't connect to server", "Policy smtpwhy default", "waits in " + spool, "the end: 1")


if __name__ == "__main__":
    if not shutil.which("tmux"):
        print("the terminal view was not looked at: it needs tmux", file=sys.stderr)
        sys.exit(common.SKIPPED)
    common.main()
