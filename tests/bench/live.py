#!/usr/bin/env python3
"""live.py rates|loss|soak [--seconds N] [--program FILE]

rates   replays a mixed capture over a cable at growing rates, and says what smtpwhy live and tcpdump -w /dev/null lose.
loss    looks for the highest rate at which smtpwhy live, tcpdump -w /dev/null and tshark -Y smtp lose nothing, then replays
        sessions at twice the rate of smtpwhy and holds every verdict against that of the file. So that the replayer can
        reach such rates, all of them get one core, --busy other processes share it, and the kernel's buffer is small.
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


class Busy:
    """Processes that keep a core busy: whoever runs on it gets his share only."""

    def __init__(self, core, count):
        self.processes = [subprocess.Popen(["taskset", "-c", str(core), sys.executable, "-c", "while True: pass"]) for _ in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()


def on_core(arguments, *command):
    return ["taskset", "-c", str(os.cpu_count() - 1), *command]


def options_for(rate, seconds, frames):
    packets = rate * seconds
    return ["--pps=%d" % rate, "--loop=%d" % max(1, -(-packets // frames)), "--limit=%d" % packets]


class Smtpwhy:
    name = "smtpwhy live"

    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder

    def start(self, cable):
        self.process = cable.start(on_core(self.arguments, self.arguments.program, "live", "-i", "f0", "-B", str(self.arguments.buffer),
                                           "-o", "json:" + os.path.join(self.folder, "out.json")), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def lost(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate()
        return summary_of(self.folder)["skipped"].get("dropped-by-recorder", 0)


class Tcpdump(Smtpwhy):
    name = "tcpdump -w /dev/null"
    how = signal.SIGINT
    command = ("tcpdump", "-i", "f0", "-s", "0", "-w", "/dev/null", "-B")

    def start(self, cable):
        self.process = cable.start(on_core(self.arguments, *self.command, str(self.size())), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def size(self):
        return self.arguments.buffer

    def lost(self):
        self.process.send_signal(self.how)
        said = self.process.communicate()[1]
        found = re.search(r"(\d+) packets? dropped", said)
        return int(found.group(1)) if found else 0


class Tshark(Tcpdump):
    name = "tshark -l -Y smtp"
    command = ("tshark", "-i", "f0", "-l", "-n", "-Y", "smtp", "-T", "fields", "-e", "smtp.req.command", "-e", "smtp.response.code", "-B")

    def size(self):
        return max(1, self.arguments.buffer // 1024)  # MiB


def lossless(cable, reader, path, frames, most):
    """The highest rate found without loss; None when even the replayer's own end does not lose anything."""
    def loses(rate):
        reader.start(cable)
        time.sleep(2)
        sent, pps, _ = cable.replay(path, *options_for(rate, 4, frames))
        time.sleep(0.7)
        lost = reader.lost()
        print("    %-22s %7d packets/s: %d of %d lost" % (reader.name, pps, lost, sent), flush=True)
        return lost > 0
    good, bad = 0, None
    rate = 4000
    while bad is None and rate <= most:
        good, bad = (good, rate) if loses(rate) else (rate, None)
        rate *= 2
    for _ in range(3 if bad else 0):
        middle = (good + bad) // 2
        good, bad = (good, middle) if loses(middle) else (middle, bad)
    return good if bad else None


def session_key(record):
    return record["client"]["ip"], record["client"]["port"], record["server"]["ip"], record["server"]["port"]


def verdicts_at(cable, arguments, folder, rate):
    """Replays short sessions once at this rate; counts how each verdict compares with that of the file."""
    path = bench.generate("sessions", min(30000, max(2000, rate * 5 // 20)), folder)[0]
    truth = {}
    whole = subprocess.run([arguments.program, "-o", "json", path], capture_output=True, text=True, check=False).stdout
    for record in map(json.loads, whole.splitlines()):
        if record["type"] == "session":
            truth[session_key(record)] = (record["outcome"], record["verdict"]["cause"])
    reader = Smtpwhy(arguments, folder)
    reader.start(cable)
    time.sleep(2)
    sent, pps, _ = cable.replay(path, "--pps=%d" % rate)
    time.sleep(3)
    lost = reader.lost()
    found = {"same": 0, "cannot tell": 0, "another, not certain": 0, "another, CERTAIN": 0}
    wrong = []
    with open(os.path.join(folder, "out.json"), encoding="utf-8") as file:
        for record in map(json.loads, file):
            if record["type"] != "session":
                continue
            said = (record["outcome"], record["verdict"]["cause"])
            true = truth.get(session_key(record))
            kind = ("same" if said == true else "cannot tell" if said[0] == "unknown" else
                    "another, CERTAIN" if record["verdict"]["confidence"] == "certain" else "another, not certain")
            found[kind] += 1
            if kind == "another, CERTAIN":
                wrong.append((true, said, record["id"]))
    print("at %d packets/s %d of %d packets (%.1f %%) were lost; of %d sessions %d were told: %s"
          % (pps, lost, sent, 100 * lost / sent, len(truth), sum(found.values()), ", ".join("%d %s" % (n, k) for k, n in found.items())))
    for example in wrong[:10]:
        print("    WRONG AND CERTAIN: %s was told as %s (%s)" % example)
    return lost, len(wrong)


def loss(arguments):
    bench.compile_tools()
    with tempfile.TemporaryDirectory() as folder, Cable() as cable, Busy(os.cpu_count() - 1, arguments.busy):
        path = bench.generate(arguments.kind, arguments.size, folder)[0]
        frames = json.loads(subprocess.run([arguments.program, "-q", "-o", "json", path], capture_output=True, text=True, check=False).stdout)["frames"]["read"]
        print("buffer of %d KiB; each program on one core with %d busy processes" % (arguments.buffer, arguments.busy))
        best = {}
        for kind in (Smtpwhy, Tcpdump, Tshark):
            if subprocess.run(["sh", "-c", "command -v " + kind.name.split()[0]], capture_output=True, check=False).returncode and kind is not Smtpwhy:
                print("%s is not installed" % kind.name)
                continue
            best[kind.name] = lossless(cable, kind(arguments, folder), path, frames, arguments.most)
        for name, rate in best.items():
            print("%-22s %s" % (name, "loses nothing at the replayer's best" if rate is None else "loses nothing up to %d packets/s" % rate))
        rate = best[Smtpwhy.name] or arguments.most
        results = [verdicts_at(cable, arguments, folder, factor * rate) for factor in (2, 4, 8)]
        if not sum(lost for lost, _ in results):
            print("loss: nothing was lost at these rates: use a smaller --buffer or more --busy")
        return 1 if sum(wrong for _, wrong in results) or not sum(lost for lost, _ in results) else 0


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
    parser.add_argument("what", choices=("rates", "loss", "soak"))
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--kind", default="noise", help="of the capture that rates replays: noise (3 %% is mail), sessions, hostile, ...")
    parser.add_argument("--size", type=int, default=60, help="its size: megabytes, thousands or number of sessions")
    parser.add_argument("--program", default=bench.PROGRAM)
    parser.add_argument("--buffer", type=int, default=1024, help="of loss: the kernel's buffer in KiB")
    parser.add_argument("--busy", type=int, default=3, help="of loss: processes that share the core with what is measured")
    parser.add_argument("--most", type=int, default=256000, help="of loss: packets a second that are tried at most")
    arguments = parser.parse_args()
    return {"rates": rates, "loss": loss, "soak": soak}[arguments.what](arguments) or 0


if __name__ == "__main__":
    sys.exit(main())
