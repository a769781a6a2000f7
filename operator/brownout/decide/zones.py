"""Which zone a reading is in: of one condition, then of a level."""

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from brownout.api.policy import Condition, NoTraffic, PolicySpec, Signal, When
from brownout.api.reasons import MissingReason
from brownout.decide.model import Evidence, Reading, Seen, Zone

Fact: TypeAlias = float | Zone
"""A finite number to compare; or the zone of a signal that has none."""

# Members looked up once: an attribute of an Enum class costs more than the comparison it is for.
OVER, BETWEEN, UNDER, UNKNOWN = Zone.OVER, Zone.BETWEEN, Zone.UNDER, Zone.UNKNOWN
_CLEAR = NoTraffic.CLEAR


def why_missing(seen: Seen) -> MissingReason | None:
    """Why there is no number to compare; None where there is one. NaN is no traffic (0/0)."""
    if not isinstance(seen, Reading):
        return seen.reason
    if math.isfinite(seen.value):
        return None
    return MissingReason.NO_TRAFFIC if math.isnan(seen.value) else MissingReason.INFINITE


def fact_of(signal: Signal, seen: Seen) -> Fact:
    """What a signal says: its number, Under for no traffic that clears, else Unknown."""
    if isinstance(seen, Reading) and math.isfinite(seen.value):
        return seen.value
    if signal.on_no_traffic is _CLEAR and why_missing(seen) is MissingReason.NO_TRAFFIC:
        return UNDER
    return UNKNOWN


def condition_zone(condition: Condition, fact: Fact) -> Zone:
    """Over past the enter threshold, Under past the exit threshold; on a threshold is Between."""
    if isinstance(fact, Zone):
        return fact
    if (enter := condition.enter_above) is not None:
        if fact > enter:
            return OVER
        return UNDER if (leave := condition.exit_below) is not None and fact < leave else BETWEEN
    if (enter := condition.enter_below) is not None:
        if fact < enter:
            return OVER
        return UNDER if (leave := condition.exit_above) is not None and fact > leave else BETWEEN
    return UNKNOWN


def any_of(zones: Sequence[Zone]) -> Zone:
    """Over if any is Over, else Unknown if any is Unknown, else Between if any is Between, else Under."""
    if OVER in zones:
        return OVER
    if UNKNOWN in zones:
        return UNKNOWN
    return BETWEEN if BETWEEN in zones else UNDER


def all_of(zones: Sequence[Zone]) -> Zone:
    """Under if any is Under, else Unknown if any is Unknown, else Between if any is Between, else Over."""
    if UNDER in zones:
        return UNDER
    if UNKNOWN in zones:
        return UNKNOWN
    return BETWEEN if BETWEEN in zones else OVER


def level_zone(when: When, facts: Mapping[str, Fact]) -> Zone:
    """A level's zone from what each signal says; KeyError for a signal that says nothing."""
    if when.any_of is not None:
        return any_of([condition_zone(each, facts[each.signal]) for each in when.any_of])
    return all_of([condition_zone(each, facts[each.signal]) for each in when.conditions])


def zones_of(spec: PolicySpec, seen: Sequence[Seen]) -> dict[str, Zone]:
    """The zone of each automatic level; ValueError unless there is one `seen` for each signal, in their order."""
    facts = {signal.name: fact_of(signal, each) for signal, each in zip(spec.signals, seen, strict=True)}
    return {level.name: level_zone(when, facts) for level in spec.levels if (when := level.when) is not None}


def evidence_of(spec: PolicySpec, seen: Sequence[Seen]) -> tuple[Evidence, ...]:
    """Each condition of each automatic level with its number and zone, in the order of the spec."""
    by_name = {signal.name: (signal, each) for signal, each in zip(spec.signals, seen, strict=True)}
    return tuple(
        _evidence(level.name, condition, *by_name[condition.signal])
        for level in spec.levels
        if level.when is not None
        for condition in level.when.conditions
    )


def _evidence(level: str, condition: Condition, signal: Signal, seen: Seen) -> Evidence:
    above = condition.enter_above is not None
    enter, leave = (
        (condition.enter_above, condition.exit_below) if above else (condition.enter_below, condition.exit_above)
    )
    return Evidence(
        level,
        signal.name,
        seen,
        condition_zone(condition, fact_of(signal, seen)),
        enter=math.nan if enter is None else enter,
        exit=math.nan if leave is None else leave,
        above=above,
    )
