"""Break glass from end to end on a cluster in memory: what fails, who interferes, what is left."""

import asyncio
from typing import Any

import pytest

from brownout.act.break_glass import TRIES, BreakGlass
from brownout.act.held_objects import HeldObjects
from brownout.act.holdings import Ending
from brownout.cluster.kinds import CONFIG_MAP, CRON_JOB, DEPLOYMENT, LEASE, POLICY, TARGETS, Kind
from brownout.cluster.port import UNANSWERED, Answer
from brownout.testing.faults import Fault, Write
from brownout.testing.rules import failure
from tests.act.glass_stage import MODE, REPLICAS, SHOP, GlassStage, degraded, is_as_before

FORBIDDEN = failure(403, "Forbidden", 'deployments.apps "thumbnailer" is forbidden: User "ann" cannot patch')
BUSY = Answer(status=503, reason="ServiceUnavailable", message="try again")


def test_everything_is_given_back_with_its_owners_and_the_finalizer_goes() -> None:
    stage, before = degraded()
    assert stage.restore().code == 0
    is_as_before(stage, before)
    assert not stage.owes()
    again = stage.restore()
    assert (again.code, again.out) == (0, "Nothing is held in namespace shop.\n")


@pytest.mark.parametrize("fault", [Fault.NEVER_SENT, Fault.ANSWER_LOST])
@pytest.mark.parametrize("number", range(1, 8))
def test_an_answer_that_is_lost_at_any_write_changes_nothing_of_the_outcome(fault: Fault, number: int) -> None:
    stage, before = degraded()
    stage.cluster.on_write = lambda write: fault if write.number == number else None
    assert stage.restore().code == 0
    is_as_before(stage, before)
    assert not stage.owes()


@pytest.mark.parametrize("number", range(1, 8))
def test_a_second_run_finishes_what_a_killed_one_began(number: int) -> None:
    for fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER):
        stage, before = degraded()
        stage.cluster.on_write = lambda write, fault=fault: fault if write.number == number else None  # type: ignore[misc]
        asyncio.run(_killed(stage))
        stage.cluster.ended.clear()
        stage.cluster.on_write = lambda _: None
        assert stage.restore().code == 0
        is_as_before(stage, before)
        assert not stage.owes()


async def _killed(stage: GlassStage) -> None:
    """Runs until the fault ends it."""
    objects = HeldObjects(stage.cluster, stage.clock, namespace=SHOP)
    glass, stop = BreakGlass(stage.cluster, stage.clock, objects), asyncio.Event()
    seen = await objects.look()

    async def work() -> None:
        await glass.give_back(seen.holdings, stop, lambda _: None)
        await glass.finish(seen, stop)

    working, ended = asyncio.create_task(work()), asyncio.create_task(stage.cluster.ended.wait())
    await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
    assert ended.done(), "the fault never came"
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


def test_a_conflict_with_somebody_elses_write_is_looked_at_again() -> None:
    stage, before = degraded()

    def annotated(write: Write) -> None:
        if write.number == 1:
            body = stage.body(DEPLOYMENT, "thumbnailer")
            stage.api._store(DEPLOYMENT, body, body)

    stage.cluster.on_write = annotated
    assert stage.restore().code == 0
    is_as_before(stage, before)


def test_a_field_that_somebody_changed_is_left_to_them() -> None:
    stage, before = degraded()
    stage.edit(DEPLOYMENT, "thumbnailer", {"spec": {"replicas": 5}}, "kubectl")
    run = stage.restore()
    assert run.code == 0
    assert "Deployment shop/thumbnailer: spec.replicas is left alone: kubectl set it to 5." in run.out
    assert stage.look(DEPLOYMENT, "thumbnailer", REPLICAS) == 5
    assert stage.held() == []
    is_as_before(stage, before, DEPLOYMENT)


def test_an_object_that_is_gone_is_owed_nothing() -> None:
    stage, _before = degraded()

    def deleted(write: Write) -> None:
        if stage.api._find(CRON_JOB, SHOP, "bill"):
            stage.api.delete(CRON_JOB, SHOP, "bill")

    stage.cluster.on_write = deleted
    run = stage.restore()
    assert run.code == 0
    assert "CronJob shop/bill is gone: nothing is owed to it." in run.out


def test_a_kind_that_may_not_be_patched_is_said_and_the_others_are_given_back() -> None:
    stage, _before = degraded()
    stage.cluster.on_write = lambda write: FORBIDDEN if write.kind == "Deployment" else None
    run = stage.restore()
    assert run.code == 1
    assert "  Deployment shop/thumbnailer: you may not patch deployments in namespace shop\n" in run.out
    assert stage.held() == ["Deployment/thumbnailer"]
    assert stage.owes()
    assert "stays: Deployment shop/thumbnailer is not given back." in run.out
    assert len([each for each in stage.cluster.writes if each.kind == "Deployment"]) == 1


def test_a_kind_that_may_not_be_listed_is_said_and_the_exit_code_is_not_0() -> None:
    stage, _before = degraded()
    stage.cluster.on_read = lambda verb, kind, _: FORBIDDEN if (verb, kind) == ("list", DEPLOYMENT) else None
    run = stage.restore()
    assert run.code == 1
    assert "Not known: you may not list deployments in namespace shop." in run.out
    assert "  deployments: you may not list deployments in namespace shop\n" in run.out
    assert stage.held() == ["Deployment/thumbnailer"]
    assert stage.owes()


