"""The scenarios: what is provoked, between which programs, and what an expert reads off the packets."""
import collections

Scenario = collections.namedtuple("Scenario", "name origin done expect function")
ALL = []


def recording(name, origin, done, *expect):
    """Each of `expect` is (outcome, cause, stage[, proof[, notes]]) of one connection, in the order of first packets; for a
    proof see wire.py, which has one for each cause."""
    def register(function):
        ALL.append(Scenario(name, origin, done, expect, function))
        return function
    return register
