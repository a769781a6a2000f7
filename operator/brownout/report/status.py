"""The next status of a policy, from the last one written and what a tick found. Pure."""

from __future__ import annotations

from dataclasses import replace

from brownout.api.instants import parse_instant, show_instant
from brownout.api.policy import NORMAL
from brownout.api.reasons import DecisionReason
from brownout.api.status import (
    ObservedSignal,
    ObservedStatus,
    PolicyStatus,
    SignalStatus,
    TransitionStatus,
)
from brownout.decide.memory import to_status
from brownout.decide.model import Missing, Reading, Seen
from brownout.ledger.entries import Instant
from brownout.report import bounds
from brownout.report.conditions import conditions_of, refused
from brownout.report.facts import READY, Evaluation, counts, state_of, targets_of
from brownout.report.text import WORD, cut, finite

OBSERVED_EVERY = 60.0
"""Seconds between two refreshes of `observed`, while pending or degraded."""
MOST_HISTORY = 20
UNREAD = "NotYetRead"


def next_status(previous: PolicyStatus, facts: Evaluation) -> PolicyStatus:
    """What the status should say now; `previous` itself, the same object, while calm and unchanged.

    `previous` is the last status that was written: what has not been written has not been said.
    """
    if _still_calm(previous, facts):
        return previous
    level = cut(facts.decision.level, WORD)
    moved = previous.level != level or previous.mode != facts.spec.mode
    applied, unrecorded = bounds.applied(facts.held)
    pending, recovery = to_status(facts.remembered)
    return PolicyStatus(
        observed_generation=facts.generation,
        mode=facts.spec.mode,
        level=level,
        level_index=facts.spec.index(facts.decision.level),
        level_shown=_level_shown(facts),
        since=show_instant(facts.now) if moved or previous.since is None else previous.since,
        why=cut(facts.why),
        held=len(targets_of(facts.held)),
        signals_shown=_signals_shown(facts),
        signals=tuple(_signal(previous, facts, each.name, moved) for each in facts.spec.signals),
        applied=applied,
        blocked=bounds.blocked(facts.unrestored, facts.blocked, unrecorded),
        released=bounds.released(facts.released),
        pending=pending,
        recovery=recovery,
        observed=_observed(previous, facts, moved) if pending or level != NORMAL or facts.held else None,
        history=_history(previous, facts, level),
        conditions=conditions_of(previous.conditions, facts),
    )


def refused_status(previous: PolicyStatus, message: str, generation: int, now: Instant) -> PolicyStatus:
    """The status of a policy whose spec cannot be used and that has no earlier good one in memory: it holds."""
    conditions = refused(previous.conditions, message, generation, now)
    return replace(previous, observed_generation=generation, why=cut(message), conditions=conditions)


def _still_calm(previous: PolicyStatus, facts: Evaluation) -> bool:
    """The cheap answer for nearly every tick: Normal, calm, and recorded so already."""
    busy = (facts.held, facts.blocked, facts.unrestored, facts.released, facts.unproven, facts.refusal)
    said = (previous.held, previous.applied, previous.blocked, previous.released, previous.observed)
    clocks = (previous.pending, previous.recovery)
    return (
        facts.decision.reason is DecisionReason.CALM
        and not any(busy)
        and not facts.source_down
        and (facts.state is None or facts.state is facts.decision.state)
        and not any(said)
        and clocks == (None, None)
        and previous.observed_generation == facts.generation
        and previous.mode == facts.spec.mode
        and previous.level == facts.decision.level == NORMAL
        and previous.level_shown == _level_shown(facts)
        and _same_signals(previous, facts)
        and any(each.type == READY and each.status == "True" for each in previous.conditions)
    )


def _same_signals(previous: PolicyStatus, facts: Evaluation) -> bool:
    states = [(each.name, _state(facts.seen.get(each.name))) for each in facts.spec.signals]
    return states == [(each.name, each.state) for each in previous.signals] and previous.signals_shown == (
        _signals_shown(facts)
    )


def _level_shown(facts: Evaluation) -> str:
    level = facts.decision.level
    shown = f"{cut(level, 63)} {facts.spec.index(level)}/{len(facts.spec.levels)}"
    return f"({shown})" if facts.dry_run else shown


def _signals_shown(facts: Evaluation) -> str:
    telling = sum(counts(each, facts.seen.get(each.name)) for each in facts.spec.signals)
    return f"{telling}/{len(facts.spec.signals)}"


def _state(seen: Seen | None) -> str:
    return UNREAD if seen is None else state_of(seen)


def _signal(previous: PolicyStatus, facts: Evaluation, name: str, moved: bool) -> SignalStatus:
    """As it was said before while its state and the level last: its number and message move with every tick."""
    seen = facts.seen.get(name)
    before = next((each for each in previous.signals if each.name == name), None)
    if before is not None and before.state == _state(seen) and not moved:
        return before
    number = finite(seen.value) if isinstance(seen, Reading) else None
    return SignalStatus(
        name=name,
        state=_state(seen),
        message=cut(seen.message if isinstance(seen, Missing) else ""),
        value_at_transition=number if moved or before is None else before.value_at_transition,
    )


def _numbers(facts: Evaluation) -> tuple[ObservedSignal, ...]:
    seen = ((each.name, facts.seen.get(each.name)) for each in facts.spec.signals)
    return tuple(
        ObservedSignal(
            name=name,
            value=finite(each.value) if isinstance(each, Reading) else None,
            state=_state(each),
        )
        for name, each in seen
    )


def _observed(previous: PolicyStatus, facts: Evaluation, moved: bool) -> ObservedStatus:
    before = previous.observed
    at = parse_instant(before.at) if before else None
    if before is not None and at is not None and not moved and 0 <= facts.now - at < OBSERVED_EVERY:
        return before
    return ObservedStatus(at=show_instant(facts.now), signals=_numbers(facts))


def _history(previous: PolicyStatus, facts: Evaluation, level: str) -> tuple[TransitionStatus, ...]:
    if previous.level == level:
        return previous.history
    change = TransitionStatus(
        at=show_instant(facts.now),
        from_=previous.level,
        to=level,
        reason=facts.decision.reason,
        message=cut(facts.why),
        signals=_numbers(facts),
    )
    return (*previous.history, change)[-MOST_HISTORY:]
