"""The story of the demo in virtual time: the sizes make a storm that stays, and one that a brownout ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from demo import sizes
from tests.demo.virtual_loop import VirtualLoop
from tests.demo.virtual_shop import VirtualShop

SEEDS = [pytest.param(seed, id=f"the customers of seed {seed}") for seed in (sizes.SEED, 2)]


def play(seed: int, story: Callable[[VirtualShop], Awaitable[None]]) -> None:
    """Run the story against an open shop in virtual time."""

    async def told() -> None:
        shop = VirtualShop(seed)
        await shop.open()
        try:
            assert await shop.served_part(20) > 0.95, "the shop is well before the incident"
            await story(shop)
        finally:
            await shop.close()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(told())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bare_shop_stays_down_when_the_database_is_well_again(seed: int) -> None:
    async def story(shop: VirtualShop) -> None:
        shop.pool.slow = sizes.SLOW_FACTOR
        await asyncio.sleep(25)
        shop.pool.slow = 1.0
        await asyncio.sleep(10)
        assert await shop.served_part(60) < 0.1

    play(seed, story)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shop_that_drops_what_it_can_spare_recovers_and_stays_well_with_all_of_it_given_back(seed: int) -> None:
    async def story(shop: VirtualShop) -> None:
        shop.pool.slow = sizes.SLOW_FACTOR
        await asyncio.sleep(5)
        shop.recommendations = 3
        await asyncio.sleep(4)
        assert await shop.served_part(10) > 0.9, "fewer recommendations are enough for a slow database"
        shop.pool.slow = sizes.SLOWER_FACTOR
        await asyncio.sleep(10)
        shop.recommendations, shop.working = 0, 0
        await asyncio.sleep(8)
        shop.pool.slow = 1.0
        await asyncio.sleep(8)
        assert await shop.served_part(30) > 0.95, "well without what was taken"
        shop.recommendations, shop.working = 3, 3
        assert await shop.served_part(10) > 0.9, "well with some of it"
        shop.recommendations, shop.working = sizes.DEFAULT_RECOMMENDATIONS, 5
        assert await shop.served_part(40) > 0.95, "well with all of it"

    play(seed, story)


def test_work_whose_client_has_gone_is_done_all_the_same() -> None:
    async def story(shop: VirtualShop) -> None:
        shop.pool.slow = 100.0
        await asyncio.sleep(10)
        assert shop.pool.in_use == sizes.POOL_SIZE
        assert shop.pool.waiting > sizes.ARRIVALS_PER_SECOND * sizes.ATTEMPT_TIMEOUT

    play(sizes.SEED, story)
