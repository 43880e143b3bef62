#!/usr/bin/env python3
"""-o pcapng: tshark reads it, comments stand on the evidence, the verdicts come out again, and no login is in it."""
import base64
import calendar
import datetime
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import unittest

import common
from common import DELIVERED, LOGIN, REFUSED, SILENT, run

sys.path.insert(0, os.path.join(common.ROOT, "pcaps", "lab"))
sys.path.insert(0, os.path.join(common.ROOT, "tests", "verdicts"))
import dialogue  # noqa: E402
import rewrite  # noqa: E402
import run as verdict_files  # noqa: E402

# With sanitizers the program is many times slower: a part of the captures has to do.
EVERY = 4 if os.environ.get("SW_SANITIZED") == "1" else 1
EVERYTHING = ["--only", "delivered,partial,stuck,no-mail,unknown"]
LOGINS = ["auth/wrong-password-login.pcap", "auth/wrong-password-plain.pcap", "auth/wrong-password-until-the-server-closes.pcap",
          "proxy/http-wants-login.pcap", "proxy/socks-delivered.pcap"]
# A part of a packet in a tunnel cannot be placed and is left out; lost parts and cut frames change what is known.
UNSURE = {"vxlan-fragments", "fragments-lost", "snaplen-96", "snaplen-68", "snaplen-160"}


