"""Recordings as other recorders would have made them: rewritten from one of ours, because no such device is at hand."""
import os

import container
import rewrite
from scenarios import recording


def rewritten(name, variant, source, done, *expect):
    def write(pcaps, target):
        function, link = rewrite.VARIANTS[variant]
        rewrite.write(target, function(rewrite.read(os.path.join(pcaps, source))), link)
    write.rewrites = True
    recording(name, "rewritten from %s (%s)" % (source, variant), done, *expect)(write)


rewritten("rewritten/relay-denied-erspan.pcap", "erspan3", "rcpt/relay-denied.pcap",
          "the mirror port of a switch sends its copies through a network (ERSPAN III)",
          ("stuck", "rcpt-relay-denied", "rcpt"))
rewritten("rewritten/wrong-password-fragments.pcap", "fragments", "auth/credentials-incorrect-365.pcap",
          "a path that takes only small packets: everything comes in IP fragments",
          ("stuck", "auth-bad-credentials", "auth"))


def contained(name, variant, source, done, *expect):
    """The same frames in another file."""
    def write(pcaps, target):
        with open(target, "wb") as out:
            out.write(container.VARIANTS[variant](rewrite.read(os.path.join(pcaps, source))))
    write.rewrites = True
    recording(name, "rewritten from %s (%s)" % (source, variant), done, *expect)(write)


contained("rewritten/relay-denied-two-interfaces.pcapng", "pcapng-two-interfaces", "rcpt/relay-denied.pcap",
          "two interfaces of different link types and clocks in one file",
          ("stuck", "rcpt-relay-denied", "rcpt"))
contained("rewritten/wrong-password-sections.pcapng", "pcapng-sections", "auth/credentials-incorrect-365.pcap",
          "pieces of either byte order put behind one another",
          ("stuck", "auth-bad-credentials", "auth"))
