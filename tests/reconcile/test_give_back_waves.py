"""Giving back is paced: in waves, with patience, the most vital policy first, and an escalation stops it."""

from brownout.api.policy import NORMAL
from brownout.cluster.kinds import DEPLOYMENT, POLICY
from brownout.ledger.entries import GIVING_MANAGER
from brownout.testing.faults import Write
from tests.reconcile.stories import Story, action, level, shed, spec, tell

NAMES = tuple(f"batch-{n}" for n in range(7))


def shop_of_batches(names: tuple[str, ...] = NAMES, wave: int = 2) -> Story:
    shop = Story()
    for name in names:
        shop.deployment(name, 3, "C5")
    shop.policy(spec(level("trimmed", shed("C5")), recovery={"waveSize": wave}))
    shop.start()
    return shop


def back(shop: Story, names: tuple[str, ...] = NAMES) -> tuple[str, ...]:
    return tuple(name for name in names if shop.replicas(name) == 3)


def test_the_next_wave_follows_when_the_last_is_available_again_the_last_taken_first() -> None:
    async def story() -> None:
        shop = shop_of_batches()
        await shop.sick()
        assert back(shop) == ()
        shop.source.say({"p99": "0.2"})
        await shop.until(lambda: back(shop) == NAMES[5:])
        await shop.wait(60)
        assert back(shop) == NAMES[5:]
        for name in NAMES[5:]:
            await shop.available(name)
        await shop.wait(4)
        assert back(shop) == NAMES[3:]
        assert shop.condition("DegradationActive") == "True GivingBack"
        assert shop.owes()

    tell(story)


def test_after_two_minutes_the_next_wave_does_not_wait_for_the_last() -> None:
    async def story() -> None:
        shop = shop_of_batches()
        await shop.sick()
        shop.source.say({"p99": "0.2"})
        await shop.until(lambda: back(shop) == NAMES[5:])
        await shop.available(NAMES[5])
        await shop.available(NAMES[6], 2)
        await shop.wait(115)
        assert back(shop) == NAMES[5:]
        await shop.wait(10)
        assert back(shop) == NAMES[3:]
        await shop.wait(240)
        assert back(shop) == NAMES
        assert not shop.owes()

    tell(story)


def test_a_target_deleted_in_its_wave_holds_nothing_up() -> None:
    async def story() -> None:
        shop = shop_of_batches()
        await shop.sick()
        shop.source.say({"p99": "0.2"})
        await shop.until(lambda: back(shop) == NAMES[5:])
        shop.delete(NAMES[5], DEPLOYMENT)
        await shop.available(NAMES[6])
        await shop.wait(4)
        assert shop.replicas(NAMES[4]) == 3

    tell(story)


def test_an_escalation_stops_giving_back_and_takes_again() -> None:
    async def story() -> None:
        shop = shop_of_batches()
        await shop.sick()
        takes = {name: shop.take_id(name) for name in NAMES}
        shop.source.say({"p99": "0.2"})
        await shop.until(lambda: back(shop) == NAMES[5:])
        assert shop.status().level == NORMAL
        shop.source.say({"p99": "1.0"})
        await shop.until(lambda: shop.status().level == "trimmed")
        await shop.wait(3)
        assert back(shop) == ()
        assert {name: shop.take_id(name) for name in NAMES[:5]} == {name: takes[name] for name in NAMES[:5]}
        assert takes[NAMES[6]] != shop.take_id(NAMES[6])
        await shop.wait(300)
        assert back(shop) == ()

    tell(story)


def test_an_escalation_while_a_wave_is_being_written_ends_that_wave() -> None:
    async def story() -> None:
        shop = shop_of_batches(NAMES[:3])
        await shop.sick()
        shop.cluster.on_write = lambda write: 6.0 if write.kind == DEPLOYMENT.kind else None
        shop.source.say({"p99": "0.2"})
        await shop.until(lambda: bool(_given(shop)))
        shop.source.say({"p99": "1.0"})
        await shop.until(lambda: shop.status().level == "trimmed")
        await shop.wait(60)
        assert back(shop, NAMES[:3]) == ()
        assert shop.record().wave is None
        assert not shop.record().changing

    tell(story)


def _given(shop: Story) -> list[str]:
    return [each.name for each in shop.writes(DEPLOYMENT) if each.manager == GIVING_MANAGER]


def test_waves_that_are_under_way_end_before_the_next_step_down() -> None:
    async def story() -> None:
        shop = Story()
        for name in NAMES[:4]:
            shop.deployment(name, 3, "C5")
        shop.deployment("web", 3)
        core = level("core", shed("C5"), enter=2, leave=0.6)
        shop.policy(spec(level("trimmed", action("thin", "web")), core, recovery={"waveSize": 2}))
        shop.start()
        shop.source.say({"p99": "3"})
        await shop.wait(40)
        shop.source.say({"p99": "0.2"})
        await shop.until(lambda: shop.status().level == "trimmed")
        await shop.wait(110)
        assert (shop.status().level, shop.replicas("web")) == ("trimmed", 0)
        await shop.wait(300)
        assert (shop.status().level, shop.replicas("web")) == (NORMAL, 3)

    tell(story)


def test_over_all_policies_the_most_vital_is_given_back_first() -> None:
    async def story() -> None:
        shop = Story(give_back_per_minute=2)
        for number in range(3):
            shop.deployment(f"a-{number}", 3)
            shop.deployment(f"z-{number}", 3)
        shop.deployment("front", 3, "C1")
        for name, more in (("a", {}), ("z", {"protects": {"kind": "Deployment", "name": "front"}})):
            actions = [action(f"{name}-{number}", f"{name}-{number}") for number in range(3)]
            shop.policy(spec(level("trimmed", *actions), **more), name)
        shop.start()
        await shop.sick()
        await shop.well(400)
        given = [each.name for each in shop.writes(DEPLOYMENT) if puts_back(each)]
        assert given == ["a-2", "a-1", "z-2", "z-1", "z-0", "a-0"]
        times = [each.at for each in shop.writes(DEPLOYMENT) if puts_back(each)]
        assert times[-1] - times[0] >= 110

    def puts_back(write: Write) -> bool:
        return write.manager == GIVING_MANAGER and "/spec/replicas" in write.paths

    tell(story)


def test_while_it_waits_for_the_common_pace_the_policy_says_so() -> None:
    async def story() -> None:
        shop = Story(give_back_per_minute=1)
        for name in NAMES[:3]:
            shop.deployment(name, 3, "C5")
        shop.policy(spec(level("trimmed", shed("C5"))))
        shop.start()
        await shop.sick()
        await shop.well(60)
        assert len(back(shop, NAMES[:3])) == 1
        assert shop.metric("brownout_give_back_left{") == "2.0"
        assert shop.owes()
        await shop.wait(150)
        assert back(shop, NAMES[:3]) == NAMES[:3]
        assert not shop.owes()
        assert shop.exists(POLICY, "checkout")

    tell(story)
