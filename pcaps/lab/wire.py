"""Reads a capture with tshark: its connections, and the frames that prove what INDEX.tsv says of each.

A proof is written as WHO:WHAT, several joined by " + ". WHO is C (client) or S (server). WHAT is SYN, END (its first
FIN or RST), or a regular expression that the payload of a frame matches. "@last" takes the last such frame and not the
first, "@all" every one. ICMP, LAST (the last frame of the connection) and ACCEPTED (the last 25x to an end of data)
stand alone. A proof that no frame matches is
an error: then the packets do not say what the scenario claims.

A session without a connection has a proof of its own. "DNS:NAME@WHAT" takes the first question for a name and what answers
it last; WHAT is the code that all replies for A and MX must have (0 to 5), "icmp" when errors come in their place, or "none"
when nothing does. "ARP:ADDRESS" takes the first and the last question for a neighbour, which nobody may answer.
"""
import re
import subprocess

FIELDS = ("frame.number", "tcp.stream", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport", "tcp.flags",
          "tcp.payload", "icmp.type", "icmpv6.type")
FIN, SYN, RST, ACK = 1, 2, 4, 16

NEGATIVE, POSITIVE = r"S:(^|\n)[45]\d\d[ -]", "ACCEPTED"
PROOFS = {
    "ok-delivered": POSITIVE,
    "quit-problem": POSITIVE + " + C:END",
    "ok-delivered-partial": NEGATIVE + " + " + POSITIVE,
    "data-late-reply": "C:END + " + POSITIVE,
    "greet-slow-banner": "S:^220 + C:END",
    "greet-not-smtp": "S:.", "greet-pop-imap-banner": "S:.",
    "tcp-syn-timeout": "C:SYN@all", "tcp-port25-blocked": "C:SYN@all",
    "tcp-refused": "S:END", "net-icmp-prohibited": "ICMP",
    "tcp-peer-vanished": "LAST",
    "ok-vrfy-only": "C:(?i)^(QUIT|RSET|VRFY)",
    "auth-oauth-rejected": r"S:^334 eyJ",
}
PROOFS.update(dict.fromkeys(("greet-closed-no-banner", "data-closed-after-dot", "tcp-reset-by-server", "tcp-server-closed-early"), "S:END"))
PROOFS.update(dict.fromkeys(("greet-no-banner", "smtp-reply-timeout", "data-no-reply-after-dot", "data-client-stalled", "data-no-final-dot",
                             "tcp-client-closed-early", "tcp-reset-by-client", "ok-no-attempt", "starttls-not-followed"), "C:END"))
PROOFS.update(dict.fromkeys(("unk-incomplete", "unk-in-progress", "unk-one-sided"), "LAST"))


class Frame:
    def __init__(self, line):
        values = dict(zip(FIELDS, line.split("\t")))
        self.number = int(values["frame.number"])
        self.stream = values["tcp.stream"].split(",")[-1]
        self.icmp = bool(values["icmp.type"] or values["icmpv6.type"])
        self.flags = int(values["tcp.flags"].split(",")[-1] or "0", 16)
        self.payload = bytes.fromhex(values["tcp.payload"].replace(":", "").split(",")[0]).decode("latin-1")
        # of an ICMP message the quoted packet counts, and that is the last of the values
        self.source, self.target = ("%s:%s" % (values["ip." + side].split(",")[-1] or "[%s]" % values["ipv6." + side].split(",")[-1],
                                               values[port].split(",")[-1]) for side, port in (("src", "tcp.srcport"), ("dst", "tcp.dstport")))


class Connection:
    def __init__(self):
        self.frames = []
        self.client = self.server = None

    def settle(self):
        """Who opened it: the sender of the SYN; without one, the higher port."""
        first = self.frames[0]
        for frame in self.frames:
            if frame.flags & SYN:
                answer = frame.flags & ACK
                self.client, self.server = (frame.target, frame.source) if answer else (frame.source, frame.target)
                return self
        ends = sorted((first.source, first.target), key=lambda end: int(end.rsplit(":", 1)[1]))
        self.server, self.client = ends
        return self

    def matching(self, proof):
        if proof == "LAST":
            return self.frames[-1:]
        if proof == "ICMP":
            return [frame for frame in self.frames if frame.icmp][:1]
        if proof == "ACCEPTED":
            return self.accepted()[-1:]
        who, _, what = proof.partition(":")
        what, _, which = what.partition("@")
        sender = self.client if who == "C" else self.server
        mine = [frame for frame in self.frames if frame.source == sender and not frame.icmp]
        if what == "END":
            found = [frame for frame in mine if frame.flags & (FIN | RST)]
        elif what == "SYN":
            found = [frame for frame in mine if frame.flags & SYN]
        else:
            found = [frame for frame in mine if frame.payload and re.search(what, frame.payload, re.S)]
        return found if which == "all" else found[-1:] if which == "last" else found[:1]

    def accepted(self):
        """The replies that take a message: 25x behind the dot that ends a text, or behind BDAT LAST."""
        found, sent, in_text, ended = [], "", False, False
        for frame in self.frames:
            if frame.source == self.client:
                sent = (sent + frame.payload)[-200:]
                ended = ended or in_text and (re.search(r"\n\.\r\n", "\n" + sent) is not None or frame.payload == ".\r\n")
                ended = ended or re.search(r"BDAT \d+ LAST\r\n", frame.payload, re.I) is not None
                continue
            if (ended or in_text and not sent) and re.search(r"(^|\n)25\d[ -]", frame.payload):
                found.append(frame)
                in_text = ended = False
            if re.search(r"(^|\n)354[ -]", frame.payload):
                in_text, sent = True, ""
            elif re.search(r"(^|\n)[45]\d\d ", frame.payload):
                in_text = ended = False
        return found

    def proof(self, text):
        """The frame numbers; an empty list if one part of the proof is nowhere in the connection."""
        numbers = []
        for part in text.split(" + "):
            found = self.matching(part)
            if not found:
                return []
            numbers += [frame.number for frame in found]
        return numbers


