"""A decision in one sentence, rendered only when somebody reads it."""

from collections.abc import Callable
from dataclasses import dataclass

from brownout.api.instants import show_minute, show_second
from brownout.api.policy import NORMAL, Level, Mode, PolicySpec
from brownout.api.reasons import DecisionReason
from brownout.decide.model import Decision, Zone
from brownout.decide.relapse import recover_after
from brownout.decide.words import joined, show_evidence, show_length
from brownout.decide.zones import BETWEEN, OVER, UNDER, UNKNOWN
from brownout.ledger.entries import Instant

_AS_IT_IS = frozenset({DecisionReason.CALM, DecisionReason.BLIND, DecisionReason.SETTLING})


def why(spec: PolicySpec, decision: Decision, now: Instant, *, owed: int = 0) -> str:
    """One sentence: `p99 2.31 > 2 for 1m`. `owed`: targets still to be given back. Times of day are UTC.

    In DryRun, what would be is said so.
    """
    sentence = _SENTENCES[decision.reason](_Told(spec, decision, now, owed))
    would = spec.mode is Mode.DRY_RUN and decision.reason not in _AS_IT_IS
    return f"would: {sentence}" if would else sentence


def transition(spec: PolicySpec, decision: Decision, now: Instant) -> str:
    """A change of level for the history and events: `p99 2.31 > 2 for 1m: Normal -> core-only`."""
    return f"{why(spec, decision, now)}: {decision.before} -> {decision.level}"


@dataclass(frozen=True, slots=True)
class _Told:
    spec: PolicySpec
    decision: Decision
    now: Instant
    owed: int

    def cause(self, zone: Zone, *levels: str) -> str:
        """The conditions of these levels that are in `zone`, with their numbers."""
        found = (each for each in self.decision.evidence if each.level in levels and each.zone is zone)
        return joined(show_evidence(each, self.spec.source_ref.name) for each in found)

    @property
    def above(self) -> tuple[Level, ...]:
        return self.spec.levels[self.spec.index(self.decision.level) :]


def _calm(_: _Told) -> str:
    return NORMAL


def _pending(told: _Told) -> str:
    """The level that would come first, and of several the highest."""
    clocks, zones = told.decision.state.escalation, told.decision.zones
    known = [each for each in reversed(told.above) if each.name in clocks]
    over = [each for each in known if zones.get(each.name) is OVER]
    if not known:
        return "pending"
    level = min(over or known, key=lambda each: (each.for_ or 0.0) - clocks[each.name].seconds)
    run = f"{show_length(clocks[level.name].seconds)} of {show_length(level.for_ or 0.0)}"
    if over:
        return f"{told.cause(OVER, level.name)} for {run}, then {level.name}"
    return f"{told.cause(zones[level.name], level.name)}; {level.name} stands at {run}"


def _escalated(told: _Told) -> str:
    return _lasted(told, told.decision.level, OVER)


def _recovered(told: _Told) -> str:
    return _lasted(told, told.decision.before, UNDER)


def _lasted(told: _Told, level: str, zone: Zone) -> str:
    lasted = told.decision.lasted
    return told.cause(zone, level) + (f" for {show_length(lasted)}" if lasted > 0 else "")


def _holding(told: _Told) -> str:
    level, clock = told.decision.level, told.decision.state.recovery
    zone = told.decision.zones.get(level)
    if zone is not BETWEEN:
        return told.cause(OVER, level) or "holds"
    stands = f"; recovery stands at {_recovery(told)}" if clock.seconds > 0 else ""
    return f"{told.cause(BETWEEN, level)}{stands}"


def _recovering(told: _Told) -> str:
    below = told.decision.state.below
    next_lower = below[-1] if below else NORMAL
    return f"{told.cause(UNDER, told.decision.level)} for {_recovery(told)}, then {next_lower}"


def _recovery(told: _Told) -> str:
    """`2m of 5m`."""
    state, spec = told.decision.state, told.spec
    after = recover_after(spec.levels[spec.index(state.level) - 1], state.relapses, spec.recovery)
    return f"{show_length(state.recovery.seconds)} of {show_length(after)}"


def _settling(told: _Told) -> str:
    start = told.decision.state.settle_from
    return f"settling until {show_second((told.now if start is None else start) + told.spec.settle)}"


def _blind(told: _Told) -> str:
    since = told.decision.state.blind_since
    unseen = told.cause(UNKNOWN, told.decision.level, *(each.name for each in told.above))
    return f"BLIND since {show_minute(told.now if since is None else since, told.now)}: {unseen}; holds"


def _giving_back(told: _Told) -> str:
    return f"giving back: {told.owed} left" if told.owed else "giving back"


def _level_removed(told: _Told) -> str:
    return f"{told.decision.before} is not in the spec any more; {told.decision.level} holds"


def _override_ended(told: _Told) -> str:
    return f"no override asks for {told.decision.before} any more; {told.decision.level} holds"


def _adopted(told: _Told) -> str:
    return f"{told.decision.level} is what is held, and holds"


_SENTENCES: dict[DecisionReason, Callable[[_Told], str]] = {
    DecisionReason.CALM: _calm,
    DecisionReason.PENDING: _pending,
    DecisionReason.ESCALATED: _escalated,
    DecisionReason.HOLDING: _holding,
    DecisionReason.RECOVERING: _recovering,
    DecisionReason.RECOVERED: _recovered,
    DecisionReason.SETTLING: _settling,
    DecisionReason.BLIND: _blind,
    DecisionReason.GIVING_BACK: _giving_back,
    DecisionReason.LEVEL_REMOVED: _level_removed,
    DecisionReason.OVERRIDE_ENDED: _override_ended,
    DecisionReason.ADOPTED: _adopted,
}
