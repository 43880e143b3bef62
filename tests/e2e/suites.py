#!/usr/bin/env python3
"""Every cipher suite that the openssl program can speak: a mail is handed over with it, recorded, and read with the key log.

`openssl ciphers` says which suites there are, at the lowest security level and with what needs no certificate or a secret that both
sides have. ARIA, Camellia, suites of a shared secret (PSK) and NULL are not opened: the explanation names the suite and says so, and
nothing that was said comes out. All others give the dialogue.
"""
import contextlib
import os
import select
import socket
import subprocess
import sys
import tempfile
import time

import common
import dialogue
import tls

LEFT_CLOSED = ("ARIA", "CAMELLIA", "PSK", "NULL")
SECRET = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
SAID = ((1, b"220 mx.example.org ESMTP\r\n"), (0, b"EHLO pc.example.net\r\n"), (1, b"250 mx.example.org\r\n"),
        (0, b"MAIL FROM:<anna@example.net>\r\n"), (1, b"250 2.1.0 Ok\r\n"), (0, b"RCPT TO:<bob@example.org>\r\n"), (1, b"250 2.1.5 Ok\r\n"),
        (0, b"DATA\r\n"), (1, b"354 Go ahead\r\n"), (0, b"Subject: Hello\r\n\r\nHi Bob\r\n.\r\n"), (1, b"250 2.0.0 Ok: queued as 4F1B2C\r\n"),
        (0, b"QUIT\r\n"), (1, b"221 2.0.0 Bye\r\n"))


def suites():
    """(suite, version, with a secret that both sides have)"""
    for version, words in (("1.2", ["ALL:COMPLEMENTOFALL:@SECLEVEL=0"]), ("1.3", [])):
        for psk in ([], ["-psk"]) if version == "1.2" else ([],):
            command = ["openssl", "ciphers", "-s", "-tls1_" + version[2], *psk, *words]
            for suite in subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split(":"):
                if (version == "1.3") == suite.startswith("TLS_") and (not psk or "PSK" in suite):
                    yield suite, version, "PSK" in suite
    yield "TLS_AES_128_CCM_SHA256", "1.3", False
    yield "TLS_AES_128_CCM_8_SHA256", "1.3", False
    yield "TLS_AES_128_GCM_SHA256", "1.3", True  # in TLS 1.3 a shared secret changes nothing behind the hellos


def dsa():
    """A certificate of the kind that a few old suites ask for."""
    tls.STORE.make("rsa")
    path = tls.STORE.path("dsa.pem")
    if not os.path.exists(path):
        tls.STORE.openssl("dsaparam", "-out", "dsa.parameters", "2048")
        tls.STORE.openssl("req", "-x509", "-newkey", "dsa:dsa.parameters", "-nodes", "-keyout", "dsa.key", "-out", "dsa.pem", "-days", "365",
                          "-subj", "/CN=mx.example.org", "-config", "config")
    return path, tls.STORE.path("dsa.key")


def certificate(suite):
    if suite.startswith(("ADH", "AECDH", "PSK", "DHE-PSK", "ECDHE-PSK")):
        return ["-nocert"]
    if "DSS" in suite:
        path, key = dsa()
    else:
        name = "good" if "ECDSA" in suite else "rsa"
        tls.STORE.make(name)
        path, key = tls.STORE.path(name + ".pem"), tls.STORE.path(name + ".key")
    return ["-cert", path, "-key", key]


def connected(port):
    for _ in range(500):
        try:
            return socket.create_connection(("127.0.0.1", port), 10)
        except ConnectionRefusedError:
            time.sleep(0.01)
    raise RuntimeError("s_server does not listen")


