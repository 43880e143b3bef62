#!/usr/bin/env python3
"""A cable with faults: passes packets between two network cards, and does to some of them what JSON says.

    cable.py CARD CARD JSON

The first card is the client's end. JSON is a list of objects, each with a "fault":

    delay     seconds                       everything that comes from the side "of" ("C", "S", "" for both) arrives later
    lose      every, of, least              each Nth packet with at least so many octets of payload is lost
    double    every, of                     each Nth packet arrives twice
    swap      every, of                     each Nth packet arrives behind the next ones, 30 ms late
    unplug    when, of, seconds             from the payload that matches on, nothing gets through for that long
    unscale                                 the window scale that the server announces arrives as 0
    reset     when, of, ttl, both           a third party answers a payload that matches with a RST in the server's name
    overwrite when, of, by                  what matches in a payload is replaced by a text of the same length
    mask      hello                         a firewall that lets only old SMTP commands pass and paints over the rest;
                                            with "hello" it knows EHLO, and paints over the words that it does not
"""
import heapq
import json
import re
import select
import socket
import struct
import sys
import time

SYN, RST, ACK = 2, 4, 16


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Packet:
    """A TCP packet in IPv4 in Ethernet; `payload` and `options` may be replaced by as many octets."""

    def __init__(self, frame):
        self.ethernet = frame[:14]
        size = (frame[14] & 15) * 4
        total = struct.unpack("!H", frame[16:18])[0]
        self.ip = bytearray(frame[14:14 + size])
        segment = frame[14 + size:14 + total]
        offset = (segment[12] >> 4) * 4
        self.tcp, self.options, self.payload = bytearray(segment[:20]), bytearray(segment[20:offset]), segment[offset:]
        self.flags = self.tcp[13]
        self.sequence, self.acknowledges = struct.unpack("!II", self.tcp[4:12])

    def bytes(self):
        self.ip[10:12] = b"\0\0"
        self.ip[10:12] = struct.pack("!H", checksum(bytes(self.ip)))
        self.tcp[16:18] = b"\0\0"
        segment = bytes(self.tcp + self.options) + self.payload
        pseudo = bytes(self.ip[12:20]) + struct.pack("!HH", 6, len(segment))
        self.tcp[16:18] = struct.pack("!H", checksum(pseudo + segment))
        return self.ethernet + bytes(self.ip + self.tcp + self.options) + self.payload

    def reset(self, ttl, backwards):
        """What a third party sends that has seen this packet: on to its receiver, or backwards in the receiver's name."""
        ethernet, source, target = self.ethernet, self.ip[12:16], self.ip[16:20]
        ports, sequence = self.tcp[0:4], (self.sequence + len(self.payload)) & 0xffffffff
        if backwards:
            ethernet = ethernet[6:12] + ethernet[:6] + ethernet[12:]
            source, target, ports, sequence = target, source, self.tcp[2:4] + self.tcp[0:2], self.acknowledges
        ip = bytearray(struct.pack("!BBHHHBBH", 0x45, 0, 40, 0x5a5a, 0, ttl, 6, 0) + source + target)
        tcp = bytearray(ports + struct.pack("!IIBBHHH", sequence, 0, 0x50, RST, 0, 0, 0))
        ip[10:12] = struct.pack("!H", checksum(bytes(ip)))
        tcp[16:18] = struct.pack("!H", checksum(bytes(ip[12:20]) + struct.pack("!HH", 6, 20) + bytes(tcp)))
        return ethernet + bytes(ip + tcp)


