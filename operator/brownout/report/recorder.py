"""Writes events (events.k8s.io/v1) from a bounded queue, by one task: nobody ever waits for an event."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Any

from brownout.api.refs import Target
from brownout.clock import Clock
from brownout.cluster.kinds import EVENT
from brownout.cluster.port import UNANSWERED, Answer, Cluster, Content
from brownout.ledger import gojson
from brownout.ledger.entries import TAKING_MANAGER
from brownout.report.events import Event
from brownout.report.metrics import Metrics
from brownout.report.series import Buckets, Series, SeriesBook, is_told
from brownout.report.text import cut, cut_bytes, show_micro_time

CONTROLLER = "brownout.dev/operator"
WAITING = 1024
"""Events that may wait for the API server; later ones are dropped and counted."""
WRITE_TIMEOUT = 5.0
_WORD = 128
_NAME = 200


class Dropped(StrEnum):
    """Why an event was not written."""

    RATE_LIMITED = "RateLimited"
    QUEUE_FULL = "QueueFull"
    FORBIDDEN = "Forbidden"
    """The right is missing, or the namespace is terminating."""
    UNANSWERED = "Unanswered"
    REFUSED = "Refused"


class Recorder:
    """`record` at any time from the loop that `run` runs in; `run` until cancelled; `flush` before stopping."""

    def __init__(self, cluster: Cluster, clock: Clock, metrics: Metrics, *, instance: str) -> None:
        """`instance` names this process, such as its pod."""
        self._cluster = cluster
        self._clock = clock
        self._metrics = metrics
        self._instance = cut_bytes(instance, _WORD)
        self._series = SeriesBook()
        self._buckets = Buckets()
        self._waiting: asyncio.Queue[Series] = asyncio.Queue(maxsize=WAITING)

    def record(self, *events: Event) -> None:
        """Returns at once. What repeats is counted, what is too much is dropped and counted in a metric."""
        now = self._clock.now()
        for event in events:
            series = self._series.repeated(event, now)
            if series is None:
                self._start(event, now)
            elif is_told(series.count):
                self._enqueue(series)

    async def run(self) -> None:
        """Writes what is recorded, one at a time, each within WRITE_TIMEOUT."""
        while True:
            series = await self._waiting.get()
            try:
                await self._write(series)
            finally:
                self._waiting.task_done()

    async def flush(self, timeout: float) -> int:
        """Waits until all is written, at most `timeout` seconds; how many still wait."""
        try:
            async with asyncio.timeout(timeout):
                await self._waiting.join()
        except TimeoutError:
            return self._waiting.qsize()
        return 0

    def _start(self, event: Event, now: float) -> None:
        if not self._buckets.take(event.regarding.uid, now):
            self._metrics.event_dropped(Dropped.RATE_LIMITED)
            return
        base = event.regarding.name[:_NAME].rstrip(".-")
        series = self._series.start(event, f"{base}.{self._clock.take_id()[:16]}", now)
        self._enqueue(series)
        series.over = not series.waiting

    def _enqueue(self, series: Series) -> None:
        if series.waiting:
            return
        try:
            self._waiting.put_nowait(series)
            series.waiting = True
        except asyncio.QueueFull:
            self._metrics.event_dropped(Dropped.QUEUE_FULL)

    async def _write(self, series: Series) -> None:
        series.waiting = False
        answer = await (self._continue(series) if series.created else self._create(series))
        if answer.ok:
            series.created = True
            self._metrics.event_written()
            return
        series.over = True
        self._metrics.event_dropped(_why_dropped(answer))

    async def _create(self, series: Series) -> Answer:
        return await self._cluster.create(
            EVENT,
            _namespace(series.event.regarding),
            body_of(series, self._instance),
            manager=TAKING_MANAGER,
            timeout=WRITE_TIMEOUT,
        )

    async def _continue(self, series: Series) -> Answer:
        return await self._cluster.patch(
            EVENT,
            _namespace(series.event.regarding),
            series.name,
            gojson.encode({"series": _counted(series)}),
            Content.MERGE_PATCH,
            manager=TAKING_MANAGER,
            timeout=WRITE_TIMEOUT,
        )


def body_of(series: Series, instance: str) -> dict[str, Any]:
    """The event as it is created, cut to the API's bounds; `series` only from the second on, as the API demands."""
    event = series.event
    body: dict[str, Any] = {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"name": series.name, "namespace": _namespace(event.regarding)},
        "eventTime": show_micro_time(series.first),
        "reportingController": CONTROLLER,
        "reportingInstance": instance,
        "reason": cut(event.reason, _WORD),
        "action": cut(event.action, _WORD),
        "type": event.type,
        "note": cut_bytes(event.note),
        "regarding": _reference(event.regarding),
    }
    if event.related is not None:
        body["related"] = _reference(event.related)
    if series.count >= 2:
        body["series"] = _counted(series)
    return body


def _counted(series: Series) -> dict[str, Any]:
    return {"count": series.count, "lastObservedTime": show_micro_time(series.last)}


def _namespace(regarding: Target) -> str:
    """Events about cluster-scoped objects are only allowed in `default`."""
    return regarding.namespace or "default"


def _reference(target: Target) -> dict[str, str]:
    reference = {"apiVersion": target.api_version, "kind": target.kind, "name": target.name, "uid": target.uid}
    return reference | ({"namespace": target.namespace} if target.namespace else {})


def _why_dropped(answer: Answer) -> Dropped:
    if answer.status == UNANSWERED:
        return Dropped.UNANSWERED
    return Dropped.FORBIDDEN if answer.status == 403 else Dropped.REFUSED
