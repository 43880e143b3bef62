#!/usr/bin/env python3
"""TLS that is allowed and rare: hellos in many records or longer than one, empty records, ChangeCipherSpec at every place, a certificate
asked for in the middle of the dialogue, raw public keys. It must be read as what it is, with and without keys.

The handshakes are real (support/tls.py) and rewritten where they are in clear.
"""
import os
import shutil
import ssl
import struct
import subprocess

import common
import dialogue
import tls

SAID = ((1, b"220 mx ESMTP\r\n"), (0, b"EHLO pc\r\n"), (1, b"250 mx\r\n"), (0, b"MAIL FROM:<anna@example.net>\r\n"), (1, b"250 Ok\r\n"),
        (0, b"RCPT TO:<bob@example.org>\r\n"), (1, b"250 Ok\r\n"), (0, b"DATA\r\n"), (1, b"354 Go ahead\r\n"),
        (0, b"Subject: Hello\r\n\r\nHi Bob\r\n.\r\n"), (1, b"250 2.0.0 Ok\r\n"), (0, b"QUIT\r\n"), (1, b"221 Bye\r\n"))


def record(kind, body, version=0x0303):
    return struct.pack(">BHH", kind, version, len(body)) + body


def records(kind, body, size, version=0x0303):
    return b"".join(record(kind, body[at:at + size], version) for at in range(0, len(body), size))


def messages(data):
    """The handshake messages in records that are in clear."""
    clear = b""
    while data[:1] == b"\x16":
        length = int.from_bytes(data[3:5], "big")
        clear, data = clear + data[5:5 + length], data[5 + length:]
    while clear:
        length = 4 + int.from_bytes(clear[1:4], "big")
        yield clear[:length]
        clear = clear[length:]