def test_an_api_server_that_does_not_answer_is_exit_code_2() -> None:
    stage, _ = degraded()
    stage.cluster.on_read = lambda *_: Answer(status=UNANSWERED, message="https://10.0.0.1 cannot be reached")
    run = stage.restore()
    assert run.code == 2
    assert "https://10.0.0.1 cannot be reached" in run.out
    assert stage.cluster.writes == []


def test_writes_that_get_no_answer_are_not_tried_for_ever() -> None:
    stage, _ = degraded()
    for number in range(30):
        stage.seed(DEPLOYMENT, f"web-{number:02d}", spec={"replicas": 3})
        stage.take(DEPLOYMENT, f"web-{number:02d}", stage.policy_ref(), replicas=1)
    stage.cluster.on_write = lambda _: Fault.NEVER_SENT
    run = stage.restore()
    assert run.code == 1
    assert "not tried: " in run.out
    assert len(stage.cluster.writes) <= TRIES * 16


def test_a_busy_api_server_is_asked_again() -> None:
    stage, before = degraded()
    stage.cluster.on_write = lambda write: BUSY if write.number in (1, 2) else None
    assert stage.restore().code == 0
    is_as_before(stage, before)


def test_a_refusal_that_stays_is_tried_three_times_and_said() -> None:
    stage, _ = degraded()
    stage.cluster.on_write = lambda write: BUSY if write.kind == "CronJob" else None
    run = stage.restore()
    assert run.code == 1
    assert "CronJob shop/bill: patch CronJob in shop: 503 ServiceUnavailable: try again" in run.out
    assert len([each for each in stage.cluster.writes if each.kind == "CronJob"]) == TRIES


def test_admission_that_stores_another_value_than_the_original_is_said() -> None:
    stage, _ = degraded()

    def clamp(kind: Kind, body: dict[str, Any]) -> None:
        if kind == DEPLOYMENT and body["spec"]["replicas"] == 3:
            body["spec"]["replicas"] = 2

    stage.api.admission.append(clamp)
    run = stage.restore()
    assert run.code == 0
    assert "spec.replicas is left alone: admission stored 2 where 3 was written." in run.out
    assert stage.held() == []


def test_it_works_when_the_crds_are_gone() -> None:
    stage, before = degraded()
    stage.api.absent |= {POLICY, LEASE}
    run = stage.restore()
    assert run.code == 0
    is_as_before(stage, before)


def test_a_kind_whose_crd_is_not_there_holds_nothing() -> None:
    stage, before = degraded()
    stage.api.absent.add(TARGETS["FeatureFlag"])
    assert stage.restore(deep=True).code == 0
    is_as_before(stage, before)


def test_only_the_given_namespace_is_looked_at() -> None:
    stage, _ = degraded()
    stage.seed(POLICY, "other", "elsewhere", spec={"mode": "Enforce"})
    assert stage.restore(namespace="elsewhere").err == "brownout restore: there is no namespace elsewhere\n"
    assert stage.restore(namespace="elsewhere").code == 2
    assert len(stage.held()) == 3
    assert stage.restore(namespace="").code == 0
    assert stage.held() == []


def test_interrupted_midway_the_rest_is_left_and_a_second_run_finishes_it() -> None:
    stage, before = degraded()
    objects = HeldObjects(stage.cluster, stage.clock, namespace=SHOP)

    async def interrupted() -> list[Ending]:
        stop = asyncio.Event()
        seen = await objects.look()
        glass = BreakGlass(stage.cluster, stage.clock, objects)
        results = await asyncio.gather(
            *(glass.give_back([each], stop, lambda _: stop.set()) for each in seen.holdings[:1]),
        )
        results += await asyncio.gather(*(glass.give_back([each], stop, lambda _: None) for each in seen.holdings[1:]))
        finished = await glass.finish(seen, stop)
        assert [each.why for each in finished.finalizers] == ["CronJob shop/bill is not given back"]
        return [field.ending for result in results for each in result for field in each.fields]

    assert asyncio.run(interrupted()) == [Ending.GIVEN_BACK, Ending.HELD, Ending.HELD]
    assert stage.look(CONFIG_MAP, "flags", MODE) == "full"
    assert stage.owes()
    assert stage.restore().code == 0
    is_as_before(stage, before)


def test_deep_finds_what_has_lost_its_label_and_does_not_follow_it() -> None:
    stage, _ = degraded()
    stage.label(DEPLOYMENT, "thumbnailer", None)
    assert stage.restore().code == 0
    run = stage.restore(deep=True)
    assert run.code == 1
    assert "Deployment shop/thumbnailer is not followed: the ledger belongs to another take than its label" in run.out
    assert stage.look(DEPLOYMENT, "thumbnailer", REPLICAS) == 1


def test_two_policies_on_one_field_are_one_give_back() -> None:
    stage, before = degraded()
    other = stage.policy("other")
    stage.take(DEPLOYMENT, "thumbnailer", other, "gone", replicas=1)
    run = stage.restore()
    assert run.code == 0
    assert "shop/checkout,shop/other  trimmed,gone" in run.out
    is_as_before(stage, before)
    assert not stage.owes("other")


def test_a_hundred_objects_are_given_back_side_by_side() -> None:
    stage, _ = degraded()
    for number in range(100):
        stage.seed(DEPLOYMENT, f"web-{number:03d}", spec={"replicas": 3})
        stage.take(DEPLOYMENT, f"web-{number:03d}", stage.policy_ref(), replicas=0)
    run = stage.restore(as_json=True)
    assert run.code == 0
    assert len(run.document["objects"]) == 103
    assert {field["outcome"] for each in run.document["objects"] for field in each["fields"]} == {"GivenBack"}
