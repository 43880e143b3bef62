#!/usr/bin/env python3
"""live.py rates|soak [--seconds N] [--program FILE]

rates   replays a mixed capture over a cable at growing rates, and says what smtpwhy live and tcpdump -w /dev/null lose.
soak    replays floods, half-open connections, mail and other traffic for half an hour (or N seconds) while connections
        stay open, and looks at memory, descriptors and counts: they must stay flat, and agree.

Needs root, ip, tcpreplay and tcpdump; nothing outside its two network namespaces is touched.
"""
import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

import run as bench

ROOT = bench.ROOT


def sh(command, check=True):
    return subprocess.run(command, shell=True, check=check, capture_output=True, text=True)


class Cable:
    """Two namespaces, each with one end of a cable."""

    def __enter__(self):
        self.near, self.far = "swb%dn" % os.getpid(), "swb%df" % os.getpid()
        for name in (self.near, self.far):
            sh("ip netns add %s" % name)
        sh("ip link add n0 netns %s type veth peer name f0 netns %s" % (self.near, self.far))
        for name, dev in ((self.near, "n0"), (self.far, "f0")):
            sh("ip netns exec %s sysctl -qw net.ipv6.conf.all.disable_ipv6=1" % name, check=False)
            sh("ip -n %s link set %s mtu 9000 up" % (name, dev))
            sh("ip netns exec %s ethtool -K %s gro off gso off tso off" % (name, dev), check=False)
        return self

    def __exit__(self, *_):
        for name in (self.near, self.far):
            sh("ip netns pids %s | xargs -r kill -9" % name, check=False)
            sh("ip netns del %s" % name, check=False)

    def replay(self, path, *options):
        """Sends a capture; returns what tcpreplay says: packets, packets a second, megabits a second."""
        done = subprocess.run(["ip", "netns", "exec", self.near, "tcpreplay", "-q", "-K", "-i", "n0", *options, path],
                              capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        sent = re.search(r"Actual: (\d+) packets", said)
        rated = re.search(r"Rated: [\d.]+ Bps, ([\d.]+) Mbps, ([\d.]+) pps", said)
        if not sent or not rated:
            raise RuntimeError(said)
        return int(sent.group(1)), float(rated.group(2)), float(rated.group(1))

    def start(self, command, **more):
        return subprocess.Popen(["ip", "netns", "exec", self.far, *command], stdin=subprocess.DEVNULL, **more)


def watch(cable, program, folder, *options):
    process = cable.start([program, "live", "-i", "f0", "-o", "json:" + os.path.join(folder, "out.json"), *options],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    return process


def summary_of(folder):
    with open(os.path.join(folder, "out.json"), encoding="utf-8") as file:
        for line in file:
            last = line
    return json.loads(last)


def lost_by_smtpwhy(cable, program, path, folder, options):
    process = watch(cable, program, folder)
    sent, pps, mbps = cable.replay(path, *options)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    summary = summary_of(folder)
    return sent, pps, mbps, summary["skipped"].get("dropped-by-recorder", 0)


def lost_by_tcpdump(cable, path, options):
    process = cable.start(["tcpdump", "-i", "f0", "-s", "0", "-B", "32768", "-w", "/dev/null"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    cable.replay(path, *options)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    return int(re.search(r"(\d+) packets dropped by kernel", said).group(1))


def rates(arguments):
    bench.compile_tools()
    with tempfile.TemporaryDirectory() as folder, Cable() as cable:
        path = bench.generate(arguments.kind, arguments.size, folder)
        path = path[0]
        frames = json.loads(subprocess.run([arguments.program, "-q", "-o", "json", path], capture_output=True, text=True, check=False).stdout)["frames"]["read"]
        print("%10s %9s %16s %16s" % ("packets/s", "Mbit/s", "smtpwhy lost", "tcpdump lost"))
        for wanted in (20000, 50000, 100000, 200000, 300000, 0):
            # long enough that the kernel's ring of 32 MB cannot hide it
            options = ["--pps=%d" % wanted, "--loop=%d" % max(1, 5 * wanted // frames)] if wanted else ["--topspeed", "--loop=%d" % max(1, 10**6 // frames)]
            sent, pps, mbps, lost = lost_by_smtpwhy(cable, arguments.program, path, folder, options)
            other = lost_by_tcpdump(cable, path, options)
            print("%10.0f %9.0f %15.3f%% %15.3f%%" % (pps, mbps, 100 * lost / sent, 100 * other / sent), flush=True)


def metrics(path):
    """The program's own counts, over its Unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        said = b""
        while part := client.recv(65536):
            said += part
    lines = said.decode().partition("\r\n\r\n")[2].splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line and not line.startswith("#")}


def state(pid):
    with open("/proc/%d/status" % pid, encoding="utf-8") as file:
        rss = int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024
    return rss, len(os.listdir("/proc/%d/fd" % pid))


def soak(arguments):
    bench.compile_tools()
    with tempfile.TemporaryDirectory() as folder, Cable() as cable:
        place = os.path.join(folder, "http")
        captures = []
        for kind, size in (("sessions", 500), ("hostile", 2), ("open", 200), ("noise", 2)):
            captures.append(bench.generate(kind, size, folder)[0])
        process = watch(cable, arguments.program, folder, "--http", place)
        pid = int(sh("ip netns pids %s" % cable.far).stdout.split()[0])
        end = time.time() + arguments.seconds
        samples, packets, turn = [], 0, 0
        print("%8s %9s %5s %10s %10s %10s" % ("seconds", "RSS MB", "fds", "packets", "sessions", "open"))
        began = time.time()
        while time.time() < end:
            sent, _, _ = cable.replay(captures[turn % len(captures)], "--pps=5000")
            packets += sent
            turn += 1
            if turn % len(captures):
                continue
            rss, fds = state(pid)
            counts = metrics(place)
            sessions = sum(value for key, value in counts.items() if key.startswith("smtpwhy_outcomes_total"))
            samples.append((time.time() - began, rss, fds))
            print("%8.0f %9.1f %5d %10d %10d %10d" % (samples[-1][0], rss, fds, packets, sessions, counts["smtpwhy_open_sessions"]), flush=True)
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        process.communicate()
        return judge(samples, summary_of(folder), packets)


def judge(samples, summary, packets):
    """What must hold; says each thing that does not."""
    wrong = []
    half = [sample for sample in samples if sample[0] >= samples[-1][0] / 2]
    growth = half[-1][1] - half[0][1]
    if growth > max(16, half[0][1] * 0.05):
        wrong.append("memory grew by %.1f MB in the second half" % growth)
    if len({sample[2] for sample in samples}) > 1:
        wrong.append("the number of descriptors changed")
    if summary["sessions"] != sum(summary["by_outcome"].values()):
        wrong.append("sessions are not the sum of their outcomes")
    frames, lost = summary["frames"], summary["skipped"].get("dropped-by-recorder", 0)
    if frames["read"] != frames["decoded"] + frames["other"] + frames["undecodable"] + frames["filtered"]:
        wrong.append("frames are not the sum of their kinds")
    if frames["read"] + lost != packets:
        wrong.append("%d frames were read and %d lost of %d that were sent" % (frames["read"], lost, packets))
    print("soak: %d packets, %d sessions, %d lost; %s" % (packets, summary["sessions"], lost, "; ".join(wrong) or "all as it should be"))
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("rates", "soak"))
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--kind", default="noise", help="of the capture that rates replays: noise (3 % is mail), sessions, hostile, ...")
    parser.add_argument("--size", type=int, default=60, help="its size: megabytes, thousands or number of sessions")
    parser.add_argument("--program", default=bench.PROGRAM)
    arguments = parser.parse_args()
    return (rates if arguments.what == "rates" else soak)(arguments)


if __name__ == "__main__":
    sys.exit(main())
