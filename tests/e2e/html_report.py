#!/usr/bin/env python3
"""-o html: the page as it is built, around the records of -o json, and nothing of a capture outside of them."""
import base64
import hashlib
import html
import json
import os
import re

import common
from common import DELIVERED, PAGE_PLAIN, REFUSED, SILENT, Case, page_blocks, page_frame, run

BLOCK_MOST = 256 * 1024
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)><!--"


def page(*arguments):
    result = run("-o", "html", *arguments)
    return result.raw


def lines(raw):
    return b"".join(page_blocks(raw)).splitlines()


def built():
    with open(os.path.join(common.ROOT, "web", "built", "report.html"), "rb") as file:
        return file.read()


class Html(Case):
    def of_type(self, raw, kind):
        return [json.loads(line) for line in lines(raw) if line.startswith(b'{"type":"%s"' % kind.encode())]

    def mixed(self):
        return [self.capture("a.pcap", DELIVERED, REFUSED, SILENT), self.capture("b.pcap", REFUSED)]

    def test_records_are_those_of_json(self):
        for options in ([], ["--anonymize"], ["--only", "stuck"], ["-q"], ["-c", "30"]):
            captures = self.mixed()
            got = [line for line in lines(page(*options, *captures))
                   if line.startswith((b'{"type":"session"', b'{"type":"delivery"', b'{"type":"summary"'))]
            wanted = run("-o", "json", *options, *captures).raw.splitlines()
            if "--anonymize" in options:  # pseudonyms differ from run to run
                self.assertEqual(len(got), len(wanted))
            else:
                self.assertEqual(got, wanted, options)

    def test_outside_of_the_records_is_the_built_page(self):
        empty = self.file("empty.pcap", common.pcap_header())
        hostile = self.capture("h.pcap", ["S: 220 %s" % HOSTILE, "C: EHLO %s" % HOSTILE, "S: 554 %s" % HOSTILE, "close S"])
        for captures in ([empty], self.mixed(), [hostile], [hostile, empty]):
            raw = page(*captures)
            self.assertEqual(page_frame(raw), built().replace(b"<!--records-->", b""))
        self.assertIn(json.dumps(HOSTILE)[1:-1].encode(), b"".join(page_blocks(page(hostile))))

    def test_a_page_needs_nothing_from_anywhere(self):
        text = built().decode("utf-8")
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text).group(1)
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        script = re.search(r"<script>(.*?)</script>", text, re.S).group(1)
        style = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
        for name, content in (("script-src", script), ("style-src", style)):
            digest = base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")
            self.assertEqual(rules.pop(name), "'sha256-%s'" % digest)
        self.assertEqual(rules, {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'",
                                 "require-trusted-types-for": "'script'"})
        self.assertLess(text.index("Content-Security-Policy"), text.index("<script>"))
        for pattern, where in ((r"@import|url\(", style), (r"\b(src|href)=", text.replace(script, "")),
                               (r"\beval\(|new Function\(", script)):
            self.assertIsNone(re.search(pattern, where), pattern)

    def test_a_ladder_follows_each_session_and_marks_its_evidence(self):
        captures = self.mixed()
        records = [json.loads(line) for line in lines(page(*captures))]
        sessions = [i for i, record in enumerate(records) if record["type"] == "session"]
        self.assertEqual(len(sessions), 4)
        for i in sessions:
            session, ladder = records[i], records[i + 1]
            self.assertEqual((ladder["type"], ladder["session"]), ("ladder", session["id"]))
            marked = {rung["evidence"] for rung in ladder["rungs"]} - {None}
            evidence = session["verdict"]["evidence"]
            self.assertEqual(marked, {n + 1 for n, one in enumerate(evidence) if one["frame"]})

    def test_ids_have_words(self):
        raw = page(*self.mixed())
        words = self.of_type(raw, "words")
        self.assertEqual(len(words), 1)
        causes = {cause["id"]: cause for cause in self.of_type(raw, "cause")}
        for session in self.of_type(raw, "session"):
            self.assertTrue(causes[session["verdict"]["cause"]]["summary"].endswith("."))
            self.assertIn(session["verdict"]["actor"], words[0]["actors"])
            found = {one["id"] for one in words[0]["findings"]}
            self.assertLessEqual({one["id"] for one in session["findings"]}, found)

    def test_without_scripts_the_failures_stand_in_plain_words(self):
        stuck = self.capture("a.pcap", REFUSED, DELIVERED)
        raw = page(stuck)
        session, = [one for one in run("-o", "json", stuck).sessions() if one["outcome"] == "stuck"]
        told = [html.unescape(text.decode()) for text in PAGE_PLAIN.findall(raw)]
        self.assertEqual(len(told), 2)
        for words in (session["verdict"]["summary"], session["verdict"]["advice"][0], session["client"]["ip"]):
            self.assertIn(words, told[0])
        self.assertIn("Sessions in all: 2", told[1])
        self.assertNotIn(session["client"]["ip"], b"".join(PAGE_PLAIN.findall(page("--anonymize", stuck))).decode())

    def test_plain_words_are_escaped_and_few(self):
        hostile = self.capture("h.pcap", ["S: 220 %s" % HOSTILE, "C: EHLO <b>x", "S: 250 mx.<i>.example",
                                          "C: MAIL FROM:<a@b.example>", "S: 250 ok", "C: RCPT TO:<%s@b.example>" % HOSTILE,
                                          "S: 550 5.7.1 <%s>: Relay access denied" % HOSTILE, "close C"])
        many = self.capture("many.pcap", *[REFUSED] * 60)
        for captures in ([hostile], [many], [many] * 3 + [hostile], [hostile] * 60):
            told = PAGE_PLAIN.findall(page(*captures))
            self.assertLessEqual(len(told), 21)
            for text in told:
                self.assertEqual(re.sub(rb"</?(noscript|h2|p|br)>", b"", text).count(b"<"), 0, text)

    def test_several_at_a_time_give_the_same_bytes(self):
        captures = self.mixed() + [self.capture("%d.pcap" % i, DELIVERED) for i in range(6)]
        self.assertEqual(page("-j", "1", *captures), page("-j", "4", *captures))

    def test_an_unreadable_capture_leaves_a_whole_page(self):
        good = self.capture("a.pcap", REFUSED)
        for captures in ([self.path("none.pcap"), good], [good, self.path("none.pcap")], [self.path("none.pcap")]):
            result = run("-o", "html", *captures)
            self.assertEqual(result.status, 2)
            self.assertEqual(page_frame(result.raw), built().replace(b"<!--records-->", b""))
            self.assertEqual(len(self.of_type(result.raw, "summary")), 1)

    def test_blocks_are_bounded(self):
        path = self.capture("many.pcap", *[REFUSED] * 200)
        blocks = page_blocks(page(path))
        longest = max(len(line) for block in blocks for line in block.splitlines())
        self.assertGreater(len(blocks), 3)
        for block in blocks:
            self.assertTrue(block.endswith(b"\n"))
            self.assertLess(len(block), BLOCK_MOST + 2 * longest)

    def test_pseudonyms_everywhere(self):
        path = self.capture("a.pcap", REFUSED)
        text = b"\n".join(line for line in lines(page("--anonymize", path)) if not line.startswith(b'{"type":"words"'))
        known = run("-o", "json", path).sessions()[0]
        for name in (known["client"]["ip"], known["server"]["ip"], known["id"], "bob@example.com", "example.com"):
            self.assertNotIn(name.encode(), text)

    def test_to_a_file_beside_another_format(self):
        path = self.capture("a.pcap", REFUSED)
        result = run("-o", "text", "-o", "html:" + self.path("out.html"), path)
        self.assertIn("STUCK", result.out)
        self.assertEqual(len(self.of_type(self.read("out.html"), "session")), 1)


if __name__ == "__main__":
    common.main()
