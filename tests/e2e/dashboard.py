#!/usr/bin/env python3
"""The dashboard of live analysis: who may ask it, what it counts, and its page in a headless browser."""
import json
import os
import shutil
import subprocess
import sys
import unittest
import warnings

import common
import live as base
import web  # noqa: E402  (common made the way to it)

HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\x1b[31m"


def chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Dashboard(unittest.TestCase):
    def setUp(self):
        import net
        warnings.simplefilter("ignore", ResourceWarning)
        self.lab = net.Lab(3, "")
        self.lab.__enter__()
        self.addCleanup(self.lab.__exit__)

    def begin(self, address):
        import servers
        servers.odd(self.lab, [{"greeting": "220 mx.example.org " + HOSTILE, "RCPT": "550 5.1.1 No such user <b>here</b> " + HOSTILE}, {}], 25)
        self.live = base.Live(self.lab, self.lab.folder, "-o", "json", "--http", address)
        self.send(2)

    def send(self, count):
        import clients
        for _ in range(count):
            clients.swaks(self.lab)
        self.live.sessions(count)

    def ask(self, url, *options):
        done = subprocess.run(["ip", "netns", "exec", self.lab.client, "curl", "-s", "-i", "--max-time", "20", *options, url],
                              capture_output=True, check=False)
        head, _, body = done.stdout.decode("utf-8").partition("\r\n\r\n")
        return head.split(" ")[1] if head else "", head, body

    def json(self, url, *options):
        status, _, body = self.ask(url, *options)
        self.assertEqual(status, "200", body)
        return json.loads(body)

    def test_what_it_says(self):
        at = "http://127.0.0.1:8099"
        self.begin("127.0.0.1:8099")
        rows = self.json(at + "/api/sessions")
        self.assertEqual([(r["outcome"], r["cause"]) for r in rows], [("delivered", "ok-delivered"), ("stuck", "rcpt-unknown-user")])
        self.assertEqual([r["to_act"] for r in rows], ["nobody", "the sender (the person or the mail program)"])
        self.assertEqual({k: v["mark"] for k, v in rows[1]["stages"].items()},
                         {"dns": "not", "tcp": "ok", "greeting": "ok", "ehlo": "ok", "tls": "not", "auth": "not", "mail": "ok",
                          "rcpt": "failed", "data": "not", "quit": "ok"})
        whole = self.json(at + "/api/sessions/" + rows[1]["id"])
        self.assertEqual(whole["record"]["id"], rows[1]["id"])
        self.assertTrue([rung for rung in whole["ladder"] if rung["evidence"]])
        overview = self.json(at + "/api/overview")
        self.assertEqual((overview["sessions"], overview["by_outcome"]["stuck"], overview["servers"][0]["sessions"]), (2, 1, 2))
        self.assertEqual(sum(m["stuck"] + m["delivered"] for m in overview["minutes"]), 2)
        self.assertEqual(self.ask(at + "/api/sessions/0123456789abcdef")[0], "404")
        self.check_metrics(at)
        rest, status, _ = self.live.stop()
        self.assertEqual(status, 0, self.live.errors)

    def check_metrics(self, at):
        _, head, text = self.ask(at + "/metrics")
        self.assertIn("text/plain; version=0.0.4", head)
        values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        self.assertEqual(values['smtpwhy_sessions_total{verdict="rcpt-unknown-user",stage="rcpt"}'], "1")
        self.assertEqual(sum(int(v) for k, v in values.items() if k.startswith("smtpwhy_outcomes_total")), 2)
        self.assertEqual(values['smtpwhy_replies_total{class="5xx",stage="rcpt"}'], "1")
        self.assertEqual(values['smtpwhy_kernel_drops_total'], "0")
        self.assertEqual(values['smtpwhy_tls_results_total{rfc8460="starttls-not-supported"}'], "2")
        self.assertEqual(values['smtpwhy_tls_results_total{rfc8460="success"}'], "0")
        self.assertGreater(int(values["smtpwhy_memcap_bytes"]), int(values["smtpwhy_memuse_bytes"]))
        self.assertRegex(text, r'smtpwhy_build_info{version="[0-9.]+",ndpi="[0-9.]+",openssl="3[0-9.]+",libpcap="[0-9.]+"} 1')
        self.assertNotIn("192.0.2.10", text)
        if shutil.which("promtool"):
            done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        else:
            print("promtool is not installed: the metrics were not given to it", file=sys.stderr)
        _, head, text = self.ask(at + "/metrics", "-H", "Accept: application/openmetrics-text; version=1.0.0")
        self.assertIn("application/openmetrics-text", head)
        self.assertTrue(text.endswith("# EOF\n"))
        self.assertIn("# TYPE smtpwhy_sessions counter", text)

    def test_who_may_ask(self):
        at = "http://127.0.0.1:8099"
        self.begin("127.0.0.1:8099")
        status, head, _ = self.ask(at + "/")
        self.assertEqual(status, "200")
        self.assertRegex(head, r"Content-Security-Policy: default-src 'none'; script-src 'nonce-[0-9a-f]{32}'")
        self.assertEqual(self.ask(at + "/api/sessions", "-H", "Host: evil.example")[0], "403")
        self.assertEqual(self.ask(at + "/api/sessions", "-X", "POST", "-d", "x")[0], "405")
        self.assertEqual(self.ask(at + "/nothing")[0], "404")
        self.live.stop()

    def test_elsewhere_a_token_is_demanded(self):
        at = "http://192.0.2.10:8099"
        self.begin("192.0.2.10:8099")
        token = "".join(self.live.errors).partition("?token=")[2].split()[0]
        self.assertRegex(token, "^[0-9a-f]{32}$")
        for path in ("/", "/metrics", "/api/sessions", "/api/events", "/api/overview", "/api/sessions?token=" + "0" * 32):
            self.assertEqual(self.ask(at + path)[0], "401", path)
        self.assertEqual(self.ask(at + "/healthz")[0], "200")
        self.assertEqual(len(self.json(at + "/api/sessions?token=" + token)), 2)
        self.assertEqual(len(self.json(at + "/api/sessions", "-H", "Authorization: Bearer " + token)), 2)
        self.live.stop()

    def test_unix_socket(self):
        path = os.path.join(self.lab.folder, "socket")
        self.begin(path)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(len(self.json("http://x/api/sessions", "--unix-socket", path)), 2)
        self.live.stop()

    def test_places_that_are_none(self):
        for address in ("localhost:80", "127.0.0.1", "127.0.0.1:0", "[::1]", "1.2.3.4:99999", "/nowhere/at/all"):
            done = common.run("live", "-i", "lo", "--http", address)
            self.assertEqual(done.status, 2, address)
            self.assertIn("--http " + address, done.err)

    def test_page(self):
        try:
            if not chromium():
                raise web.Missing("chromium is not installed")
            place = web.workshop()
        except web.Missing as missing:
            print("the page of the dashboard was not looked at in a browser: %s" % missing, file=sys.stderr)
            self.skipTest(str(missing))
        self.begin("127.0.0.1:8099")
        pictures = os.path.join(common.ROOT, "build", "dashboard")
        os.makedirs(pictures, exist_ok=True)
        script = os.path.join(common.HERE, "dashboard.mjs")
        browser = subprocess.Popen(["ip", "netns", "exec", self.lab.client, "node", script, place, chromium(), "http://127.0.0.1:8099/", pictures],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(browser.stdout.readline(), "ready\n")
        self.send(1)
        found = json.loads(browser.communicate("more\n", timeout=base.PLENTY)[0])
        self.live.stop()
        self.assertEqual(found["troubles"], [])
        self.assertEqual((found["before"], found["after"], found["delivered"], found["closed"], found["markup"]), (2, 3, 1, True, 0))
        self.assertEqual((len(found["newest"]), found["cause"], found["server"], found["wide"]), (1, 1, "198.51.100.25", False))
        self.assertIn("Try first: Check the address", found["newest"][0])
        self.assertIn("those that match", found["title"])
        self.assertIn("<img src=x onerror=alert(1)>", found["detail"])
        self.assertTrue(any("550 5.1.1" in line for line in found["evidence"]), found["evidence"])


if __name__ == "__main__":
    common.main(base.missing())