class OddTls(common.Case):
    def begin(self, **options):
        self.made = dialogue.Capture()
        self.made.new_session()
        self.made.step("port 465")
        self.connection = tls.Connection(options)
        self.keys = self.file("keys", b"")
        self.connection.client_context.keylog_filename = self.keys

    def flights(self):
        said = []
        self.connection.shake(lambda side, data: said.append((side, data)))
        return said

    def finish(self, before=b""):
        for side, text in SAID:
            self.made.send(side, before + self.connection.write(side, text))
        self.made.step("close C")
        return self.judge()

    def judge(self):
        """(without keys, with them)"""
        path = self.path("odd.pcap")
        self.made.write(path)
        arguments = ["-o", "json", "--ca-file", tls.STORE.anchor(), path]
        return common.run(*arguments).sessions()[0], common.run("-k", self.keys, *arguments).sessions()[0]

    def check(self, sessions, name="mx.example.org"):
        closed, opened = sessions
        self.assertEqual((closed["outcome"], closed["verdict"]["cause"]), ("unknown", "enc-likely-delivered"))
        self.assertEqual((opened["outcome"], opened["verdict"]["cause"], opened["verdict"]["confidence"]), ("delivered", "ok-delivered", "certain"))
        self.assertEqual((closed["tls"]["sni"], opened["tls"]["sni"]), (name, name))
        self.assertEqual([step["verb"] for step in opened["dialogue"] if step["from"] == "client"],
                         ["EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"])

    def test_anchors_that_cannot_be_read_are_no_empty_store(self):
        path = self.capture("one.pcap", ["port 587", "starttls", "tls version=1.2", "sent-inside", "quit-inside", "close S"])
        hashed, plain, empty = (self.path(name) for name in ("hashed", "plain", "empty"))
        for folder in (hashed, plain, empty):
            os.mkdir(folder)
        shutil.copy(tls.STORE.anchor(), plain)
        shutil.copy(tls.STORE.anchor(), hashed)
        subprocess.run(["openssl", "rehash", hashed], check=True, capture_output=True)
        for option, value in (("--ca-file", self.path("none")), ("--ca-path", self.path("none")), ("--ca-path", path),
                              ("--ca-path", empty), ("--ca-path", plain)):
            refused = common.run("--ca-file", tls.STORE.anchor(), option, value, path)
            self.assertEqual((refused.status, refused.out), (2, ""), (option, value))
            self.assertIn("%s: no trusted certificates" % value, refused.err)
        certificate = common.run("-o", "json", "--ca-path", hashed, path).sessions()[0]["tls"]["certificates"][0]
        self.assertEqual(certificate["problems"], [])

    def test_hellos_in_many_records(self):
        for version in ("1.2", "1.3"):
            with self.subTest(version):
                self.begin(version=version)
                for number, (side, data) in enumerate(self.flights()):
                    self.made.send(side, records(22, data[5:], 1, 0x0301) if number == 0 else data)
                self.check(self.finish())

    def test_a_hello_longer_than_a_record(self):
        for version in ("1.2", "1.3"):
            with self.subTest(version):
                self.begin(version=version)
                flights = self.flights()
                # the bytes on the wire are not those that both sides signed, which nobody who listens can tell
                self.made.send(0, records(22, tls.extended(flights[0][1], 21, bytes(40000))[5:], 16384, 0x0301))
                for side, data in flights[1:]:
                    self.made.send(side, data)
                self.check(self.finish())

    def test_change_cipher_spec_everywhere(self):
        self.begin(version="1.3")
        for side, data in self.flights():
            self.made.send(side, record(20, b"\1") + data)
        self.check(self.finish(before=record(20, b"\1") * 3))

    def test_no_change_cipher_spec_at_all(self):
        self.begin(version="1.3")
        for side, data in self.flights():
            self.made.send(side, data.replace(record(20, b"\1"), b""))
        self.check(self.finish())

    def test_empty_records(self):
        self.begin(version="1.3")
        for side, data in self.flights():
            self.made.send(side, record(22, b"") * 2 + data)
        self.check(self.finish())

    def test_behind_a_proxy_header(self):
        """What a load balancer says comes first, in a packet of its own or with the hello; written again it is still there."""
        line = b"PROXY TCP4 203.0.113.77 192.0.2.1 5555 465\r\n"
        said = bytes((203, 0, 113, 77, 192, 0, 2, 1)) + b"\x15\xb3\1\xd1" + b"\5\0\6unique"  # addresses, ports, an id
        binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", len(said)) + said
        for header in (line, binary):
            for apart in (True, False):
                with self.subTest(header=header, apart=apart):
                    self.begin(version="1.3")
                    if apart:
                        self.made.send(0, header)
                    for number, (side, data) in enumerate(self.flights()):
                        self.made.send(side, data if number or apart else header + data)
                    self.check(self.finish())
                    again = self.path("again.pcapng")
                    common.run("-k", self.keys, "-o", "pcapng:" + again, "--only", "delivered", self.path("odd.pcap"))
                    for session, cause in zip((common.run("-o", "json", again).sessions()[0],
                                               common.run("-o", "json", "-k", self.keys, again).sessions()[0]),
                                              ("enc-likely-delivered", "ok-delivered")):
                        self.assertEqual((session["verdict"]["cause"], session["client"]["proxied_for"]), (cause, "203.0.113.77"))

    def test_a_raw_public_key(self):
        """RFC 7250: in place of a list of certificates stands a key, or a list that holds keys."""
        key = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + bytes(64)
        for listed in (key, len(key).to_bytes(3, "big") + key):
            self.begin(version="1.2")
            for side, data in self.flights():
                if side == 1 and data[:1] == b"\x16" and data[5:6] == b"\2":
                    body = len(listed).to_bytes(3, "big") + listed
                    certificate = b"\x0b" + len(body).to_bytes(3, "big") + body
                    data = b"".join(record(22, certificate if message[0] == 11 else message) for message in messages(data))
                self.made.send(side, data)
            closed, _ = self.finish()
            self.assertEqual((closed["outcome"], closed["verdict"]["cause"]), ("unknown", "enc-likely-delivered"))
            self.assertEqual([f["id"] for f in closed["findings"] if "cert" in f["id"]], [])
            self.assertEqual([c["problems"] for c in closed["tls"]["certificates"]], [[]] * len(closed["tls"]["certificates"]))

    def ask_within(self, give):
        """The server asks for a certificate behind EHLO (RFC 8446 4.6.2); what is said after that, and what became of it."""
        self.begin(version="1.3")
        client, server = self.connection.client_context, self.connection.server_context
        client.post_handshake_auth = server.post_handshake_auth = True
        server.verify_mode = ssl.CERT_REQUIRED
        server.load_verify_locations(tls.STORE.anchor())
        if give:
            client.load_cert_chain(tls.STORE.chain(["good"]))
        self.connection = tls.Connection({"version": "1.3"}, contexts=(client, server))
        for side, data in self.flights():
            self.made.send(side, data)
        for number, (side, text) in enumerate(SAID):
            self.made.send(side, self.connection.write(side, text))
            if number == 2:
                self.connection.server.tls.verify_client_post_handshake()
            self.pass_on()
            if number == 3 and not give:
                break
        self.made.step("close S")
        return self.judge()

    def pass_on(self):
        """What either side has to say besides the dialogue."""
        ends = (self.connection.client, self.connection.server)
        for side in (1, 0, 1):
            said = ends[side].outgoing.read()
            if said:
                self.made.send(side, said)
                ends[1 - side].incoming.write(said)
            self.connection.drain()

    def test_who_says_goodbye_inside_has_left(self):
        """The other side may be the first to close the connection then."""
        for version in ("1.2", "1.3"):
            for side, cause in ((0, "tcp-client-closed-early"), (1, "tcp-server-closed-early")):
                with self.subTest(version, side=side):
                    self.begin(version=version)
                    for who, data in self.flights():
                        self.made.send(who, data)
                    for who, text in SAID[:5]:
                        self.made.send(who, self.connection.write(who, text))
                    self.made.send(side, self.connection.close(side))
                    self.made.step("close " + "SC"[side])
                    _, opened = self.judge()
                    self.assertEqual((opened["outcome"], opened["verdict"]["cause"], opened["verdict"]["confidence"]), ("stuck", cause, "certain"))
                    proof = opened["verdict"]["evidence"][-1]
                    self.assertEqual((proof["from"], proof["what"]),
                                     (("client", "server")[side], "ends the encrypted connection (alert close_notify)"))
                    self.assertEqual([(alert["from"], alert["description"]) for alert in opened["tls"]["alerts"]],
                                     [(("client", "server")[side], "close_notify")])

    def test_a_certificate_asked_for_later(self):
        self.check(self.ask_within(True))

    def test_no_certificate_when_asked_later(self):
        closed, opened = self.ask_within(False)
        self.assertEqual(closed["outcome"], "unknown")
        self.assertEqual((opened["outcome"], opened["verdict"]["cause"], opened["verdict"]["stage"]), ("stuck", "tls-client-cert-required", "mail"))
        self.assertIn("certificate_required", [alert["description"] for alert in opened["tls"]["alerts"]])


if __name__ == "__main__":
    os.umask(0o077)
    common.main()
