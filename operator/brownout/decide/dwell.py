"""The clocks: how long a level's zone has lasted.

Time counts only between two successive ticks of the same zone that are at most two intervals apart, and never
backwards; otherwise a clock stands still.
"""

from dataclasses import replace

from brownout.decide.model import Dwell, Zone
from brownout.decide.zones import BETWEEN, OVER, UNDER, UNKNOWN
from brownout.ledger.entries import Instant

ZERO = Dwell()
_MILLISECOND = 0.001
"""What instants are exact to."""
_GAP = 2
"""The intervals between two ticks over which time still counts: one missed tick, or a quick restart."""


def escalation(clock: Dwell | None, zone: Zone, *, lasts: float, interval: float, now: Instant) -> Dwell | None:
    """The clock of a level above the current one after a tick in `zone`; None stands for zero.

    Runs in Over, stands still in Between and Unknown, is zero in Under or once it has stood still longer than `lasts`
    (the level's `for`). Seconds all.
    """
    start = Dwell(zone=OVER, at=now) if zone is OVER else None
    if clock is None or zone is UNDER:
        return start
    if zone is OVER and _counts(clock, OVER, interval, now):
        return clock if now == clock.at else Dwell(seconds=_plus(clock.seconds, clock.at, now), zone=OVER, at=now)
    still = _plus(clock.still, clock.at, now)
    if still > lasts or (clock.seconds == 0 and zone is not OVER):
        return start
    return Dwell(seconds=clock.seconds, still=still, zone=zone, at=now)


def recovery(clock: Dwell, zone: Zone, *, interval: float, now: Instant) -> Dwell:
    """The clock of the current level after a tick in `zone`.

    Runs in Under, stands still in Between and Unknown, is zero in Over and after Unknown for longer than two
    intervals. `still` is the time it has been Unknown.
    """
    if zone is OVER:
        return ZERO
    if zone is UNDER:
        counts = _counts(clock, UNDER, interval, now)
        return Dwell(seconds=_plus(clock.seconds, clock.at, now) if counts else clock.seconds, zone=UNDER, at=now)
    if clock.seconds == 0:
        return ZERO
    if zone is BETWEEN:
        return Dwell(seconds=clock.seconds, zone=BETWEEN, at=now)
    unknown = _plus(clock.still, clock.at, now) if clock.zone is UNKNOWN else 0.0
    return ZERO if unknown > _GAP * interval else Dwell(seconds=clock.seconds, still=unknown, zone=UNKNOWN, at=now)


def anchored(clock: Dwell, now: Instant) -> Dwell:
    """The clock as if its last tick were now and said nothing: the time before is neither run nor stood still."""
    return replace(clock, zone=UNKNOWN, at=now)


def carried(clock: Dwell, running: Zone, until: Instant | None) -> Dwell:
    """A clock that ran in `running` when it was last written down, taken on to `until`, when it was last known to tick.

    For a clock whose every change of zone is written down at once.
    """
    if until is None or clock.zone is not running or until <= clock.at:
        return clock
    return replace(clock, seconds=_plus(clock.seconds, clock.at, until), at=until)


def _counts(clock: Dwell, zone: Zone, interval: float, now: Instant) -> bool:
    return clock.zone is zone and clock.at <= now <= clock.at + _GAP * interval + _MILLISECOND


def _plus(seconds: float, since: Instant, now: Instant) -> float:
    """`seconds` and the time from `since` to `now`, never negative, to the millisecond.

    Seconds since 1970 in a float are exact to a quarter of a microsecond only: unrounded, three intervals of 10 s can
    be 29.9999998 s, and cost a tick more.
    """
    return round(seconds + max(0.0, now - since), 3)
