"""The clocks: how long a level's zone has lasted.

Time counts only between two successive ticks of the same zone that are at most two intervals apart, and never
backwards; otherwise a clock stands still.
"""

from dataclasses import replace

from brownout.decide.model import Dwell, Zone
from brownout.decide.zones import BETWEEN, OVER, UNDER, UNKNOWN
from brownout.ledger.entries import Instant

ZERO = Dwell()
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
        return clock if now == clock.at else Dwell(seconds=clock.seconds + now - clock.at, zone=OVER, at=now)
    still = clock.still + max(0.0, now - clock.at)
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
        ran = now - clock.at if _counts(clock, UNDER, interval, now) else 0.0
        return Dwell(seconds=clock.seconds + ran, zone=UNDER, at=now)
    if clock.seconds == 0:
        return ZERO
    if zone is BETWEEN:
        return Dwell(seconds=clock.seconds, zone=BETWEEN, at=now)
    unknown = clock.still + max(0.0, now - clock.at) if clock.zone is UNKNOWN else 0.0
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
    return replace(clock, seconds=clock.seconds + until - clock.at, at=until)


def _counts(clock: Dwell, zone: Zone, interval: float, now: Instant) -> bool:
    return clock.zone is zone and 0 <= now - clock.at <= _GAP * interval
