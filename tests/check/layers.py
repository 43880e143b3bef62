#!/usr/bin/env python3
"""Who may include whom: layers.tsv against the #include lines of the tree."""
import re

import common

STANDARD = {"assert.h", "ctype.h", "errno.h", "inttypes.h", "limits.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
            "stdio.h", "stdlib.h", "string.h", "time.h", "math.h", "locale.h", "wchar.h"}
# Rooms without I/O may not even see these.
NO_IO = {"dissectors": {"stdio.h", "stdlib.h"}, "decode": {"stdio.h", "stdlib.h"}}


def table(root):
    rows = {}
    for line in common.read(root, "tests/check/layers.tsv").splitlines():
        if line and not line.startswith("#"):
            room, rooms, headers = line.split("\t")
            rows[room] = (rooms.split(), headers.split())
    return rows


def check(root):
    allowed = table(root)
    for path in common.sources(root):
        room = common.room_of(path)
        if room == "smtpwhy.h":
            continue
        rooms, headers = allowed[room]
        for number, line in enumerate(common.read(root, path).splitlines(), 1):
            own = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            system = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
            if own:
                target = own.group(1)
                to = "dissectors" if target.startswith("dissectors/") else target.split("/")[0]
                folder = path.split("/")[1]
                same = to == room and (room != "dissectors" or target.split("/")[1] in (folder, "dissector.h"))
                if not same and to not in rooms and target not in rooms:
                    yield "%s:%d: %s may not include %s" % (path, number, room, target)
            elif system:
                name = system.group(1)
                listed = any(name == h or (h.endswith("/") and name.startswith(h)) for h in headers)
                if name in NO_IO.get(room, ()):
                    yield "%s:%d: %s has no I/O and no memory of its own: <%s>" % (path, number, room, name)
                elif name not in STANDARD and not listed:
                    yield "%s:%d: %s may not include <%s>" % (path, number, room, name)


common.main(check, [
    ("base includes flow", lambda r: common.plant(r, "src/base/span.c", '#include "flow/flow.h"\n')),
    ("the analyzer includes capture", lambda r: common.plant(r, "src/analyzer/judge.c", '#include "capture/capture.h"\n')),
    ("the command line looks inside records", lambda r: common.plant(r, "src/cli/main.c", '#include "session/session.h"\n')),
    ("a dissector includes stdio", lambda r: common.plant(r, "dissectors/smtp/verb.c", "#include <stdio.h>\n")),
    ("a report reads captures", lambda r: common.plant(r, "src/report/csv.c", '#include "capture/capture.h"\n')),
    ("libpcap outside capture", lambda r: common.plant(r, "src/flow/table.c", "#include <pcap.h>\n")),
])
