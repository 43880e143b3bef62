#!/usr/bin/env python3
"""A scripted SMTP server for what real servers cannot be configured to do.

    odd.py PORT JSON

JSON: an object, or a list of objects, one for each connection in turn (the last one serves the rest). Keys: "greeting",
a verb, "TEXT" (in the midst of the text), "DOT" (its end), "login" (the answer to the end of a login). A value is a reply (lines separated by
LF), or a list of them used in turn. A reply may begin with "!sleep:SECONDS " and may be "!close", "!reset", "!hang" or
"!silent" (no answer, go on reading).
"""
import json
import socket
import struct
import sys
import threading
import time

DEFAULT = {
    "greeting": "220 mx.example.org ESMTP ready", "EHLO": "250-mx.example.org\n250-PIPELINING\n250-SIZE 35000000\n250 8BITMIME",
    "HELO": "250 mx.example.org", "LHLO": "250-mx.example.org\n250 PIPELINING", "MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok",
    "DATA": "354 End data with <CR><LF>.<CR><LF>", "DOT": "250 2.0.0 Ok: queued as 4F1B2C", "RSET": "250 2.0.0 Ok",
    "NOOP": "250 2.0.0 Ok", "QUIT": "221 2.0.0 Bye", "login": "235 2.7.0 Authentication successful",
}


class Gone(Exception):
    pass


class Session:
    def __init__(self, connection, script):
        self.connection = connection
        self.given = script
        self.script = dict(DEFAULT, **script)
        self.file = connection.makefile("rb")
        self.sender = self.recipients = False  # accepted

    def answer(self, key, otherwise="502 5.5.1 Command not recognized"):
        value = self.script.get(key, otherwise)
        if isinstance(value, list):
            reply = value[0]
            if len(value) > 1:
                self.script[key] = value[1:]
        else:
            reply = value
        if reply.startswith("!sleep:"):
            seconds, _, reply = reply[7:].partition(" ")
            time.sleep(float(seconds))
        if reply == "!close":
            raise Gone
        if reply == "!reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Gone
        if reply == "!hang":
            time.sleep(3600)
        if reply == "!silent" or not reply:
            return ""
        last = reply.endswith("!close")
        reply = reply[:-6].rstrip() if last else reply
        self.connection.sendall(reply.replace("\n", "\r\n").encode("latin-1") + b"\r\n")
        if last:
            raise Gone
        return reply

    def line(self):
        line = self.file.readline()
        if not line:
            raise Gone
        return line.decode("latin-1").rstrip("\r\n")

    def login(self, words):
        if len(words) < 3:
            mechanism = words[1].upper() if len(words) > 1 else ""
            prompts = {"LOGIN": ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"], "CRAM-MD5": ["PDE4OTYuNjk3MTcwOTUyQG14LmV4YW1wbGUub3JnPg=="]}
            for prompt in prompts.get(mechanism, [""]):
                self.connection.sendall(("334 %s\r\n" % prompt).encode())
                if self.line() == "*":
                    self.answer("cancel", "501 5.7.0 Authentication aborted")
                    return
        elif words[1].upper() == "LOGIN":
            self.connection.sendall(b"334 UGFzc3dvcmQ6\r\n")
            self.line()
        while self.answer("login").startswith("334"):
            self.line()

    def out_of_order(self, verb):
        """What a server says to a command whose turn it is not; "" if all is well."""
        reply = ""
        if verb in ("RCPT", "DATA") and not self.sender:
            reply = "503 5.5.1 Error: need MAIL command"
        elif verb == "DATA" and not self.recipients and "DATA" not in self.given:
            reply = "554 5.5.1 Error: no valid recipients"
        if reply:
            self.connection.sendall(reply.encode() + b"\r\n")
        return reply

    def text(self):
        """The message, up to its dot; TEXT says what happens in its midst, behind the tenth line."""
        count = 0
        while self.line() != ".":
            count += 1
            if count == 10 and "TEXT" in self.script:
                self.answer("TEXT")

    def serve(self):
        self.answer("greeting")
        while True:
            words = self.line().split(" ")
            verb = words[0].upper()
            if verb == "AUTH" and "AUTH" not in self.script:
                self.login(words)
                continue
            reply = self.out_of_order(verb) or self.answer(verb)
            if verb in ("MAIL", "RSET", "EHLO", "HELO"):
                self.sender, self.recipients = verb == "MAIL" and reply.startswith("2"), False
            if verb == "RCPT" and reply.startswith("2"):
                self.recipients = True
            if verb == "DATA" and reply.startswith("354"):
                self.text()
                self.answer("DOT")
            if verb == "QUIT":
                return


def handle(connection, script):
    try:
        Session(connection, script).serve()
    except (Gone, OSError):
        pass
    connection.close()


def main():
    port, scripts = int(sys.argv[1]), json.loads(sys.argv[2])
    if isinstance(scripts, dict):
        scripts = [scripts]
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", port))
    listener.listen(16)
    for number in range(1000000):
        connection, _ = listener.accept()
        script = scripts[min(number, len(scripts) - 1)]
        threading.Thread(target=handle, args=(connection, script), daemon=True).start()


if __name__ == "__main__":
    main()
