"""Small builders of policies and readings: a test says only what it is about."""

from brownout.api.actions import Action
from brownout.api.policy import Condition, Level, Mode, NoTraffic, PolicySpec, Recovery, Signal, When
from brownout.api.reasons import MissingReason
from brownout.decide.model import Missing, Reading
from brownout.ledger.entries import Instant


def signal(name: str, *, on_no_traffic: NoTraffic = NoTraffic.HOLD) -> Signal:
    """A signal whose query is its own name."""
    return Signal(name=name, query=name.replace("-", "_"), on_no_traffic=on_no_traffic)


def above(name: str, enter: float, leave: float) -> Condition:
    """Worse is above `enter`, well again below `leave`."""
    return Condition(signal=name, enter_above=enter, exit_below=leave)


def below(name: str, enter: float, leave: float) -> Condition:
    """Worse is below `enter`, well again above `leave`."""
    return Condition(signal=name, enter_below=enter, exit_above=leave)


def level(
    name: str,
    *conditions: Condition,
    lasts: float = 30.0,
    recover_after: float = 180.0,
    every: bool = False,
    actions: tuple[Action, ...] = (),
) -> Level:
    """A level that needs any of its conditions (with `every`: all) for `lasts` seconds; manual without conditions."""
    if not conditions:
        return Level(name=name, manual=True, actions=actions)
    when = When(all_of=conditions) if every else When(any_of=conditions)
    return Level(name=name, when=when, for_=lasts, recover_after=recover_after, actions=actions)


def policy(
    *levels: Level,
    signals: tuple[Signal, ...] = (),
    interval: float = 10.0,
    settle: float = 60.0,
    mode: Mode = Mode.ENFORCE,
    max_backoff: float = 1800.0,
) -> PolicySpec:
    """A policy of these levels; signals that are not given are those its conditions name, in their order."""
    named = [each.signal for one in levels if one.when for each in one.when.conditions]
    found = signals or tuple(signal(name) for name in dict.fromkeys(named or ["p99"]))
    return PolicySpec(
        mode=mode,
        interval=interval,
        settle=settle,
        signals=found,
        levels=levels,
        recovery=Recovery(max_backoff=max_backoff),
    )


def reading(value: float, at: Instant = 0.0) -> Reading:
    return Reading(value=value, at=at)


def missing(reason: MissingReason = MissingReason.NO_DATA) -> Missing:
    return Missing(reason=reason)
