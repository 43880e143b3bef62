#!/usr/bin/env python3
"""store.py [SESSIONS]: how long sessions (1,000,000) take into a fleet store of two shards here, and an audit of them.

Runs the release build and two clickhouse-servers on loopback, all on this machine. Counts that differ from the generator's
truth fail the run.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

import run

sys.path.insert(0, os.path.join(run.ROOT, "tests", "support"))
import clickhouse  # noqa: E402  (needs the path above)


def timed(what, arguments, environment, status=0, servers=()):
    def used():
        fields = [open("/proc/%d/stat" % pid, encoding="ascii").read().rsplit(")", 1)[1].split() for pid in servers]
        return sum(int(f[11]) + int(f[12]) for f in fields) / os.sysconf("SC_CLK_TCK")

    before, begin = used(), time.monotonic()
    done = subprocess.run([run.PROGRAM, *arguments], env=environment, stdout=subprocess.PIPE, check=False)
    print("%-55s %6.2f s, of the servers' CPU %6.2f s" % (what, time.monotonic() - begin, used() - before), flush=True)
    if done.returncode not in (status, 1, 3):
        sys.exit("%s: exit status %d" % (" ".join(arguments), done.returncode))
    return done.stdout


def check(out, truth):
    summary = json.loads(out.splitlines()[-1])
    if summary["sessions"] != truth["sessions"] or summary["by_outcome"]["stuck"] != truth["stuck"]:
        sys.exit("the audit counts %s, the truth is %s" % (summary, truth))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
    run.compile_tools()
    with tempfile.TemporaryDirectory() as folder, clickhouse.Cluster(os.path.join(folder, "servers")) as cluster:
        path, truth = run.generate("sessions", count, folder)
        shard, other = cluster.shards
        environment = dict(os.environ, SMTPWHY_STORE_PASSWORD=shard.password)
        spool = ["--cluster", "mail", "--sensor", "bench", "--spool", os.path.join(folder, "spool")]
        away = ["--store", "http://fleet@127.0.0.1:1", *spool, "--store-wait", "0"]
        store = ["--store", "http://fleet@127.0.0.1:%d,http://fleet@127.0.0.1:%d" % (shard.http, other.http), *spool]
        timed("analysis alone", ["-q", path], environment)
        timed("analysis with --store, the store away", ["-q", *away, path], environment, 3)
        waiting = os.path.join(folder, "spool")
        name, = os.listdir(waiting)
        os.rename(os.path.join(waiting, name), os.path.join(waiting, name.replace("_1_", "_%d_" % shard.http)))
        pids = [s.process.pid for s in cluster.shards]
        timed("sending what waits", store, environment, servers=pids)
        audit = ["audit", *store, "--policy", "default", "-o"]
        for what, more in (("audit: the policy", ["json", "-q"]), ("audit: for people", ["text"]),
                           ("audit: for people, a thousand of each", ["text", "-v"]),
                           ("audit: each finding of each client", ["json"]), ("audit: as a page", ["html"])):
            out = timed(what, audit + more, environment, servers=pids)
            if more[0] == "json":
                check(out, truth)


if __name__ == "__main__":
    main()