class Link:
    """Between the two programs: what passes is written down."""

    def __init__(self, capture, ends, programs):
        self.capture, self.ends, self.programs = capture, ends, programs

    def carry(self, wait):
        """What there is to carry, for at most so many seconds until something comes out of a program: that, and of which side."""
        outputs = [program.stdout for program in self.programs]
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            for ready in select.select(self.ends + outputs, [], [], max(0, deadline - time.monotonic()))[0]:
                if ready in outputs:
                    return outputs.index(ready), os.read(ready.fileno(), 65536)
                side = self.ends.index(ready)
                data = ready.recv(65536)
                if not data:
                    return None
                self.capture.send(side, data)
                self.ends[1 - side].sendall(data)
        return None

    def say(self, side, text):
        """Types it into one program, and waits until the other one has printed it."""
        self.programs[side].stdin.write(text)
        self.programs[side].stdin.flush()
        heard = b""
        while len(heard) < len(text):
            came = self.carry(20)
            if not came or came[0] == side or not came[1]:
                raise RuntimeError("%r did not come through" % text)
            heard += came[1]
        if heard != text:
            raise RuntimeError("%r came through as %r" % (text, heard))


def record(suite, version, secret, folder):
    """A connection with this suite; the paths of the capture and of the key log."""
    path, keys = os.path.join(folder, suite + ".pcap"), os.path.join(folder, suite + ".keys")
    choose = ["-tls1_" + version[2]] + (["-ciphersuites", suite] if version == "1.3" else ["-cipher", suite + ":@SECLEVEL=0"])
    choose += ["-psk", SECRET] if secret else []
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        server = stack.enter_context(subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-quiet", "-naccept", "1",
                                                       *certificate(suite), *choose], **pipes))
        stack.callback(server.kill)
        client = stack.enter_context(subprocess.Popen(["openssl", "s_client", "-connect", "127.0.0.1:%d" % listener.getsockname()[1], "-quiet",
                                                       "-servername", "mx.example.org", "-keylogfile", keys, *choose], **pipes))
        stack.callback(client.kill)
        near = stack.enter_context(listener.accept()[0])
        far = stack.enter_context(connected(port))
        capture = dialogue.Capture()
        capture.new_session()
        capture.step("port 465")
        link = Link(capture, [near, far], [client, server])
        for side, text in SAID:
            link.say(side, text)
        capture.step("close C")
        capture.write(path)
    return path, keys


def check(suite, version, secret, folder):
    path, keys = record(suite, version, secret, folder)
    session = common.run("-o", "json", "--keylog", keys, path).sessions()[0]
    if secret and version == "1.3" and not session["tls"]["resumed"]:
        yield "the secret was not used"
    verdict, dialog = session["verdict"], session["dialogue"]
    if any(word in suite for word in LEFT_CLOSED):
        words = verdict["explanation"]
        if session["tls"]["decrypted"] or dialog or session["messages"]:
            yield "something comes out of it: %s" % dialog
        if "cannot be opened, even with a key" not in words or session["tls"]["cipher"] not in words or session["outcome"] != "unknown":
            yield "%s %s: %s" % (session["outcome"], verdict["cause"], words)
        return
    lines = [line for side, text in SAID for line in text.decode("ascii").splitlines()[-1:]]
    heard = ["%s %s" % (step["code"], step["text"]) if step["from"] == "server" else step["verb"] for step in dialog]
    wrong = [(a, b) for a, b in zip(lines, heard) if a != b and a.split()[0].split(":")[0] != b]
    if (session["outcome"], verdict["cause"]) != ("delivered", "ok-delivered") or len(lines) != len(heard) or wrong:
        yield "%s %s: %s" % (session["outcome"], verdict["cause"], heard)


def main():
    opened, closed, failures = 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        for suite, version, secret in suites():
            failures += ["%s: %s" % (suite, failure) for failure in check(suite, version, secret, folder)]
            closed += any(word in suite for word in LEFT_CLOSED)
            opened += not any(word in suite for word in LEFT_CLOSED)
    print("\n".join(failures + ["%d suites are opened, %d are named as not opened; %d failures" % (opened, closed, len(failures))]))
    return 1 if failures or opened < 40 or closed < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
