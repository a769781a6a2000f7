"""Policies with the same source and interval tick together: one batch of distinct queries for all of them."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeAlias

from brownout.clock import Clock
from brownout.decide.model import Seen
from brownout.ledger.entries import Instant
from brownout.observe.source import Source
from brownout.reconcile.record import Record
from brownout.reconcile.source_fault import Fault
from brownout.report.metrics import Metrics

Key: TypeAlias = tuple[str, float]
"""Source and interval."""
Tick: TypeAlias = Callable[[Record, Mapping[str, Seen], str, Instant], None]

GATHER = 0.05
"""Seconds in which new policies are gathered, so that a thousand that appear together cost one batch."""


class Cohorts:
    """All cohorts; each runs while it has members."""

    def __init__(self, clock: Clock, source: Callable[[str], Source], tick: Tick, metrics: Metrics) -> None:
        self._clock, self._source, self._tick, self._metrics = clock, source, tick, metrics
        self._cohorts: dict[Key, _Cohort] = {}
        self._of: dict[tuple[str, str], Key] = {}

    def place(self, record: Record) -> None:
        """Puts a policy where its spec says, or moves it; it is looked at at once and not only at the next tick."""
        if record.spec is None:
            return
        key = (record.spec.source_ref.name, record.spec.interval)
        if self._of.get(_name(record)) != key:
            self.remove(record)
        if key not in self._cohorts:
            self._cohorts[key] = _Cohort(key, self._clock, self._source, self._tick, self._metrics)
        self._of[_name(record)] = key
        self._cohorts[key].add(record)

    def remove(self, record: Record) -> None:
        """A policy is gone, or moves; the last one ends its cohort."""
        key = self._of.pop(_name(record), None)
        if key is not None and self._cohorts[key].discard(record):
            self._cohorts.pop(key).close()

    def failures(self) -> list[BaseException]:
        """What ended a cohort that should be running: a defect."""
        tasks = [cohort.task for cohort in self._cohorts.values()]
        return [error for task in tasks if task.done() and not task.cancelled() and (error := task.exception())]

    def close(self) -> None:
        for cohort in self._cohorts.values():
            cohort.close()


def _name(record: Record) -> tuple[str, str]:
    return record.about.namespace, record.about.name


class _Cohort:
    def __init__(self, key: Key, clock: Clock, source: Callable[[str], Source], tick: Tick, metrics: Metrics) -> None:
        self._name, self._interval = key
        self._clock, self._source, self._tick, self._metrics = clock, source, tick, metrics
        self._members: dict[tuple[str, str], Record] = {}
        self._new: dict[tuple[str, str], Record] = {}
        self._arrived = asyncio.Event()
        self._fault = Fault(self._name)
        self._offset: float | None = None
        self.task = asyncio.create_task(self._run(), name=f"cohort {self._name} {self._interval:g}s")

    def add(self, record: Record) -> None:
        self._members[_name(record)] = record
        self._new[_name(record)] = record
        self._arrived.set()

    def discard(self, record: Record) -> bool:
        """Whether nobody is left."""
        self._members.pop(_name(record), None)
        self._new.pop(_name(record), None)
        return not self._members

    def close(self) -> None:
        self.task.cancel()

    async def _run(self) -> None:
        due = self._clock.monotonic() + GATHER
        while True:
            if not await self._arrived_before(due):
                self._metrics.late(max(0.0, self._clock.monotonic() - due))
                self._new.clear()
                await self._evaluate(list(self._members.values()), self._instant(due), whole=True)
                # A tick that took longer than the interval is followed by the next at once, never by two.
                due = max(due + self._interval, self._clock.monotonic())
            elif self._new:
                await self._clock.sleep(GATHER)
                if due - self._clock.monotonic() < GATHER:
                    continue
                new, self._new = list(self._new.values()), {}
                await self._evaluate(new, round(self._clock.now(), 3), whole=False)

    def _instant(self, due: float) -> Instant:
        """The time of a tick: when it was due, to the millisecond that a status keeps.

        What lasts three intervals must reach `for: 30s` at the third tick, however late each started; so ticks are
        spaced exactly, and follow the wall clock only where that has moved by more than a twentieth of an interval.
        """
        offset = self._clock.now() - self._clock.monotonic()
        if self._offset is None or abs(offset - self._offset) > self._interval / 20:
            self._offset = offset
        return round(due + self._offset, 3)

    async def _arrived_before(self, due: float) -> bool:
        """Waits for new members until a tick is due; whether any came."""
        wait = due - self._clock.monotonic()
        if wait <= 0:
            return False
        arrived = asyncio.ensure_future(self._arrived.wait())
        slept = asyncio.ensure_future(self._clock.sleep(wait))
        try:
            await asyncio.wait({arrived, slept}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            arrived.cancel()
            slept.cancel()
        came = self._arrived.is_set()
        self._arrived.clear()
        return came

    async def _evaluate(self, records: list[Record], now: Instant, *, whole: bool) -> None:
        queries = list(
            dict.fromkeys(
                signal.query for record in records if record.spec is not None for signal in record.spec.signals
            )
        )
        answers = await self._source(self._name).evaluate(queries) if queries else []
        seen = dict(zip(queries, answers, strict=True))
        if whole:
            self._fault.observe(seen)
        loop = asyncio.get_running_loop()
        for record in records:
            if self._members.get(_name(record)) is record and record.spec is not None:
                signals = [signal for signal in record.spec.signals if signal.query in seen]
                told = {each.name: seen[each.query] for each in signals}
                # In a callback of its own: a defect that one policy brings to light is logged, and stops no other.
                loop.call_soon(self._tick, record, told, self._fault.sentence, now)
