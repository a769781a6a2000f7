"""The bounded pool of a shop."""

from __future__ import annotations

import asyncio

import pytest

from demo.pool import Pool, PoolFullError
from tests.demo.virtual_loop import VirtualLoop


async def hold(pool: Pool, seconds: float) -> float:
    async with pool.connection():
        await pool.query(seconds)
    return asyncio.get_running_loop().time()


def test_who_comes_first_is_served_first_and_nobody_overtakes() -> None:
    async def story() -> list[float]:
        pool = Pool(size=2, max_waiting=10)
        return await asyncio.gather(*(hold(pool, 1) for _ in range(5)))

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(story()) == pytest.approx([1, 1, 2, 2, 3])


def test_a_full_queue_refuses_at_once() -> None:
    async def story() -> None:
        pool = Pool(size=1, max_waiting=1)
        first, second = (asyncio.create_task(hold(pool, 1)) for _ in range(2))
        await asyncio.sleep(0.1)
        with pytest.raises(PoolFullError):
            await hold(pool, 1)
        await asyncio.gather(first, second)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story())


def test_a_caller_who_gives_up_waiting_leaves_no_trace() -> None:
    async def story() -> Pool:
        pool = Pool(size=1, max_waiting=5)
        first, second = (asyncio.create_task(hold(pool, 1)) for _ in range(2))
        await asyncio.sleep(0.1)
        second.cancel()
        await first
        await hold(pool, 1)
        return pool

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        pool = runner.run(story())
    assert (pool.in_use, pool.waiting) == (0, 0)


def test_a_slow_database_stretches_every_query() -> None:
    async def story() -> float:
        pool = Pool(size=1, max_waiting=1)
        pool.slow = 3.0
        return await hold(pool, 2)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(story()) == pytest.approx(6)
