"""Deciding: readings in, the level that applies and why out. Pure: the same in live, dry run, tests and replay."""

from collections.abc import Mapping, Sequence

from brownout.api.policy import NORMAL, PolicySpec
from brownout.api.reasons import DecisionReason
from brownout.decide.guards import Verdict, judge
from brownout.decide.look import Look, look_at, names_below
from brownout.decide.model import Decision, Move, Relapse, Seen, State, Zone
from brownout.decide.relapse import entered, left
from brownout.decide.zones import OVER, UNKNOWN, evidence_of, zones_of
from brownout.ledger.entries import Instant

# Looked up once: an attribute of an Enum class costs as much as a comparison.
_HOLD, _CALM = Move.HOLD, DecisionReason.CALM


def decide(spec: PolicySpec, state: State, seen: Sequence[Seen], now: Instant) -> Decision:
    """The level that applies from `now` on, why, and what to remember.

    `seen` has one entry for each of spec.signals, in their order (else ValueError). A state in which nothing changed
    comes back as the same object.
    """
    zones = zones_of(spec, seen)
    if _is_calm(state, zones):
        return Decision(_HOLD, NORMAL, _CALM, state, zones=zones, seen=seen)
    look = look_at(spec, state, zones, now)
    verdict = judge(look)
    return Decision(
        move=verdict.move,
        level=verdict.level,
        reason=verdict.reason,
        state=look.state if verdict.move is _HOLD else _moved(look, verdict, now),
        evidence=evidence_of(spec, seen),
        zones=zones,
        before=state.level,
        lasted=verdict.lasted,
        seen=seen,
    )


def _is_calm(state: State, zones: Mapping[str, Zone]) -> bool:
    """Whether nothing is remembered and nothing is seen that deciding would have to look at."""
    if state.level != NORMAL or state.escalation or state.giving_back or state.relapses:
        return False
    if state.settle_from is not None or state.blind_since is not None:
        return False
    seen = zones.values()
    return OVER not in seen and UNKNOWN not in seen


def _moved(look: Look, verdict: Verdict, now: Instant) -> State:
    """What to remember after a change of level: the clocks of the levels above keep their time, all else is new."""
    spec, state = look.spec, look.state
    index = spec.index(verdict.level)
    higher = {each.name for each in spec.levels[index:]}
    relapses = _relapses(look, verdict, now)
    return State(
        level=verdict.level,
        since=now,
        below=names_below(spec, index),
        escalation={name: clock for name, clock in state.escalation.items() if name in higher},
        settle_from=now if spec.settle > 0 else None,
        giving_back=verdict.move is Move.RECOVER,
        relapses=relapses,
        normal_since=now if relapses and not index else None,
        blind_since=state.blind_since,
    )


def _relapses(look: Look, verdict: Verdict, now: Instant) -> Mapping[str, Relapse]:
    """Only escalations and recoveries count: not a level that was removed, nor an override that ended."""
    if verdict.reason is DecisionReason.ESCALATED:
        return entered(look.spec.levels[look.spec.index(verdict.level) - 1], look.state.relapses, now)
    if verdict.reason is DecisionReason.RECOVERED:
        return left(look.state.level, look.state.relapses, now)
    return look.state.relapses
