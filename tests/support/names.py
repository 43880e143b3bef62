"""Name look-ups and neighbours for dialogue scripts: the words that happen before a connection."""
import socket
import struct

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "TLSA": 52}
RCODES = {"servfail": 2, "nxdomain": 3, "refused": 5}


def packed_address(ip):
    return socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)


def packed_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.strip(".").split(".") if label) + b"\0"


def query(number, name, kind):
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + packed_name(name) + struct.pack("!HH", TYPES[kind], 1)


def record(kind, data):
    return b"\xc0\x0c" + struct.pack("!HHIH", TYPES[kind], 1, 60, len(data)) + data


def value(text):
    """One word of an answer as (type, data)."""
    if text == "nullmx":
        return "MX", b"\0\0\0"
    if text.startswith("txt:"):
        return "TXT", bytes([len(text) - 4]) + text[4:].encode()
    if text.startswith("tlsa:"):  # usage, SPKI, SHA-256 of something
        return "TLSA", bytes([int(text[5:]), 1, 1]) + bytes(32)
    if text.startswith("srv:"):  # priority, weight, port 465, host
        return "SRV", b"\0\0\0\1\x01\xd1" + packed_name(text[4:])
    for kind in ("mx", "cname"):
        if text.startswith(kind + ":"):
            name = packed_name(text[len(kind) + 1:])
            return kind.upper(), (b"\0\x0a" if kind == "mx" else b"") + name
    if ":" in text:
        return "AAAA", socket.inet_pton(socket.AF_INET6, text)
    return "A", socket.inet_aton(text)


def answer(question, words):
    rcode = sum(RCODES.get(word, 0) for word in words)
    flags = 0x8180 | rcode | (0x0200 if "truncated" in words else 0)
    values = [value(word) for word in words if word not in RCODES and word not in ("nodata", "truncated")]
    head = question[:2] + struct.pack("!HHHHH", flags, 1, len(values), 0, 0)
    return head + question[12:] + b"".join(record(kind, data) for kind, data in values)


class Names:
    """Part of support/dialogue.py's Capture."""
    resolver = socket.inet_aton("192.0.2.53")
    questions = 0

    def udp(self, src, dst, src_port, dst_port, body):
        datagram = struct.pack("!HHHH", src_port, dst_port, 8 + len(body), 0) + body
        self.ip(src, dst, 17, datagram, 64, True)
        s = self.session
        if s and s.nat:
            other = {s.address[0]: s.nat}
            self.ip(other.get(src, src), other.get(dst, dst), 17, datagram, 63, True)

    def do_resolver(self, ip):
        self.resolver = packed_address(ip)

    def ask(self, name, kind):
        self.questions += 1
        question = query(self.questions, name, kind)
        self.udp(self.session.address[0], self.resolver, 50000 + self.questions, 53, question)
        return question

    def do_dns(self, name, kinds, *words):
        for kind in kinds.split(","):
            question = self.ask(name, kind)
            self.udp(self.resolver, self.session.address[0], 53, 50000 + self.questions, answer(question, words))

    def do_dns_lost(self, name, kinds, times="1", gap="5"):
        """Questions that nobody answers; the repetitions are all types again."""
        for i in range(int(times)):
            self.time += float(gap) if i else 0
            for kind in kinds.split(","):
                self.ask(name, kind)

    def do_dns_foreign(self, name, kind, wrong, *words):
        """A question, and an answer that fits none: the id, the port or the sender is another."""
        question = bytearray(self.ask(name, kind))
        question[0] ^= wrong == "id"
        sender = self.resolver[:3] + b"\x42" if wrong == "sender" else self.resolver
        self.udp(sender, self.session.address[0], 53, 50000 + self.questions + (wrong == "port"), answer(bytes(question), words))

    def do_dns_icmp(self, name, kinds, code="3"):
        """A question and an ICMP error in place of its answer."""
        for kind in kinds.split(","):
            self.ask(name, kind)
            quote = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 60, 1, 0, 63, 17, 0, self.session.address[0], self.resolver)
            quote += struct.pack("!HHHH", 50000 + self.questions, 53, 40, 0)
            self.ip(self.resolver, self.session.address[0], 1, struct.pack("!BBHI", 3, int(code), 0, 0) + quote, 63, True)

    def over_tcp(self):
        """A connection to the resolver; gives back the session that it stands in front of."""
        before = self.session
        self.new_session()
        self.session.address = [before.address[0], self.resolver]
        self.session.port[1] = 53
        return before

    def back_from_tcp(self, before):
        port = self.session.port[0]
        self.session = before
        if not before.established:
            self.session.port[0] = port + 1

    def do_dns_tcp_refused(self):
        before = self.over_tcp()
        self.do_refuse()
        self.back_from_tcp(before)

    def do_dns_tcp_silent(self, times):
        before = self.over_tcp()
        self.do_syn(times)
        self.back_from_tcp(before)

    def do_dns_tcp_mute(self, name, kind):
        """The question is taken and never answered."""
        before = self.over_tcp()
        self.questions += 1
        question = query(self.questions, name, kind)
        self.send(0, struct.pack("!H", len(question)) + question)
        self.time += 5
        self.do_close("C")
        self.back_from_tcp(before)

    def do_dns_tcp(self, name, kind, *words):
        """The same over TCP, in a connection of its own."""
        before = self.over_tcp()
        self.questions += 1
        question = query(self.questions, name, kind)
        reply = answer(question, words)
        self.send(0, struct.pack("!H", len(question)) + question)
        whole = struct.pack("!H", len(reply)) + reply
        self.send(1, whole[:7])
        self.send(1, whole[7:])
        self.do_close("C")
        self.back_from_tcp(before)

    def ether(self, kind, body):
        self.time += 0.001
        self.count += 1
        self.frames.append((self.time, b"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01" + struct.pack("!H", kind) + body))

    def arp(self, operation, sender, target):
        self.ether(0x0806, struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, b"\x02\0\0\0\0\x01", sender,
                                       b"\0" * 6, target))

    def do_arp(self, target, times="1", how="silence"):
        """Who has the address? `answered` gives a reply to the last question."""
        me, other = self.session.address[0], socket.inet_aton(target)
        for i in range(int(times)):
            self.time += 1 if i else 0
            self.arp(1, me, other)
        if how == "answered":
            self.arp(2, other, me)

    def do_nd(self, client, target, times="1", how="silence"):
        """The same for IPv6."""
        me, other = socket.inet_pton(socket.AF_INET6, client), socket.inet_pton(socket.AF_INET6, target)
        for i in range(int(times)):
            self.time += 1 if i else 0
            self.icmp6(me, other, struct.pack("!BBHI", 135, 0, 0, 0) + other)
        if how == "answered":
            self.icmp6(other, me, struct.pack("!BBHI", 136, 0, 0, 0x60000000) + other)

    def icmp6(self, src, dst, body):
        self.ether(0x86DD, struct.pack("!IHBB", 0x60000000, len(body), 58, 255) + src + dst + body)
