"""Turns a dialogue script into a capture: what tests/verdicts and tests/e2e feed to the program.

One line a step; see tests/verdicts/README.md for the words. Every session has real TCP segments with sequence numbers,
acknowledgements and checksums, so that a script says only what matters.
"""
import re
import socket
import struct

from names import Names

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


class ScriptError(Exception):
    pass


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address(text):
    if ":" in text:
        return socket.inet_pton(socket.AF_INET6, text)
    return bytes(int(part) for part in text.split("."))


def tagged(numbers):
    """VLAN tags (IEEE 802.1Q); without a number: none."""
    return b"".join(struct.pack("!HH", 0x8100, int(number)) for number in numbers)


def unescape(text):
    def one(match):
        code = match.group(1)
        if code[0] == "x":
            return chr(int(code[1:], 16))
        return {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}[code]

    return re.sub(r"\\(x[0-9a-fA-F]{2}|[rnt0\\])", one, text).encode("latin-1")


class Session:
    """One TCP connection; side 0 is the client."""

    def __init__(self, number):
        self.address = [address("192.0.2.10"), address("198.51.100.25")]
        self.port = [40000 + number, 25]
        self.seq = [1000000 + 0x25A5A5A5 * number, 5000000 + 0x31415927 * number]
        self.ttl = [64, 57]
        self.established = False
        self.midstream = False
        self.visible = [True, True]
        self.window = [65535, 65535]
        self.scale = None  # window scale of both sides
        self.unheard = [0, 0]  # bytes of a side that never arrived
        self.nat = None  # the client's address on the other side
        self.vlan = [b"", b""]  # the tags of its frames, by side
        self.mirror = None  # the tags of a second copy of each


