#!/usr/bin/env python3
"""A name server for the lab.

    dns.py ADDRESS JSON

JSON: {"name/TYPE": [values]}; an MX value is "10 host". A name that has other types only gets an empty answer, any other
name NXDOMAIN.
"""
import json
import socket
import struct
import sys

TYPES = {"A": 1, "MX": 15, "TXT": 16, "PTR": 12, "AAAA": 28}


def packed_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".") if label) + b"\0"


def packed_value(kind, value):
    if kind == "A":
        return socket.inet_aton(value)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == "TXT":
        return bytes([len(value)]) + value.encode()
    if kind == "MX":
        preference, host = value.split()
        return struct.pack("!H", int(preference)) + packed_name(host)
    return packed_name(value)


def answer(query, records):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
        at += 1 + query[at]
    question = query[12:at + 5]
    wanted = struct.unpack("!H", query[at + 1:at + 3])[0]
    name = ".".join(labels)
    values = [(kind, value) for kind, number in TYPES.items() if number == wanted for value in records.get("%s/%s" % (name, kind), [])]
    known = any(key.split("/")[0] == name for key in records)
    body = b""
    for kind, value in values:
        data = packed_value(kind, value)
        body += b"\xc0\x0c" + struct.pack("!HHIH", TYPES[kind], 1, 60, len(data)) + data
    flags = 0x8580 if known else 0x8583
    return query[:2] + struct.pack("!HHHHH", flags, 1, len(values), 0, 0) + question + body


def main():
    records = {key.lower() if key.isascii() else key: value for key, value in json.loads(sys.argv[2]).items()}
    records = {"%s/%s" % (key.rsplit("/", 1)[0], key.rsplit("/", 1)[1].upper()): value for key, value in records.items()}
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((sys.argv[1], 53))
    while True:
        query, peer = listener.recvfrom(2048)
        try:
            listener.sendto(answer(query, records), peer)
        except (IndexError, struct.error):
            pass


if __name__ == "__main__":
    main()
