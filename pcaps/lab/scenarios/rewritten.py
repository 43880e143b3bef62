"""Recordings as other recorders would have made them: rewritten from one of ours, because no such device is at hand."""
import os

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
