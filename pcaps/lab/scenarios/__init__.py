"""The scenarios: what is provoked, between which programs, and what an expert reads off the packets."""
import collections

Scenario = collections.namedtuple("Scenario", "name origin done expect function inside")
ALL = []


def recording(name, origin, done, *expect, inside=None):
    """Each of `expect` is (outcome, cause, stage[, proof[, notes]]) of one connection, in the order of first packets; for a
    proof see wire.py, which has one for each cause. `inside`: the same as read with the key log, (outcome, cause, stage, reply),
    where the reply is a pattern of the code that decides, or a display filter of
    tshark that begins with "tls."."""
    def register(function):
        ALL.append(Scenario(name, origin, done, expect, function, inside))
        return function
    return register