def replies_inside(path, keys, pattern):
    """Frames with a reply whose code matches, as tshark reads them with a key log; without a pattern the last reply."""
    out = subprocess.run(["tshark", "-r", path, "-o", "tls.keylog_file:" + keys, "-Y", "smtp.response", "-T", "fields", "-e", "frame.number",
                          "-e", "smtp.response.code", "-e", "tls.record.content_type", "-e", "tls.app_data"], capture_output=True, text=True,
                         check=True).stdout
    inside, found = False, []
    for line in out.splitlines():
        frame, codes = line.split("\t")[:2]
        inside = inside or bool(line.split("\t")[3])
        if inside and any(re.fullmatch(pattern or r"\d+", code) for code in codes.split(",")):
            found.append(int(frame))
    return found if pattern else found[-1:]


def frames_inside(path, keys, expression):
    """Frames that a display filter finds when tshark reads them with a key log."""
    out = subprocess.run(["tshark", "-r", path, "-o", "tls.keylog_file:" + keys, "-Y", expression, "-T", "fields", "-e", "frame.number"],
                         capture_output=True, text=True, check=True).stdout
    return [int(line) for line in out.split()]


def connections(path):
    command = ["tshark", "-r", path, "-Y", "tcp", "-o", "tcp.desegment_tcp_streams:FALSE", "--disable-protocol", "smtp", "-T", "fields"]
    for field in FIELDS:
        command += ["-e", field]
    found = {}
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        frame = Frame(line)
        found.setdefault(frame.stream, Connection()).frames.append(frame)
    return [connection.settle() for connection in found.values()]


BEFORE = ("frame.number", "ip.src", "ip.dst", "dns.qry.name", "dns.qry.type", "dns.flags.response", "dns.flags.rcode", "icmp.type", "arp.opcode", "arp.src.proto_ipv4",
          "arp.dst.proto_ipv4")


class LookUp:
    """What happened before any connection: questions for a name or a neighbour, and their answers."""

    def __init__(self, path, proof):
        kind, _, what = proof.partition(":")
        self.server, _, code = what.partition("@")
        command = ["tshark", "-r", path, "-Y", "dns || arp", "-T", "fields"]
        for field in BEFORE:
            command += ["-e", field]
        rows = [dict(zip(BEFORE, (value.split(",")[-1] for value in line.split("\t")))) for line in
                subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()]
        self.client, self.evidence = "", []
        (self.read_dns if kind == "DNS" else self.read_arp)(rows, code)

    def read_dns(self, rows, code):
        rows = [row for row in rows if row["dns.qry.name"] == self.server]
        errors = [row for row in rows if row["icmp.type"]]
        answers = [row for row in rows if row["dns.flags.response"] in ("1", "True") and row not in errors]
        questions = [row for row in rows if row not in errors + answers]
        codes = {row["dns.flags.rcode"] for row in answers if row["dns.qry.type"] in ("1", "15")}
        seen = codes or ({"icmp"} if errors else {"none"})
        if questions and seen == {code}:
            self.client = questions[0]["ip.src"]
            self.evidence = [int(row["frame.number"]) for row in questions[:1] + (answers or errors or questions[1:])[-1:]]

    def read_arp(self, rows, _):
        questions = [row for row in rows if row["arp.opcode"] == "1" and row["arp.dst.proto_ipv4"] == self.server]
        answered = any(row["arp.opcode"] == "2" and row["arp.src.proto_ipv4"] == self.server for row in rows)
        if questions and not answered:
            self.client = questions[0]["arp.src.proto_ipv4"]
            self.evidence = [int(row["frame.number"]) for row in questions[:1] + questions[1:][-1:]]


def default_proof(cause, stage):
    if cause == "starttls-not-offered" and stage == "hello":
        return r"S:(^|\n)250- + C:END"
    return PROOFS.get(cause, NEGATIVE)
