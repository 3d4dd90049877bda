"""The verdict over the locations of a monitor (pure functions)."""

from collections.abc import Mapping
from dataclasses import replace

from synthetic.operator.conditions import Condition

PENDING_REASONS = frozenset({"NoRunYet", "NoPassYet"})  # until there are enough runs


def verdict(quorum: int, states: Mapping[str, Condition]) -> Condition:
    """Return the condition Healthy of a monitor with locations.

    It is False if at least ``quorum`` locations fail, and Unknown if those without a verdict could
    make up the quorum. Locations that have not had enough runs are left out beside others.
    """
    total = len(states)
    failing = {name: each for name, each in states.items() if each.status == "False"}
    unknown = {name: each for name, each in states.items() if each.status == "Unknown"}
    if len(unknown) < total:
        unknown = {n: each for n, each in unknown.items() if each.reason not in PENDING_REASONS}
    slow = {name: each for name, each in states.items() if each.reason == "Degraded"}
    if len(failing) >= quorum:
        return Condition("Healthy", "False", "Failing", _summary(failing, total, "failing"))
    if unknown and len(failing) + len(unknown) >= min(quorum, total):
        reason = min((each.reason for each in unknown.values()), key=PENDING_REASONS.__contains__)
        return Condition("Healthy", "Unknown", reason, _summary(unknown, total, "unknown"))
    if slow and len(failing) + len(slow) >= quorum:
        return Condition("Healthy", "True", "Degraded", _summary(slow, total, "slow"))
    if failing or unknown:
        kinds = ((failing, "failing"), (unknown, "unknown"))
        found = "; ".join(_summary(each, total, kind) for each, kind in kinds if each)
        message = f"Below the quorum of {quorum}: {found}"
        return Condition("Healthy", "True", "BelowQuorum", message)
    return Condition("Healthy", "True", "Passing", f"No location of {total} is failing")


def _summary(found: Mapping[str, Condition], total: int, kind: str) -> str:
    """Return the number and the names of locations, with the message of each."""
    messages = {each.message for each in found.values()}
    if len(found) == total and len(messages) == 1:
        return messages.pop()
    details = "; ".join(f"{name}: {each.message}" for name, each in found.items())
    return f"{len(found)} of {total} locations {kind}: {details}"


def combined_ready(states: Mapping[str, Condition]) -> Condition:
    """Return the condition Ready of a monitor: the first problem of a location, with its name."""
    problems = {name: each for name, each in states.items() if each.status != "True"}
    for name, problem in problems.items():
        is_shared = len({each.message for each in problems.values()}) == 1
        if not name or (is_shared and len(problems) == len(states)):
            return problem
        return replace(problem, message=f"Location {name}: {problem.message}")
    return next(iter(states.values()))
