#!/usr/bin/env python3
"""The project's captures, changed at places that a fixed seed chooses, against themselves.

Frames that come twice, bytes cut into other segments, numbers that wrap, other numbers of packets, tags and tunnels, several
of these one after the other: the verdict stays. Frames that are missing, damaged or cut off, captures that
begin or end at the wrong time, or show one side: the verdict may become less certain or unknown; another one must not claim to be certain.
"""
import os
import random
import struct
import sys

import common

sys.path.insert(0, os.path.join(common.ROOT, "pcaps", "lab"))
import rewrite  # noqa: E402
from rewrite import Frame, Tcp  # noqa: E402

SEED = int(os.environ.get("SW_SEED", "1"))
ROUNDS = int(os.environ.get("SW_ROUNDS", "1"))
CONFIDENCE = ("certain", "likely", "possible")
CARRIERS = "vlan qinq vxlan geneve gre-bridged erspan2 mpls-ethernet".split()  # they carry every frame


def again(frame, tcp, changed, payload=None):
    """The frame with other TCP fields or payload, and right checksums where they were right."""
    payload = tcp.payload if payload is None else payload
    segment = changed + tcp.segment[20:tcp.head] + payload
    right = rewrite.checksum(tcp.pseudo(len(tcp.segment)) + tcp.segment) == 0
    if right:
        segment = segment[:16] + b"\0\0" + segment[18:]
        segment = segment[:16] + struct.pack("!H", rewrite.checksum(tcp.pseudo(len(segment)) + segment)) + segment[18:]
    head = bytearray(tcp.ip[:tcp.at])
    if tcp.version == 4:
        struct.pack_into("!H", head, 2, tcp.at + len(segment))
        struct.pack_into("!H", head, 10, 0)
        struct.pack_into("!H", head, 10, rewrite.checksum(bytes(head[:(head[0] & 15) * 4])))
    else:
        struct.pack_into("!H", head, 4, len(segment))
    return frame.data[:14] + bytes(head) + segment


def ends(tcp):
    """The connection, and which end of it speaks."""
    at = 12 if tcp.version == 4 else 8
    size = 4 if tcp.version == 4 else 16
    here, there = (tcp.ip[at:at + size], tcp.src), (tcp.ip[at + size:at + 2 * size], tcp.dst)
    return tuple(sorted((here, there))), here < there


# --- what must not change a verdict ---

def twice(dice, frames):
    """Some frames were recorded twice."""
    out = []
    for f in frames:
        out.append(f)
        if dice.random() < 0.2:
            out.append(Frame(f.time_ns + 1000 * dice.randrange(1, 40), f.data, f.length))
    return out


def segments(dice, frames):
    """Bytes in smaller segments, at once one behind the other; what is sent again stays as it was sent first."""
    out, times = [], {}
    for f in frames:
        tcp = Tcp.of(f.data)
        if tcp and tcp.payload:
            times[ends(tcp), tcp.seq] = times.get((ends(tcp), tcp.seq), 0) + 1
    for f in frames:
        tcp = Tcp.of(f.data)
        if not tcp or len(tcp.payload) < 2 or tcp.flags & 0x06 or times[ends(tcp), tcp.seq] > 1 or dice.random() < 0.4:
            out.append(f)
            continue
        cuts = sorted(dice.sample(range(1, len(tcp.payload)), min(dice.randrange(1, 4), len(tcp.payload) - 1)))
        for begin, end in zip([0] + cuts, cuts + [len(tcp.payload)]):
            flags = tcp.flags if end == len(tcp.payload) else tcp.flags & ~0x09
            changed = tcp.segment[:4] + struct.pack("!I", (tcp.seq + begin) & 0xFFFFFFFF) + tcp.segment[8:13] + bytes([flags]) + tcp.segment[14:20]
            data = again(f, tcp, changed, tcp.payload[begin:end])
            if tcp.version == 4:  # a packet of its own
                head = bytearray(data[14:34])
                struct.pack_into("!H", head, 4, (struct.unpack_from("!H", head, 4)[0] + 7 * begin) & 0xFFFF)
                struct.pack_into("!H", head, 10, 0)
                struct.pack_into("!H", head, 10, rewrite.checksum(bytes(head)))
                data = data[:14] + bytes(head) + data[34:]
            out.append(Frame(f.time_ns + begin, data))
    return out


