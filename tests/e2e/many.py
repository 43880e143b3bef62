#!/usr/bin/env python3
"""Many connections at once, more than are kept at hand (src/flow/rest.c): what is told of each is what is told of it when
it is alone.
"""
import re
import struct

import common
from common import dialogue

# What is said in each round; between two rounds all other connections come.
SCRIPTS = (
    (["hello"], ["mail"], ["C: RCPT TO:<bob@example.com>", "S: 550 5.1.1 no such user"], ["quit"]),
    (["hello AUTH_PLAIN"], ["C: AUTH PLAIN"], ["S: 334 ", "C: AGFubmEAbm90LWEtcmVhbC1zZWNyZXQ="], ["S: 535 5.7.8 no", "quit"]),
    (["hello"], ["mail", "rcpt"], ["data", "C. Subject: one\\r\\nFrom: <a@exam"], ["C: ple.net>", "C: ", "C: text", "C: .", "queued"]),
    (["handshake"], ["S: 220-mx.example.org"], ["S: 220 ESMTP", "C: EHLO pc"], ["rst S"]),
    (["hello STARTTLS"], ["C: STARTTLS", "S: 220 go"], ["C. \\x16\\x03\\x01\\x00\\x80\\x01"], ["fin C"]),
    (["hello"], ["C: NOOP", "lost S: 250 ok", "C: NOOP"], ["keepalive C", "S: 250 ok", "mail"], ["C: RCPT TO:<bob@example.org>", "S: 550 5.1.1 no"]),
    (["hello"], ["again C: EHLO pc.example.com"], ["mail", "again C: MAIL FROM:<emma@example.net>"], ["C: RCPT TO:<bob@example.org>", "S: 550 5.1.1 no such user"]),
    (["port 8080", "S: 220 mx.example.org ESMTP"], ["C: EHLO pc", "S: 250 mx"], ["C: FROB", "S: 500 what?"], ["quit"]),
)
PAUSE_S = 2
COUNT = 2800


def place(session):
    """What differs although the same was said."""
    kept = {key: session[key] for key in session if key not in ("id", "community_id", "client", "server")}
    kept["findings"] = [f["id"] for f in session["findings"] if f["id"] != "aud-starttls-not-offered"]  # told once
    return kept


def shape(value):
    """Without frame numbers and times."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()
                if not any(word in key for word in ("frame", "time", "_ms", "_at", "_s", "begin", "end", "file", "story", "port", "duration", "answers", "explanation"))}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return re.sub(r"[0-9]+(\\.[0-9]+)?", "#", value) if isinstance(value, str) else value


class Many(common.Case):
    def told(self, count):
        made = dialogue.Capture()
        sessions = [None] * count
        for step in range(len(SCRIPTS[0])):
            begin = made.time
            for number in range(count):
                if step == 0:
                    made.new_session()
                    made.session.address[0] = struct.pack("!I", 0x0B000000 + number)
                    made.session.address[1] = struct.pack("!I", 0xC6120000 + number)
                    made.session.port[0] = 40000 + number % len(SCRIPTS)
                    sessions[number] = made.session
                made.session = sessions[number]
                made.say(*SCRIPTS[number % len(SCRIPTS)][step])
            made.time = max(made.time, begin + PAUSE_S)
        made.write(self.path("made.pcap"))
        result = common.run("-o", "json", "--limits", "memory=4G", self.path("made.pcap"))
        self.assertEqual(result.records()[-1]["limits"], {})
        return {session["client"]["ip"]: session for session in result.sessions()}

    def test_each_is_told_as_if_it_were_alone(self):
        few, many = self.told(len(SCRIPTS)), self.told(COUNT)
        self.assertEqual((len(few), len(many)), (len(SCRIPTS), COUNT))
        for number in range(COUNT):
            ip = "11.0.%d.%d" % (number // 256, number % 256)
            alone = few["11.0.0.%d" % (number % len(SCRIPTS))]
            self.maxDiff = 4000
            self.assertEqual(shape(place(many[ip])), shape(place(alone)), ip)


if __name__ == "__main__":
    common.main()
