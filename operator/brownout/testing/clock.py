"""A clock that stands still until it is told to go on."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable

START = 1_800_000_000.0
"""2027-01-15 08:00:00 UTC."""


class VirtualClock:
    """A Clock for tests: time passes in `advance` only, sleepers wake in the order of their times, ids are counted.

    Two runs with the same seed see the same times and ids.
    """

    def __init__(self, start: float = START, *, seed: int = 0) -> None:
        self._start = start
        self._now = start
        self._seed = seed
        self._ids = itertools.count(1)
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now - self._start

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        await woken

    def take_id(self) -> str:
        return f"take-{self._seed}-{next(self._ids)}"

    async def advance(self, seconds: float) -> None:
        """Lets `seconds` pass: everything that is due in them runs, at its own time, until nothing is left to do."""
        until = self._now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            when, _, woken = heapq.heappop(self._sleepers)
            if woken.done():
                continue
            self._now = max(self._now, when)
            woken.set_result(None)
            await settle()
        self._now = until
        await settle()

    async def run(self, work: Awaitable[object], *, within: float = 3600.0, step: float = 1.0) -> None:
        """Advances until `work` is done; TimeoutError if it is not done `within` seconds."""
        task = asyncio.ensure_future(work)
        until = self._now + within
        while not task.done() and self._now < until:
            await self.advance(step)
        if not task.done():
            task.cancel()
            raise TimeoutError(f"not done after {within:g} s")
        await task


async def settle() -> None:
    """Runs the loop until nothing in it is ready; what waits for a socket or a thread is not waited for."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110 - the loop itself is what is waited for
        await asyncio.sleep(0)
