"""The scenarios: what is provoked, between which programs, and what an expert reads off the packets."""
import collections

Scenario = collections.namedtuple("Scenario", "name origin done expect function")
ALL = []


def recording(name, origin, done, *expect):
    """Each of `expect` is (outcome, cause, stage) of one connection, in the order of their first packets."""
    def register(function):
        ALL.append(Scenario(name, origin, done, expect, function))
        return function
    return register
