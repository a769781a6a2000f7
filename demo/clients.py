"""Customers who come whether or not they are served, wait a little, and ask again: the fuel of a retry storm."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from random import Random

from prometheus_client import CollectorRegistry, Counter, Histogram

from demo import sizes
from demo.shop import BUCKETS

Send = Callable[[str, float], Awaitable[bool]]
"""One attempt of a client ("web" or "app") with a timeout in seconds; True when it was served in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A customer: when, in seconds from the start, with what client, and the pauses before each retry."""

    at: float
    client: str
    pauses: tuple[float, ...]


def arrivals(seed: int, per_second: float) -> Iterator[Arrival]:
    """Endless Poisson arrivals; the same seed gives the same customers."""
    random = Random(seed)
    at = 0.0
    while True:
        at += random.expovariate(per_second)
        client = "app" if random.random() < sizes.APP_SHARE else "web"
        pauses = tuple(sizes.RETRY_PAUSE * random.uniform(0.5, 1.5) for _ in range(sizes.RETRIES))
        yield Arrival(at=at, client=client, pauses=pauses)


class Clients:
    """Sends each arrival at its moment and counts, in `registry`, distinct customers and not attempts."""

    def __init__(self, send: Send, registry: CollectorRegistry) -> None:
        self._send = send
        self._tasks: set[asyncio.Task[None]] = set()
        self.came = Counter("clients_came", "Customers who came.", registry=registry)
        self.attempts = Counter("clients_attempts", "Requests sent, retries included.", registry=registry)
        self.served = Counter("clients_served", "Customers who were served in time.", registry=registry)
        self.left = Counter("clients_left", "Customers who gave up after their last retry.", registry=registry)
        self.seconds = Histogram(
            "clients_wait_seconds", "From coming to served or leaving.", buckets=BUCKETS, registry=registry
        )

    async def run(self, customers: Iterator[Arrival], start: float) -> None:
        """Send each customer at `start` (loop time) plus its moment, late ones at once; never waits for answers.

        Cancelled, it sends them all away.
        """
        loop = asyncio.get_running_loop()
        try:
            for customer in customers:
                await asyncio.sleep(max(0.0, start + customer.at - loop.time()))
                task = asyncio.create_task(self._visit(customer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _visit(self, customer: Arrival) -> None:
        loop = asyncio.get_running_loop()
        came = loop.time()
        self.came.inc()
        outcome = self.served if await self._served(customer) else self.left
        outcome.inc()
        self.seconds.observe(loop.time() - came)

    async def _served(self, customer: Arrival) -> bool:
        for pause in (0.0, *customer.pauses):
            await asyncio.sleep(pause)
            self.attempts.inc()
            if await self._send(customer.client, sizes.ATTEMPT_TIMEOUT):
                return True
        return False
