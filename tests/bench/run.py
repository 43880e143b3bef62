#!/usr/bin/env python3
"""run.py [--small] [--runs N] [--kinds bulk,sessions,...] [--no-peers] [--json FILE]
run.py --stream MB[,MB...]
run.py --train

Generates large captures, reads each with a bare libpcap loop, with smtpwhy and with the other programs that are
installed, and prints CPU time, wall time, peak memory and the ratio of CPU time to the bare loop (medians). The
counts of smtpwhy must equal the generator's truth; any difference fails the run.

--train has the program, built to record a profile, read small captures of each kind and those of pcaps/.

--stream gives large mails of these sizes to standard input, straight from the generator, and tells the peak memory.
"""
import argparse
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build", "bench")
PROGRAM = os.path.join(ROOT, "build", "release", "smtpwhy")
PEAK = os.path.join(BUILD, "peak")
# kind: size of a full run, size of a small one
SIZES = {"bulk": (1024, 32), "sessions": (400000, 4000), "noise": (1024, 32), "hostile": (1000, 20), "open": (50000, 500)}
OUTCOMES = ("delivered", "partial", "stuck", "no-mail")
# Runs of a program that takes minutes are not repeated.
PATIENCE_S = 60


def compile_tools():
    os.makedirs(BUILD, exist_ok=True)
    flags = ["-O2", "-Wall", "-Wextra", "-D_DEFAULT_SOURCE"]
    for name, sources, libraries in (("generate", ["generate.c", "wire.c"], []), ("loop", ["loop.c"], ["-lpcap"])):
        subprocess.run(["cc", *flags, "-o", os.path.join(BUILD, name), *(os.path.join(HERE, s) for s in sources),
                        *libraries], check=True)
    subprocess.run(["cc", *flags, "-o", PEAK, os.path.join(ROOT, "tests", "e2e", "peak.c")], check=True)


def generate(kind, size, folder):
    path = os.path.join(folder, kind + ".pcap")
    done = subprocess.run([os.path.join(BUILD, "generate"), kind, str(size), path], check=True, capture_output=True,
                          text=True)
    return path, read_truth(done.stdout)


def read_truth(text):
    return {name: int(value) for name, value in (line.split("\t") for line in text.splitlines())}


