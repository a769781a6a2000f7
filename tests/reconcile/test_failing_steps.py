"""What fails is tried again, says so, and stops nothing else."""

import logging
from collections.abc import Callable
from itertools import pairwise

import pytest

from brownout.api.policy import NORMAL
from brownout.cluster.kinds import CONFIG_MAP, DEPLOYMENT, POLICY, Kind
from brownout.cluster.port import Answer
from brownout.ledger.entries import GIVING_MANAGER, TAKING_MANAGER
from brownout.testing.faults import Fault, Write
from brownout.testing.managed_fields import owners_of
from tests.reconcile.stories import CALM, Story, action, level, spec, tell

FORBIDDEN = Answer(status=403, reason="Forbidden", message="not allowed")
CONFLICT = Answer(status=409, reason="Conflict", message="modified")


def shop_of_two(*actions: str) -> Story:
    shop = Story()
    for name in ("a", "b"):
        shop.deployment(name, 3)
    shop.policy(spec(level("trimmed", *(action(name, name) for name in actions or ("a", "b")))))
    shop.start()
    return shop


def on_a(shop: Story, answer: Answer | Fault | None, when: Callable[[Write], bool] = lambda _: True) -> None:
    shop.cluster.on_write = lambda write: answer if write.name == "a" and when(write) else None


def restores(write: Write) -> bool:
    return write.manager == GIVING_MANAGER and "/spec/replicas" in write.paths


def hands_back(write: Write) -> bool:
    return write.manager == GIVING_MANAGER and "/metadata/managedFields" in write.paths


def test_a_take_that_is_refused_is_tried_again_with_growing_waits_of_at_most_30_seconds() -> None:
    async def story() -> None:
        shop = shop_of_two()
        on_a(shop, FORBIDDEN)
        await shop.sick(200)
        assert (shop.replicas("a"), shop.replicas("b")) == (3, 0)
        times = [each.at for each in shop.writes(DEPLOYMENT, "a")]
        waits = [round(later - earlier) for earlier, later in pairwise(times)]
        assert waits[:6] == [1, 2, 4, 8, 16, 30]
        assert set(waits[6:]) == {30}
        assert [(each.target, each.reason) for each in shop.status().blocked] == [("Deployment a", "Forbidden")]
        assert shop.condition("Stalled") == "True Forbidden"

        on_a(shop, None)
        await shop.wait(31)
        assert shop.replicas("a") == 0
        assert shop.status().blocked == ()
        assert shop.condition("Stalled") == "False Working"

    tell(story)


def test_a_failed_take_is_forgotten_once_it_is_no_longer_wanted() -> None:
    async def story() -> None:
        shop = shop_of_two()
        on_a(shop, FORBIDDEN)
        await shop.sick(60)
        await shop.well(200)
        assert (shop.status().level, shop.status().blocked) == (NORMAL, ())
        assert not shop.owes()
        reads = 0

        def count(verb: str, kind: Kind, name: str) -> None:
            nonlocal reads
            reads += verb == "get"

        shop.cluster.on_read = count
        await shop.wait(100)
        assert reads == 0

    tell(story)


def test_a_give_back_that_is_refused_is_stalled_and_tried_again() -> None:
    async def story() -> None:
        shop = shop_of_two()
        await shop.sick()
        on_a(shop, FORBIDDEN)
        await shop.well(200)
        assert (shop.replicas("a"), shop.replicas("b")) == (0, 3)
        assert shop.condition("Stalled") == "True Forbidden"
        assert shop.owes()
        on_a(shop, None)
        await shop.wait(31)
        assert shop.replicas("a") == 3
        assert shop.is_clean(DEPLOYMENT, "a")
        await shop.wait(121)
        assert shop.condition("Stalled") == "False Working"
        assert not shop.owes()

    tell(story)