def wrapped(dice, frames):
    """Sequence numbers that wrap in the middle of the connection."""
    shifts = {}
    out = []
    for f in frames:
        tcp = Tcp.of(f.data)
        if not tcp:
            out.append(f)
            continue
        connection, low = ends(tcp)
        for side, number in ((low, tcp.seq), (not low, tcp.ack)):
            if (connection, side) not in shifts and (side == low or tcp.flags & 0x10):
                shifts[connection, side] = (-number - dice.randrange(1, 400)) & 0xFFFFFFFF
        seq = (tcp.seq + shifts[connection, low]) & 0xFFFFFFFF
        ack = (tcp.ack + shifts[connection, not low]) & 0xFFFFFFFF if tcp.flags & 0x10 else tcp.ack
        options = tcp.segment[20:tcp.head]
        if b"\x05" in options:  # blocks of SACK have such numbers, too
            out.append(f)
            return frames
        out.append(f.like(again(f, tcp, tcp.segment[:4] + struct.pack("!II", seq, ack) + tcp.segment[12:20])))
    return out


def carried(dice, frames):
    return rewrite.VARIANTS[dice.choice(CARRIERS)][0](frames)


SAME = {"twice": twice, "segments": segments, "wrapped": wrapped, "carried": carried}


# --- what may make it less certain ---

def acknowledged(frames):
    """Data that a later frame of the other side acknowledges: what of it is missing, the capture has lost."""
    found = []
    for i, f in enumerate(frames):
        tcp = Tcp.of(f.data)
        if not tcp or not tcp.payload or tcp.flags & 0x07:
            continue
        connection, low = ends(tcp)
        end = (tcp.seq + len(tcp.payload)) & 0xFFFFFFFF
        for g in frames[i + 1:]:
            other = Tcp.of(g.data)
            if other and other.flags & 0x10 and ends(other) == (connection, not low) and (other.ack - end) & 0xFFFFFFFF < 1 << 31:
                found.append(i)
                break
    return found


def missing(dice, frames):
    """Frames that the recorder lost."""
    lost = set(dice.sample(acknowledged(frames), min(2, len(acknowledged(frames)))))
    return [f for i, f in enumerate(frames) if i not in lost]


def damaged(dice, frames):
    """Bytes of a segment that changed on their way to the recorder."""
    out = list(frames)
    seen, possible = set(), []
    for i in acknowledged(frames):  # before there was a right checksum of that side nobody knows that wrong ones mean something
        end = ends(Tcp.of(frames[i].data))
        if end in seen:
            possible.append(i)
        seen.add(end)
    for i in dice.sample(possible, min(2, len(possible))):
        data = bytearray(out[i].data)
        tcp = Tcp.of(out[i].data)
        at = 14 + tcp.at + tcp.head + dice.randrange(len(tcp.payload))
        data[at] ^= dice.randrange(1, 256)
        out[i] = out[i].like(bytes(data))
    return out


