#!/usr/bin/env python3
"""The filter that the README gives to people who record: what it keeps, and what it leaves out."""
import os
import re
import struct

import common
from common import run

MAC = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01"
IPV4, IPV6, ARP, VLAN, QINQ = 0x0800, 0x86DD, 0x0806, 0x8100, 0x88A8
ICMP, TCP, UDP, FRAGMENT, ICMP6 = 1, 6, 17, 44, 58


def ports(src, dst):
    return struct.pack("!HH", src, dst) + b"\0" * 16


def ip4(protocol, body, offset=0, more=False):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, offset | (0x2000 if more else 0), 64, protocol, 0,
                       b"\xc0\0\2\1", b"\xc6\x33\x64\2") + body


def ip6(protocol, body):
    return struct.pack("!IHBB16s16s", 0x60000000, len(body), protocol, 64, b"\x20" * 16, b"\x21" * 16) + body


def packets():
    """(what, EtherType, packet, kept?)"""
    for port in (25, 465, 587, 2525):
        for src, dst in ((40000, port), (port, 40000)):
            yield "TCP %d to %d" % (src, dst), IPV4, ip4(TCP, ports(src, dst)), True
            yield "TCP6 %d to %d" % (src, dst), IPV6, ip6(TCP, ports(src, dst)), True
    for src, dst in ((40000, 53), (53, 40000)):
        yield "DNS", IPV4, ip4(UDP, ports(src, dst)), True
        yield "DNS over TCP", IPV4, ip4(TCP, ports(src, dst)), True
        yield "DNS over IPv6", IPV6, ip6(UDP, ports(src, dst)), True
    yield "ICMP", IPV4, ip4(ICMP, b"\3\4" + b"\0" * 30), True
    yield "ICMPv6", IPV6, ip6(ICMP6, b"\2\0" + b"\0" * 30), True
    yield "ARP", ARP, b"\0\1\10\0\6\4\0\1" + b"\0" * 20, True
    yield "first fragment", IPV4, ip4(TCP, ports(40000, 25), more=True), True
    yield "middle fragment", IPV4, ip4(TCP, b"x" * 40, offset=64, more=True), True
    yield "last fragment", IPV4, ip4(TCP, b"x" * 40, offset=128), True
    yield "IPv6 fragment", IPV6, ip6(FRAGMENT, b"\6\0\0\1\0\0\0\7" + b"x" * 40), True
    yield "web", IPV4, ip4(TCP, ports(40000, 443)), False
    yield "web over IPv6", IPV6, ip6(TCP, ports(40000, 443)), False
    yield "UDP on a mail port", IPV4, ip4(UDP, ports(40000, 25)), False
    yield "time service", IPV4, ip4(UDP, ports(123, 123)), False
    yield "spanning tree", 0x0026, b"\x42\x42\3" + b"\0" * 35, False


def frames(link_type):
    for what, ethertype, packet, kept in packets():
        if link_type == 276:
            yield what, struct.pack("!HHIHBB8s", ethertype, 0, 2, 1, 0, 6, MAC[:6] + b"\0\0") + packet, kept
            continue
        plain = struct.pack("!H", ethertype) + packet
        yield what, MAC + plain, kept
        yield what + " with a tag", MAC + struct.pack("!HH", VLAN, 7) + plain, kept
        yield what + " with two tags", MAC + struct.pack("!HHHH", QINQ, 9, VLAN, 7) + plain, kept


class Recording(common.Case):
    def readme(self):
        with open(os.path.join(common.ROOT, "README.md"), encoding="utf-8") as file:
            return file.read()

    def filters(self):
        """The two filters as a shell makes them of the README's lines: for one interface, and for the device any."""
        text = self.readme()
        values = dict(re.findall(r"^    ([a-z]+)='([^'\n]+)'$", text, re.M))
        self.assertIn("f", values)
        found = {}
        for interface, expression in re.findall(r'^    tcpdump -i (\S+) -s 0 -w \S+ "([^"\n]+)"$', text, re.M):
            found[interface] = expression.replace("$f", values["f"])
        self.assertEqual(sorted(found), ["any", "eth0"])
        return found

    def kept(self, expression, link_type, frame):
        content = common.pcap_header(link_type) + struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame
        result = run("-o", "json", "-f", expression, self.file("one.pcap", content))
        self.assertEqual(result.status, 0, result.err)
        return result.records()[-1]["frames"]["filtered"] == 0

    def check(self, expression, link_type):
        tried = 0
        for what, frame, kept in frames(link_type):
            self.assertEqual(self.kept(expression, link_type, frame), kept, what)
            tried += 1
        self.assertGreater(tried, 30)

    def test_interface(self):
        self.check(self.filters()["eth0"], 1)

    def test_any_device(self):
        self.check(self.filters()["any"], 276)

    def test_wireshark_gets_the_same(self):
        """The README tells users of Wireshark to paste it, so it stands there once more in full."""
        text = re.sub(r"\s+", " ", self.readme())
        self.assertIn(self.filters()["eth0"], text)


if __name__ == "__main__":
    common.main()
