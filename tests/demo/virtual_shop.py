"""One shop with its clients and batch workers on the virtual loop: what the demo runs as processes."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from random import Random

from prometheus_client import CollectorRegistry

from demo import sizes
from demo.clients import Clients, arrivals
from demo.pool import Pool
from demo.shop import Shop

BATCH = (("thumbnailer", 0.2, 0.3), *[("reports", 0.5, 0.5)] * 2, *[("export", 0.5, 0.5)] * 2)
"""Workload, seconds of a query, mean pause: as in demo/shop.yaml."""


@dataclass
class VirtualShop:
    """Turn `recommendations` and `working`, as the operator would; `served_part` says how well it goes."""

    seed: int
    recommendations: int = sizes.DEFAULT_RECOMMENDATIONS
    working: int = len(BATCH)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _requests: set[asyncio.Task[int]] = field(default_factory=set)

    async def open(self) -> None:
        registry = CollectorRegistry()
        self.pool = Pool(sizes.POOL_SIZE, sizes.MAX_WAITING)
        self._shop = Shop(self.pool, lambda _: self.recommendations, registry)
        self._clients = Clients(self._send, registry)
        coming = self._clients.run(arrivals(self.seed, sizes.ARRIVALS_PER_SECOND), 0.0)
        workers = [self._work(index) for index in range(len(BATCH))]
        self._tasks = [asyncio.create_task(each) for each in (coming, *workers)]

    async def served_part(self, seconds: float) -> float:
        """Of the customers who came in the next `seconds`, how many were served in them, from 0 to about 1."""
        came, served = self._count()
        await asyncio.sleep(seconds)
        now_came, now_served = self._count()
        return (now_served - served) / (now_came - came)

    async def close(self) -> None:
        for task in (*self._tasks, *self._requests):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._requests, return_exceptions=True)

    def _count(self) -> tuple[float, float]:
        (came,), (served,) = self._clients.came.collect(), self._clients.served.collect()
        return came.samples[0].value, served.samples[0].value

    async def _send(self, client: str, timeout: float) -> bool:
        request = asyncio.create_task(self._shop.checkout(client))
        self._requests.add(request)
        request.add_done_callback(self._requests.discard)
        try:
            return await asyncio.wait_for(asyncio.shield(request), timeout) == 200
        except TimeoutError:
            return False

    async def _work(self, index: int) -> None:
        name, seconds, pause = BATCH[index]
        random = Random(index)
        for _ in itertools.count():
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))
            if index < self.working:
                await self._shop.batch(name, seconds)
