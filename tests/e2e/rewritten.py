#!/usr/bin/env python3
"""Captures rewritten as other recorders and networks would have shown them, against their clean twins.

What only carries, copies or cuts up the packets must not change a verdict. Where bytes are missing a verdict may become
less certain or unknown, and never another one that claims to be certain.
"""
import os
import sys
import zlib

import common

sys.path.insert(0, os.path.join(common.ROOT, "pcaps", "lab"))
import rewrite  # noqa: E402

SAME = ("vlan qinq vlan-one-way vlan-two-ways raw null sll sll2 ppp nflog radiotap pppoe mpls mpls-ethernet ip-in-ip gre "
        "gre-bridged erspan1 erspan2 erspan3 vxlan geneve gtp-u l2tp vxlan-in-gre ipv6 6in4 fragments fragments-tiny "
        "fragments-backwards fragments-twice fragments-ipv6 fragments-ipv6-backwards vxlan-fragments twice twice-tagged "
        "twice-routed any offload-checksums super-packets super-packets-without-length swapped-neighbours").split()
WEAKER = "fragments-lost snaplen-96 snaplen-68 snaplen-160".split()
ICMP_QUOTES_IPV4 = {"ipv6", "6in4", "fragments-ipv6", "fragments-ipv6-backwards"}

# What capture.tunnel says, by variant; the others have none.
TUNNEL = {
    "pppoe": "pppoe session 4660", "mpls": "mpls label 1000", "mpls-ethernet": "mpls label 3000",
    "ip-in-ip": "ip-in-ip 203.0.113.1 > 203.0.113.2", "gre": "gre key 5 203.0.113.1 > 203.0.113.2",
    "gre-bridged": "gre 203.0.113.1 > 203.0.113.2", "erspan1": "erspan 203.0.113.1 > 203.0.113.2",
    "erspan2": "erspan session 17 203.0.113.1 > 203.0.113.2", "erspan3": "erspan session 18 203.0.113.1 > 203.0.113.2",
    "vxlan": "vxlan vni 42 203.0.113.1 > 203.0.113.2", "vxlan-fragments": "vxlan vni 42 203.0.113.1 > 203.0.113.2",
    "geneve": "geneve vni 43 203.0.113.1 > 203.0.113.2", "gtp-u": "gtp-u teid 44 203.0.113.1 > 203.0.113.2",
    "l2tp": "l2tp session 45 203.0.113.1 > 203.0.113.2", "6in4": "6in4 203.0.113.1 > 203.0.113.2",
    "vxlan-in-gre": "gre key 6 203.0.113.1 > 203.0.113.2, vxlan vni 42 203.0.113.1 > 203.0.113.2",
}
QUALITY = {"vlan-one-way": "vlan-asymmetric", "vlan-two-ways": "vlan-asymmetric", "twice": "duplicated", "any": "duplicated",
           "twice-tagged": "duplicated", "twice-routed": "duplicated", "fragments-twice": "duplicated"}
CONFIDENCE = ("certain", "likely", "possible")


def verdict(session):
    return session["outcome"], session["verdict"]["cause"], session["verdict"]["stage"], session["verdict"]["confidence"]


