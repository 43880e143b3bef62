#!/usr/bin/env python3
"""What live analysis can still do once it looks at packets: a parser that was taken over finds every door shut."""
import os
import shutil
import signal
import subprocess
import unittest
import warnings

import common
import live as base

MISBEHAVING = os.environ.get("SW_MISBEHAVING", "")
LAYERS = ("core-dumps", "capabilities", "user", "no-new-privileges", "landlock", "seccomp")


class Sandbox(unittest.TestCase):
    def setUp(self):
        import net
        warnings.simplefilter("ignore", ResourceWarning)
        self.lab = net.Lab(2, "")
        self.lab.__enter__()
        self.addCleanup(self.lab.__exit__)

    def ping(self):
        self.lab.run(["bash", "-c", "for i in 1 2 3; do (exec 3<>/dev/tcp/198.51.100.25/9) 2>/dev/null; done"])

    def misbehave(self, *options):
        """How each attempt of the parser went, how the program ended, and everything it said."""
        process = subprocess.Popen(["ip", "netns", "exec", self.lab.client, MISBEHAVING, "live", "-i", "c0", "-v"] + list(options),
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
        said = ""
        while "sandbox: seccomp" not in said and "--no-sandbox" not in said:
            said += process.stdout.readline()
        while process.poll() is None and "be a shell" not in said:
            self.ping()
            try:
                process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                pass
        process.kill()
        said += process.stdout.read()
        process.stdout.close()
        tried = {}
        for line in said.splitlines():
            if line.startswith("tried "):
                what, _, how = line[6:].partition(": ")
                tried[what] = how
        return tried, process.wait(timeout=base.PLENTY), said

    def test_every_door_is_shut(self):
        tried, status, said = self.misbehave()
        self.assertEqual(len(tried), 9, said)
        for what, how in tried.items():
            with self.subTest(what=what):
                self.assertIn(how, ("Operation not permitted", "Permission denied"))
        self.assertEqual(status, -signal.SIGSYS)
        self.assertNotIn("A SHELL", said)
        self.assertFalse(os.path.exists("/tmp/smtpwhy-misbehaved"))

    def test_without_it_they_are_open(self):
        """The test above can fail: the same parser, let loose."""
        tried, _, said = self.misbehave("--no-sandbox")
        self.assertIn("WARNING: --no-sandbox", said)
        self.assertEqual(tried["read a file"], "IT WORKED")
        self.assertEqual(tried["make a socket"], "IT WORKED")
        self.assertIn("A SHELL", said)

    def test_layers_are_told(self):
        live = base.Live(self.lab, self.lab.folder, "-v")
        with open("/proc/%d/status" % live.process.pid, encoding="utf-8") as file:
            status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        _, ended, _ = live.stop()
        told = "".join(live.errors)
        for layer in LAYERS:
            self.assertRegex(told, r"sandbox: %s: (active|MISSING)" % layer)
        self.assertEqual(ended, 0)
        self.assertEqual({status[key].strip("0 \t") for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}, {""})
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        self.assertNotIn("0", status["Uid"].split())

    def test_the_one_right_is_enough(self):
        """A program with cap_net_raw, run by somebody else than root."""
        folder = os.path.join(self.lab.folder, "bin")
        os.makedirs(folder)
        program = shutil.copy(common.PROGRAM, folder)
        os.chmod(program, 0o755)
        subprocess.run(["setcap", "cap_net_raw+ep", program], check=True)
        done = subprocess.run(["ip", "netns", "exec", self.lab.client, "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
                               "timeout", "-s", "INT", "--preserve-status", "2", program, "live", "-i", "c0", "-v"],
                              capture_output=True, text=True, check=False, timeout=base.PLENTY)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("sandbox: user: active (not root from the start)", done.stderr)
        self.assertNotIn("MISSING", done.stderr.replace("landlock: MISSING", ""))


if __name__ == "__main__":
    common.main(base.missing() or (None if MISBEHAVING else "the program with the misbehaving parser is missing"))
