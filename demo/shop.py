"""A small shop: checkouts, recommendations behind a flag, and queries of its batch workers, on one pool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from demo import sizes
from demo.pool import Pool, PoolFullError

BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)

RecommendationsFor = Callable[[str], int]
"""How many recommendations a kind of client ("web" or "app") gets: the flag, read at each checkout."""


class Shop:
    """Counts what it does in `registry`; times are seconds of the running event loop."""

    def __init__(self, pool: Pool, recommendations_for: RecommendationsFor, registry: CollectorRegistry) -> None:
        self.pool = pool
        self._recommendations_for = recommendations_for
        self._requests = Counter("http_requests", "Answers.", ["path", "code"], registry=registry)
        self._seconds = Histogram(
            "http_request_duration_seconds", "From request to answer.", ["path"], buckets=BUCKETS, registry=registry
        )
        self._recommended = Counter("shop_recommendations", "Recommendations served.", registry=registry)
        self._batch = Counter("shop_batch_queries", "Batch queries done.", ["workload"], registry=registry)
        self._expose_pool(registry)

    def _expose_pool(self, registry: CollectorRegistry) -> None:
        Gauge("shop_pool_in_use", "Connections in use.", registry=registry).set_function(lambda: self.pool.in_use)
        Gauge("shop_pool_waiting", "Requests waiting.", registry=registry).set_function(lambda: self.pool.waiting)
        Gauge("shop_pool_size", "Connections.", registry=registry).set_function(lambda: self.pool.size)
        Gauge("shop_database_slow", "Factor on every query.", registry=registry).set_function(lambda: self.pool.slow)

    async def checkout(self, client: str) -> int:
        """One checkout with its recommendations on one connection. Answers 200, or 503 when the pool is full."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            async with self.pool.connection():
                await self.pool.query(sizes.CHECKOUT_SECONDS)
                await self._recommend(client)
            code = 200
        except PoolFullError:
            code = 503
        self._requests.labels("/checkout", str(code)).inc()
        self._seconds.labels("/checkout").observe(loop.time() - start)
        return code

    async def _recommend(self, client: str) -> None:
        count = self._recommendations_for(client)
        if count > 0:
            await self.pool.query(count * sizes.SECONDS_PER_RECOMMENDATION)
            self._recommended.inc(count)

    async def batch(self, workload: str, seconds: float) -> int:
        """One query of a batch worker. Answers 200, or 503 when the pool is full."""
        try:
            async with self.pool.connection():
                await self.pool.query(seconds)
        except PoolFullError:
            return 503
        self._batch.labels(workload).inc()
        return 200