class Rewritten(common.Case):
    @classmethod
    def setUpClass(cls):
        """A sixth of the captures that are whole and Ethernet, some of every topic; which, their names decide alone."""
        cls.twins = {}
        for name in common.captures():
            if zlib.crc32(name.encode()) % 6:
                continue
            try:
                frames = rewrite.read(os.path.join(common.PCAPS, name))
            except ValueError:
                continue
            if name.startswith("rewritten/") or any(f.length != len(f.data) for f in frames):
                continue
            if all(f.data[23:24] != b"\x06" for f in frames) or any(f.data[36:38] == b"\0\x35" for f in frames):
                continue  # no tunnel carries ARP, and the addresses in an answer of the DNS stay as they are
            if any(f.data[12:14] == b"\x86\xdd" and f.data[20] == 6 for f in frames):
                continue  # what is rewritten is IPv4: a client with both would become two
            cls.twins[name.replace("/", "_")] = frames
        assert len(cls.twins) > 30

    def analyse(self, made, link):
        """Records by capture: {name: frames} in, {name: [session]}, summary out."""
        for name, frames in made.items():
            rewrite.write(self.path(name), frames, link)
        records = common.run("-o", "json", *[self.path(name) for name in made]).records()
        sessions = {name: [] for name in made}
        for record in records[:-1]:
            if record["type"] == "session":
                sessions[os.path.basename(record["capture"]["file"])].append(record)
        return sessions, records[-1]

    def rewritten(self, variant):
        function, link = rewrite.VARIANTS[variant]
        copies = {name: [rewrite.Frame(f.time_ns, f.data, f.length) for f in frames] for name, frames in self.twins.items()}
        return self.analyse({name: function(frames) for name, frames in copies.items()}, link)

    def test_every_variant_is_tested(self):
        self.assertEqual(sorted(SAME + WEAKER), sorted(rewrite.VARIANTS))

    def test_the_same_verdict(self):
        clean, _ = self.analyse(self.twins, rewrite.ETHERNET)
        for variant in SAME:
            found, summary = self.rewritten(variant)
            frames = summary["frames"]
            self.assertEqual(frames["read"], sum(frames[k] for k in ("decoded", "other", "undecodable", "filtered")), variant)
            self.assertEqual(frames["undecodable"], 0, variant)
            for name, sessions in found.items():
                if variant in ICMP_QUOTES_IPV4 and any(s["tcp"]["icmp"] for s in clean[name]):
                    continue
                with self.subTest(variant=variant, capture=name):
                    self.assertEqual([verdict(s) for s in sessions], [verdict(s) for s in clean[name]])
                    for session in sessions:
                        self.assertEqual(session["capture"]["tunnel"], TUNNEL.get(variant))
                        self.check_quality(variant, session)

    def check_quality(self, variant, session):
        kinds = [q["kind"] for q in session["capture_quality"]]
        both_sides = session["tcp"]["packets"]["client"] and session["tcp"]["packets"]["server"]
        if variant in QUALITY and (both_sides or QUALITY[variant] != "vlan-asymmetric"):
            self.assertIn(QUALITY[variant], kinds)
        if variant not in QUALITY:
            self.assertNotIn("vlan-asymmetric", kinds)
            self.assertNotIn("limits-hit", kinds)

    def test_less_certain_where_bytes_are_missing(self):
        clean, _ = self.analyse(self.twins, rewrite.ETHERNET)
        for variant in WEAKER:
            found, _ = self.rewritten(variant)
            weaker = 0
            for name, sessions in found.items():
                twins = {(s["client"]["ip"], s["client"]["port"]): s for s in clean[name]}
                for session in sessions:
                    twin = twins[session["client"]["ip"], session["client"]["port"]]
                    with self.subTest(variant=variant, capture=name):
                        weaker += self.check_weaker(session, twin)
            self.assertGreater(weaker, len(found) // 4, variant)

    def check_weaker(self, session, twin):
        if verdict(session) == verdict(twin):
            return False
        mine, theirs = session["verdict"]["confidence"], twin["verdict"]["confidence"]
        if session["outcome"] == "unknown":
            return True
        kinds = [q["kind"] for q in session["capture_quality"]]
        self.assertTrue("snaplen-cut" in kinds or "gaps" in kinds, kinds)
        self.assertNotEqual(mine, "certain", (verdict(session), verdict(twin)))
        self.assertGreaterEqual(CONFIDENCE.index(mine), CONFIDENCE.index(theirs))
        return True

    def test_parts_that_are_lost_are_counted(self):
        _, summary = self.rewritten("fragments-lost")
        self.assertGreater(summary["skipped"]["fragments-incomplete"], 100)
        self.assertGreaterEqual(summary["frames"]["other"], summary["skipped"]["fragments-incomplete"])

    def test_tunnels_that_are_not_read_are_counted(self):
        frames = [rewrite.Frame(f.time_ns, rewrite.carried(50, f.data)) for f in next(iter(self.twins.values()))]
        sessions, summary = self.analyse({"esp.pcap": frames}, rewrite.ETHERNET)
        self.assertEqual(sessions["esp.pcap"], [])
        self.assertEqual(summary["skipped"]["tunnel-esp"], len(frames))
        self.assertEqual(summary["frames"]["other"], len(frames))


if __name__ == "__main__":
    common.main()
