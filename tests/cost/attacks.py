"""What a sender of garbage could do to make the program work for ever or to fill its memory, as captures of any size.

Each function makes one attack of `n` things: packets of a capture that it is given, or the bytes of a whole file. The
table at the end names them with the size at which cost.py begins; everything is made from fixed numbers.
"""
import gzip
import os
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import dialogue  # noqa: E402
import names  # noqa: E402

ACK, FIN, PSH, RST, SYN = dialogue.ACK, dialogue.FIN, dialogue.PSH, dialogue.RST, dialogue.SYN
CLIENT, SERVER = dialogue.address("192.0.2.10"), dialogue.address("198.51.100.25")
ROUTER = dialogue.address("203.0.113.1")


def lines(count, text):
    return "".join(text % i for i in range(count)).encode("latin-1")


def mix(number):
    """A number that looks like chance, the same in every run."""
    number = (number * 2654435761 + 12345) & 0xFFFFFFFF
    number ^= number >> 15
    return (number * 2246822519) & 0xFFFFFFFF


# --- TCP ---

def tiny_segments(c, n):
    """A mail in segments of one octet."""
    c.run(["hello", "mail", "rcpt", "data"])
    for byte in lines(n // 20 + 1, "line %05d of a text\r\n")[:n]:
        c.send(0, bytes([byte]))
    c.say("C: ", "C: .", "queued", "quit")


def tiny_reply(c, n):
    """A reply in segments of one octet."""
    c.run(["S: 220 mx.example.org ESMTP", "C: EHLO pc"])
    for byte in lines(n // 20 + 1, "250-keyword%07d\r\n")[:n]:
        c.send(1, bytes([byte]))
    c.say("S. \\r\\n250 ok\\r\\n", "sent", "quit")


def backwards(c, n):
    """Segments in the wrong order, the first one last; more than may be held of one direction."""
    c.run(["hello", "mail", "rcpt", "data"])
    s = c.session
    for i in range(n, 0, -1):
        c.emit(0, ACK, b"text of two\r\n" * 4, seq=s.seq[0] + 52 * i)
    c.emit(0, ACK, b"text of two\r\n" * 4)
    s.seq[0] += 52 * (n + 1)
    c.emit(1, ACK)
    c.say("C: .", "queued", "quit")


def overlaps(c, n):
    """Pieces behind a hole, in disorder, each over several others, some with other bytes."""
    c.run(["hello", "mail", "rcpt", "data"])
    s = c.session
    for i in range(n):
        at = 10 + mix(i) % 20000
        c.emit(0, ACK, b"abcdefghij"[mix(i + 7) % 3:] * (1 + mix(i + 3) % 40), seq=s.seq[0] + at)
    s.unheard[0] = 0
    c.emit(1, ACK)
    c.say("C: .", "queued")


def every_second_lost(c, n):
    """Every second segment is missing, and nobody acknowledges."""
    c.run(["hello", "mail", "rcpt", "data"])
    s = c.session
    for _ in range(n):
        s.seq[0] += 10
        s.unheard[0] += 10
        c.emit(0, ACK, b"ten octets")
        s.seq[0] += 10
        s.unheard[0] += 10


def gaps(c, n):
    """Every second line of a dialogue is not in the capture."""
    c.run(["hello"])
    for _ in range(n):
        c.say("C: NOOP", "lost S: 250 ok", "lost C: NOOP", "S: 250 ok")


def sent_again(c, n):
    """The same segment again and again."""
    c.run(["hello", "C: NOOP"])
    s = c.session
    for i in range(n):
        c.emit(0, ACK, b"NOOP\r\n", seq=s.seq[0] - 6)
        if i % 7 == 0:
            c.emit(1, ACK)


def closed_window(c, n):
    """A window that is opened and closed, with probes."""
    c.run(["hello"])
    for _ in range(n):
        c.say("window S 0", "probe C 2 0.5", "window S 1000")


def half_open(c, n):
    """Requests for connections from all over the world that nobody answers."""
    for i in range(n):
        c.ip(struct.pack("!I", 0x0B000000 + mix(i) % (1 << 24)), SERVER, 6,
             struct.pack("!HHIIBBHHH", 1024 + i % 60000, 25, i, 0, 0x50, SYN, 65535, 0, 0), 64, True)
        c.time -= 0.0009


def half_open_answered(c, n):
    """The same with answers."""
    for i in range(n):
        client = struct.pack("!I", 0x0B000000 + mix(i) % (1 << 24))
        port = 1024 + i % 60000
        c.ip(client, SERVER, 6, struct.pack("!HHIIBBHHH", port, 25, i, 0, 0x50, SYN, 65535, 0, 0), 64, True)
        c.ip(SERVER, client, 6, struct.pack("!HHIIBBHHH", 25, port, 7 * i, i + 1, 0x50, SYN | ACK, 65535, 0, 0), 57, True)
        c.time -= 0.0019


def connections(c, n, script, port=25):
    for i in range(n):
        c.new_session()
        c.session.port = [1024 + i % 60000, port]
        c.session.address[0] = struct.pack("!I", 0x0B000000 + mix(i) % (1 << 24))
        c.say(*script)


def open_sessions(c, n):
    """Sessions that are all open at the end."""
    connections(c, n, ["hello", "mail"])


def open_envelopes(c, n):
    """Sessions in the middle of a line, with a reply that does not end."""
    connections(c, n, ["hello", "C: NOOP", "S: 250-more", "C. MAIL FROM:<a", "S. 250-and more"])


def silent_connections(c, n):
    """Connections on the mail port that are opened and never used."""
    connections(c, n, ["handshake"])


def other_connections(c, n):
    """Connections that are no mail, with a few bytes each."""
    connections(c, n, ["C. \\x16\\x03\\x01\\x02\\x00\\x01", "S. \\x16\\x03\\x03\\x00\\x10"], 443)


def strangers(c, n):
    """Connections on the mail port that are nothing one knows."""
    connections(c, n, ["C. \\x01\\x02\\x03%binary\\x80\\xff", "S. \\x04\\x05\\x06"])


def beginnings(c, n):
    """Connections on odd ports that begin like mail and go on as something else."""
    connections(c, n, ["S. 220 ", "C. x", "S. y"], 8080)


def middles(c, n):
    """Connections of which only one packet in the middle was captured."""
    connections(c, n, ["midstream", "C: NOOP"])


def same_ports(c, n):
    """The same ports, used again for every connection."""
    for i in range(n):
        c.new_session()
        c.session.port[0] = 40000
        c.session.seq = [mix(i), mix(i + 1000000)]
        c.say("handshake", "S: 421 busy", "rst S" if i % 2 else "close S")


def similar_connections(c, n):
    """Addresses and ports that a weak hash (sums, exclusive ors) would throw together."""
    for i in range(n):
        a, port = i & 0xFFFF, 1024 + (i & 0x3FFF)
        c.ip(struct.pack("!I", 0x0A000000 + a), struct.pack("!I", 0xC6330000 ^ a), 6,
             struct.pack("!HHIIBBHHH", port, 25, i, 0, 0x50, SYN, 65535, 0, 0), 64, True)
        c.time -= 0.0009


def backwards_clock(c, n):
    """Sessions whose packets jump in time."""
    for i in range(n):
        c.new_session()
        c.say("S: 220 mx")
        c.time += (-1) ** i * (mix(i) % 5000)


# --- SMTP ---

def pipelined(c, n):
    """Commands in one go, then the replies."""
    c.run(["hello"])
    c.send(0, b"NOOP\r\n" * n)
    c.send(1, b"250 ok\r\n" * n)
    c.say("sent", "quit")


def pipelined_logins(c, n):
    """Commands whose meaning the next reply decides, in one go: they are held."""
    c.run(["hello AUTH_LOGIN"])
    for _ in range(n):
        c.send(0, b"AUTH LOGIN\r\nYW5uYQ==\r\nc2VjcmV0\r\n")
    for _ in range(n):
        c.send(1, b"334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n535 no\r\n")


def pipelined_data(c, n):
    """DATA again and again without waiting, each refused."""
    c.run(["hello"])
    for _ in range(n):
        c.send(0, b"DATA\r\n")
    for _ in range(n):
        c.send(1, b"503 no\r\n")


def commands(c, n):
    """A dialogue that does not end."""
    c.run(["hello"])
    for _ in range(n):
        c.say("C: NOOP", "S: 250 ok")


def unknown_commands(c, n):
    c.run(["hello"])
    for i in range(n):
        c.say("C: XFOO%d" % i, "S: 500 5.5.1 what?")


def unasked_replies(c, n):
    """Replies to nothing."""
    c.run(["hello"])
    c.send(1, lines(n, "250 reply %d\r\n"))


def long_reply(c, n):
    """A reply of very many lines."""
    c.run(["S: 220 mx", "C: NOOP"])
    c.send(1, lines(n, "250-line %07d of a reply\r\n") + b"250 end\r\n")
    c.say("sent", "quit")


def long_offer(c, n):
    """An answer to EHLO of very many lines, all different."""
    c.run(["S: 220 mx", "C: EHLO pc"])
    c.send(1, lines(n, "250-X%d 17\r\n") + b"250 HELP\r\n")
    c.say("sent", "quit")


def hellos(c, n):
    """EHLO again and again."""
    c.run(["hello"])
    for i in range(n):
        c.say("C: EHLO pc%d.example.net" % i, "S: 250-mx\\r\\n250-PIPELINING\\r\\n250 SIZE")


def recipients(c, n):
    """One mail to very many people."""
    c.run(["hello", "mail"])
    for i in range(n):
        c.say("C: RCPT TO:<user%d@example.org>" % i, "S: 250 2.1.5 Ok")
    c.say("data", "text", "queued", "quit")


def refused_recipients(c, n):
    c.run(["hello", "mail"])
    for i in range(n):
        c.say("C: RCPT TO:<user%d@example.org>" % i, "S: 550 5.1.1 <user%d@example.org>: User unknown" % i)
    c.say("quit")


def logins(c, n):
    """Passwords tried one after the other."""
    c.run(["port 587", "hello AUTH_PLAIN_LOGIN"])
    for i in range(n):
        c.say("C: AUTH PLAIN AGFubmEAbGFiLVNlY3JldC00NzEx", "S: 535 5.7.8 no")


def mails(c, n):
    """Mails one after the other in one session."""
    c.run(["hello"])
    for _ in range(n):
        c.say("sent")


def refused_mails(c, n):
    c.run(["hello"])
    for _ in range(n):
        c.say("mail", "C: RCPT TO:<a@example.org>", "S: 550 5.7.1 spam", "C: RSET", "S: 250 ok")


def chunks(c, n):
    """BDAT in chunks of one octet."""
    c.run(["hello CHUNKING", "mail", "rcpt"])
    for _ in range(n):
        c.say("C. BDAT 1\\r\\nx", "S: 250 ok")
    c.say("C. BDAT 2 LAST\\r\\n\\r\\n", "S: 250 queued")


def headers(c, n):
    """A mail with very many header fields."""
    c.run(["hello", "mail", "rcpt", "data"])
    c.send(0, lines(n, "Received: from host%d.example.net by mx\r\n") + b"\r\n.\r\n")
    c.say("queued", "quit")


def folded_header(c, n):
    """One header field that does not end."""
    c.run(["hello", "mail", "rcpt", "data"])
    c.send(0, b"To: a@example.org,\r\n" + lines(n, "\tuser%d@example.org,\r\n") + b"\r\n.\r\n")
    c.say("queued", "quit")


def encoded_subject(c, n):
    """A subject of encoded words."""
    c.run(["hello", "mail", "rcpt", "data"])
    c.send(0, b"Subject: x\r\n" + b" =?utf-8?B?w6TDtsO8?=\r\n" * n + b"\r\n.\r\n")
    c.say("queued", "quit")


def long_line(c, n):
    """A command without an end."""
    c.run(["hello"])
    c.send(0, b"MAIL FROM:<" + b"a" * n)


def dots(c, n):
    """Text made of dots and line ends that look like its end."""
    c.run(["hello", "mail", "rcpt", "data"])
    c.send(0, b"x\n.\n\r.\r\n..\r\n.\r" * n + b"\r\n.\r\n")
    c.say("queued", "quit")


def binary_dialogue(c, n):
    """Bytes that are no text, in the place of commands."""
    c.run(["hello"])
    for i in range(n):
        c.send(0, struct.pack("!IIII", mix(i), mix(i + 1), mix(i + 2), mix(i + 3)))


def held_text(c, n):
    """Text of a mail before anybody has said that it may come."""
    c.run(["hello", "mail", "rcpt"])
    c.send(0, b"DATA\r\n")
    for i in range(n):
        c.send(0, b"a line of text\r\n")
    c.say("C: .", "S: 354 go", "queued", "quit")


# --- many sessions of the same people ---

def same_mail(c, n):
    """The same mail, put off again and again."""
    for i in range(n):
        c.new_session()
        c.say("hello", "mail", "C: RCPT TO:<a@example.org>", "S: 451 4.7.1 Greylisted", "quit")
        c.time += 30


def same_client(c, n):
    """One client, another mail each time."""
    for i in range(n):
        c.new_session()
        c.say("hello", "C: MAIL FROM:<a%d@example.net>" % i, "S: 250 ok", "C: RCPT TO:<b%d@example.org>" % i,
              "S: 550 5.1.1 unknown", "quit")


def many_clients(c, n):
    """Another client, another server, another mail each time."""
    for i in range(n):
        c.new_session()
        c.session.address = [struct.pack("!I", 0x0B000000 + mix(i) % (1 << 24)), struct.pack("!I", 0x2D000000 + mix(i + 5) % (1 << 24))]
        c.say("hello", "C: MAIL FROM:<a%d@example.net>" % i, "S: 250 ok", "C: RCPT TO:<b%d@example.org>" % i,
              "S: 451 4.7.1 later", "quit")


def refused_connections(c, n):
    """One client that is refused again and again."""
    for i in range(n):
        c.new_session()
        c.session.port[0] = 1024 + i % 60000
        c.say("refuse")


# --- TLS ---

def record(kind, body, version=0x0303):
    return struct.pack("!BHH", kind, version, len(body)) + body


def handshake(kind, body):
    return struct.pack("!B", kind) + struct.pack("!I", len(body))[1:] + body


def client_hello(extensions=b""):
    return handshake(1, b"\x03\x03" + bytes(32) + b"\0" + b"\0\2\xc0\x2f" + b"\1\0" + struct.pack("!H", len(extensions)) + extensions)


def server_hello():
    return handshake(2, b"\x03\x03" + bytes(32) + b"\0\xc0\x2f\0")


def fragments_of(message):
    return b"".join(record(22, message[at:at + 16000]) for at in range(0, len(message), 16000))


def certificate():
    """Any certificate at all, in DER."""
    import ssl  # pylint: disable=import-outside-toplevel

    import tls  # pylint: disable=import-outside-toplevel

    tls.STORE.make("good")
    with open(tls.STORE.path("good.pem"), encoding="ascii") as text:
        return ssl.PEM_cert_to_DER_cert(text.read())


def tls_hello(c):
    c.run(["port 465"])
    c.send(0, record(22, client_hello()))


def certificates(c, n):
    """A chain of very many certificates."""
    one = certificate()
    tls_hello(c)
    chain = (struct.pack("!I", len(one))[1:] + one) * n
    c.send(1, record(22, server_hello()) + fragments_of(handshake(11, struct.pack("!I", len(chain))[1:] + chain)))
    c.send(0, record(21, b"\2\x2a"))


def broken_certificates(c, n):
    """Certificates that are none, of one octet each."""
    tls_hello(c)
    chain = b"\0\0\1\x30" * n
    c.send(1, record(22, server_hello()) + fragments_of(handshake(11, struct.pack("!I", len(chain))[1:] + chain)))
    c.send(0, record(21, b"\2\x2a"))


def certificate_sessions(c, n):
    """A bad certificate in each of many sessions."""
    one = certificate()
    chain = struct.pack("!I", len(one))[1:] + one
    for _ in range(n):
        c.new_session()
        c.session.port[1] = 465
        c.send(0, record(22, client_hello()))
        c.send(1, record(22, server_hello()) + fragments_of(handshake(11, struct.pack("!I", len(chain))[1:] + chain)))
        c.send(0, record(21, b"\2\x2a"))


def tiny_records(c, n):
    """A handshake message in records of one octet."""
    tls_hello(c)
    message = server_hello() + handshake(11, bytes(n))
    c.send(1, b"".join(record(22, bytes([b])) for b in message))


def endless_handshake(c, n):
    """Handshake messages that do not end."""
    tls_hello(c)
    c.send(1, record(22, server_hello()) + record(22, handshake(4, bytes(4))) * n)


def alerts(c, n):
    tls_hello(c)
    c.send(1, record(21, b"\1\x5a") * n)


def cipher_text(c, n):
    """Encrypted records of one octet."""
    tls_hello(c)
    c.send(1, record(22, server_hello()) + record(20, b"\1"))
    c.send(0, record(20, b"\1") + record(23, b"x") * n)


def extensions(c, n):
    """A ClientHello with very many extensions."""
    c.run(["port 465"])
    for _ in range(max(n // 1000, 1)):
        c.send(0, fragments_of(client_hello(struct.pack("!HHB", 0xfe00, 1, 0) * min(n, 1000))))


# --- IP, tunnels, ICMP, ARP ---

def ip_part(c, number, offset, more, body, src=CLIENT):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), number & 0xFFFF, (0x2000 if more else 0) | offset // 8, 64, 6, 0,
                       src, SERVER)
    c.time += 0.0001
    c.frames.append((c.time, b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0" + head + body))


def first_parts(c, n):
    """Fragments whose rest never comes."""
    for i in range(n):
        ip_part(c, i, 0, True, bytes(64), struct.pack("!I", 0x0B000000 + mix(i) % (1 << 24)))


def tiny_parts(c, n):
    """Packets in parts of eight octets, backwards."""
    for i in range(n // 500 + 1):
        for at in range(min(n, 500) - 1, -1, -1):
            ip_part(c, i, at * 8, at != min(n, 500) - 1, bytes(8))


def overlapping_parts(c, n):
    """Parts that cover one another."""
    for i in range(n):
        ip_part(c, i // 1000, mix(i) % 8000 * 8 % 60000, True, bytes(8 * (1 + mix(i + 1) % 20)))


def nested(c, n):
    """IP in IP in IP ..., as deep as a frame holds."""
    for _ in range(n):
        body = struct.pack("!HHIIBBHHH", 40000, 25, 1, 0, 0x50, SYN, 65535, 0, 0)
        for depth in range(60):
            body = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), depth, 0, 64, 4 if depth else 6, 0, CLIENT, SERVER) + body
        c.time += 0.0001
        c.frames.append((c.time, b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0" + body))


def tags(c, n):
    """VLAN tags and MPLS labels without an end."""
    for i in range(n):
        c.time += 0.0001
        frame = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01"
        c.frames.append((c.time, frame + (b"\x81\0\0\7" * 300 if i % 2 else b"\x88\x47" + b"\0\0\x10\x40" * 300)))


def ipv6_headers(c, n):
    """IPv6 with extension headers without an end."""
    for _ in range(n):
        body = b"\x3c\0" + bytes(6)
        c.time += 0.0001
        c.frames.append((c.time, b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x86\xdd" +
                         struct.pack("!IHBB", 0x60000000, 8 * 150, 60, 64) + bytes(16) + bytes(15) + b"\1" + body * 150))


def tcp_options(c, n):
    """TCP options that lead nowhere, SACK blocks in all of them."""
    c.run(["hello"])
    for i in range(n):
        c.emit(i % 2, ACK, options=b"\1\1\5\x22" + struct.pack("!8I", *[mix(i + k) for k in range(8)]))


def icmp_quote(c, body):
    c.ip(ROUTER, CLIENT, 1, b"\3\1\0\0\0\0\0\0" + body, 63, True)


def icmp_quotes(c, n):
    """Errors about connections: one that is there, and others that never were."""
    c.run(["handshake"])
    for i in range(n):
        port = 40000 if i % 2 else mix(i) & 0xFFFF
        icmp_quote(c, struct.pack("!BBHHHBBH4s4sHHI", 0x45, 0, 60, 1, 0x4000, 63, 6, 0, CLIENT, SERVER, port, 25, mix(i)))


def icmp_dns_quotes(c, n):
    """Errors about questions that nobody asked."""
    for i in range(n):
        icmp_quote(c, struct.pack("!BBHHHBBH4s4sHHHH", 0x45, 0, 60, 1, 0x4000, 63, 17, 0, CLIENT, SERVER, mix(i) & 0xFFFF, 53, 8, 0))


def arp(c, n):
    """Requests for neighbours that are not there."""
    for i in range(n):
        c.time += 0.0001
        c.frames.append((c.time, b"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\x08\x06\0\1\x08\0\6\4\0\1\x02\0\0\0\0\1" + CLIENT +
                         bytes(6) + struct.pack("!I", 0x0A000000 + mix(i) % 65536)))


# --- names ---

def questions(c, n):
    """Names that are looked up and not answered, all different."""
    c.new_session()
    for i in range(n):
        c.ask("mail%d.example.org" % i, "A")
        c.time -= 0.0009


def answers(c, n):
    """The same name answered again and again with other addresses."""
    c.new_session()
    for i in range(n):
        question = names.query(i & 0xFFFF, "mail.example.org", "A")
        words = [".".join(str(b) for b in struct.pack("!I", 0x0B000000 + mix(8 * i + k) % (1 << 24))) for k in range(8)]
        c.udp(c.resolver, CLIENT, 53, 50000, names.answer(question, words))
        c.time -= 0.0009


def same_address(c, n):
    """Very many names of one address, and then connections to it."""
    c.new_session()
    for i in range(n):
        question = names.query(i & 0xFFFF, "mail%d.example.org" % i, "A")
        c.udp(CLIENT, c.resolver, 50000, 53, question)
        c.udp(c.resolver, CLIENT, 53, 50000, names.answer(question, ["198.51.100.25"]))
        c.time -= 0.0009
    for _ in range(n):
        c.new_session()
        c.say("handshake", "S: 421 no", "close S")


def big_answers(c, n):
    """Answers full of records and of pointers to pointers."""
    c.new_session()
    for i in range(n):
        question = names.query(i & 0xFFFF, "mail%d.example.org" % i, "MX")
        chain = b"".join(struct.pack("!H", 0xC000 | 12) if k == 0 else struct.pack("!H", 0xC000 | (len(question) + 2 * k - 2))
                         for k in range(100))
        body = question[:2] + struct.pack("!HHHHH", 0x8180, 1, 50, 0, 0) + question[12:] + chain
        loop = struct.pack("!HHHIH", 0xC000 | (len(question) + 198), 15, 1, 60, 4) + b"\0\x0a" + struct.pack("!H", 0xC000 | 12)
        c.udp(c.resolver, CLIENT, 53, 50000, body + loop * 50)


def dns_streams(c, n):
    """Name servers asked over TCP, with messages that do not end."""
    for i in range(n):
        c.new_session()
        c.session.port = [1024 + i % 60000, 53]
        c.send(0, b"\xff\xff" + bytes(40))
        c.send(1, b"\xff\xff" + bytes(40))


# --- files ---

def pcap(frames):
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(
        struct.pack("<IIII", 1700000000 + i // 1000, i % 1000, len(f), len(f)) + f for i, f in enumerate(frames))


def empty_frames(n):
    return pcap([b""] * n)


def odd_frames(n):
    """Frames of one octet."""
    return pcap([b"\0"] * n)


def bomb_gz(n):
    """Very little that unpacks into very much."""
    return gzip.compress(pcap([b""]) + bytes(1000 * n), mtime=0)


def members_gz(n):
    """A file of very many packed pieces."""
    whole = pcap([bytes(60)] * (n // 2))
    return gzip.compress(whole[:24], mtime=0) + b"".join(gzip.compress(whole[24 + i * 38:24 + (i + 1) * 38], 1, mtime=0) for i in range(n))


def empty_members_gz(n):
    return gzip.compress(pcap([bytes(60)])) + gzip.compress(b"", mtime=0) * n


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))


SECTION = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
INTERFACE = block(1, struct.pack("<HHI", 1, 0, 65535))


def option(code, body):
    return struct.pack("<HH", code, len(body)) + body + bytes(-len(body) % 4)


def packet_block(frame, options=b"", interface=0, number=0):
    time = 1700000000000000 + number
    return block(6, struct.pack("<IIIII", interface, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame)) + frame +
                 bytes(-len(frame) % 4) + options)


def pcapng_options(n):
    """Comments without an end on every packet."""
    return SECTION + INTERFACE + packet_block(bytes(60), option(1, b"x") * 50) * (n // 50 + 1)


def pcapng_sections(n):
    return (SECTION + INTERFACE + packet_block(bytes(60))) * n


def pcapng_names(n):
    """Names of addresses, all different."""
    records = b"".join(struct.pack("<HH", 1, 8) + struct.pack("!I", 0x0A000000 + i) + b"a%02d\0" % (i % 100) for i in range(n))
    blocks = b"".join(block(4, records[at:at + 12000] + bytes(4)) for at in range(0, len(records), 12000))
    return SECTION + INTERFACE + blocks + packet_block(bytes(60))


def pcapng_unknown(n):
    """Blocks of kinds that nobody knows."""
    return SECTION + INTERFACE + block(0x0BAD, bytes(8)) * n + packet_block(bytes(60))


def pcapng_damaged(n):
    """Lengths at the end of a block that do not fit those at its beginning."""
    one = bytearray(packet_block(bytes(60)))
    one[-4] ^= 1
    return SECTION + INTERFACE + bytes(one) * n


def key_lines(n):
    return b"".join(b"CLIENT_RANDOM %064x %096x\n" % (mix(i) << 64 | i, i) for i in range(n))


def pcapng_secrets(n):
    """Keys of very many connections in the file."""
    lines_ = key_lines(n)
    blocks = b"".join(block(10, struct.pack("<II", 0x544C534B, len(lines_[at:at + 8820])) + lines_[at:at + 8820])
                      for at in range(0, len(lines_), 8820))
    return SECTION + INTERFACE + blocks + packet_block(bytes(60))


# What is made at its cap: the names get "-at-the-cap".
AT_THE_CAP = {
    "half-open-answered": "half-open=50", "open-sessions": "connections=16", "open-envelopes": "unfinished-lines=2", "same-mail": "story-bytes=65536",
    "many-clients": "stories=16,held-attempts=16,clients=16", "first-parts": "fragments=50", "overlapping-parts": "fragment-bytes=65536",
    "arp": "neighbours=16", "questions": "lookups=50", "same-address": "lookups=50", "dns-streams": "dns-streams=4", "commands": "session-lines=64",
    "long-reply": "reply-bytes=512", "refused-recipients": "session-bytes=16384", "backwards": "held-bytes=2048", "pcapng-damaged": "damage=10",
    "pcapng-secrets": "keys=16",
}

# topic: {function: the size to begin with}
TOPICS = {
    "tcp": {
        tiny_segments: 600, tiny_reply: 600, backwards: 400, overlaps: 400, every_second_lost: 300, gaps: 60, sent_again: 500, closed_window: 100,
        half_open: 250, half_open_answered: 150, open_sessions: 40, open_envelopes: 40, silent_connections: 80, other_connections: 100,
        strangers: 60, beginnings: 80, middles: 60, same_ports: 60, similar_connections: 250, backwards_clock: 60,
    },
    "smtp": {
        pipelined: 1200, pipelined_logins: 200, pipelined_data: 200, commands: 200, unknown_commands: 200, unasked_replies: 1000, long_reply: 1500,
        long_offer: 500, hellos: 80, recipients: 150, refused_recipients: 60, logins: 120, mails: 40, refused_mails: 40, chunks: 200, headers: 1500,
        folded_header: 2000, encoded_subject: 3000, long_line: 60000, dots: 2000, binary_dialogue: 400, held_text: 1500,
    },
    "sessions": {same_mail: 30, same_client: 30, many_clients: 30, refused_connections: 80},
    "tls": {
        certificates: 10, broken_certificates: 500, certificate_sessions: 10, tiny_records: 1500, endless_handshake: 1000, alerts: 1500,
        cipher_text: 1500, extensions: 4000,
    },
    "network": {
        first_parts: 1000, tiny_parts: 1000, overlapping_parts: 1000, nested: 500, tags: 1500, ipv6_headers: 800, tcp_options: 800, icmp_quotes: 1000,
        icmp_dns_quotes: 1200, arp: 1200, questions: 500, answers: 250, same_address: 60, big_answers: 300, dns_streams: 120,
    },
    "files": {
        empty_frames: 4000, odd_frames: 4000, bomb_gz: 40, members_gz: 800, empty_members_gz: 1200, pcapng_options: 8000,
        pcapng_sections: 800, pcapng_names: 8000, pcapng_unknown: 3000, pcapng_damaged: 150, pcapng_secrets: 500,
    },
}


def name_of(function):
    return function.__name__.replace("_", "-")


def attacks(topic):
    """Names, functions, sizes and limits of a topic."""
    for function, size in TOPICS[topic].items():
        name = name_of(function)
        yield name, function, size, None
        if name in AT_THE_CAP:
            yield name + "-at-the-cap", function, size, AT_THE_CAP[name]


def make(function, n, path):
    """Writes the attack of `n` things to a file."""
    if function.__code__.co_argcount == 1:
        content = function(n)
        with open(path, "wb") as out:
            out.write(content)
        return
    capture = dialogue.Capture()
    function(capture, n)
    capture.write(path)