def measure(command, folder):
    """CPU and wall seconds, peak memory in MB and the exit status of one run."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return (usage.ru_utime + usage.ru_stime, time.monotonic() - begin, usage.ru_maxrss / 1024, process.returncode)


def medians(command, runs, folder):
    results = []
    for _ in range(runs):
        results.append(measure(command, folder))
        if results[-1][1] > PATIENCE_S:
            break
    return [statistics.median(column) for column in zip(*results)], len(results)


def peers(path):
    """The other programs, each told to do the nearest thing to what smtpwhy does."""
    fields = "-e frame.number -e smtp.req.command -e smtp.response.code".split()
    known = (
        ("tcpdump -w", ["tcpdump", "-r", path, "-w", "/dev/null"]),
        ("ndpiReader", ["ndpiReader", "-i", path]),
        ("tcpflow", ["tcpflow", "-C", "-r", path]),  # to standard output: to make and remove 800,000 files takes it longer
        ("tshark", ["tshark", "-n", "-r", path, "-Y", "smtp", "-T", "fields", *fields]),
    )
    return [(name, command) for name, command in known if shutil.which(command[0])]


def count_json(process):
    """What smtpwhy says of a capture, counted from its records and not only from its summary."""
    counted = dict.fromkeys(OUTCOMES + ("unknown", "sessions", "recipients", "frames"), 0)
    for line in process.stdout:
        record = json.loads(line)
        if record["type"] == "session":
            counted["sessions"] += 1
            counted[record["outcome"]] += 1
            counted["recipients"] += sum(r["outcome"] == "delivered" for m in record["messages"] for r in m["recipients"])
        elif record["type"] == "summary":
            counted["frames"] = record["frames"]["read"]
    process.wait()
    return counted


def compare(kind, truth, counted):
    wrong = []
    if kind == "open":  # all of them are still going on when the capture ends
        truth = dict(truth, unknown=truth["sessions"])
    for name, value in truth.items():
        # On hostile the truth is that of the honest sessions; the rest may only be honest about not knowing.
        if kind == "hostile" and name in ("sessions", "stuck", "no-mail"):
            continue
        if counted[name] != value:
            wrong.append("%s: %s is %d, the truth is %d" % (kind, name, counted[name], value))
    return wrong


def row(kind, name, values, loop_cpu, runs):
    cpu, wall, peak, status = values
    print("| %-8s | %-10s | %8.2f | %8.2f | %8.0f | %7.2fx | %4d | %4d |"
          % (kind, name, cpu, wall, peak, cpu / loop_cpu if loop_cpu else 0, runs, status), flush=True)


def bench(kind, size, args, folder):
    path, truth = generate(kind, size, folder)
    base, runs = medians([os.path.join(BUILD, "loop"), path], args.runs, folder)
    row(kind, "libpcap", base, base[0], runs)
    ours, runs = medians([PROGRAM, "-o", "json:/dev/null", path], args.runs, folder)
    row(kind, "smtpwhy", ours, base[0], runs)
    result = {"smtpwhy": ours, "libpcap": base}
    if not args.no_peers:
        for name, command in peers(path):
            values, runs = medians(command, args.runs, folder)
            row(kind, name, values, base[0], runs)
            result[name] = values
    process = subprocess.Popen([PROGRAM, "-o", "json", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    wrong = compare(kind, truth, count_json(process))
    os.unlink(path)
    return result, wrong


def stream(megabytes, folder):
    told = os.path.join(folder, "peak")
    maker = subprocess.Popen([os.path.join(BUILD, "generate"), "bulk", str(megabytes), "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
    reader = subprocess.Popen([PEAK, told, PROGRAM, "-o", "json", "-"], stdin=maker.stdout, stdout=subprocess.PIPE)
    maker.stdout.close()
    counted = count_json(reader)
    truth = read_truth(maker.communicate()[1])
    with open(told, encoding="ascii") as text:
        print("| %6d MB through standard input | %9d packets | %6.1f MB at the peak |" % (megabytes, truth["frames"], int(text.read()) / 1024),
              flush=True)
    return compare("stream", truth, counted)


def train(folder):
    made = [generate(kind, sizes[1], folder)[0] for kind, sizes in SIZES.items()]
    own = sorted(glob.glob(os.path.join(ROOT, "pcaps", "**", "*.pcap*"), recursive=True))
    full = ["--limits", "half-open=1000,connections=4000"]  # as it is when a large capture has used up the usual ones
    # In one run each: what is done at the start must not seem the most frequent of all.
    for options, captures in (([], own), ([], made), (full, made)):
        for form in ("json", "text"):
            command = [PROGRAM, *options, "-o", form, *captures]
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode not in (0, 3):  # 3: some of the captures are damaged
                sys.exit("run.py: nothing was recorded:\n" + done.stderr)


def conclude(wrong):
    for line in wrong:
        print("WRONG " + line)
    print("verdict counts: %s" % ("%d differences from the truth" % len(wrong) if wrong else "equal to the generator's truth"))
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="small captures: a look at whether everything works")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--kinds", default=",".join(SIZES))
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json", help="also write the figures to this file")
    parser.add_argument("--stream", metavar="MB[,MB...]", help="only this: so much through standard input")
    parser.add_argument("--train", action="store_true", help="only this: run what a profile is recorded of")
    args = parser.parse_args()
    compile_tools()
    if args.train:
        with tempfile.TemporaryDirectory(prefix="smtpwhy-bench-") as folder:
            train(folder)
        return 0
    if args.stream:
        with tempfile.TemporaryDirectory(prefix="smtpwhy-bench-") as folder:
            return conclude([line for size in args.stream.split(",") for line in stream(int(size), folder)])
    print("| capture  | program    |    CPU s |   wall s |  peak MB |    ratio | runs | exit |")
    print("|----------|------------|----------|----------|----------|----------|------|------|")
    results, wrong = {}, []
    with tempfile.TemporaryDirectory(prefix="smtpwhy-bench-") as folder:
        for kind in args.kinds.split(","):
            results[kind], differences = bench(kind, SIZES[kind][1 if args.small else 0], args, folder)
            wrong += differences
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    return conclude(wrong)


if __name__ == "__main__":
    sys.exit(main())
