#!/usr/bin/env python3
"""Rewrites a clean capture as other recorders, networks and network cards would have shown the same packets.

    rewrite.py --list                 the variants
    rewrite.py VARIANT IN OUT         IN is a classic pcap file of Ethernet frames; OUT is one too, or of another link type

Nothing that the two ends said changes: only what carries it, how it is cut up, how often it was recorded, or how much
of it. tests/e2e/rewritten.py holds each variant against its clean twin.
"""
import struct
import sys

ETHERNET, PPP, RAW, RADIOTAP, SLL, NFLOG, NULL, SLL2 = 1, 9, 101, 127, 113, 239, 0, 276
IP4, IP6, ARP = 0x0800, 0x86DD, 0x0806
OUTER = (bytes([203, 0, 113, 1]), bytes([203, 0, 113, 2]))
MACS = b"\x02\x00\x00\x00\x00\x22\x02\x00\x00\x00\x00\x11"


class Frame:
    def __init__(self, time_ns, data, length=None):
        self.time_ns = time_ns
        self.data = data
        self.length = len(data) if length is None else length

    def like(self, data):
        return Frame(self.time_ns, data)


def read(path):
    with open(path, "rb") as file:
        raw = file.read()
    for order in "<", ">":
        magic, link = struct.unpack(order + "I16xI", raw[:24])
        if magic in (0xA1B2C3D4, 0xA1B23C4D) and link == ETHERNET:
            break
    else:
        raise ValueError("%s: not a classic capture of Ethernet frames" % path)
    unit = 1 if magic == 0xA1B23C4D else 1000
    at, frames = 24, []
    while at + 16 <= len(raw):
        seconds, fraction, kept, length = struct.unpack_from(order + "IIII", raw, at)
        frames.append(Frame(seconds * 10**9 + fraction * unit, raw[at + 16:at + 16 + kept], length))
        at += 16 + kept
    return frames


def write(path, frames, link):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link))
        for f in frames:
            out.write(struct.pack("<IIII", f.time_ns // 10**9, f.time_ns % 10**9, len(f.data), f.length) + f.data)


# --- pieces of packets ---

def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def kind(frame):
    return struct.unpack_from("!H", frame, 12)[0] if len(frame) >= 14 else 0


def is_ip(frame):
    return kind(frame) in (IP4, IP6)


def ip_bytes(frame):
    """The IP packet without the padding of short Ethernet frames."""
    ip = frame[14:]
    if kind(frame) == IP4:
        total = struct.unpack_from("!H", ip, 2)[0]
        return ip[:total] if total else ip
    return ip[:40 + struct.unpack_from("!H", ip, 4)[0]]


def ip4(src, dst, protocol, body, number=0, fragment=0x4000, ttl=64):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), number & 0xFFFF, fragment, ttl, protocol, 0, src, dst)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def ethernet(kind_, body):
    return MACS + struct.pack("!H", kind_) + body


def carried(protocol, body):
    """Inside the IP of the network that carries it."""
    return ethernet(IP4, ip4(*OUTER, protocol, body))


def in_udp(port, body):
    return carried(17, struct.pack("!HHHH", 50000, port, 8 + len(body), 0) + body)


def from_client(ip):
    """A guess that is good enough to treat the two directions differently: the server has the lower port."""
    version = ip[0] >> 4
    head = (ip[0] & 15) * 4 if version == 4 else 40
    if (ip[9] if version == 4 else ip[6]) != 6:
        return True
    src, dst = struct.unpack_from("!HH", ip, head)
    return src > dst


class Tcp:
    """The TCP segment of an Ethernet frame, or None for everything else."""

    def __init__(self, frame):
        self.ip = ip_bytes(frame)
        self.version = self.ip[0] >> 4
        self.at = (self.ip[0] & 15) * 4 if self.version == 4 else 40
        self.segment = self.ip[self.at:]
        self.src, self.dst, self.seq, self.ack = struct.unpack_from("!HHII", self.segment)
        self.head = (self.segment[12] >> 4) * 4
        self.flags = self.segment[13]
        self.payload = self.segment[self.head:]

    @staticmethod
    def of(frame):
        if not is_ip(frame):
            return None
        ip = ip_bytes(frame)
        first4 = ip[0] >> 4 == 4 and ip[9] == 6 and struct.unpack_from("!H", ip, 6)[0] & 0x3FFF == 0
        first6 = ip[0] >> 4 == 6 and ip[6] == 6
        at = (ip[0] & 15) * 4 if ip[0] >> 4 == 4 else 40
        return Tcp(frame) if (first4 or first6) and len(ip) >= at + 20 else None

    def pseudo(self, length):
        if self.version == 4:
            return self.ip[12:20] + struct.pack("!BBH", 0, 6, length)
        return self.ip[8:40] + struct.pack("!IHBB", length, 0, 0, 6)


