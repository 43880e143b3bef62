#!/usr/bin/env python3
"""The man page, the completions and the README against the table of options."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import common
from common import run


def read(*parts):
    with open(os.path.join(common.ROOT, *parts), encoding="utf-8") as file:
        return file.read()


def options():
    rows = []
    for line in run("--help", "options").out.splitlines():
        letter, name, argument, built, commands, _ = line.split("\t")
        rows.append({"letter": letter, "name": name, "argument": argument, "built": built == "built",
                     "commands": commands.split(",")})
    return rows


class Documents(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_man_page_has_every_option_and_no_other(self):
        page = read("docs", "smtpwhy.1").replace("\\-", "-")
        known = {row["name"] for row in options() if row["built"]}
        written = set(re.findall(r"^\.(?:TP|IP|B|BR|BI).*?--([a-z-]+)", page, re.M))
        self.assertEqual(written, known)
        for row in options():
            if row["built"] and row["letter"] != "-":
                self.assertRegex(page, r"(?m)^\.\S+.*-%s\b.*--%s\b" % (row["letter"], row["name"]))

    def test_man_page_is_well_formed(self):
        if not shutil.which("groff"):
            self.skipTest("no groff")
        done = subprocess.run(["groff", "-man", "-Tascii", "-ww", os.path.join(common.ROOT, "docs", "smtpwhy.1")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_completions_have_every_option_and_no_later_one(self):
        for name in ("smtpwhy.bash", "_smtpwhy", "smtpwhy.fish"):
            text = read("completions", name)
            for row in options():
                words = [r"--%s(?![a-z-])" % row["name"]] if name != "smtpwhy.fish" else [r"-l %s(?![a-z-])" % row["name"]]
                found = any(re.search(word, text) for word in words)
                self.assertEqual(found, row["built"], "%s: --%s" % (name, row["name"]))

    def test_completions_parse(self):
        for shell, name in (("bash", "smtpwhy.bash"), ("zsh", "_smtpwhy"), ("fish", "smtpwhy.fish")):
            if shutil.which(shell):
                done = subprocess.run([shell, "-n", os.path.join(common.ROOT, "completions", name)],
                                      stderr=subprocess.PIPE, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, b""), name)

    def test_bash_completion_completes(self):
        script = os.path.join(common.ROOT, "completions", "smtpwhy.bash")
        def complete(*words):
            code = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _smtpwhy; printf "%s\\n" "${COMPREPLY[@]}"'
            done = subprocess.run(["bash", "-c", code, "x", script] + list(words), stdout=subprocess.PIPE, check=True)
            return done.stdout.decode().split()
        self.assertIn("--filter", complete("smtpwhy", "--fil"))
        self.assertIn("explain", complete("smtpwhy", "ex"))
        self.assertEqual(complete("smtpwhy", "--color", "al"), ["always"])
        self.assertIn("stuck", complete("smtpwhy", "--only", "st"))
        for command in ([], ["live"], ["audit"], ["explain"], ["causes"]):
            listed = re.findall(r"(?m)^  (\w+) ", run(*command, "--help", "formats").out)
            self.assertEqual(sorted(complete("smtpwhy", *command, "-o", "")), sorted(listed), command)

    def test_fish_completion_completes(self):
        if not shutil.which("fish"):
            self.skipTest("no fish")
        script = os.path.join(common.ROOT, "completions", "smtpwhy.fish")
        for typed, found in (("smtpwhy --fil", "--filter"), ("smtpwhy ex", "explain"), ("smtpwhy --help lim", "limits")):
            done = subprocess.run(["fish", "-c", "source %s; complete -C '%s'" % (script, typed)], stdout=subprocess.PIPE, check=True,
                                  env=dict(os.environ, HOME=self.folder))
            self.assertEqual([line.split("\t")[0] for line in done.stdout.decode().splitlines()], [found], typed)

    def test_readme_shows_what_the_program_says(self):
        """The example is a capture of the project; "..." stands for lines that were left out."""
        shown = re.search(r"(?m)^    \$ smtpwhy (\S+)\n((?:(?:    .*)?\n)+)", read("README.md"))
        lines = [line[4:] for line in shown.group(2).rstrip("\n").split("\n")]
        pattern = "\n".join(".*" if line.strip() == "..." else re.escape(line) for line in lines)
        self.assertRegex(run(os.path.join(common.ROOT, shown.group(1))).out, re.compile(r"\A%s\n\Z" % pattern, re.S))

    def test_readme_names_only_options_that_exist(self):
        known = {row["name"] for row in options()}
        for name in re.findall(r"`[^`\n]*?--([a-z][a-z-]+)", read("README.md")):
            self.assertIn(name, known)

    def test_output_formats_are_documented(self):
        formats = re.findall(r"(?m)^  (\w+) ", run("--help", "formats").out)
        self.assertIn("json", formats)
        documents = read("docs", "OUTPUT.md") + read("docs", "FORMATS.md")
        for form in formats:
            self.assertTrue(re.search(r"-o %s\b|`%s`" % (form, form), documents), form)
            for name in ("smtpwhy.bash", "_smtpwhy", "smtpwhy.fish"):
                self.assertRegex(read("completions", name), r"text json( \w+)* ?%s" % form if form not in ("text", "json") else form)


if __name__ == "__main__":
    common.main()
