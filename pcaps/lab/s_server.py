#!/usr/bin/env python3
"""A mail server whose TLS end is `openssl s_server`; the dialogue behind it is that of odd.py.

    s_server.py PORT JSON OPTION...

OPTIONs go to s_server. JSON has "script" (for odd.py), "starttls" (a few words in clear come first, and s_server takes over
behind them) and "order", an order to s_server ("r": renegotiate, "K": new keys) that is given after the answer to EHLO.
"""
import json
import os
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BACK, TLS = 2525, 4465
CLEAR = {"EHLO": b"250-mx.example.org\r\n250 STARTTLS\r\n", "STARTTLS": b"220 2.0.0 Ready to start TLS\r\n"}
READY = (b"Secure Renegotiation IS", b"This TLS version forbids renegotiation")  # what s_server prints last of a new connection

NOISE = (b"SSL_do_handshake", b"Read BLOCK", b"KEYUPDATE")


def copy(source, target):
    try:
        for data in iter(lambda: source.recv(65536), b""):
            target.sendall(data)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def in_clear(client):
    """Greeting, EHLO, STARTTLS; then all bytes go to and from s_server."""
    client.sendall(b"220 mx.example.org ESMTP\r\n")
    for line in iter(lambda: client.recv(4096), b""):
        verb = line.split()[0].decode("ascii").upper()
        client.sendall(CLEAR.get(verb, b"530 5.7.0 Must issue a STARTTLS command first\r\n"))
        if verb == "STARTTLS":
            inner = socket.create_connection(("127.0.0.1", TLS))
            threading.Thread(target=copy, args=(inner, client), daemon=True).start()
            copy(client, inner)
            return


def front(port):
    listener = socket.create_server(("0.0.0.0", port))
    while True:
        threading.Thread(target=in_clear, args=(listener.accept()[0],), daemon=True).start()


class Behind:
    """What s_server opened goes to odd.py, and what that says is typed into s_server."""

    def __init__(self, tls, settings):
        self.tls, self.settings, self.back, self.held = tls, settings, None, []

    def type(self, text):
        self.tls.stdin.write(text)
        self.tls.stdin.flush()

    def answers(self, back):
        drop, order = self.settings.get("starttls"), self.settings.get("order")
        for line in back.makefile("rb"):
            if not drop:
                self.type(line)
            drop = False
            if order and line.startswith(b"250 "):
                time.sleep(0.1)  # an order has to be the beginning of what s_server reads
                self.type(order.encode("ascii") + b"\n")
                order = None
        self.back = None  # what s_server prints from here on is its own
        time.sleep(0.1)
        self.type(b"q\n")  # the connection ends, with a close_notify

    def line(self, line):
        if line.startswith(READY):
            self.back = socket.create_connection(("127.0.0.1", BACK))
            threading.Thread(target=self.answers, args=(self.back,), daemon=True).start()
            time.sleep(0.2)  # the greeting comes first
            for held in self.held:
                self.back.sendall(held)
            self.held = []
        elif self.back and not line.startswith(NOISE):
            self.back.sendall(line)

    def read(self):
        early = False
        for line in self.tls.stdout:
            if line.startswith((b"Early data received", b"End of early data")):
                early = line.startswith(b"Early")
            elif early and line.strip():
                self.held.append(line)
            else:
                self.line(line)


def main():
    port, settings, options = int(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
    odd = subprocess.Popen(["python3", os.path.join(HERE, "odd.py"), str(BACK), json.dumps(settings.get("script", {}))])
    starttls = settings.get("starttls")
    # by lines, or early data would come out before the words that announce it
    with subprocess.Popen(["stdbuf", "-oL", "openssl", "s_server", "-accept", str(TLS if starttls else port)] + options, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as tls:
        if starttls:
            threading.Thread(target=front, args=(port,), daemon=True).start()
        Behind(tls, settings).read()
    odd.kill()


if __name__ == "__main__":
    main()