# --- variants: each a function of the list of frames, and the link type of what comes out ---

VARIANTS = {}


def variant(name, link=ETHERNET):
    def keep(function):
        VARIANTS[name] = (function, link)
        return function
    return keep


def each_ip(wrap):
    """Everything that is no IP is left out: the carrier does not carry it."""
    def over(frames):
        return [f.like(wrap(f.data, i)) for i, f in enumerate(frames) if is_ip(f.data)]
    return over


def each_frame(wrap):
    def over(frames):
        return [f.like(wrap(f.data, i)) for i, f in enumerate(frames)]
    return over


def tagged(frame, tag, kind_=0x8100):
    return frame[:12] + struct.pack("!HH", kind_, tag) + frame[12:]


variant("vlan")(each_frame(lambda f, i: tagged(f, 0x2000 | 101)))
variant("qinq")(each_frame(lambda f, i: tagged(tagged(f, 101), 200, 0x88A8)))
variant("vlan-one-way")(each_frame(lambda f, i: tagged(f, 101) if is_ip(f) and from_client(f[14:]) else f))
variant("vlan-two-ways")(each_frame(lambda f, i: tagged(f, 101 if is_ip(f) and from_client(f[14:]) else 102)))
variant("raw", RAW)(each_ip(lambda f, i: ip_bytes(f)))
variant("null", NULL)(each_ip(lambda f, i: struct.pack("<I", 2 if kind(f) == IP4 else 30) + ip_bytes(f)))
variant("sll", SLL)(each_frame(lambda f, i: struct.pack("!HHH8s", 0, 1, 6, f[6:12] + b"\0\0") + f[12:14] + f[14:]))
variant("sll2", SLL2)(each_frame(
    lambda f, i: f[12:14] + struct.pack("!HIHBB8s", 0, 2, 1, 0, 6, f[6:12] + b"\0\0") + f[14:]))
variant("ppp", PPP)(each_ip(lambda f, i: b"\xFF\x03" + (b"\x00\x21" if kind(f) == IP4 else b"\x00\x57") + ip_bytes(f)))


@variant("nflog", NFLOG)
@each_ip
def nflog(frame, i):
    ip = ip_bytes(frame)
    head = struct.pack("<BBH", 2 if kind(frame) == IP4 else 10, 0, 0)
    prefix = b"mail\0"
    return head + struct.pack("<HH", 4 + len(prefix), 10) + prefix + b"\0\0\0" + struct.pack("<HH", 4 + len(ip), 9) + ip


@variant("radiotap", RADIOTAP)
@each_ip
def radiotap(frame, i):
    air = b"\x88\x01" + b"\0\0" + frame[0:6] + frame[6:12] + frame[0:6] + struct.pack("<HH", (i << 4) & 0xFFFF, 0)
    return struct.pack("<BBHI", 0, 0, 8, 0) + air + b"\xAA\xAA\x03\0\0\0" + frame[12:14] + ip_bytes(frame)


@variant("pppoe")
@each_ip
def pppoe(frame, i):
    body = (b"\x00\x21" if kind(frame) == IP4 else b"\x00\x57") + ip_bytes(frame)
    return ethernet(0x8864, struct.pack("!BBHH", 0x11, 0, 0x1234, len(body)) + body)


variant("mpls")(each_ip(lambda f, i: ethernet(0x8847, struct.pack("!II", 1000 << 12 | 64, 2000 << 12 | 0x140) + ip_bytes(f))))
variant("mpls-ethernet")(each_frame(lambda f, i: ethernet(0x8847, struct.pack("!II", 3000 << 12 | 0x140, 0) + f)))
variant("ip-in-ip")(each_ip(lambda f, i: carried(4 if kind(f) == IP4 else 41, ip_bytes(f))))
variant("gre")(each_ip(lambda f, i: carried(47, struct.pack("!HHII", 0x3000, kind(f), 5, i) + ip_bytes(f))))
variant("gre-bridged")(each_frame(lambda f, i: carried(47, struct.pack("!HH", 0, 0x6558) + f)))
variant("erspan1")(each_frame(lambda f, i: carried(47, struct.pack("!HH", 0, 0x88BE) + f)))
variant("erspan2")(each_frame(
    lambda f, i: carried(47, struct.pack("!HHIHHI", 0x1000, 0x88BE, i, 0x1000, 17, 3) + f)))
variant("erspan3")(each_frame(
    lambda f, i: carried(47, struct.pack("!HHIHHIHH", 0x1000, 0x22EB, i, 0x2000, 18, i, 0, 1) + b"platform" + f)))
