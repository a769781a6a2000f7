"""When nothing happens nothing is written or read; when something happens it is acted on at once."""

import asyncio
from itertools import pairwise

from brownout.cluster.kinds import AUTOSCALER, DEPLOYMENT, POLICY, Kind
from brownout.testing.faults import Write
from tests.reconcile.stories import SICK, Story, action, level, shed, spec, tell


def thin(name: str) -> dict[str, object]:
    return spec(level("trimmed", action("thin", name, 1)))


def test_idle_policies_write_nothing_and_read_no_target_in_a_thousand_ticks() -> None:
    async def story() -> None:
        shop = Story()
        for number in range(5):
            shop.deployment(f"web-{number}", 3)
            shop.policy(thin(f"web-{number}"), f"policy-{number}")
        shop.start()
        await shop.wait(60)
        written, gets = len(shop.cluster.writes), 0

        def count(verb: str, kind: Kind, name: str) -> None:
            nonlocal gets
            gets += verb == "get"

        shop.cluster.on_read = count
        asked = shop.source.evaluations
        await shop.wait(10_000)
        assert shop.source.evaluations - asked == 1000
        assert (len(shop.cluster.writes) - written, gets) == (0, 0)

    tell(story)


def test_a_degraded_policy_refreshes_its_status_once_a_minute_and_writes_to_no_target() -> None:
    async def story() -> None:
        shop = Story()
        shop.deployment("web", 3)
        shop.policy(thin("web"))
        shop.start()
        await shop.sick(60)
        before = len(shop.cluster.writes)
        await shop.wait(600)
        written = shop.cluster.writes[before:]
        assert {each.kind for each in written} == {POLICY.kind}
        assert 8 <= len(written) <= 12

    tell(story)


def test_many_policies_cost_one_evaluation_each_tick() -> None:
    async def story() -> None:
        shop = Story()
        shop.deployment("web", 3)
        for number in range(20):
            shop.policy(thin("web"), f"policy-{number}")
        shop.start()
        await shop.wait(101)
        assert shop.source.evaluations <= 12

    tell(story)


def test_at_normal_missing_targets_are_named_and_looked_for_again() -> None:
    async def story() -> None:
        shop = Story()
        shop.policy(thin("web"))
        shop.start()
        await shop.wait(20)
        assert [each.reason for each in shop.status().blocked] == ["NotFound"]
        assert shop.condition("Ready") == "False TargetNotFound"
        shop.deployment("web", 3)
        await shop.wait(45)
        assert shop.status().blocked == ()
        assert shop.condition("Ready") == "True Accepted"
        reads = 0

        def count(verb: str, kind: Kind, name: str) -> None:
            nonlocal reads
            reads += verb == "get"

        shop.cluster.on_read = count
        await shop.wait(200)
        assert reads == 0

    tell(story)


def test_at_normal_what_the_highest_level_could_not_take_is_named_before_it_is_needed() -> None:
    async def story() -> None:
        shop = Story()
        shop.deployment("web", 3, "C5")
        target = {"kind": "Deployment", "name": "web"}
        scaled = {"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", **target}, "maxReplicas": 5}}
        shop.seed(AUTOSCALER, "web", **scaled)
        shop.policy(spec(level("trimmed"), level("core", shed("C5"), enter=2)))
        shop.start()
        await shop.wait(20)
        assert [(each.target, each.reason) for each in shop.status().blocked] == [("Deployment web", "Autoscaler")]
        await shop.sick(60)
        shop.source.say({"p99": "3"})
        await shop.wait(30)
        assert (shop.status().level, shop.replicas("web")) == ("core", 3)
        assert not shop.owes()

    tell(story)


def test_what_becomes_never_takeable_while_held_is_given_back_at_the_next_look() -> None:
    async def story() -> None:
        shop = Story()
        for name in ("a", "b", "c"):
            shop.deployment(name, 3, "C5")
        shop.policy(spec(level("trimmed", shed("C5")), recovery={"waveSize": 1}))
        shop.start()
        await shop.sick()
        labels = {"metadata": {"labels": {"app.kubernetes.io/name": "brownout"}}}
        for name in ("a", "b"):
            await shop.edit(DEPLOYMENT, name, labels)
        await shop.wait(15)
        assert [shop.replicas(name) for name in ("a", "b", "c")] == [3, 3, 0]

    tell(story)


