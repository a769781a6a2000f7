"""The whole engine on a virtual clock: cluster and signals in memory, all between them as app.py wires it.

What is left out is what needs a socket: kopf, Prometheus, HTTP.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence

from brownout.api.reasons import MissingReason
from brownout.clock import Clock
from brownout.cluster.inbox import Change, Inbox
from brownout.cluster.port import Cluster
from brownout.decide.model import Missing, Reading, Seen
from brownout.observe.access import Unreadable
from brownout.observe.sources import Sources
from brownout.reconcile.engine import Engine
from brownout.report.metrics import Metrics
from brownout.report.recorder import Recorder
from brownout.testing.cluster import InMemoryCluster
from brownout.testing.series import parse_series


class ScriptedSource:
    """A source that says what it is told to, tick by tick; the last word of a series goes on."""

    def __init__(self, clock: Clock, *, interval: float = 10.0) -> None:
        self._clock, self._interval = clock, interval
        self._series: dict[str, tuple[float, Sequence[Seen]]] = {}
        self.evaluations = 0

    def say(self, series: Mapping[str, str]) -> None:
        """From now on, the words of series.py by query; the other queries go on as they are."""
        for query, text in series.items():
            self._series[query] = (self._clock.now(), parse_series(text))

    async def evaluate(self, queries: Sequence[str]) -> Sequence[Seen]:
        self.evaluations += 1
        await asyncio.sleep(0)
        return [self._at(query) for query in queries]

    def _at(self, query: str) -> Seen:
        if query not in self._series:
            return Missing(reason=MissingReason.NO_DATA, message=f"nothing was scripted for {query}")
        since, series = self._series[query]
        now = self._clock.now()
        seen = series[min(int((now - since) // self._interval), len(series) - 1)]
        return Reading(value=seen.value, at=now) if isinstance(seen, Reading) else seen


class VirtualOperator:
    """One life of the operator: start it, then crash or stop it. A cluster outlives any number of them."""

    def __init__(
        self,
        clock: Clock,
        api: InMemoryCluster,
        source: ScriptedSource,
        *,
        cluster: Cluster | None = None,
        give_back_per_minute: int = 0,
        namespaces: Sequence[str] = (),
        watch_delay: float = 0.05,
    ) -> None:
        """`cluster` is how the engine reaches `api`, if not directly; `watch_delay` is how long a change takes to be
        told, in seconds."""
        self._clock, self._api, self._delay = clock, api, watch_delay
        self.deaf = False
        """While True changes are missed, not delayed."""
        self._ended = False
        self._due: deque[tuple[float, Change]] = deque()
        self._heard = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.inbox, self.metrics = Inbox(), Metrics()
        self.recorder = Recorder(cluster or api, clock, self.metrics, instance="virtual")
        self.engine = Engine(
            cluster=cluster or api,
            clock=clock,
            sources=Sources(clock, _no_secrets),
            source=lambda _: source,
            metrics=self.metrics,
            recorder=self.recorder,
            give_back_per_minute=give_back_per_minute,
            namespaces=namespaces,
        )

    def start(self) -> None:
        """Takes in what is there, and begins."""
        self._api.subscribe(self._hear)
        while self._due:
            self.engine.intake.take(self._due.popleft()[1])
        self.engine.intake.begin()
        parts = {
            "watch": self._watch(),
            "inbox": self._take_in(),
            "sweep": self.engine.sweep.run(),
            "events": self.recorder.run(),
        }
        self._tasks = [asyncio.create_task(part, name=name) for name, part in parts.items()]

    def problems(self) -> list[BaseException]:
        """What ended although it should run for ever: a defect."""
        ended = [task for task in self._tasks if task.done() and not task.cancelled()]
        return [error for task in ended if (error := task.exception())] + self.engine.cohorts.failures()

    async def crash(self) -> None:
        """Everything in memory is gone at once; what was being awaited never comes."""
        self._ended = True
        self.engine.cohorts.close()
        passes = [record.work for record in self.engine.store.records.values() if record.work is not None]
        for task in (*self._tasks, *passes):
            task.cancel()
        await asyncio.gather(*self._tasks, *passes, return_exceptions=True)

    async def stop(self, seconds: float = 8.0) -> int:
        """Goes as on SIGTERM; how many passes did not end in time."""
        self.engine.cohorts.close()
        left = await self.engine.reconciler.drain(seconds)
        await self.crash()
        return left

    def _hear(self, change: Change) -> None:
        if not self._ended and not self.deaf:
            self._due.append((self._clock.monotonic() + self._delay, change))
            self._heard.set()

    async def _watch(self) -> None:
        while True:
            while not self._due:
                self._heard.clear()
                await self._heard.wait()
            due, change = self._due.popleft()
            await self._clock.sleep(due - self._clock.monotonic())
            self.inbox.put(change)

    async def _take_in(self) -> None:
        while True:
            for change in await self.inbox.get_batch():
                self.engine.intake.take(change)


async def _no_secrets(name: str, key: str) -> bytes | Unreadable:
    return Unreadable(f"there is no Secret {name} with key {key} here")
