"""Giving back is paced: the last taken goes first, a wave at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from brownout.api.refs import Target
from brownout.ledger.entries import Instant

PATIENCE = 120.0
"""Seconds after which the next wave does not wait for the last one any longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A target that is still held and no longer wanted; `order` is its action's place in the spec."""

    target: Target
    taken_at: Instant
    order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """The targets given back together, and since when; `overdue` are those of earlier waves that are still owed."""

    targets: tuple[Target, ...]
    since: Instant
    overdue: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waves:
    """What may be given back now, in this order, and the wave to hand in next time; None: nothing is owed any more."""

    now: tuple[Target, ...]
    wave: Wave | None

    @property
    def ended(self) -> bool:
        """Whether the last wave is over. Targets that are overdue are still tried, and hold up no further step down."""
        return self.wave is None or not self.wave.targets


def next_wave(
    owed: Sequence[Owed], wave: Wave | None, available: Callable[[Target], bool], size: int, now: Instant
) -> Waves:
    """Which of `owed` (in the order of taking where time and action are equal) may be given back at `now`.

    `wave` is the last one (None after an escalation: what it gave back was taken again); `available` says of a target
    that was given back whether it is itself again. `size` is the number of targets in a wave.
    """
    order = _last_taken_first(owed)
    if wave is not None and not _over(wave, order, available, now):
        return _allowed(order, Wave(targets=wave.targets, since=min(wave.since, now), overdue=wave.overdue))
    earlier = {*wave.targets, *wave.overdue} if wave is not None else set()
    fresh = tuple(each for each in order if each not in earlier)[:size]
    overdue = tuple(each for each in order if each in earlier)
    return _allowed(order, Wave(targets=fresh, since=now, overdue=overdue) if fresh or overdue else None)


def _last_taken_first(owed: Sequence[Owed]) -> tuple[Target, ...]:
    taken = sorted(owed, key=lambda each: (each.taken_at, each.order))
    return tuple(dict.fromkeys(each.target for each in reversed(taken)))


def _over(wave: Wave, owed: Sequence[Target], available: Callable[[Target], bool], now: Instant) -> bool:
    if now - wave.since >= PATIENCE:
        return True
    return all(each not in owed and available(each) for each in wave.targets)


def _allowed(order: Sequence[Target], wave: Wave | None) -> Waves:
    if wave is None:
        return Waves(now=(), wave=None)
    may = {*wave.targets, *wave.overdue}
    return Waves(now=tuple(each for each in order if each in may), wave=wave)