variant("vxlan")(each_frame(lambda f, i: in_udp(4789, struct.pack("!II", 0x08000000, 42 << 8) + f)))
variant("geneve")(each_frame(
    lambda f, i: in_udp(6081, struct.pack("!BBHI", 2, 0, 0x6558, 43 << 8) + struct.pack("!II", 0x01020301, 7) + f)))
variant("gtp-u")(each_ip(lambda f, i: in_udp(2152, struct.pack("!BBHI", 0x30, 0xFF, len(ip_bytes(f)), 44) + ip_bytes(f))))
variant("l2tp")(each_ip(lambda f, i: in_udp(
    1701, struct.pack("!HHHH", 0x4002, 12 + len(ip_bytes(f)), 9, 45) + b"\xFF\x03" +
    (b"\x00\x21" if kind(f) == IP4 else b"\x00\x57") + ip_bytes(f))))


@variant("vxlan-in-gre")
@each_frame
def vxlan_in_gre(frame, i):
    inner = in_udp(4789, struct.pack("!II", 0x08000000, 42 << 8) + frame)
    return carried(47, struct.pack("!HHI", 0x2000, IP4, 6) + inner[14:])


def address6(address):
    return b"\x20\x01\x0d\xb8" + b"\0" * 8 + address


def to_ip6(frame):
    """The TCP segment under IPv6; everything else stays what it is."""
    tcp = Tcp.of(frame)
    if not tcp or tcp.version == 6:
        return frame
    src, dst = address6(tcp.ip[12:16]), address6(tcp.ip[16:20])
    segment = tcp.segment[:16] + b"\0\0" + tcp.segment[18:]
    pseudo = src + dst + struct.pack("!IHBB", len(segment), 0, 0, 6)
    segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
    return ethernet(IP6, struct.pack("!IHBB", 6 << 28, len(segment), 6, tcp.ip[8]) + src + dst + segment)


variant("ipv6")(each_frame(lambda f, i: to_ip6(f)))
variant("6in4")(each_frame(
    lambda f, i: carried(41, ip_bytes(to_ip6(f))) if kind(to_ip6(f)) == IP6 else f))


