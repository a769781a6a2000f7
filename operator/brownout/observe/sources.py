"""All sources by name: built when declared, renewed when their settings or secrets change, closed when gone."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from brownout.api.reasons import MissingReason
from brownout.api.source import SourceObject
from brownout.clock import Clock
from brownout.decide.model import Missing, Seen
from brownout.observe.access import ReadSecret
from brownout.observe.live import SourceHealth
from brownout.observe.renewing import RenewingSource
from brownout.observe.source import Source

OnSourceRequest: TypeAlias = Callable[[str, float, str], None]
"""(source, seconds, outcome) of each request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReadiness:
    """What a PrometheusSource's status says: condition `Ready` with `observedGeneration`, and the version."""

    name: str
    generation: int
    ready: bool
    reason: str
    message: str
    version: str
    at: float


class MissingSource:
    """Answers for a source that is not there."""

    def __init__(self, name: str) -> None:
        message = f"no PrometheusSource named {name}: create it or set spec.sourceRef.name"
        self._missing = Missing(reason=MissingReason.SOURCE_MISSING, message=message)

    async def evaluate(self, queries: Sequence[str]) -> Sequence[Seen]:
        return [self._missing] * len(queries)


class Sources:
    """The registry. `declare` as often as the cluster changes; `source` at each tick."""

    def __init__(self, clock: Clock, read_secret: ReadSecret, on_request: OnSourceRequest | None = None) -> None:
        self._clock, self._read_secret, self._on_request = clock, read_secret, on_request
        self._declared: dict[str, SourceObject] = {}
        self._sources: dict[str, RenewingSource] = {}

    def declare(self, declared: Iterable[SourceObject]) -> None:
        """Makes these all the sources there are; one whose spec is the same goes on as it is."""
        wanted = {one.name: one for one in declared}
        for name in sorted(self._sources.keys() - wanted.keys()):
            self._sources.pop(name).close()
        for name, one in wanted.items():
            before = self._declared.get(name)
            if before is not None and before.spec != one.spec:
                self._sources.pop(name).close()
            if name not in self._sources:
                self._sources[name] = self._built(one)
        self._declared = wanted

    def source(self, name: str) -> Source:
        """The source of that name, or one that says that there is none."""
        return self._sources.get(name) or MissingSource(name)

    async def check(self, name: str) -> SourceReadiness | None:
        """Asks the source whether it answers; None if it is not declared, or no longer so when it has answered."""
        declared, source = self._declared.get(name), self._sources.get(name)
        if declared is None or source is None:
            return None
        health = await source.check()
        return self._readiness(declared, health) if self._sources.get(name) is source else None

    async def check_all(self) -> Sequence[SourceReadiness]:
        """All sources at once, in the order of their names."""
        found = await asyncio.gather(*(self.check(name) for name in sorted(self._declared)))
        return [one for one in found if one is not None]

    def close(self) -> None:
        """Ends everything in flight."""
        self.declare(())

    def _built(self, declared: SourceObject) -> RenewingSource:
        told = partial(self._on_request, declared.name) if self._on_request else None
        return RenewingSource(declared.name, declared.spec, self._clock, self._read_secret, told)

    def _readiness(self, declared: SourceObject, health: SourceHealth) -> SourceReadiness:
        return SourceReadiness(
            name=declared.name,
            generation=self._declared[declared.name].generation,
            ready=health.ready,
            reason=health.reason,
            message=health.message,
            version=health.version or "",
            at=self._clock.now(),
        )
