"""Sealed records of TLS 1.3 for captures that no program at hand would send: ChaCha20-Poly1305 (RFC 8439) and its keys (RFC 8446 7.3)."""
import hashlib
import hmac
import struct


def quarter(x, a, b, c, d):
    for p, q, r, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        x[p] = (x[p] + x[q]) & 0xFFFFFFFF
        x[r] ^= x[p]
        x[r] = (x[r] << turn | x[r] >> 32 - turn) & 0xFFFFFFFF


def block(key, counter, nonce):
    start = list(struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce))
    x = list(start)
    for _ in range(10):
        for column in range(4):
            quarter(x, column, 4 + column, 8 + column, 12 + column)
        for column in range(4):
            quarter(x, column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(x, start)))


def poly1305(key, text):
    r, s = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF, int.from_bytes(key[16:], "little")
    total = 0
    for at in range(0, len(text), 16):
        total = (total + int.from_bytes(text[at:at + 16] + b"\1", "little")) * r % ((1 << 130) - 5)
    return ((total + s) & ((1 << 128) - 1)).to_bytes(16, "little")


def padded(text):
    return text + bytes(-len(text) % 16)


def seal(key, nonce, text, head):
    stream = b"".join(block(key, 1 + i, nonce) for i in range(len(text) // 64 + 1))
    sealed = bytes(a ^ b for a, b in zip(text, stream))
    return sealed + poly1305(block(key, 0, nonce)[:32], padded(head) + padded(sealed) + struct.pack("<QQ", len(head), len(sealed)))


def expand(secret, label, length):
    label = b"tls13 " + label
    info = struct.pack("!HB", length, len(label)) + label + b"\0\1"
    return hmac.new(secret, info, hashlib.sha256).digest()[:length]


class Writer:
    """One direction with one traffic secret."""

    def __init__(self, secret):
        self.key, self.iv, self.sequence = expand(secret, b"key", 32), expand(secret, b"iv", 12), 0

    def record(self, content, text):
        nonce = bytes(a ^ b for a, b in zip(self.iv, bytes(4) + struct.pack("!Q", self.sequence)))
        self.sequence += 1
        head = b"\x17\x03\x03" + struct.pack("!H", len(text) + 17)
        return head + seal(self.key, nonce, text + bytes([content]), head)