def test_what_a_person_sets_is_let_go_at_once_and_not_taken_again_in_the_episode() -> None:
    async def story() -> None:
        shop = Story()
        shop.deployment("web", 3)
        shop.policy(thin("web"))
        shop.start()
        await shop.sick()
        await shop.scale("web", 5)
        await shop.wait(0.2)
        assert shop.is_clean(DEPLOYMENT, "web")
        assert [(each.found, each.manager) for each in shop.status().released] == [("5", "kubectl")]
        await shop.wait(60)
        assert (shop.replicas("web"), shop.status().level) == (5, "trimmed")
        await shop.well()
        assert shop.replicas("web") == 5
        await shop.sick(40)
        assert (shop.replicas("web"), shop.status().released) == (1, ())
        await shop.well(200)
        assert shop.replicas("web") == 5

    tell(story)


def test_what_a_person_sets_while_tearing_our_metadata_off_is_let_go_too() -> None:
    async def story() -> None:
        shop = Story()
        body = shop.deployment("web", 3)
        shop.policy(thin("web"))
        shop.start()
        await shop.sick()
        held = shop.body(DEPLOYMENT, "web")["metadata"]
        nothing = {
            "labels": dict.fromkeys(held["labels"]),
            "annotations": dict.fromkeys(held["annotations"]),
        }
        replaced = {"metadata": nothing, "spec": {**body["spec"], "replicas": 7}}
        await shop.edit(DEPLOYMENT, "web", replaced, "kubectl-replace")
        await shop.wait(60)
        assert (shop.replicas("web"), shop.is_clean(DEPLOYMENT, "web")) == (7, True)
        assert [each.found for each in shop.status().released] == ["7"]
        await shop.well()
        assert shop.replicas("web") == 7
        assert not shop.owes()

    tell(story)


def test_our_own_writes_come_back_as_echoes_and_start_no_pass() -> None:
    async def story() -> None:
        shop = Story()
        shop.deployment("web", 3)
        shop.policy(thin("web"))
        shop.start()
        times: list[float] = []

        def note(verb: str, kind: Kind, name: str) -> None:
            if (verb, name) == ("get", "web"):
                times.append(shop.clock.monotonic())

        await shop.wait(25)
        shop.cluster.on_read = note
        await shop.sick(60)
        assert len(times) == len({round(each) for each in times})
        assert all(later - earlier > 5 for earlier, later in pairwise(times))

    tell(story)


def test_a_restart_while_calm_reads_the_targets_once_and_writes_nothing() -> None:
    async def story() -> None:
        shop = Story()
        shop.deployment("web", 3)
        shop.policy(thin("web"))
        shop.start()
        await shop.wait(60)
        written = len(shop.cluster.writes)
        await shop.restart()
        await shop.wait(60)
        assert len(shop.cluster.writes) == written

    tell(story)


def test_a_restart_within_a_dwell_loses_none_of_it() -> None:
    async def story() -> None:
        shop = Story()
        shop.deployment("web", 3)
        levels = level("trimmed", action("thin", "web", 1))
        shop.policy(spec({**levels, "for": "60s"}))
        shop.start()
        await shop.wait(25)
        shop.source.say(SICK)
        await shop.wait(20)
        await shop.restart()
        await shop.wait(52)
        assert shop.replicas("web") == 1

    tell(story)


def test_going_down_lets_the_step_in_flight_finish_and_starts_no_other() -> None:
    async def story() -> None:
        shop = Story()
        for name in ("a", "b", "c"):
            shop.deployment(name, 3)
        shop.policy(spec(level("trimmed", *(action(name, name) for name in ("a", "b", "c")))))
        shop.start()

        def slow(write: Write) -> float | None:
            return 3.0 if write.name == "a" else None

        shop.cluster.on_write = slow
        shop.source.say(SICK)
        await shop.until(lambda: bool(shop.writes(DEPLOYMENT)), step=0.5)
        stopping = asyncio.create_task(shop.operator.stop())
        await shop.clock.advance(1)
        assert not stopping.done()
        await shop.clock.advance(3)
        assert await stopping == 0
        assert [shop.replicas(name) for name in ("a", "b", "c")] == [0, 3, 3]
        assert {each.name for each in shop.writes(DEPLOYMENT)} == {"a"}
        before = len(shop.cluster.writes)
        await shop.clock.advance(60)
        assert len(shop.cluster.writes) == before
        await shop.restart()
        await shop.wait(10)
        assert [shop.replicas(name) for name in ("a", "b", "c")] == [0, 0, 0]

    tell(story)
