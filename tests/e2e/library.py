#!/usr/bin/env python3
"""What is installed: the library as a program of somebody else uses it, the man page, the completions, the documents."""
import os
import shutil
import subprocess

import common
from common import DELIVERED, REFUSED, run

BUILD = os.path.dirname(common.PROGRAM)


def output(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)
    return done.returncode, done.stdout.decode("utf-8", "replace")


class Library(common.Case):
    def setUp(self):
        super().setUp()
        for tool in ("cmake", "cc", "pkg-config"):
            if not shutil.which(tool):
                self.skipTest("no " + tool)
        self.prefix = self.path("prefix")
        status, words = output("cmake", "--install", BUILD, "--prefix", self.prefix)
        self.assertEqual(status, 0, words)

    def find(self, name):
        for folder, _, files in os.walk(self.prefix):
            if name in files:
                return os.path.join(folder, name)
        self.fail(name + " is not installed")

    def flags(self, *options):
        """Where the package lies now, not where it was to be installed when it was built."""
        settings = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(self.find("smtpwhy.pc")))
        status, words = output("pkg-config", "--cflags", "--libs", *options, "smtpwhy", env=settings)
        self.assertEqual(status, 0, words)
        return words.split()

    def test_example_as_it_is_printed(self):
        stuck = self.capture("stuck.pcap", REFUSED)
        good = self.capture("good.pcap", DELIVERED)
        source = self.find("example.c")
        cases = [("shared", self.flags()), ("static", [f.replace("-lsmtpwhy", "-l:libsmtpwhy.a") for f in self.flags("--static")])]
        for name, flags in cases:
            program = self.path(name)
            status, words = output("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", program, source, *flags)
            self.assertEqual((status, words), (0, ""), name)
            settings = dict(os.environ, LD_LIBRARY_PATH=os.path.dirname(self.find("libsmtpwhy.so")))
            status, words = output(program, stuck, good, env=settings)
            self.assertEqual(status, 1, words)
            sentence = run("-o", "json", stuck).sessions()[0]["verdict"]["summary"]
            self.assertIn("%s: 198.51.100.25 port 25: %s\n  frame " % (stuck, sentence), words)
            self.assertIn("%s: 198.51.100.25 port 25: The mail was accepted by mx.example.org.\n" % good, words)
            self.assertTrue(words.endswith("1 stuck. By the way, 550 5.7.1 Relaying denied is rcpt-relay-denied.\n"), words)
            status, words = output(program, self.path("missing.pcap"), env=settings)
            self.assertEqual(status, 0)
            self.assertIn("missing.pcap: No such file or directory", words)

    def test_memory_of_the_example(self):
        if not shutil.which("valgrind"):
            self.skipTest("no valgrind")
        program = self.path("example")
        status, words = output("cc", "-g", "-o", program, self.find("example.c"), *self.flags())
        self.assertEqual(status, 0, words)
        settings = dict(os.environ, LD_LIBRARY_PATH=os.path.dirname(self.find("libsmtpwhy.so")))
        status, words = output("valgrind", "-q", "--leak-check=full", "--error-exitcode=99", program,
                               self.capture("stuck.pcap", REFUSED), env=settings)
        self.assertEqual(status, 1, words)

    def test_what_is_there(self):
        for name in ("smtpwhy", "smtpwhy.h", "libsmtpwhy.a", "smtpwhy.1", "_smtpwhy", "smtpwhy.fish", "smtpwhy@.service",
                     "record.schema.json", "audit.schema.json", "OUTPUT.md", "FORMATS.md", "FLEET.md", "LICENSE", "example.c"):
            self.find(name)
        status, words = output(os.path.join(self.prefix, "bin", "smtpwhy"), "--version")
        self.assertEqual((status, words), (0, run("--version").out))


if __name__ == "__main__":
    common.main()
