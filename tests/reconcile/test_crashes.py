"""The operator is killed before or after each of its writes, and another one goes on: nothing is lost."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from brownout.api.policy import NORMAL
from brownout.cluster.kinds import CONFIG_MAP, CRON_JOB, DEPLOYMENT, POLICY, Kind
from brownout.testing.faults import Fault, Write
from brownout.testing.managed_fields import owners_of
from tests.reconcile.stories import CALM, SICK, VERY_SICK, Story, action, flag, level, shed, spec

TRIMMED = level("trimmed", action("thin", "thumbnailer", 1), flag("static", "true"))
CORE = level("core", action("thinner", "thumbnailer", 0), shed("C5"), enter=2, leave=0.6)
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
Told: TypeAlias = Callable[[Story], Awaitable[None]]
OBJECTS = ((DEPLOYMENT, "thumbnailer"), (CONFIG_MAP, "flags"), (CRON_JOB, "reports"))


def sick_shop() -> Story:
    shop = Story()
    shop.deployment("thumbnailer", 3)
    shop.config_map()
    shop.cron_job("reports")
    shop.policy(spec(TRIMMED, CORE))
    return shop


async def lived_through(shop: Story, seconds: float) -> None:
    """Lets time pass; whenever the operator has been killed, a new one starts."""
    for _ in range(int(seconds)):
        if shop.cluster.ended.is_set():
            await shop.restart()
        await shop.wait(1)
    await shop.available("thumbnailer")


async def taken_and_given_back(shop: Story) -> None:
    """Sick, very sick, well again."""
    shop.start()
    for series, seconds in ((CALM, 5), (SICK, 25), (VERY_SICK, 40)):
        shop.source.say(series)
        await lived_through(shop, seconds)
    assert shop.status().level == "core"
    assert (shop.replicas("thumbnailer"), shop.body(CRON_JOB, "reports")["spec"]["suspend"]) == (0, True)
    shop.source.say(CALM)
    for _ in range(4):
        await lived_through(shop, 32)


async def deleted_while_degraded(shop: Story) -> None:
    """Very sick, then the policy is deleted."""
    shop.start()
    shop.source.say(VERY_SICK)
    await lived_through(shop, 35)
    shop.delete()
    await lived_through(shop, 35)


def is_as_before(shop: Story, before: dict[Kind, dict[str, object]]) -> None:
    for kind, name in OBJECTS:
        after = shop.body(kind, name)
        assert {**after, "metadata": 0, "status": 0} == {**before[kind], "metadata": 0, "status": 0}
        assert shop.is_clean(kind, name)
    assert owners_of(shop.body(DEPLOYMENT, "thumbnailer"), "spec", "replicas") == [("kubectl", "Apply", "")]
    if shop.exists(POLICY, "checkout"):
        status = shop.status()
        assert (status.level, status.held, status.released, status.blocked) == (NORMAL, 0, (), ())
        assert not shop.owes()


def told(number: int, fault: Fault | None, story: Told) -> int:
    """Runs a story to its end, with a fault at its `number`th patch (events do not count); how many patches it took."""

    async def run() -> int:
        shop = sick_shop()
        before = {kind: shop.body(kind, name) for kind, name in OBJECTS}
        fired: list[Write] = []

        def at(write: Write) -> Fault | None:
            if write.verb != "patch" or fired or len(shop.writes()) != number:
                return None
            fired.append(write)
            return fault

        shop.cluster.on_write = at
        await story(shop)
        assert bool(fired) == bool(number)
        is_as_before(shop, before)
        return len(shop.writes())

    return asyncio.run(run())


_CASES = [
    pytest.param(story, fault, id=f"{what}: {fault}")
    for story, what in ((taken_and_given_back, "two levels up and down"), (deleted_while_degraded, "deleted"))
    for fault in Fault
    # A crash before a write leaves what a crash after the one before it leaves: seconds, not states, apart.
    if THOROUGH or fault is Fault.CRASH_AFTER or story is deleted_while_degraded
]


@pytest.mark.parametrize(("story", "fault"), _CASES)
def test_at_each_write_of_a_take_and_a_give_back(story: Told, fault: Fault) -> None:
    writes = told(0, None, story)
    assert writes > 10
    for number in range(1, writes + 1):
        told(number, fault, story)
