"""A source that is there: PrometheusSource's settings and secrets made into answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from brownout.api.reasons import MissingReason
from brownout.api.source import SourceSpec
from brownout.clock import Clock
from brownout.decide.model import Missing, Seen
from brownout.observe.access import Access
from brownout.observe.answer import Failed, Raw, Refused
from brownout.observe.batch import LARGEST
from brownout.observe.door import BARE_CAP, BATCH_CAP, Door, OnRequest, untold
from brownout.observe.prometheus import PrometheusClient
from brownout.observe.register import Register
from brownout.observe.tick import Tick, text_of

SMALLEST = 10
"""A source that refuses good batches gets smaller ones, down to this many members; one more again at each good tick."""
_EARLIER = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """Whether a source answers at all, its version if it tells, and both in a sentence."""

    ready: bool
    version: str | None = None
    reason: str
    message: str


class LiveSource:
    """Implements `Source`. Equal expressions, of whichever policies, are asked once per call."""

    def __init__(
        self,
        name: str,
        spec: SourceSpec,
        access: Access,
        clock: Clock,
        register: Register,
        on_request: OnRequest = untold,
    ) -> None:
        client = PrometheusClient(spec, access, clock.monotonic)
        self._name, self._spec, self._clock, self._register = name, spec, clock, register
        self._door = Door(name, client, clock, spec.max_connections, on_request)
        self._largest = LARGEST
        message = f"source {name}: the queries before it took all of spec.timeout"
        self._unasked = Missing(reason=MissingReason.TIMED_OUT, message=message)
        self.unauthorised = False
        """The last evaluation was refused for its credentials: they may have been replaced."""
        self.warnings: tuple[str, ...] = ()
        """What the source warned of at the last evaluation."""

    async def evaluate(self, queries: Sequence[str]) -> Sequence[Seen]:
        """One Seen for each query, in order, within `spec.timeout`."""
        return await self.answer(queries, self._spec.timeout)

    async def answer(self, queries: Sequence[str], seconds: float) -> Sequence[Seen]:
        """The same within so many seconds."""
        now = self._clock.monotonic()
        tick = Tick(register=self._register, now=now)
        spread = 2 * self._spec.max_connections
        tick.begin(self._register.plan(dict.fromkeys(queries), now, largest=self._largest, spread=spread))
        await self._work(tick, seconds)
        self._conclude(tick)
        return [tick.seen.get(query, self._unasked) for query in queries]

    async def check(self, seconds: float) -> SourceHealth:
        """Asks for the version; what has none proves itself with a query."""
        build = await self._door.build(seconds / 2)
        version = _version(build)
        if version is not None:
            return SourceHealth(ready=True, version=version, reason="Answering", message=f"version {version} answers")
        answer = await self._door.query("vector(1)", seconds / 2, BARE_CAP)
        if isinstance(answer, Failed):
            self.unauthorised = self.unauthorised or answer.unauthorised
            return SourceHealth(ready=False, reason=answer.missing.reason, message=answer.missing.message)
        if isinstance(answer, Refused):
            return SourceHealth(ready=False, reason=answer.reason, message=answer.message)
        return SourceHealth(ready=True, reason="Answering", message="answers queries, and tells no version")

    def close(self) -> None:
        """Ends what is in flight."""
        self._door.close()

    async def _work(self, tick: Tick, seconds: float) -> None:
        # Each request ends a little earlier than the whole, so that its outcome still counts.
        end = self._clock.monotonic() + seconds * (1 - _EARLIER)
        workers = min(self._spec.max_connections, len(tick.jobs))
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._worker(tick, end, seconds / 2))
        except TimeoutError:
            return

    async def _worker(self, tick: Tick, end: float, fair: float) -> None:
        while (left := end - self._clock.monotonic()) > 0 and (job := tick.next()) is not None:
            cap = BARE_CAP if isinstance(job, str) else BATCH_CAP
            answer = await self._door.query(text_of(job), left, cap)
            if isinstance(answer, Failed) and left < fair:
                answer = replace(answer, telling=False)
            tick.take(job, answer)

    def _conclude(self, tick: Tick) -> None:
        tick.end()
        self.unauthorised, self.warnings = tick.unauthorised, tick.warnings
        if tick.narrow:
            self._largest = max(SMALLEST, self._largest // 2)
        elif not tick.refused:
            self._largest = min(LARGEST, self._largest + 1)


def _version(build: Raw | Refused | Failed) -> str | None:
    fields = build.fields if isinstance(build, Raw) and build.status == 200 else None
    data = fields.get("data") if fields else None
    version = data.get("version") if isinstance(data, dict) else None
    return version[:60] if isinstance(version, str) and version else None