@pytest.mark.parametrize(
    "torn_off", [pytest.param(False, id="is refused"), pytest.param(True, id="needs a person, its ledger being lost")]
)
def test_a_give_back_holds_up_no_further_step_down_when_it(torn_off: bool) -> None:
    async def story() -> None:
        shop = Story()
        for name in ("a", "b"):
            shop.deployment(name, 3)
        shop.policy(spec(level("trimmed", action("b", "b")), level("core", action("a", "a"), enter=2, leave=0.6)))
        shop.start()
        shop.source.say({"p99": "3"})
        await shop.wait(40)
        if torn_off:
            metadata = shop.body(DEPLOYMENT, "a")["metadata"]
            bare = {key: dict.fromkeys(metadata[key]) for key in ("labels", "annotations")}
            await shop.edit(DEPLOYMENT, "a", {"metadata": bare})
        else:
            on_a(shop, FORBIDDEN)
        await shop.well(400)
        assert (shop.status().level, shop.replicas("a"), shop.replicas("b")) == (NORMAL, 0, 3)
        assert shop.condition("Stalled").startswith("True")
        assert shop.owes()
        reads: list[str] = []
        shop.cluster.on_read = lambda verb, kind, name: reads.append(name)
        await shop.wait(60)
        assert reads.count("a") <= 8

    tell(story)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(FORBIDDEN, id="refused"),
        pytest.param(Answer(status=500, reason="InternalError", message="etcd"), id="failed"),
        pytest.param(Fault.NEVER_SENT, id="without an answer, and not carried out"),
        pytest.param(Fault.ANSWER_LOST, id="without an answer, and carried out"),
        pytest.param(CONFLICT, id="again and again in conflict"),
    ],
)
@pytest.mark.parametrize(
    "when", [pytest.param(restores, id="the restore is"), pytest.param(hands_back, id="the hand-back is")]
)
def test_a_half_done_give_back_is_finished(when: Callable[[Write], bool], fault: Answer | Fault) -> None:
    async def story() -> None:
        shop = shop_of_two()
        await shop.sick()
        on_a(shop, fault, when)
        shop.source.say(CALM)
        await shop.until(lambda: any(when(each) for each in shop.writes(DEPLOYMENT, "a")))
        await shop.wait(20)
        tries = len([each for each in shop.writes(DEPLOYMENT, "a") if when(each)])
        assert tries < 100
        assert shop.owes() == (fault is not Fault.ANSWER_LOST)
        on_a(shop, None)
        await shop.wait(40)
        assert (shop.replicas("a"), shop.is_clean(DEPLOYMENT, "a")) == (3, True)
        assert owners_of(shop.body(DEPLOYMENT, "a"), "spec", "replicas") == [("kubectl", "Apply", "")]
        await shop.wait(121)
        assert not shop.owes()
        assert shop.status().released == ()

    tell(story)


def test_a_half_done_give_back_is_finished_before_a_new_take() -> None:
    async def story() -> None:
        shop = shop_of_two()
        await shop.sick()
        on_a(shop, FORBIDDEN, hands_back)
        shop.source.say(CALM)
        await shop.until(lambda: shop.replicas("a") == 3)
        shop.source.say({"p99": "1.0"})
        await shop.wait(40)
        assert shop.status().level == "trimmed"
        assert (shop.replicas("a"), shop.replicas("b")) == (3, 0)
        on_a(shop, None)
        await shop.wait(31)
        assert shop.replicas("a") == 0
        ours = shop.writes(DEPLOYMENT, "a")
        assert hands_back(ours[-2])
        assert ours[-1].manager == TAKING_MANAGER
        await shop.well(200)
        assert (shop.replicas("a"), shop.is_clean(DEPLOYMENT, "a")) == (3, True)

    tell(story)


def test_a_take_that_always_meets_a_conflict_is_said_and_tried_with_growing_waits() -> None:
    async def story() -> None:
        shop = shop_of_two()
        on_a(shop, CONFLICT)
        await shop.sick(30)
        assert [(each.target, each.reason) for each in shop.status().blocked] == [("Deployment a", "Failed")]
        assert shop.replicas("b") == 0
        before = len(shop.writes(DEPLOYMENT, "a"))
        await shop.wait(60)
        assert len(shop.writes(DEPLOYMENT, "a")) - before < 60

    tell(story)