class Mask:
    """Cisco's "fixup protocol smtp" of old, and its inspection of ESMTP with a "hello"."""
    OLD = (b"HELO", b"MAIL", b"RCPT", b"DATA", b"RSET", b"NOOP", b"QUIT")
    KNOWN = (b"8BITMIME", b"SIZE", b"PIPELINING", b"DSN", b"AUTH", b"HELP", b"ETRN")

    def __init__(self, hello):
        self.hello, self.text = hello, False

    def client(self, payload):
        if self.text:
            if payload.endswith(b"\r\n.\r\n"):
                self.text = False
            # it looks for the end of the text in one packet; alone, the dot is a command that it does not know
            return b"X\r\n" if payload == b".\r\n" else payload
        if payload[:4].upper() in self.OLD or self.hello and payload[:4].upper() in (b"EHLO", b"AUTH"):
            return payload
        return re.sub(rb"^\w+", lambda match: b"X" * len(match[0]), payload)

    def server(self, payload):
        if payload.startswith(b"354"):
            self.text = True
        if payload.startswith(b"220 "):
            return payload[:4] + re.sub(rb"[^20 \r\n]", b"*", payload[4:])
        if self.hello and payload.startswith(b"250-"):
            return re.sub(rb"(?m)(?<=^250[- ])[A-Z0-9]+(?=[ \r])", self.word, payload)
        return payload

    def word(self, match):
        return match[0] if match[0] in self.KNOWN else b"X" * (len(match[0]) - 1) + b"A"


class Cable:
    def __init__(self, cards, faults):
        self.cards = []
        for card in cards:
            self.cards.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
            self.cards[-1].bind((card, 3))
        self.faults = [dict(fault, count=0) for fault in faults]
        for fault in self.faults:
            if fault["fault"] == "mask":
                fault["mask"] = Mask(fault.get("hello", False))
        self.waiting, self.number, self.dead_until = [], 0, 0

    def send(self, to, frame, at=0.0):
        self.number += 1
        heapq.heappush(self.waiting, (at, self.number, to, frame))

    def spoil(self, side, frame):
        """Each fault in turn; the answer says when which frames go on."""
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            return [(0, frame)]
        packet, late, copies = Packet(frame), 0.0, 1
        for fault in self.faults:
            if fault.get("of", "") not in ("", "CS"[side]):
                continue
            kind = fault["fault"]
            matches = "when" in fault and re.search(fault["when"].encode("latin-1"), packet.payload) is not None
            if "every" in fault and len(packet.payload) >= fault.get("least", 1):
                fault["count"] += 1
                matches = fault["count"] % fault["every"] == 0
            if kind == "delay":
                late += fault["seconds"]
            elif kind == "unplug" and matches and not self.dead_until:
                self.dead_until = time.monotonic() + fault["seconds"]
            elif kind == "unscale" and side == 1 and packet.flags & SYN:
                packet.options = bytearray(re.sub(rb"\x03\x03.", b"\x03\x03\x00", bytes(packet.options), flags=re.S))
            elif kind == "mask" and packet.payload:
                packet.payload = (fault["mask"].server if side else fault["mask"].client)(packet.payload)
            elif matches and kind == "lose":
                return []
            elif matches and kind == "double":
                copies = 2
            elif matches and kind == "swap":
                late += 0.03
            elif matches and kind == "overwrite":
                packet.payload = re.sub(fault["when"].encode("latin-1"), fault["by"].encode("latin-1"), packet.payload)
            elif matches and kind == "reset":
                self.send(side, packet.reset(fault["ttl"], True))
                if fault.get("both"):
                    self.send(1 - side, packet.reset(fault["ttl"], False), time.monotonic() + 0.001)
        if time.monotonic() < self.dead_until:
            return []
        return [(late, packet.bytes())] * copies

    def run(self):
        while True:
            wait = max(0.0, self.waiting[0][0] - time.monotonic()) if self.waiting else None
            for card in select.select(self.cards, [], [], wait)[0]:
                frame, address = card.recvfrom(65536)
                if address[2] == socket.PACKET_OUTGOING:
                    continue
                side = self.cards.index(card)
                for late, changed in self.spoil(side, frame):
                    self.send(1 - side, changed, time.monotonic() + late if late else 0.0)
            while self.waiting and self.waiting[0][0] <= time.monotonic():
                _, _, to, frame = heapq.heappop(self.waiting)
                try:
                    self.cards[to].send(frame)
                except OSError:  # too large for the other side, or that is gone
                    pass


if __name__ == "__main__":
    Cable(sys.argv[1:3], json.loads(sys.argv[3])).run()