def shortened(dice, frames):
    """The recording ends too soon."""
    return frames[:dice.randrange(len(frames) // 2, len(frames))]


def begun_late(dice, frames):
    """The recording begins too late."""
    return frames[dice.randrange(1, len(frames)):]


def one_missing(dice, frames):
    """The recorder lost one frame of TCP, whichever: of the handshake, the dialogue, the end."""
    lost = dice.choice([i for i, f in enumerate(frames) if Tcp.of(f.data)])
    return frames[:lost] + frames[lost + 1:]


def one_sided(dice, frames):
    """The recorder saw one direction only."""
    side = dice.choice((False, True))
    return [f for f in frames if not Tcp.of(f.data) or rewrite.from_client(rewrite.ip_bytes(f.data)) == side]


def cut_off(dice, frames):
    """Frames of which only the beginning was kept."""
    return [Frame(f.time_ns, f.data[:dice.randrange(54, 200)], f.length) if dice.random() < 0.15 else f for f in frames]


WEAKER = {"missing": missing, "damaged": damaged, "shortened": shortened, "begun-late": begun_late, "one-missing": one_missing,
          "one-sided": one_sided, "cut-off": cut_off}
# What other connections or look-ups of the capture, or a single packet of TCP, told.
BY_OTHERS = ("mbx-captive-portal", "mbx-port-redirect", "dns-sinkholed", "ok-no-attempt", "mbx-rst-injected", "tcp-idle-state-lost",
             "tcp-window-scaling-broken")


def verdict(session):
    return session["outcome"], session["verdict"]["cause"], session["verdict"]["stage"], session["verdict"]["confidence"]


# What a verdict on the sizes of packets is about is not the same in other segments.
BY_SIZE = ("data_mtu-",)


class Metamorphic(common.Case):
    @classmethod
    def setUpClass(cls):
        cls.twins = {}
        for name in common.captures():
            try:
                frames = rewrite.read(os.path.join(common.PCAPS, name))
            except ValueError:
                continue
            whole = all(f.length == len(f.data) for f in frames) and not name.startswith("rewritten/")
            if whole and 8 <= len(frames) <= 400 and any(Tcp.of(f.data) and Tcp.of(f.data).payload for f in frames):
                cls.twins[name.replace("/", "_")] = frames
        assert len(cls.twins) > 200

    def analyse(self, made):
        for name, frames in made.items():
            rewrite.write(self.path(name), frames, rewrite.ETHERNET)
        sessions = {name: [] for name in made}
        for record in common.run("-o", "json", *[self.path(name) for name in made]).records():
            if record["type"] == "session":
                sessions[os.path.basename(record["capture"]["file"])].append(record)
        return sessions

    def sample(self, kind, number):
        """Some captures of all topics, others in each round."""
        dice = random.Random("%s %d %d" % (kind, SEED, number))
        return {name: self.twins[name] for name in sorted(dice.sample(sorted(self.twins), len(self.twins) // 4))}

    def test_the_same_verdict(self):
        clean = self.analyse(self.twins)
        for number in range(ROUNDS):
            for kind in list(SAME) + ["mixed"]:
                made = {}
                for name, frames in self.sample(kind, number).items():
                    if kind in ("segments", "mixed") and name.startswith(BY_SIZE):
                        continue
                    dice = random.Random("%s %s %d %d" % (kind, name, SEED, number))
                    for step in [kind] if kind in SAME else dice.sample(["segments", "wrapped", "twice"], 2) + ["carried"]:
                        frames = SAME[step](dice, frames)
                    made[name] = frames
                for name, sessions in self.analyse(made).items():
                    with self.subTest(kind=kind, capture=name, round=number):
                        self.assertEqual([verdict(s) for s in sessions], [verdict(s) for s in clean[name]])

    def test_less_certain_at_most(self):
        clean = self.analyse(self.twins)
        for number in range(ROUNDS):
            for kind, change in WEAKER.items():
                made = {name: change(random.Random("%s %s %d %d" % (kind, name, SEED, number)), frames)
                        for name, frames in self.sample(kind, number).items()}
                for name, sessions in self.analyse(made).items():
                    twins = {(s["client"]["ip"], s["client"]["port"], s["server"]["ip"]): s for s in clean[name]}
                    for session in sessions:
                        twin = twins.get((session["client"]["ip"], session["client"]["port"], session["server"]["ip"]))
                        with self.subTest(kind=kind, capture=name, round=number):
                            self.check_weaker(session, twin)

    def check_weaker(self, session, twin):
        if session["outcome"] == "unknown":
            return
        if twin is None and session["verdict"]["stage"] in ("dns", "route"):
            return  # the answer, or the connection behind it, is not there any more
        self.assertIsNotNone(twin, verdict(session))
        if session["outcome"] == twin["outcome"] == "delivered" or twin["verdict"]["cause"] in BY_OTHERS:
            return  # or what came behind the acceptance
        if verdict(session)[:2] != verdict(twin)[:2]:
            self.assertNotEqual(session["verdict"]["confidence"], "certain", (verdict(session), verdict(twin)))
        elif session["verdict"]["confidence"] == "certain":
            self.assertEqual(verdict(session)[2], verdict(twin)[2])


if __name__ == "__main__":
    common.main()