class Capture(Names):
    def __init__(self):
        self.frames = []
        self.time = 1700000000.0
        self.session = None
        self.sessions = []
        self.count = 0
        self.snaplen = 65535
        self.marks = {}
        self.arguments = []  # what the program is to be told besides the capture
        self.tls = None
        self.waiting = []  # frames that are recorded later

    # --- packets ---
    def emit(self, side, flags, payload=b"", seq=None, visible=True, options=b"", damaged=False):
        s = self.session
        self.segment(s.address, side, flags, payload, seq, visible, options, damaged)
        if s.nat:
            self.time -= 0.0007
            self.segment([s.nat, s.address[1]], side, flags, payload, seq, visible, options, damaged)

    def segment(self, addresses, side, flags, payload, seq, visible, options, damaged):
        s = self.session
        window = s.window[side]
        seq = s.seq[side] if seq is None else seq
        ack = s.seq[1 - side] - s.unheard[1 - side] if flags & ACK else 0
        offset = 5 + len(options) // 4
        head = struct.pack("!HHIIBBHHH", s.port[side], s.port[1 - side], seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                           offset << 4, flags, window, 0, 0) + options
        length = struct.pack("!II" if len(addresses[side]) == 16 else "!xBH", *((6, len(head + payload)) if len(addresses[side]) == 4
                                                                                else (len(head + payload), 6)))
        pseudo = addresses[side] + addresses[1 - side] + length
        check = checksum(pseudo + head + payload) ^ (0x5555 if damaged else 0)
        head = head[:16] + struct.pack("!H", check) + head[18:]
        self.ip(addresses[side], addresses[1 - side], 6, head + payload, s.ttl[side],
                visible and s.visible[side])

    def ip(self, src, dst, protocol, body, ttl, visible):
        if len(src) == 16:  # RFC 8200
            head, kind = struct.pack("!IHBB", 0x60000000, len(body), protocol, ttl) + src + dst, b"\x86\xdd"
        else:
            head, kind = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), (self.count * 37 + 1) & 0xFFFF, 0x4000, ttl,
                                     protocol, 0, src, dst), b"\x08\0"
            head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        macs = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01"
        self.time += 0.001
        self.count += 1
        s = self.session  # frames may be made without one
        if visible:
            self.frames.append((self.time, macs + (s.vlan[src != s.address[0]] if s else b"") + kind + head + body))
        if visible and s and s.mirror is not None:
            self.frames.append((self.time + 0.00005, macs + s.mirror + kind + head + body))

    def handshake(self, lacks=""):
        s = self.session
        if s.established or s.midstream:
            return
        options = [struct.pack("!BBH", 2, 4, 1460)] * 2
        if s.scale:
            options = [options[i] + struct.pack("!BBBB", 1, 3, 3, s.scale[i]) for i in (0, 1)]
        self.emit(0, SYN, options=options[0])
        s.seq[0] += 1
        self.emit(1, SYN | ACK, options=options[1], visible=lacks != "SYN/ACK")
        s.seq[1] += 1
        self.emit(0, ACK, visible=lacks != "ACK")
        s.established = True

    def send(self, side, data, visible=True):
        self.handshake()
        for at in range(0, len(data), 1400):
            part = data[at:at + 1400]
            self.emit(side, PSH | ACK, part, visible=visible)
            self.session.seq[side] += len(part)
            self.emit(1 - side, ACK)

    def send_wrong(self, how, side, data):
        self.handshake()
        if how == "garbled":  # refused by the peer, and sent again after a while
            self.emit(side, PSH | ACK, bytes(b ^ 1 for b in data), damaged=True)
            self.time += 0.3
            self.emit(side, PSH | ACK, data)
        else:
            self.emit(side, PSH | ACK, data, damaged=True)
        self.session.seq[side] += len(data)
        self.emit(1 - side, ACK)

    # --- script ---
    def run(self, lines):
        self.new_session()
        for number, line in enumerate(lines, 1):
            line = line.rstrip("\n")
            if not line.strip() or line.startswith("#"):
                continue
            try:
                self.step(line)
            except (ScriptError, ValueError, IndexError, KeyError) as error:
                raise ScriptError("line %d: %s: %s" % (number, line, error)) from error

    def new_session(self):
        previous = self.session
        self.session = Session(len(self.sessions))
        if previous:
            self.session.address = list(previous.address)
            self.session.port[1] = previous.port[1]
            self.session.nat = previous.nat
        self.sessions.append(self.session)

    def step(self, line):
        text = re.match(r"^([CS]):(?: (.*))?$", line)
        if text:
            self.send("CS".index(text.group(1)), unescape(text.group(2) or "") + b"\r\n")
            return
        raw = re.match(r"^([CS])\.(?: (.*))?$", line)  # exactly these bytes, no line end
        if raw:
            self.send("CS".index(raw.group(1)), unescape(raw.group(2) or ""))
            return
        lost = re.match(r"^lost ([CS])(: ?|\. )(.*)$", line)  # sent and acknowledged, but not in the capture
        if lost:
            end = b"\r\n" if lost.group(2)[0] == ":" else b""
            self.send("CS".index(lost.group(1)), unescape(lost.group(3)) + end, visible=False)
            return
        late = re.match(r"^late-recorded ([CS]): ?(.*)$", line)  # comes into the capture with the word `recorded`
        if late:
            count = len(self.frames)
            self.send("CS".index(late.group(1)), unescape(late.group(2)) + b"\r\n")
            self.waiting.append(self.frames.pop(count))
            return
        copy = re.match(r"^(again|damaged) ([CS]): ?(.*)$", line)  # the last segment once more, with these bytes
        if copy:
            side = "CS".index(copy.group(2))
            data = unescape(copy.group(3)) + b"\r\n"
            self.emit(side, PSH | ACK, data, seq=self.session.seq[side] - len(data), damaged=copy.group(1) == "damaged")
            return
        wrong = re.match(r"^(rewritten|garbled) ([CS]): ?(.*)$", line)  # a wrong checksum: harmless, or for a reason
        if wrong:
            self.send_wrong(wrong.group(1), "CS".index(wrong.group(2)), unescape(wrong.group(3)) + b"\r\n")
            return
        inside = re.match(r"^([CS])\+(?: (.*))?$", line)  # a line inside TLS
        if inside:
            self.send_inside("CS".index(inside.group(1)), unescape(inside.group(2) or "") + b"\r\n")
            return
        words = line.split()
        getattr(self, "do_" + words[0].replace("-", "_"))(*words[1:])

    def do_session(self, number=None):
        """A new one, or back to that one."""
        if number is None:
            self.new_session()
        else:
            self.session = self.sessions[int(number) - 1]

    def do_port(self, port):
        self.session.port[1] = int(port)

    def do_client(self, ip, port=None):
        self.session.address[0] = address(ip)
        self.session.port[0] = int(port or self.session.port[0])

    def do_vlan(self, *tags):
        self.session.vlan = [tagged(tags)] * 2

    def do_vlans(self, client, server):
        self.session.vlan = [tagged([client]), tagged([server])]

    def do_mirror(self, *tags):
        self.session.mirror = tagged(tags)

    def do_nat(self, ip):
        self.session.nat = address(ip)

    def do_server(self, ip):
        self.session.address[1] = address(ip)

    def do_ttl(self, side, ttl):
        self.session.ttl["CS".index(side)] = int(ttl)

    def do_wait(self, seconds):
        self.time += float(seconds)

    def do_handshake(self, lacks=""):
        """`lacks`: the packet of it that is not in the capture, SYN/ACK or ACK."""
        self.handshake(lacks)

    def do_midstream(self):
        self.session.midstream = True

    def do_only(self, side):
        self.session.visible = [side == "C", side == "S"]

    def do_syn(self, times="1", gap="1"):
        """SYNs without an answer, the gap doubles."""
        wait = float(gap)
        for i in range(int(times)):
            if i:
                self.time += wait
                wait *= 2
            self.emit(0, SYN)

    def do_crossing(self):
        """Both SYNs are on their way at once (RFC 9293 section 3.5)."""
        s = self.session
        for flags in (SYN, SYN | ACK):
            for side in (0, 1):
                self.emit(side, flags, seq=s.seq[side] - (flags != SYN))
                s.seq[side] += flags == SYN
        s.established = True

    def do_refuse(self):
        self.emit(0, SYN)
        self.session.seq[0] += 1
        seq, self.session.seq[1] = self.session.seq[1], 0
        self.emit(1, RST | ACK, seq=0)
        self.session.seq[1] = seq

    def do_synack(self, times="1"):
        self.emit(0, SYN)
        self.session.seq[0] += 1
        for i in range(int(times)):
            self.time += i
            self.emit(1, SYN | ACK)
        self.session.seq[1] += 1
        self.session.established = True

    def do_open_fast(self, text, answer="taken"):
        """A SYN that brings data (RFC 7413), which the server takes, leaves or refuses."""
        s = self.session
        data = unescape(text.replace("_", " ")) + b"\r\n"
        self.emit(0, SYN, data)
        s.seq[0] += 1 + (len(data) if answer == "taken" else 0)
        if answer == "refused":  # what it acknowledges is all of it (RFC 9293 3.10.7.1)
            s.seq[0] += len(data)
            self.emit(1, RST | ACK, seq=0)
            return
        self.emit(1, SYN | ACK)
        s.seq[1] += 1
        self.emit(0, ACK)
        s.established = True

    def do_unheard(self, times):
        """The client confirms the SYN/ACK, which the server does not hear: it repeats it so often."""
        self.do_synack("1")
        s = self.session
        self.emit(0, ACK)
        for i in range(int(times)):
            self.time += 2 ** i
            s.seq[1] -= 1
            self.emit(1, SYN | ACK)
            s.seq[1] += 1
            self.emit(0, ACK)

    def do_icmp(self, kind, code, router="192.0.2.1"):
        s = self.session
        quote_tcp = struct.pack("!HHI", s.port[0], s.port[1], s.seq[0] & 0xFFFFFFFF)
        quote = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 60, 1, 0x4000, 63, 6, 0, s.address[0], s.address[1]) + quote_tcp
        body = struct.pack("!BBHI", int(kind), int(code), 0, 0) + quote
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        self.ip(address(router), s.address[0], 1, body, 63, True)

    def do_keepalive(self, side):
        me = "CS".index(side)
        self.emit(me, ACK, b"\0", seq=self.session.seq[me] - 1)
        self.emit(1 - me, ACK)

    def do_body(self, octets):
        line = b"This line of the message says nothing at all, but it says it well.\r\n"
        wanted = int(octets)
        self.send(0, (line * (wanted // len(line) + 1))[:max(wanted - 2, 0)] + b"\r\n")

    def do_crawl(self, pieces, octets, gap):
        """Text in pieces with pauses between them."""
        for _ in range(int(pieces)):
            self.do_body(octets)
            self.time += float(gap)

    def do_fin(self, side):
        self.handshake()
        me = "CS".index(side)
        self.emit(me, FIN | ACK)
        self.session.seq[me] += 1
        self.session.unheard[me] += self.session.unheard[me] > 0
        self.emit(1 - me, ACK)

    def do_unseen_fin(self, side):
        """A FIN that is not in the capture; what the other side sends next acknowledges it."""
        self.handshake()
        me = "CS".index(side)
        self.emit(me, FIN | ACK, visible=False)
        self.session.seq[me] += 1

    def do_fin_again(self, side):
        """The FIN of this side once more."""
        me = "CS".index(side)
        self.emit(me, FIN | ACK, seq=self.session.seq[me] - 1)

    def do_close(self, side):
        """Both sides close, `side` first."""
        self.do_fin(side)
        self.do_fin("S" if side == "C" else "C")

    def do_rst(self, side, ttl=None):
        self.handshake()
        me = "CS".index(side)
        keep = self.session.ttl[me]
        if ttl:
            self.session.ttl[me] = int(ttl)
        self.emit(me, RST | ACK)
        self.session.ttl[me] = keep

    def do_stray(self, side, octets):
        """A RST that is so many bytes ahead of what this side has sent."""
        me = "CS".index(side)
        self.emit(me, RST, seq=self.session.seq[me] + int(octets))

    def do_repeat(self, side, text, times="4", gap="0.3", reset=""):
        """A line that is sent again and again and never acknowledged; `rst`: with a RST behind the first one."""
        self.handshake()
        me = "CS".index(side)
        data = unescape(text.replace("_", " ")) + b"\r\n"
        wait = float(gap)
        for _ in range(int(times)):
            self.emit(me, PSH | ACK, data)
            if reset:
                self.emit(me, RST | ACK, seq=self.session.seq[me] + len(data))
                reset = ""
            self.time += wait
            wait *= 2
        self.session.seq[me] += len(data)

    # --- TLS, for real (support/tls.py) ---
    def do_tls(self, *options):
        """A handshake, or with flights=N its beginning; the capture lacks flight lost=N; `again=yes` takes up the session of the last one."""
        import tls  # pylint: disable=import-outside-toplevel

        how = dict(option.split("=", 1) for option in options)
        if "--ca-file" not in self.arguments:
            self.arguments += ["--ca-file", tls.STORE.anchor()]
        self.tls = tls.Connection(how, self.tls if how.get("again") else None)
        lost, said = int(how.get("lost", "0")), []

        def send(side, data):
            said.append(side)
            self.send(side, data, visible=len(said) != lost)

        self.tls.shake(send, int(how.get("flights", "99")))

    def do_tls_on(self, flights="99"):
        """Goes on with a handshake."""
        self.tls.shake(self.send, int(flights))

    def send_inside(self, side, data):
        self.send(side, self.tls.write(side, data))

    def do_tls_body(self, octets):
        """So many octets of text inside TLS, then the dot."""
        line = b"This line of the message says nothing at all, but it says it well.\r\n"
        self.send_inside(0, (line * (int(octets) // len(line) + 1))[:int(octets)])
        self.send_inside(0, b"\r\n.\r\n")

    def do_tls_close(self, side):
        """close_notify."""
        self.send("CS".index(side), self.tls.close("CS".index(side)))

    def do_record(self, side, kind, octets, seed="7"):
        """A record of a type with so many octets that say nothing: cipher text of a stack that is not at hand."""
        body, state = bytearray(), int(seed) + int(octets)
        while len(body) < int(octets):
            state = (state * 1103515245 + 12345) % (1 << 31)
            body.append(state >> 16 & 0xFF)
        self.send("CS".index(side), struct.pack("!BHH", int(kind), 0x0303, len(body)) + bytes(body))

    def do_server_hello(self, *options):
        """A ServerHello that no library at hand would send: version, cipher (hex), compression, downgrade (1 or 0), reneg, tls13."""
        how = dict(option.split("=", 1) for option in options)
        version = bytes.fromhex(how.get("version", "0303"))
        random = bytes(range(24)) + (b"DOWNGRD" + bytes([int(how["downgrade"])]) if "downgrade" in how else b"no sign.")
        extensions = b"\xff\x01\0\x01\0" if how.get("reneg", "yes") == "yes" else b""
        extensions = b"\0\x2b\0\x02\x03\x04" if how.get("tls13") else extensions
        body = version + random + b"\0" + bytes.fromhex(how.get("cipher", "c02f")) + bytes([int(how.get("compression", "0"))])
        body += struct.pack("!H", len(extensions)) + extensions
        self.send(1, b"\x16" + version + struct.pack("!HB", len(body) + 4, 2) + struct.pack("!I", len(body))[1:] + body)

    def do_late_fin(self, side):
        """A FIN that is recorded late; what the other side sends next acknowledges it."""
        self.handshake()
        me, count = "CS".index(side), len(self.frames)
        self.emit(me, FIN | ACK)
        self.waiting.append(self.frames.pop(count))
        self.session.seq[me] += 1

    def do_recorded(self):
        """What was recorded late comes into the capture, with the time of now."""
        for _, frame in self.waiting:
            self.time += 0.0001
            self.frames.append((self.time, frame))
        self.waiting = []

    def do_snaplen(self, octets):
        """All frames are cut when they are recorded."""
        self.snaplen = int(octets)

    def do_arguments(self, *words):
        self.arguments += words

    # --- what TCP does ---
    def do_scale(self, client, server):
        self.session.scale = [int(client), int(server)]

    def do_window(self, side, size):
        """What this side announces from now on; 0: it takes nothing more."""
        me = "CS".index(side)
        self.session.window[me] = int(size)
        self.emit(me, ACK)

    def do_probe(self, side, times="1", gap="5"):
        """Probes of the other side's closed window, each answered."""
        me = "CS".index(side)
        for _ in range(int(times)):
            self.time += float(gap)
            self.emit(me, ACK, seq=self.session.seq[me] - 1)
            self.emit(1 - me, ACK)

    def do_full(self, side, octets, times="1", gap="0.3"):
        """A segment that is sent so often and never arrives."""
        self.handshake()
        me, wait = "CS".index(side), float(gap)
        data = (b"A segment that is too large for some link on the way. " * 60)[:int(octets)]
        for i in range(int(times)):
            if i:
                self.time += wait
                wait *= 2
            self.emit(me, ACK, data)
        self.session.seq[me] += len(data)
        self.session.unheard[me] += len(data)

    def do_repeat_first(self, side, octets, times, gap="0.3"):
        """The first segment that never arrived, again."""
        me, wait = "CS".index(side), float(gap)
        data = (b"A segment that is too large for some link on the way. " * 60)[:int(octets)]
        for _ in range(int(times)):
            self.emit(me, ACK, data, seq=self.session.seq[me] - self.session.unheard[me])
            self.time += wait
            wait *= 2

    def do_behind(self, side, text):
        """What comes behind such a segment arrives; the other side can only repeat what it has."""
        me = "CS".index(side)
        data = unescape(text.replace("_", " ")) + b"\r\n"
        self.emit(me, PSH | ACK, data)
        self.session.seq[me] += len(data)
        self.session.unheard[me] += len(data)
        self.emit(1 - me, ACK)

    def do_sacked(self, side, octets, behind, times):
        """A segment that never arrives; what comes behind it is acknowledged by itself (SACK), once."""
        self.handshake()
        me, start = "CS".index(side), self.session.seq["CS".index(side)]
        self.do_full(side, octets)
        left = self.session.seq[me]
        data = (b"Regards, Anna " * 200)[:int(behind)]
        self.emit(me, PSH | ACK, data)
        self.session.seq[me] += len(data)
        self.session.unheard[me] += len(data)
        self.emit(1 - me, ACK, options=struct.pack("!BBBBII", 1, 1, 5, 10, left, self.session.seq[me]))
        for i in range(int(times)):
            self.time += 0.3 * 2 ** i
            self.emit(me, ACK, (b"A segment that is too large for some link on the way. " * 60)[:int(octets)], seq=start)

    def do_hidden(self, side, octets):
        """Bytes of this side that the network loses before they come to the recorder."""
        self.handshake()
        me = "CS".index(side)
        self.session.seq[me] += int(octets)
        self.session.unheard[me] += int(octets)

    def do_ack(self, side):
        self.emit("CS".index(side), ACK)

    def do_late(self, side, text):
        """Sent again by this side when all of it was received long ago: the last bytes it sent."""
        me = "CS".index(side)
        data = unescape(text.replace("_", " ")) + b"\r\n"
        self.emit(me, PSH | ACK, data, seq=self.session.seq[me] - len(data))
        self.emit(1 - me, ACK)

    def do_lossy(self, octets, every="5", gap="2"):
        """Text of which every so many segments have to be sent twice."""
        line = b"This line of the message says nothing at all, but it says it well.\r\n"
        data = (line * (int(octets) // len(line) + 1))[:int(octets) - 2] + b"\r\n"
        for i, at in enumerate(range(0, len(data), 1000)):
            part = data[at:at + 1000]
            if i % int(every) == 0:
                self.emit(0, PSH | ACK, part)
                self.time += float(gap)
            self.send(0, part)

    def do_small(self, octets, size, gap="0.05"):
        """Text in segments of that size, each of which waits to be acknowledged."""
        line = b"This line of the message says nothing at all, but it says it well.\r\n"
        data = (line * (int(octets) // len(line) + 1))[:int(octets) - 2] + b"\r\n"
        for at in range(0, len(data), int(size)):
            self.send(0, data[at:at + int(size)])
            self.time += float(gap)

    # --- parts of a dialogue that most cases share ---
    def say(self, *lines):
        for line in lines:
            self.step(line)

    def do_hello(self, *keywords):
        """Greeting and EHLO; `_` in a keyword stands for a blank."""
        self.say("S: 220 mx.example.org ESMTP", "C: EHLO pc.example.net")
        offered = ["mx.example.org"] + [k.replace("_", " ") for k in keywords or ("PIPELINING", "SIZE_35000000")]
        self.say(*["S: 250%s%s" % (" " if i == len(offered) - 1 else "-", k) for i, k in enumerate(offered)])

    def do_login(self, mechanism="PLAIN"):
        self.say("C: AUTH %s AGFubmEAbGFiLVNlY3JldC00NzEx" % mechanism, "S: 235 2.7.0 Authentication successful")

    def do_mail(self):
        self.say("C: MAIL FROM:<anna@example.net>", "S: 250 2.1.0 Ok")

    def do_rcpt(self, name="bob"):
        self.say("C: RCPT TO:<%s@example.org>" % name, "S: 250 2.1.5 Ok")

    def do_starttls(self, *keywords):
        """Greeting, EHLO, STARTTLS and its 220."""
        self.say("hello %s" % " ".join(keywords or ("PIPELINING", "STARTTLS")), "C: STARTTLS", "S: 220 2.0.0 Ready to start TLS")

    def do_sent_inside(self):
        """A whole mail inside TLS."""
        self.say("C+ EHLO pc.example.net", "S+ 250-mx.example.org\\r\\n250 PIPELINING", "C+ MAIL FROM:<anna@example.net>",
                 "S+ 250 2.1.0 Ok", "C+ RCPT TO:<bob@example.org>", "S+ 250 2.1.5 Ok", "C+ DATA", "S+ 354 End data with <CR><LF>.<CR><LF>",
                 "C+ Subject: Hello\\r\\n\\r\\nHi Bob\\r\\n.", "S+ 250 2.0.0 Ok: queued as 4F1B2")

    def do_quit_inside(self):
        self.say("C+ QUIT", "S+ 221 2.0.0 Bye")

    def do_data(self):
        self.say("C: DATA", "S: 354 End data with <CR><LF>.<CR><LF>")

    def do_text(self):
        """A short message with its end."""
        self.say("C: From: Anna <anna@example.net>", "C: To: bob@example.org", "C: Subject: Hello", "C: ", "C: Hi Bob", "C: .")

    def do_queued(self):
        self.say("S: 250 2.0.0 Ok: queued as 4F1B2")

    def do_quit(self):
        self.say("C: QUIT", "S: 221 2.0.0 Bye", "close S")

    def do_sent(self):
        """A whole mail that is accepted."""
        self.say("mail", "rcpt", "data", "text", "queued")

    def do_noise(self):
        """An unrelated frame, so that the capture goes on."""
        self.ip(address("192.0.2.99"), address("192.0.2.98"), 17, struct.pack("!HHHH", 9999, 9998, 8, 0), 64, True)

    def write(self, path):
        with open(path, "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, self.snaplen, 1))
            for time, frame in self.frames:
                seconds = int(time)
                micros = int(round((time - seconds) * 1000000))
                if micros == 1000000:
                    seconds, micros = seconds + 1, 0
                kept = frame[:self.snaplen]
                out.write(struct.pack("<IIII", seconds, micros, len(kept), len(frame)) + kept)
