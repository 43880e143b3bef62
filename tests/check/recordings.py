#!/usr/bin/env python3
"""Every cause that shows on the network or in the transfer has a recording, and another that could be taken for it.

pcaps/INDEX.tsv says what each recording is, pcaps/NEAR.tsv names for each cause a connection that comes close and is not it.
"""
import csv
import io
import re

import common

FAMILIES = ("DNS", "ROUTE", "TCP_CONNECT", "GREETING", "PORTMODE", "MIDDLEBOX", "DATA", "SESSION", "UNKNOWN")
ROW = re.compile(r'SW_CAUSE\(\s*\w+,\s*"([^"]+)",\s*\d,\s*\w+,\s*(\w+),', re.S)


def table(root, path):
    return list(csv.DictReader(io.StringIO(common.read(root, path)), delimiter="\t", quoting=csv.QUOTE_NONE))


def check(root):
    wanted = [cause for cause, family in ROW.findall(common.read(root, "src/analyzer/cause.def")) if family in FAMILIES]
    if len(wanted) < 60:
        yield "cause.def could not be read"
    index = {(row["file"], row["session"]): row["cause"] for row in table(root, "pcaps/INDEX.tsv")}
    near = table(root, "pcaps/NEAR.tsv")
    for cause in wanted:
        if cause not in index.values():
            yield "%s: no recording in INDEX.tsv" % cause
        if not any(row["cause"] == cause for row in near):
            yield "%s: no near miss in NEAR.tsv" % cause
    for row in near:
        place = (row["file"], row["session"])
        if place not in index:
            yield "NEAR.tsv: there is no %s, session %s" % place
        elif index[place] == row["cause"]:
            yield "NEAR.tsv: %s is %s and no near miss of it" % (row["file"], row["cause"])
        if row["cause"] not in wanted or not row["why it is another"]:
            yield "NEAR.tsv: %s: no such cause, or nothing that tells it apart" % row["cause"]


PLANTS = [
    ("a cause without recording", lambda root: common.plant(root, "src/analyzer/cause.def", 'SW_CAUSE(X, "data-x", 1, NONE, DATA, NONE, NONE)\n')),
    ("a near miss that is one", lambda root: common.plant(root, "pcaps/NEAR.tsv", "tcp-refused\tconnect/refused.pcap\t1\tx\n")),
    ("a near miss that is not there", lambda root: common.plant(root, "pcaps/NEAR.tsv", "tcp-refused\tconnect/no.pcap\t1\tx\n")),
]

if __name__ == "__main__":
    common.main(check, PLANTS)