def parts(frame, size, number):
    """The packet in parts of `size` bytes (a multiple of eight), larger where they would be more than anybody sends."""
    ip = ip_bytes(frame)
    size = max(size, len(ip) // 50 // 8 * 8 + 8)
    if ip[0] >> 4 == 4:
        head, body, protocol = (ip[0] & 15) * 4, ip[(ip[0] & 15) * 4:], ip[9]
        if struct.unpack_from("!H", ip, 6)[0] & 0x3FFF:
            return [frame]
    else:
        head, body, protocol = 40, ip[40:], ip[6]
    out = []
    for at in range(0, len(body), size):
        part, more = body[at:at + size], at + size < len(body)
        if ip[0] >> 4 == 4:
            out.append(ethernet(IP4, ip4(ip[12:16], ip[16:20], protocol, part, number, at // 8 | (0x2000 if more else 0), ip[8])))
        else:
            piece = struct.pack("!BBHI", protocol, 0, at | more, number) + part
            out.append(ethernet(IP6, ip[:4] + struct.pack("!HBB", len(piece), 44, ip[7]) + ip[8:40] + piece))
    return out if len(out) > 1 and head in (20, 40) else [frame]


def in_parts(size, order=lambda parts_: parts_, first=lambda frame: frame):
    def over(frames):
        out = []
        for i, f in enumerate(frames):
            data = first(f.data)
            pieces = order(parts(data, size, i + 1)) if is_ip(data) else [data]
            out += [Frame(f.time_ns + n * 100, piece) for n, piece in enumerate(pieces)]
        return out
    return over


variant("fragments")(in_parts(64))
variant("fragments-tiny")(in_parts(8))
variant("fragments-backwards")(in_parts(24, lambda p: p[::-1]))
variant("fragments-twice")(in_parts(48, lambda p: [x for x in p for _ in (0, 1)]))
variant("fragments-ipv6")(in_parts(64, first=to_ip6))
variant("fragments-ipv6-backwards")(in_parts(32, lambda p: p[::-1], to_ip6))


@variant("vxlan-fragments")
def vxlan_fragments(frames):
    wrapped = [f.like(in_udp(4789, struct.pack("!II", 0x08000000, 42 << 8) + f.data)) for f in frames]
    return in_parts(200)(wrapped)


@variant("fragments-lost")
def fragments_lost(frames):
    """Of every packet with data that comes in parts the last one is missing."""
    out = []
    for i, f in enumerate(frames):
        tcp = Tcp.of(f.data)
        pieces = parts(f.data, 64, i + 1) if tcp and tcp.payload else [f.data]
        out += [f.like(piece) for piece in (pieces[:-1] if len(pieces) > 1 else pieces)]
    return out


def cut(length):
    return lambda frames: [Frame(f.time_ns, f.data[:length], len(f.data)) for f in frames]


variant("snaplen-96")(cut(96))
variant("snaplen-68")(cut(68))
variant("snaplen-160")(cut(160))


def again(second, apart_ns):
    def over(frames):
        return [g for f in frames for g in (f, Frame(f.time_ns + apart_ns, second(f.data)))]
    return over


def one_hop_further(frame):
    if kind(frame) != IP4 or len(frame) < 34:
        return frame
    head = frame[14:22] + bytes([max(frame[22] - 1, 1)]) + frame[23:24] + b"\0\0" + frame[26:34]
    return frame[:14] + head[:10] + struct.pack("!H", checksum(head)) + head[12:] + frame[34:]


variant("twice")(again(lambda f: f, 20000))
variant("twice-tagged")(again(lambda f: tagged(f, 7), 3000))
variant("twice-routed")(again(one_hop_further, 40000))


@variant("any", SLL)
def any_device(frames):
    """The device "any" of a router: every packet comes in and goes out, and inside a VLAN it has another tag."""
    out = []
    for f in frames:
        for n, packet in enumerate((f.data, one_hop_further(f.data))):
            body = struct.pack("!HHH8s", 4 * n, 1, 6, f.data[6:12] + b"\0\0")
            body += packet[12:] if n == 0 else struct.pack("!HH", 0x8100, 9) + packet[12:]
            out.append(Frame(f.time_ns + n * 15000, body))
    return out


@variant("offload-checksums")
def offload_checksums(frames):
    """The network card was to fill the checksums in: what stands there is the sum of the pseudo-header."""
    out = []
    for f in frames:
        tcp = Tcp.of(f.data)
        if not tcp:
            out.append(f)
            continue
        at = 14 + tcp.at
        partial = ~checksum(tcp.pseudo(len(tcp.segment))) & 0xFFFF
        out.append(f.like(f.data[:at + 16] + struct.pack("!H", partial) + f.data[at + 18:]))
    return out


def merged(length_zero):
    """Segments of one side that follow each other are one, as before segmentation (or after reassembly) by the card."""
    def over(frames):
        out, last = [], None
        for f in frames:
            tcp = Tcp.of(f.data)
            plain = tcp and tcp.payload and not tcp.flags & 0x07 and tcp.version == 4
            follows = (plain and last and tcp.ip[12:20] == last.ip[12:20] and tcp.segment[:4] == last.segment[:4] and
                       tcp.seq == (last.seq + len(last.payload)) & 0xFFFFFFFF and tcp.ack == last.ack and
                       len(last.payload) + len(tcp.payload) < 60000)
            if follows:
                body = last.segment[:16] + b"\0\0" + last.segment[18:] + tcp.payload
                sum_ = checksum(last.pseudo(len(body)) + body)
                body = body[:16] + struct.pack("!H", sum_) + body[18:]
                whole = ethernet(IP4, ip4(tcp.ip[12:16], tcp.ip[16:20], 6, body, struct.unpack_from("!H", last.ip, 4)[0]))
                out[-1] = Frame(out[-1].time_ns, whole)
                last = Tcp.of(whole)
                continue
            out.append(f)
            last = tcp if plain else None
        if length_zero:
            for f in out:
                tcp = Tcp.of(f.data)
                if tcp and len(tcp.payload) > 1460 and tcp.version == 4:
                    f.data = f.data[:16] + b"\0\0" + f.data[18:]
        return out
    return over


variant("super-packets")(merged(False))
variant("super-packets-without-length")(merged(True))


@variant("swapped-neighbours")
def swapped_neighbours(frames):
    """Pairs of frames were recorded in the wrong order; the times keep going up."""
    out = list(frames)
    for i in range(3, len(out) - 1, 4):
        a, b = out[i], out[i + 1]
        one, two = Tcp.of(a.data), Tcp.of(b.data)
        if one and two and not (one.flags | two.flags) & 0x07 and b.time_ns - a.time_ns < 10**6:
            out[i], out[i + 1] = Frame(a.time_ns, b.data, b.length), Frame(b.time_ns, a.data, a.length)
    return out


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(VARIANTS))
        return 0
    if len(sys.argv) != 4 or sys.argv[1] not in VARIANTS:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    function, link = VARIANTS[sys.argv[1]]
    write(sys.argv[3], function(read(sys.argv[2])), link)
    return 0


if __name__ == "__main__":
    sys.exit(main())
