#!/usr/bin/env python3
"""Writes a clean capture again in another file format, with everything that format may hold, or damaged.

    container.py --list                 the variants
    container.py VARIANT IN OUT         IN is a classic pcap file of Ethernet frames

The frames stay what they are (rewrite.py changes those): only what stands around them in the file is different.
tests/e2e/containers.py holds each variant against its clean twin.
"""
import gzip
import struct
import sys
import zlib

import rewrite

ETHERNET, SLL2 = rewrite.ETHERNET, rewrite.SLL2
SECTION, INTERFACE, OBSOLETE, NAMES, STATISTICS, PACKET, SECRETS = 0x0A0D0D0A, 1, 2, 4, 5, 6, 10
VARIANTS = {}
DAMAGED = set()


def variant(name, damaged=False):
    def keep(function):
        VARIANTS[name] = function
        if damaged:
            DAMAGED.add(name)
        return function
    return keep


# --- pcap ---

def pcap(frames, order="<", magic=0xA1B23C4D, minor=4, swapped=False, more=b""):
    unit = 1 if magic == 0xA1B23C4D else 1000
    out = [struct.pack(order + "IHHiIII", magic, 2, minor, 0, 0, 262144, ETHERNET)]
    for f in frames:
        lengths = (f.length, len(f.data)) if swapped else (len(f.data), f.length)
        out.append(struct.pack(order + "IIII", f.time_ns // 10**9, f.time_ns % 10**9 // unit, *lengths) + more + f.data)
    return b"".join(out)


@variant("pcap-big-endian")
def pcap_big_endian(frames):
    return pcap(frames, ">")


@variant("pcap-modified")
def pcap_modified(frames):
    return pcap(frames, "<", 0xA1B2CD34, more=b"\2\0\0\0\x08\0\0\0")


@variant("pcap-old-lengths")
def pcap_old_lengths(frames):
    return pcap(frames, ">", 0xA1B2C3D4, minor=2, swapped=True)


@variant("pcap-cut", damaged=True)
def pcap_cut(frames):
    """The recorder was killed while it wrote one more frame."""
    return pcap(frames) + struct.pack("<IIII", 0, 0, 900, 900) + b"cut"


# --- pcapng ---

class Blocks:
    """The blocks of a file, each as its bytes."""

    def __init__(self, order="<"):
        self.order = order
        self.list = []

    def add(self, kind, body):
        body += b"\0" * (-len(body) % 4)
        length = struct.pack(self.order + "I", len(body) + 12)
        self.list.append(struct.pack(self.order + "I", kind) + length + body + length)

    def option(self, code, value):
        return struct.pack(self.order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)

    def section(self, options=b""):
        self.add(SECTION, struct.pack(self.order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + options)

    def interface(self, link=ETHERNET, options=None):
        nanoseconds = self.option(9, b"\x09") + self.option(0, b"")
        self.add(INTERFACE, struct.pack(self.order + "HHI", link, 0, 262144) + (nanoseconds if options is None else options))

    def packet(self, frame, interface=0, ticks=None, data=None, options=b""):
        ticks = frame.time_ns if ticks is None else ticks
        data = frame.data if data is None else data
        head = struct.pack(self.order + "IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data), max(len(data), frame.length))
        self.add(PACKET, head + data + b"\0" * (-len(data) % 4) + options)

    def bytes(self):
        return b"".join(self.list)


def plain(frames, order="<"):
    blocks = Blocks(order)
    blocks.section()
    blocks.interface()
    for frame in frames:
        blocks.packet(frame)
    return blocks


@variant("pcapng")
def pcapng(frames):
    return plain(frames).bytes()


@variant("pcapng-big-endian")
def pcapng_big_endian(frames):
    return plain(frames, ">").bytes()


@variant("pcapng-two-interfaces")
def two_interfaces(frames):
    """Ethernet in microseconds from 1970, and a cooked interface in 1/2^30 seconds from 2020."""
    blocks = Blocks()
    blocks.section()
    blocks.interface(options=b"")
    start = 1577836800
    blocks.interface(SLL2, blocks.option(9, b"\x9e") + blocks.option(14, struct.pack("<q", start)) + blocks.option(0, b""))
    for i, frame in enumerate(frames):
        if i % 2 == 0:
            blocks.packet(frame, 0, frame.time_ns // 1000)
            continue
        ticks = ((frame.time_ns - start * 10**9) << 30) // 10**9
        cooked = struct.pack("!2sHIHBB8s", frame.data[12:14], 0, 2, 1, 0, 6, frame.data[6:12] + b"\0\0") + frame.data[14:]
        blocks.packet(rewrite.Frame(frame.time_ns, cooked), 1, ticks)
    return blocks.bytes()


@variant("pcapng-sections")
def sections(frames):
    """Files put behind one another (cat), of either byte order."""
    return b"".join(plain(frames[at:at + 5], "<>"[at // 5 % 2]).bytes() for at in range(0, len(frames), 5))


@variant("pcapng-obsolete")
def obsolete(frames):
    blocks = Blocks()
    blocks.section()
    blocks.interface()
    for f in frames:
        head = struct.pack("<HHIIII", 0, 0xFFFF, f.time_ns >> 32, f.time_ns & 0xFFFFFFFF, len(f.data), f.length)
        blocks.add(OBSOLETE, head + f.data)
    return blocks.bytes()


@variant("pcapng-with-everything")
def with_everything(frames):
    """Comments, names, secrets, statistics, custom and unknown blocks between the frames."""
    blocks = Blocks()
    blocks.section(blocks.option(1, b"a comment") + blocks.option(4, b"some recorder") + blocks.option(0, b""))
    blocks.interface()
    for i, frame in enumerate(frames):
        blocks.packet(frame, options=blocks.option(1, b"frame %d" % i) + blocks.option(2, b"\1\0\0\0") + blocks.option(0, b""))
        if i % 3 == 0:
            blocks.add(NAMES, blocks.option(1, b"\xc6\x33\x64\x19mx.example.org\0") + blocks.option(0, b""))
            blocks.add(SECRETS, struct.pack("<II", 0x544C534B, 4) + b"# no")
            blocks.add(0xBAD, struct.pack("<I", 32473) + b"custom")
            blocks.add(0xBAE, b"unknown")
            blocks.add(STATISTICS, struct.pack("<III", 0, 0, i) + blocks.option(5, struct.pack("<Q", 0)) + blocks.option(0, b""))
    return blocks.bytes()


def spoil(frames, how):
    """Every seventh block with a frame is changed."""
    blocks = plain(frames)
    for i in range(4, len(blocks.list), 7):
        blocks.list[i] = how(blocks.list[i])
    return blocks.bytes()


@variant("pcapng-length-in-front", damaged=True)
def length_in_front(frames):
    return spoil(frames, lambda block: block[:4] + b"\xfd\xff\xff\x7f" + block[8:])


@variant("pcapng-length-behind", damaged=True)
def length_behind(frames):
    return spoil(frames, lambda block: block[:-4] + b"\0\0\0\0")


@variant("pcapng-length-of-frame", damaged=True)
def length_of_frame(frames):
    return spoil(frames, lambda block: block[:20] + b"\xff\xff\xff\xff" + block[24:])


@variant("pcapng-interface", damaged=True)
def interface_number(frames):
    return spoil(frames, lambda block: block[:8] + b"\x77\0\0\0" + block[12:])


@variant("pcapng-junk-between", damaged=True)
def junk_between(frames):
    return spoil(frames, lambda block: block + bytes(range(37)))


@variant("pcapng-cut", damaged=True)
def pcapng_cut(frames):
    return plain(frames).bytes() + b"\6\0\0\0\x80\0\0\0cut off"


# --- compressed ---

@variant("gzip")
def gzipped(frames):
    return gzip.compress(pcap(frames), mtime=0)


@variant("gzip-pcapng-members")
def gzip_members(frames):
    whole = pcapng(frames)
    return b"".join(gzip.compress(whole[at:at + 1000], mtime=0) for at in range(0, len(whole), 1000)) + b"\0" * 512


@variant("gzip-cut", damaged=True)
def gzip_cut(frames):
    """The end of the compressed data is missing, behind everything that was recorded."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(pcap(frames)) + packer.flush(zlib.Z_SYNC_FLUSH)


# Frames of zstd (RFC 8878) and LZ4 whose blocks are stored as they are: Python can write them by itself. What has been
# squeezed is read in tests/unit/test_capture_unpack.c.

@variant("zstd")
def zstd(frames):
    whole, size = pcapng(frames), 100000
    out = b"\x28\xb5\x2f\xfd\0\x58"
    for at in range(0, len(whole), size):
        part = whole[at:at + size]
        out += struct.pack("<I", len(part) << 3 | (at + size >= len(whole)))[:3] + part
    return out


@variant("lz4")
def lz4(frames):
    whole, size = pcap(frames), 60000
    blocks = [whole[at:at + size] for at in range(0, len(whole), size)]
    return (b"\x04\x22\x4d\x18\x60\x40\x82" + b"".join(struct.pack("<I", len(b) | 1 << 31) + b for b in blocks) + b"\0\0\0\0")


@variant("lz4-cut", damaged=True)
def lz4_cut(frames):
    return lz4(frames)[:-4]


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(VARIANTS))
        return 0
    if len(sys.argv) != 4 or sys.argv[1] not in VARIANTS:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    with open(sys.argv[3], "wb") as out:
        out.write(VARIANTS[sys.argv[1]](rewrite.read(sys.argv[2])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
