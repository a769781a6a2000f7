"""What happens to a state outside of deciding: the caller tells it what was written, given back, found and edited."""

from dataclasses import replace

from brownout.api.policy import Mode, PolicySpec
from brownout.decide.look import names_below
from brownout.decide.model import State
from brownout.ledger.entries import Instant


def after_write(state: State, at: Instant) -> State:
    """The state once the last write of a change of level landed: it settles from then, not from the change."""
    return replace(state, settle_from=at if state.settle_from is None else max(at, state.settle_from))


def gave_back(state: State) -> State:
    """The state once the last wave of a step down was given back: the next step down is free."""
    return replace(state, giving_back=False) if state.giving_back else state


def adopt(spec: PolicySpec, state: State, level: str, now: Instant) -> State:
    """The state after a restart that found `level` the highest among our claims.

    It wins over a lower one, whose last write may not have reached the status or was wiped from it, unless that one is
    still giving back, or in DryRun, where claims are never wanted. Readings settle first: the write may be fresh.
    """
    index = spec.index(level)
    known = max(spec.index(name) for name in (state.level, *state.below))
    if index <= known or state.giving_back or spec.mode is Mode.DRY_RUN:
        return state
    higher = {each.name for each in spec.levels[index:]}
    return State(
        level=level,
        since=now,
        below=names_below(spec, index),
        escalation={name: clock for name, clock in state.escalation.items() if name in higher},
        settle_from=now,
        relapses=state.relapses,
        blind_since=state.blind_since,
    )


def changed_mode(state: State, mode: Mode, now: Instant, *, owes: bool) -> State:
    """The state after a change to `mode`; `owes`: something is still held.

    Enforce starts at Normal with clocks at zero: what would have been was never taken. DryRun goes on from the level
    at hand. What is held goes back in both; no step down before it has.
    """
    if mode is Mode.DRY_RUN:
        return replace(state, giving_back=owes)
    return State(since=now, giving_back=owes)
