"""What deciding remembers, in the status and back: a restart loses no time, and nothing in a status makes it jump."""

import math
from collections.abc import Mapping

from brownout.api.instants import parse_instant, show_instant
from brownout.api.policy import NORMAL, PolicySpec
from brownout.api.status import DwellStatus, PendingStatus, PolicyStatus, RecoveryStatus, RelapseStatus
from brownout.decide.dwell import ZERO, anchored, carried
from brownout.decide.model import Dwell, Relapse, State, Zone
from brownout.decide.zones import OVER, UNDER
from brownout.ledger.entries import Instant

_NOTHING = RecoveryStatus()


def remembered(status: PolicyStatus, spec: PolicySpec, now: Instant, *, alive_until: Instant | None = None) -> State:
    """The state that `status` tells of; a fresh one at Normal if it tells nothing.

    `alive_until` is when whoever wrote it was last known to be at work (its Lease's last renewal), if that is known:
    each change of a clock's zone is written at once, so the clocks ran until then. Times that lie ahead count as now.
    """
    recovery = status.recovery or _NOTHING
    level = status.level or NORMAL
    since = _past(status.since, now)
    settle_from = _past(recovery.settle_from, now)
    until = None if settle_from is not None or alive_until is None else min(alive_until, now)
    clock = recovery.clock
    return State(
        level=level,
        since=now if since is None else since,
        below=recovery.below,
        escalation=_escalation(status, spec, level, now, until),
        recovery=carried(_clock(clock, now), UNDER, until) if clock and clock.level == level else ZERO,
        settle_from=settle_from,
        giving_back=recovery.giving_back,
        relapses={
            each.level: Relapse(count=max(0, each.count), left_at=_past(each.left_at, now))
            for each in recovery.relapses
        },
        normal_since=_past(recovery.normal_since, now),
        blind_since=_past(recovery.blind_since, now),
    )


def to_status(state: State) -> tuple[PendingStatus | None, RecoveryStatus | None]:
    """What of a state must outlive a restart besides its level and since when; None for a part with nothing in it."""
    clocks = tuple(_dwell_status(level, clock) for level, clock in state.escalation.items())
    recovery = RecoveryStatus(
        clock=None if state.recovery == ZERO else _dwell_status(state.level, state.recovery),
        giving_back=state.giving_back,
        settle_from=_shown(state.settle_from),
        normal_since=_shown(state.normal_since),
        blind_since=_shown(state.blind_since),
        below=state.below,
        relapses=tuple(
            RelapseStatus(level=level, count=each.count, left_at=_shown(each.left_at))
            for level, each in state.relapses.items()
        ),
    )
    return PendingStatus(clocks=clocks) if clocks else None, None if recovery == _NOTHING else recovery


def _escalation(
    status: PolicyStatus, spec: PolicySpec, level: str, now: Instant, until: Instant | None
) -> Mapping[str, Dwell]:
    higher = {each.name for each in spec.levels[spec.index(level) :]}
    clocks = status.pending.clocks if status.pending else ()
    return {each.level: carried(_clock(each, now), OVER, until) for each in clocks if each.level in higher}


def _clock(status: DwellStatus, now: Instant) -> Dwell:
    """A clock whose time cannot be read stands still until the next tick; a zone that cannot is Unknown."""
    zone = next((each for each in Zone if each == status.zone), Zone.UNKNOWN)
    at = _past(status.at, now)
    clock = Dwell(seconds=_length(status.seconds), still=_length(status.still), zone=zone, at=now if at is None else at)
    return anchored(clock, now) if at is None else clock


def _length(seconds: float) -> float:
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _past(text: str | None, now: Instant) -> Instant | None:
    at = parse_instant(text)
    return None if at is None else min(at, now)


def _shown(at: Instant | None) -> str | None:
    return None if at is None else show_instant(at)


def _dwell_status(level: str, clock: Dwell) -> DwellStatus:
    return DwellStatus(
        level=level, seconds=clock.seconds, still=clock.still, zone=clock.zone, at=show_instant(clock.at)
    )
