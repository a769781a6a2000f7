"""Events that repeat become one series; what is remembered for that, and how fast one object may speak, is bounded."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeAlias

from brownout.ledger.entries import Instant
from brownout.report.events import Event

WINDOW = 360.0
"""Seconds of silence that end a series, as client-go has it (tools/events, finishTime)."""
BURST = 25.0
"""Events that one object may bring at once, as client-go has it (tools/record, defaultSpamBurst)."""
REFILL = 1 / 60
"""Events a second and object after a burst. client-go's one in five minutes would hide an escalation."""
MOST_REMEMBERED = 4096
"""Series and objects; the longest unused is forgotten first."""

Key: TypeAlias = tuple[str, str, str, str, str]


@dataclass(slots=True)
class Series:
    """One event and its repetitions.

    `waiting` to be sent, with whatever count it has then; `created` once the API server has it; `over` once what comes
    next starts another series.
    """

    event: Event
    name: str
    first: Instant
    last: Instant
    count: int = 1
    waiting: bool = False
    created: bool = False
    over: bool = False


class SeriesBook:
    """Which events are repetitions of which."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._series: OrderedDict[Key, Series] = OrderedDict()

    def repeated(self, event: Event, now: Instant) -> Series | None:
        """The series that the event continues, counted; None if it starts one."""
        series = self._series.get(_key(event))
        if series is None or series.over or now - series.last > WINDOW:
            return None
        series.count, series.last = series.count + 1, now
        self._series.move_to_end(_key(event))
        return series

    def start(self, event: Event, name: str, now: Instant) -> Series:
        """A new series, of one."""
        series = Series(event=event, name=name, first=now, last=now)
        self._series[_key(event)] = series
        self._series.move_to_end(_key(event))
        while len(self._series) > self._most:
            self._series.popitem(last=False)
        return series

    def __len__(self) -> int:
        return len(self._series)


class Buckets:
    """A token bucket for each object."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._left: OrderedDict[str, tuple[float, Instant]] = OrderedDict()

    def take(self, uid: str, now: Instant) -> bool:
        """Whether the object may speak once more."""
        tokens, at = self._left.get(uid, (BURST, now))
        tokens = min(BURST, tokens + max(0.0, now - at) * REFILL)
        granted = tokens >= 1
        self._left[uid] = (tokens - granted, now)
        self._left.move_to_end(uid)
        while len(self._left) > self._most:
            self._left.popitem(last=False)
        return granted

    def __len__(self) -> int:
        return len(self._left)


def is_told(count: int) -> bool:
    """Whether a series that has come to `count` is written: at 2, 4, 8, ... so that it costs little for ever."""
    return count >= 2 and count & (count - 1) == 0


def _key(event: Event) -> Key:
    related = event.related.uid if event.related else ""
    return event.regarding.uid, event.reason, event.action, event.topic, related
