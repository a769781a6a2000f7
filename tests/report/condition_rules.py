"""The rules that conditions must keep, whatever happened: kstatus', fluxcd's (runtime/conditions/check), and ours."""

from __future__ import annotations

import re
from collections.abc import Iterable

from brownout.api.instants import parse_instant
from brownout.api.policy import Mode
from brownout.api.status import Condition, PolicyStatus

TYPES = ("Ready", "DegradationActive", "SignalsAvailable", "Stalled")
_WORD = re.compile(r"[A-Z][A-Za-z]*")


def broken(status: PolicyStatus, generation: int) -> list[str]:
    """A sentence for each rule that the status breaks."""
    by_type = {each.type: each for each in status.conditions}
    if tuple(each.type for each in status.conditions) != TYPES:
        return [f"the conditions are {[each.type for each in status.conditions]}, and must be exactly {TYPES}"]
    ready, active, stalled = by_type["Ready"], by_type["DegradationActive"], by_type["Stalled"]
    rules = {
        "Ready must be False when Stalled is True": stalled.status != "True" or ready.status == "False",
        "Ready must give Stalled's reason": stalled.status != "True" or ready.reason == stalled.reason,
        "the status must be about the newest generation": status.observed_generation == generation,
        "each condition must be about the status' generation": all(
            each.observed_generation == generation for each in status.conditions
        ),
        "DegradationActive must never be True in DryRun": status.mode != Mode.DRY_RUN or active.status != "True",
        "DegradationActive must name the level that is applied": status.mode == Mode.DRY_RUN
        or status.level in ("Normal", "")
        or (active.status, active.reason) == ("True", status.level),
        "a reason must be one word, save DegradationActive's level": all(
            _WORD.fullmatch(each.reason) for each in status.conditions if each is not active
        ),
        "each condition must say something": all(each.message for each in status.conditions),
        "each transition must have a time": all(
            parse_instant(each.last_transition_time) is not None for each in status.conditions
        ),
    }
    return [rule for rule, kept in rules.items() if not kept]


def jumped(before: Iterable[Condition], after: Iterable[Condition]) -> list[str]:
    """The conditions whose time of transition moved although their status did not."""
    old = {each.type: each for each in before}
    return [
        each.type
        for each in after
        if each.type in old
        and old[each.type].status == each.status
        and old[each.type].last_transition_time != each.last_transition_time
    ]
