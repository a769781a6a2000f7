"""One declared source over its life: its secrets are read, read again, and a changed one puts a new client in place."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from brownout.api.reasons import MissingReason
from brownout.api.source import SourceSpec
from brownout.clock import Clock
from brownout.decide.model import Missing, Seen
from brownout.observe.access import Access, ReadSecret, Unreadable, read_access
from brownout.observe.door import OnRequest, untold
from brownout.observe.live import LiveSource, SourceHealth
from brownout.observe.register import Register

RENEW = 180.0
"""Seconds between two readings of the Secrets."""
RENEW_SOON = 10.0
"""The same after the source has refused our credentials, or while a Secret cannot be read."""


class RenewingSource:
    """Implements `Source`. Secrets that cannot be read again leave the last good ones in use."""

    def __init__(
        self, name: str, spec: SourceSpec, clock: Clock, read_secret: ReadSecret, on_request: OnRequest | None = None
    ) -> None:
        self._name, self._spec, self._clock, self._read_secret = name, spec, clock, read_secret
        self._on_request = on_request or untold
        self._register = Register()
        self._access: Access | None = None
        self._live: LiveSource | None = None
        self._problem: Unreadable | None = None
        self._read_at: float | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._retired: list[LiveSource] = []
        self._closed = False

    async def evaluate(self, queries: Sequence[str]) -> Sequence[Seen]:
        """One Seen for each query, in order, within `spec.timeout`."""
        begun = self._clock.monotonic()
        live = await self._ready()
        if isinstance(live, Missing):
            return [live] * len(queries)
        left = max(0.001, self._spec.timeout - (self._clock.monotonic() - begun))
        return await live.answer(queries, left)

    async def check(self) -> SourceHealth:
        """Whether the source answers, within about twice `spec.timeout`."""
        live = await self._ready()
        if isinstance(live, Missing):
            return SourceHealth(ready=False, reason=live.reason, message=live.message)
        health = await live.check(self._spec.timeout)
        notes = [f"warns: {text}" for text in live.warnings[:1]]
        if self._problem is not None:
            notes.append(f"{self._problem.message}; the one read before is still in use")
        return replace(health, message="; ".join([health.message, *notes]))

    def close(self) -> None:
        """Ends what is in flight."""
        self._closed = True
        if self._renewal is not None:
            self._renewal.cancel()
        for live in [*self._retired, *([self._live] if self._live else [])]:
            live.close()
        self._retired, self._live = [], None

    async def _ready(self) -> LiveSource | Missing:
        if self._due() and (self._renewal is None or self._renewal.done()):
            self._renewal = asyncio.get_running_loop().create_task(self._renew())
        if self._live is None and self._renewal is not None:
            await asyncio.wait([self._renewal], timeout=self._spec.timeout / 2)
        return self._live or self._missing()

    def _due(self) -> bool:
        if self._closed:
            return False
        if self._read_at is None:
            return True
        doubtful = self._live is None or self._problem is not None or self._live.unauthorised
        return self._clock.monotonic() - self._read_at >= (RENEW_SOON if doubtful else RENEW)

    async def _renew(self) -> None:
        self._read_at = self._clock.monotonic()
        access = await read_access(self._spec, self._read_secret)
        self._problem = access if isinstance(access, Unreadable) else None
        if isinstance(access, Access) and access != self._access:
            self._replace(access)

    def _replace(self, access: Access) -> None:
        if self._live is not None:
            self._retired.append(self._live)
            # Ticks of other cohorts may be under way: they end first.
            asyncio.get_running_loop().call_later(2 * self._spec.timeout, self._retire, self._live)
        self._access = access
        self._live = LiveSource(self._name, self._spec, access, self._clock, self._register, self._on_request)

    def _retire(self, live: LiveSource) -> None:
        if live in self._retired:
            self._retired.remove(live)
            live.close()

    def _missing(self) -> Missing:
        why = self._problem.message if self._problem else "its Secrets have not been read yet"
        return Missing(reason=MissingReason.SOURCE_DOWN, message=f"source {self._name}: {why}")
