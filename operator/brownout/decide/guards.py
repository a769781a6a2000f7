"""What to do, as an ordered chain of small checks: the first that has an answer gives it.

Readings do not count while settling, therefore no check compares a zone then, except to say that we are blind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from brownout.api.policy import NORMAL
from brownout.api.reasons import DecisionReason
from brownout.decide.look import Look
from brownout.decide.model import Move
from brownout.decide.relapse import recover_after
from brownout.decide.zones import OVER, UNDER, UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check says: how to move, where to, why, and how long the clock had run that says so."""

    move: Move
    level: str
    reason: DecisionReason
    lasted: float = 0.0


Check: TypeAlias = Callable[[Look], Verdict | None]


def level_removed(look: Look) -> Verdict | None:
    """The level is no longer in the spec: the next lower one that still is holds."""
    state = look.state
    if look.current is not None or state.level == NORMAL:
        return None
    level = next((name for name in reversed(state.below) if look.spec.index(name)), NORMAL)
    return Verdict(move=Move.RECOVER, level=level, reason=DecisionReason.LEVEL_REMOVED)


def override_ended(look: Look) -> Verdict | None:
    """A manual level that nobody asks for any more: the highest automatic one holds."""
    if look.current is None or not look.current.manual:
        return None
    automatic = [each.name for each in look.spec.levels if not each.manual]
    level = automatic[-1] if automatic else NORMAL
    return Verdict(move=Move.RECOVER, level=level, reason=DecisionReason.OVERRIDE_ENDED)


def escalation_due(look: Look) -> Verdict | None:
    """The highest level above that is Over now and whose clock has reached its `for`, whatever lies between."""
    if look.settling:
        return None
    for level in reversed(look.above):
        clock = look.state.escalation.get(level.name)
        if look.zones[level.name] is not OVER or clock is None or level.for_ is None:
            continue
        if clock.seconds >= level.for_:
            return Verdict(move=Move.ESCALATE, level=level.name, reason=DecisionReason.ESCALATED, lasted=clock.seconds)
    return None


def escalation_pending(look: Look) -> Verdict | None:
    """A level above is Over, and not for long enough: no step down either."""
    return None if look.settling or not look.above_is(OVER) else _hold(look, DecisionReason.PENDING)


def blind(look: Look) -> Verdict | None:
    """The level we are at cannot be seen: nothing moves."""
    unseen = look.above_is(UNKNOWN) if look.current is None else look.zone is UNKNOWN
    return _hold(look, DecisionReason.BLIND) if unseen else None


def giving_back(look: Look) -> Verdict | None:
    """The last step down still goes back, in waves: no further one before they end."""
    return _hold(look, DecisionReason.GIVING_BACK) if look.state.giving_back else None


def settling(look: Look) -> Verdict | None:
    """Our own step still shows in the readings."""
    return _hold(look, DecisionReason.SETTLING) if look.settling else None


def recovery_due(look: Look) -> Verdict | None:
    """The level is Under now and its clock has reached `recoverAfter`, with back-off: one level down."""
    state, current = look.state, look.current
    if current is None or look.zone is not UNDER:
        return None
    if state.recovery.seconds < recover_after(current, state.relapses, look.spec.recovery):
        return None
    index = look.spec.index(current.name)
    level = look.spec.levels[index - 2].name if index > 1 else NORMAL
    return Verdict(move=Move.RECOVER, level=level, reason=DecisionReason.RECOVERED, lasted=state.recovery.seconds)


def recovering(look: Look) -> Verdict | None:
    return _hold(look, DecisionReason.RECOVERING) if look.zone is UNDER else None


def blind_above(look: Look) -> Verdict | None:
    """Whether it gets worse cannot be seen."""
    return _hold(look, DecisionReason.BLIND) if look.above_is(UNKNOWN) else None


def standing_still(look: Look) -> Verdict | None:
    """No level above is Over, but one was, and its clock keeps its time."""
    return _hold(look, DecisionReason.PENDING) if look.state.escalation else None


def at_rest(look: Look) -> Verdict:
    return _hold(look, DecisionReason.CALM if look.state.level == NORMAL else DecisionReason.HOLDING)


CHAIN: tuple[Check, ...] = (
    level_removed,
    override_ended,
    escalation_due,
    escalation_pending,
    blind,
    giving_back,
    settling,
    recovery_due,
    recovering,
    blind_above,
    standing_still,
)


def judge(look: Look) -> Verdict:
    """The first answer of the chain."""
    return next((verdict for check in CHAIN if (verdict := check(look)) is not None), None) or at_rest(look)


def _hold(look: Look, reason: DecisionReason) -> Verdict:
    return Verdict(move=Move.HOLD, level=look.state.level, reason=reason)
