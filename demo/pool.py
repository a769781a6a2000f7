"""A bounded connection pool with a bounded first-come-first-served queue: the thing that saturates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class PoolFullError(Exception):
    """The queue of the pool is full: nobody else may wait."""


class Pool:
    """`size` connections; at most `max_waiting` callers wait for one. `slow` stretches every query."""

    def __init__(self, size: int, max_waiting: int) -> None:
        self.size = size
        self.max_waiting = max_waiting
        self.slow = 1.0
        self.in_use = 0
        self.waiting = 0
        self._free = asyncio.Semaphore(size)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[None]:
        """Hold one connection. Raises PoolFullError at once when too many wait already."""
        if self.waiting >= self.max_waiting:
            raise PoolFullError
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        self.in_use += 1
        try:
            yield
        finally:
            self.in_use -= 1
            self._free.release()

    async def query(self, seconds: float) -> None:
        """Keep the connection that the caller holds busy for `seconds`, longer while the database is slow."""
        await asyncio.sleep(seconds * self.slow)
