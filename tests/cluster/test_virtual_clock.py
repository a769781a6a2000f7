"""Time passes when it is told to, and wakes its sleepers in order."""

import asyncio

import pytest

from brownout.testing.clock import START, VirtualClock


def test_sleepers_wake_in_order_each_at_its_own_time() -> None:
    async def run() -> list[tuple[str, float]]:
        clock = VirtualClock()
        woken: list[tuple[str, float]] = []

        async def nap(name: str, *seconds: float) -> None:
            for each in seconds:
                await clock.sleep(each)
                woken.append((name, clock.monotonic()))

        async with asyncio.TaskGroup() as group:
            for name, naps in {"late": [9], "twice": [2, 3], "same": [2], "never": [100]}.items():
                task = group.create_task(nap(name, *naps))
            await clock.advance(10)
            task.cancel()
        assert clock.now() == START + 10
        return woken

    assert asyncio.run(run()) == [("twice", 2), ("same", 2), ("twice", 5), ("late", 9)]


def test_a_cancelled_sleeper_does_not_hold_time_up() -> None:
    async def run() -> None:
        clock = VirtualClock()
        task = asyncio.create_task(clock.sleep(1))
        await asyncio.sleep(0)
        task.cancel()
        await clock.advance(5)
        assert clock.monotonic() == 5

    asyncio.run(run())


def test_work_is_run_to_its_end_or_refused() -> None:
    async def run() -> None:
        clock = VirtualClock()
        await clock.run(clock.sleep(90))
        assert clock.monotonic() == 90
        with pytest.raises(TimeoutError):
            await clock.run(clock.sleep(90), within=10)

    asyncio.run(run())


def test_ids_are_counted_and_differ_by_seed() -> None:
    one, other = VirtualClock(), VirtualClock(seed=1)
    assert [one.take_id(), one.take_id()] == ["take-0-1", "take-0-2"]
    assert other.take_id() == "take-1-1"