def secrets():
    with open(os.path.join(common.PCAPS, "SECRETS.txt"), encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def forms(secret):
    """A secret as it may stand in a capture: as it is, in base64 at any place, in UTF-16."""
    raw = secret.encode()
    yield raw
    yield secret.encode("utf-16-le")
    yield secret.encode("utf-16-be")
    for before in range(3):
        inside = base64.b64encode(b"\0" * before + raw)
        yield inside[(0, 2, 3)[before]:len(inside) // 4 * 4 - 4]


def found(data):
    return sorted({secret for secret in secrets() for form in forms(secret) if form in data})


def keys(path):
    log = os.path.splitext(path)[0] + ".keys"
    return ["-k", log] if os.path.exists(log) else []


def verdicts(records, outcome=None):
    return sorted(json.dumps([s["id"], s["client"]["ip"], s["client"]["port"], s["server"]["ip"], s["server"]["port"], s["outcome"],
                              s["verdict"]["cause"], s["verdict"]["stage"], s["verdict"]["confidence"]])
                  for s in records if s["type"] == "session" and (not outcome or s["outcome"] == outcome))


def verdict_cases():
    """The cases of the verdict files in which other connections, look-ups or other protocols have a say, and every fourth of the others."""
    number = 0
    for name in sorted(os.listdir(verdict_files.HERE)):
        if name.endswith(".txt") and name != "CMakeLists.txt":
            for case in verdict_files.read_cases(os.path.join(verdict_files.HERE, name)):
                number += 1
                beside = re.search(r"(?m)^(session|dns|arp|nd|noise)\b", "".join(case["script"]))
                foreign = any(word.startswith("protocol=") for words in case["expect"] for word in words)
                if beside or foreign or number % 4 == 0:
                    yield "%s: %s" % (name, case["name"]), case["script"]


def epoch(time):
    """2026-01-31T12:00:00.123456Z as tshark writes it."""
    whole, _, part = time.rstrip("Z").partition(".")
    return "%d.%s" % (calendar.timegm(datetime.datetime.fromisoformat(whole).timetuple()), part.ljust(9, "0"))


def tshark(*arguments):
    done = subprocess.run(["tshark"] + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.decode("utf-8", "replace")


def block(kind, fixed, data, comments):
    options = b""
    for text in comments:
        value = text.encode()
        options += struct.pack("<HH", 1, len(value)) + value + b"\0" * (-len(value) % 4)
    body = fixed + data + b"\0" * (-len(data) % 4) + (options + struct.pack("<HH", 0, 0) if options else b"")
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def section(comments):
    return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), b"", comments)


def interface(comments):
    return block(1, struct.pack("<HHI", 1, 0, 65535), b"", comments)


def packet(data, number, comments):
    return block(6, struct.pack("<IIIII", 0, 0x60000, number * 1000, len(data), len(data)), data, comments)


class Annotated(common.Case):
    def annotate(self, path, *more, to="out.pcapng"):
        out = self.path(to)
        result = run("-o", "json", "-o", "pcapng:" + out, *keys(path), *more, path)
        self.assertIn(result.status, (0, 3), result.err)
        return result, out

    def again(self, outs, *options):
        """The sessions of each of these files, as one run tells them."""
        result = run("-o", "json", *options, *outs)
        self.assertIn(result.status, (0, 3), result.err)
        sessions = {out: [] for out in outs}
        for session in result.sessions():
            sessions[session["capture"]["file"]].append(session)
        return sessions

    def all_keys(self, paths):
        """A secret is found by what its connection began with: one key log does for all of them."""
        logs = [log for path in paths for log in keys(path)[1:]]
        if not logs:
            return []
        with open(self.path("all.keys"), "wb") as out:
            for log in logs:
                out.write(self.read(log) + b"\n")
        return ["-k", self.path("all.keys")]

    def round_trips(self, captures):
        """By default the stuck sessions come out again, with all chosen all of them; and no session gets another verdict,
        nor do those which come along because a verdict rests on them. Captures are (name, path, options); what was written
        is read by as few runs as the options allow."""
        for chosen, outcome in (([], "stuck"), (EVERYTHING, None)):
            by_options = {}
            for number, (name, path, more) in enumerate(captures):
                result, out = self.annotate(path, *more, *chosen, to=verdict_files.name_of(number) + "ng")
                told = verdicts(result.records()), verdicts(result.records(), outcome)
                by_options.setdefault(tuple(more), []).append((name, path, out, *told))
            for options, written in by_options.items():
                sessions = self.again([out for _, _, out, _, _ in written], *self.all_keys([path for _, path, _, _, _ in written]), *options)
                for name, _, out, before, wanted in written:
                    self.compare("%s %s" % (name, chosen), out, verdicts(sessions[out]), before, wanted)

    def compare(self, name, out, again, before, wanted):
        self.assertEqual([v for v in wanted if v not in again], [], name)
        self.assertEqual([v for v in again if v not in before], [], name)
        self.assertEqual(len(again), len(set(again)), name)
        if b"The verdict rests on other connections" not in self.read(out):
            self.assertEqual(again, wanted, name)

    def test_the_verdicts_come_out_again(self):
        self.round_trips([(name, os.path.join(common.PCAPS, name), []) for name in common.captures()[::EVERY]])

    def test_the_verdicts_of_cases_come_out_again(self):
        cases = []
        for name, script in list(verdict_cases())[::EVERY]:
            made, path = dialogue.Capture(), self.path("case-" + verdict_files.name_of(len(cases)))
            made.run(script)
            made.write(path)
            cases.append((name, path, made.arguments))
        self.round_trips(cases)
        self.assertGreater(len(cases), 150 // EVERY)

    def test_what_it_rests_on_besides(self):
        """Other connections come along with what the verdict needs of them, and the capture says so."""
        before = ["client 192.0.2.10", "hello STARTTLS", "C: MAIL FROM:<anna@home.example> SIZE=77 AUTH=boss@home.example", "S: 250 2.1.0 Ok",
                  "C: RCPT TO:<bob@work.example>", "S: 250 2.1.5 <bob@work.example> Recipient ok", "data", "C: Subject: divorce", "C: ",
                  "C: my lawyer says", "C: .", "S: 250 2.0.0 Ok: queued as 4711", "C: VRFY carol@work.example", "S: 252 2.0.0 carol@work.example",
                  "quit"]
        after = ["hello", "quit"]
        path = self.capture("stripped.pcap", before, after)
        result, out = self.annotate(path)
        self.assertEqual([s["verdict"]["cause"] for s in result.sessions()], ["ok-delivered", "mbx-starttls-stripped"])
        self.assertEqual(verdicts(self.again([out])[out]), verdicts(result.records()))
        data = self.read("out.pcapng")
        for word in (b"MAIL FROM:<AAAAAAAAAAAAAAAAA> ", b"250 STARTTLS", b"queued as 4711", b"250 2.1.5 AAAAAAAAAAAAAAAAAA Recipient ok", b"VRFY AAAA",
                     b"The verdict rests on other connections as well", b"STARTTLS in an earlier session"):
            self.assertIn(word, data)
        for word in (b"anna", b"boss", b"bob@", b"divorce", b"lawyer", b"carol", b"work.example"):
            self.assertNotIn(word, data)
        _, out = self.annotate(path, "--keep-credentials")  # those of the chosen session, not the mail of others
        data = self.read("out.pcapng")
        self.assertNotIn(b"lawyer", data)
        self.assertNotIn(b"anna", data)

    def test_a_web_page_comes_along_without_its_paths(self):
        path = os.path.join(common.PCAPS, "middlebox", "guest-network-before-login.pcap")
        frames = b"".join(f.data for f in rewrite.read(path))
        _, out = self.annotate(path)
        data = self.read("out.pcapng")
        lines = [line for line in re.findall(rb"(?:GET|User-Agent:|Server:|Location:)[ -~]*", frames) if b" " in line]
        self.assertGreater(len(lines), 3)
        for line in lines:
            self.assertNotIn(line, data)
        self.assertIn(b"Location: http://", data)

    def test_no_login_is_left(self):
        planted = set()
        for name in LOGINS + [n for n in common.captures() if n.startswith(("auth/", "proxy/"))]:
            path = os.path.join(common.PCAPS, name)
            with open(path, "rb") as file:
                planted.update(found(file.read()))
            _, out = self.annotate(path, *EVERYTHING)
            with open(out, "rb") as file:
                self.assertEqual(found(file.read()), [], name)
        self.assertGreaterEqual(len(planted), 3)  # they can be found, so their absence says something

    def test_words_that_tell_another_protocol_stay_and_what_is_behind_them_does_not(self):
        """The login of a mailbox, and what a load balancer adds to its header for itself."""
        header = r"C. \r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x17\xc0\x00\x02\x0a\xc6\x33\x64\x19\x9c\x40\x00\x19\xe0\x00\x08"
        for said, stays in ((r"C. a1\tLOGIN\tanna\tpass4711\r\n", b"a1\tLOGIN\tA"), (r"C. a1 LOGIN\tanna\tpass4711\r\n", b"a1 LOGIN\tA"),
                            (r"C. a1 CAPABILITY\r\na2 LOGIN anna pass4711\r\n", b"a1 CAPABILITY\r\nA"), (r"C. USER pass4711\r\n", b"USER A"),
                            (header + r"pass4711HELO pc\r\n", b"QUIT\n\x21\x11\x00\x17\xc0\x00\x02\x0a")):
            path = self.capture("w.pcap", ["port 2525", said, "S: 220 mx.example.org ESMTP", "S: 250 ok"])
            self.assertIn(b"pass4711", self.read("w.pcap"))
            _, out = self.annotate(path, *EVERYTHING)
            data = self.read("out.pcapng")
            self.assertNotIn(b"pass4711", data, said)
            self.assertIn(stays, data, said)

    def test_copies_of_a_login(self):
        """Sent again, captured twice, cut, in parts, in tunnels."""
        written = {}
        for name in LOGINS[:4]:
            path = os.path.join(common.PCAPS, name)
            frames = rewrite.read(path)
            for variant, (function, link) in rewrite.VARIANTS.items():
                rewritten = self.path("in.pcap")
                rewrite.write(rewritten, function(frames), link)
                result, out = self.annotate(rewritten, *EVERYTHING, to=verdict_files.name_of(len(written)) + "ng")
                with open(out, "rb") as file:
                    self.assertEqual(found(file.read()), [], "%s %s" % (name, variant))
                written[out] = name, variant, verdicts(result.records())
        for out, sessions in self.again(list(written)).items():
            name, variant, before = written[out]
            if variant not in UNSURE:
                self.assertEqual(verdicts(sessions), before, "%s %s" % (name, variant))

    def test_what_is_kept_of_a_login(self):
        path = self.capture("login.pcap", LOGIN)
        secret = next(f for f in rewrite.read(path) if b"AUTH PLAIN " in f.data).data.split(b"AUTH PLAIN ")[1].strip()
        self.annotate(path, *EVERYTHING)
        data = self.read("out.pcapng")
        self.assertNotIn(secret, data)
        self.assertIn(b"AUTH PLAIN " + re.sub(rb"[^=]", b"A", secret) + b"\r\n", data)

    def test_words_that_may_be_a_password(self):
        """A password typed where a command belongs, and a reply that repeats it."""
        path = self.capture("typed.pcap", ["hello AUTH_LOGIN", "C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: YW5uYQ==", "S: 334 UGFzc3dvcmQ6",
                                           "C: aHVudGVyMjI=", "S: 535 5.7.8 no", "C: hunter22", "S: 500 5.5.1 what is hunter22", "quit"])
        self.annotate(path, *EVERYTHING)
        data = self.read("out.pcapng")
        for form in (b"hunter22", b"aHVudGVyMjI", b"YW5uYQ"):
            self.assertNotIn(form, data)
        self.assertIn(b"500 5.5.1 what is AAAAAAAA", data)

    def test_keep_credentials(self):
        path = os.path.join(common.PCAPS, LOGINS[1])
        out = self.path("out.pcapng")
        result = run("-o", "pcapng:" + out, "--keep-credentials", path)
        self.assertEqual(result.status, 0)
        self.assertIn("will show logins", result.err)
        self.assertNotEqual(found(self.read("out.pcapng")), [])
        self.assertEqual(run("-o", "pcapng:" + out, path).err, "")

    def test_keys(self):
        """TLS secrets only with --keep-keys, and not where they would show a login."""
        plain = os.path.join(common.PCAPS, "tls", "relay-denied-postfix-by-curl-587-tls1.3.pcap")
        login = os.path.join(common.PCAPS, "tls", "sent-with-login-by-msmtp-587-tls1.2.pcap")
        secret = lambda data: b"CLIENT_RANDOM" in data or b"_TRAFFIC_SECRET" in data  # noqa: E731
        for path, more, kept in ((plain, [], False), (plain, ["--keep-keys"], True), (login, ["--keep-keys"], False),
                                 (login, ["--keep-keys", "--keep-credentials"], True)):
            result, _ = self.annotate(path, *EVERYTHING, *more)
            self.assertEqual(secret(self.read("out.pcapng")), kept, more)
            self.assertEqual("keys are left out" in result.err, path == login and len(more) == 1)
        self.annotate(plain, *EVERYTHING, "--keep-keys")
        self.assertEqual(run("-o", "json", self.path("out.pcapng")).sessions()[0]["verdict"]["cause"], "rcpt-relay-denied")

    def test_comments_of_people(self):
        """They stay where they are; what is masked in the frames is masked in them, keys and our own of before are left out."""
        path = self.capture("login.pcap", ["port 587", "hello AUTH_PLAIN", "C: AUTH PLAIN " + base64.b64encode(b"\0anna\0hunter2-tango").decode(),
                                           "S: 535 5.7.8 no", "quit"])
        frames = rewrite.read(path)
        words = {1: ["she called at ten", "the password is hunter2-tango!", "smtpwhy E1: of another day"], 2: ["gr\u00fc\u00dfe"]}
        with open(self.path("in.pcapng"), "wb") as file:
            file.write(section(["Ticket 4711: nothing goes out\nhunter2-tango", "CLIENT_RANDOM %s %s\nbut this stays" % ("00" * 32, "11" * 48)]))
            file.write(interface(["span port of switch 3"]))
            for number, frame in enumerate(frames, 1):
                file.write(packet(frame.data, number, words.get(number, [])))
        for more, secret in (([], False), (["--keep-credentials"], True)):
            _, out = self.annotate(self.path("in.pcapng"), *more)
            data = self.read("out.pcapng")
            for text in ("she called at ten", "gr\u00fc\u00dfe", "Ticket 4711: nothing goes out", "but this stays", "span port of switch 3"):
                self.assertIn(text.encode(), data, more)
            self.assertEqual(b"hunter2-tango" in data, secret)
            self.assertEqual(b"the password is AAAAAAAAAAAAA!" in data, not secret)
            self.assertNotIn(b"CLIENT_RANDOM", data)
            self.assertNotIn(b"of another day", data)
        _, out = self.annotate(self.path("in.pcapng"))
        if shutil.which("tshark"):
            rows = tshark("-r", out, "-Y", "frame.comment", "-T", "fields", "-e", "frame.number", "-e", "frame.comment").splitlines()
            self.assertTrue(rows[0].startswith("1\tshe called at ten"), rows[0])
            self.assertTrue(rows[1].startswith("2\tgr"), rows[1])

    def test_usage(self):
        path = self.capture("a.pcap", REFUSED)
        out = "pcapng:" + self.path("o.pcapng")
        for words, error in (([path, "--anonymize", "-o", out], "exclude each other"), (["-", "-o", out], "standard input"),
                             ([path, "--keep-keys"], "packet output"), ([path, "--keep-credentials"], "packet output")):
            result = run(*words)
            self.assertEqual(result.status, 2, words)
            self.assertIn(error, result.err)
        self.assertFalse(os.path.exists(self.path("o.pcapng")))

    def test_only_what_is_chosen(self):
        path = self.capture("m.pcap", DELIVERED, REFUSED, SILENT)
        out = self.path("o.pcapng")
        for more, count in (([], 2), (["--only", "delivered"], 1), (["--cause", "rcpt-relay-denied"], 1), (["--client", "203.0.113.9"], 0)):
            self.assertEqual(run("-o", "pcapng:" + out, *more, path).status, 0)
            self.assertEqual(len(run("-o", "json", out).sessions()), count, more)

    def test_several_files(self):
        paths = [self.capture("%d.pcap" % i, *([DELIVERED] * i + [REFUSED])) for i in range(4)]
        run("-o", "pcapng:" + self.path("one.pcapng"), *paths)
        run("-j", 4, "-o", "pcapng:" + self.path("many.pcapng"), *paths)
        self.assertEqual(self.read("one.pcapng"), self.read("many.pcapng"))
        self.assertEqual(len(run("-o", "json", self.path("one.pcapng")).sessions()), 4)

    def test_interfaces_and_drops(self):
        path = os.path.join(common.PCAPS, "rewritten", "relay-denied-two-interfaces.pcapng")
        _, out = self.annotate(path)
        if shutil.which("capinfos"):
            told = [re.findall(r"(?m)^ +(?:Name|Encapsulation) = (.*)$", subprocess.run(
                ["capinfos", p], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.decode()) for p in (path, out)]
            self.assertEqual(told[0], told[1])


@unittest.skipUnless(shutil.which("tshark"), "no tshark")
class InWireshark(common.Case):
    def test_comments_stand_on_the_evidence(self):
        """Those without keys in one run and one file: tshark takes its time to start."""
        names = common.captures()[::12]
        paths = [os.path.join(common.PCAPS, name) for name in names]
        together = [[path for path in paths if not keys(path)]] + [[path] for path in paths if keys(path)]
        for group in together:
            out = self.path("out.pcapng")
            sessions = run("-o", "json", "-o", "pcapng:" + out, *keys(group[0]), *EVERYTHING, *group).sessions()
            rows = tshark("-r", out, "-Y", "frame.comment", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.comment")
            comments = {}
            for line in rows.splitlines():
                time, text = line.split("\t", 1)
                comments.setdefault(time, []).append(text)
            proofs = {(s["capture"]["file"], e["time"]) for s in sessions for e in s["verdict"]["evidence"]}
            self.assertEqual(sum(map(len, comments.values())), len(proofs), group)
            for session in sessions:
                on_proofs = ""
                for number, proof in enumerate(session["verdict"]["evidence"], 1):
                    here = " ".join(comments.get(epoch(proof["time"]), []))
                    self.assertIn("smtpwhy E%d: %s" % (number, proof["what"]), here, session["capture"])
                    on_proofs += here
                self.assertIn("%s: %s" % (session["outcome"], session["verdict"]["cause"]), on_proofs, session["capture"])

    def test_checksums_are_right(self):
        names = LOGINS + ["rewritten/wrong-password-fragments.pcap"]
        out = self.path("out.pcapng")
        run("-o", "pcapng:" + out, *EVERYTHING, *[os.path.join(common.PCAPS, name) for name in names])
        told = tshark("-r", out, "-o", "tcp.check_checksum:TRUE", "-Y", "tcp.checksum.status", "-T", "fields", "-e", "frame.interface_name", "-e",
                      "frame.time_epoch", "-e", "tcp.checksum.status").splitlines()
        statuses = [line.split("\t")[2].split(",") for line in told]
        self.assertEqual([line for line, status in zip(told, statuses) if "0" in status], [])
        self.assertGreater(sum("1" in status for status in statuses), 5 * len(names))

    def test_section_comment(self):
        path, out = self.capture("a.pcap", REFUSED), self.path("out.pcapng")
        run("-o", "pcapng:" + out, path)
        if not shutil.which("capinfos"):
            self.skipTest("no capinfos")
        told = subprocess.run(["capinfos", out], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.decode()
        self.assertIn("stuck: rcpt-relay-denied (certain): The mail was not sent because", told)


if __name__ == "__main__":
    common.main()