def test_a_take_whose_answer_was_lost_is_seen_at_the_next_look_and_not_made_again() -> None:
    async def story() -> None:
        shop = shop_of_two()
        on_a(shop, Fault.ANSWER_LOST, lambda _: not shop.writes(DEPLOYMENT, "a")[1:])
        await shop.sick(60)
        assert (shop.replicas("a"), shop.status().held) == (0, 2)
        assert len(shop.writes(DEPLOYMENT, "a")) == 1
        await shop.well(60)
        assert shop.replicas("a") == 3

    tell(story)


def test_targets_that_cannot_be_read_stay_as_they_are() -> None:
    async def story() -> None:
        shop = shop_of_two()
        await shop.sick()
        shop.cluster.on_read = lambda verb, kind, name: FORBIDDEN if name == "a" else None
        await shop.well(120)
        assert (shop.replicas("a"), shop.replicas("b")) == (0, 3)
        assert shop.owes()
        assert any(each.reason == "Forbidden" for each in shop.status().blocked)
        shop.cluster.on_read = lambda *_: None
        await shop.wait(130)
        assert shop.replicas("a") == 3
        assert not shop.owes()

    tell(story)


def test_a_target_that_was_deleted_is_owed_nothing() -> None:
    async def story() -> None:
        shop = shop_of_two()
        await shop.sick()
        shop.delete("a", DEPLOYMENT)
        shop.deployment("a", 5)
        await shop.wait(20)
        assert shop.replicas("a") == 0
        await shop.well(120)
        assert (shop.replicas("a"), shop.replicas("b")) == (5, 3)
        assert not shop.owes()

    tell(story)


def test_a_defect_in_one_pass_stops_no_other_policy_and_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        shop = shop_of_two("a")
        shop.policy(spec(level("trimmed", action("b", "b"))), "other")
        shop.defects_expected = True

        def broken(verb: str, kind: Kind, name: str) -> None:
            if name == "a":
                raise RuntimeError("a defect")

        shop.cluster.on_read = broken
        await shop.sick(60)
        assert (shop.replicas("a"), shop.replicas("b")) == (3, 0)
        assert int(float(shop.metric("brownout_pass_failures_total"))) >= 3
        assert "shop/checkout: a pass failed" in caplog.text
        assert "a defect" in caplog.text
        shop.cluster.on_read = lambda *_: None
        await shop.wait(10)
        assert shop.replicas("a") == 0

    with caplog.at_level(logging.ERROR):
        tell(story)


def test_a_policy_whose_status_cannot_be_written_is_acted_on_all_the_same() -> None:
    async def story() -> None:
        shop = shop_of_two()
        shop.cluster.on_write = lambda write: FORBIDDEN if write.subresource else None
        await shop.sick(60)
        assert (shop.replicas("a"), shop.replicas("b")) == (0, 0)
        assert shop.owes()
        shop.cluster.on_write = lambda _: None
        await shop.wait(10)
        assert shop.status().level == "trimmed"
        assert shop.exists(POLICY, "checkout")

    tell(story)


def test_admission_that_forbids_a_take_is_blocked_and_one_that_adjusts_it_is_held() -> None:
    async def story() -> None:
        shop = shop_of_two()

        def at_least(kind: Kind, body: dict[str, object]) -> None:
            metadata = body["metadata"]
            name = metadata["name"] if isinstance(metadata, dict) else ""
            if kind == DEPLOYMENT:
                body["spec"] = {"replicas": 3 if name == "a" else max(1, body["spec"]["replicas"])}  # type: ignore[index]

        shop.api.admission.append(at_least)
        await shop.sick()
        assert (shop.replicas("a"), shop.replicas("b")) == (3, 1)
        assert shop.is_clean(DEPLOYMENT, "a")
        assert [(each.target, each.reason) for each in shop.status().blocked] == [("Deployment a", "Admission")]
        written = len(shop.writes(DEPLOYMENT))
        await shop.wait(60)
        assert len(shop.writes(DEPLOYMENT)) == written
        await shop.well()
        assert (shop.replicas("a"), shop.replicas("b")) == (3, 3)
        assert shop.is_clean(DEPLOYMENT, "b")
        assert shop.exists(POLICY, "checkout")
        assert not shop.exists(CONFIG_MAP, "flags")

    tell(story)
