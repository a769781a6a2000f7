"""The executor and the survey on the in-memory API server; dry run as a decorator."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from brownout.act.dry_run import DryRun
from brownout.act.executor import ClusterExecutor
from brownout.act.survey import Gone, Survey
from brownout.api.reasons import BlockedReason, Result
from brownout.cluster.kinds import AUTOSCALER, DEPLOYMENT, FEATURE_FLAG, SCALED_OBJECT, VERTICAL_AUTOSCALER, Kind
from brownout.cluster.port import Answer, Content
from brownout.decide.plan import next_step
from brownout.ledger.entries import CRITICALITY_LABEL, HELD_LABEL, Blocked, Found, Ledger, Query
from brownout.ledger.steps import Apply, HandBack, Outcome, Release, Repair, Restore, Step, Strip
from brownout.testing.clock import VirtualClock
from brownout.testing.cluster import InMemoryCluster
from brownout.testing.faults import Fault, FaultyCluster
from tests.plan.held_objects import CHECKOUT, REPLICAS, claim, entry, found, ledger


class Bench:
    """An API server with one Deployment, and an executor on it."""

    def __init__(self) -> None:
        clock = VirtualClock()
        self.api = InMemoryCluster(clock)
        self.cluster = FaultyCluster(self.api, clock)
        self.survey = Survey(self.cluster)
        self.executor = ClusterExecutor(self.cluster, clock)
        self.put("thumbnailer", "C5")

    def put(self, name: str, criticality: str, kind: Kind = DEPLOYMENT) -> None:
        metadata = {"name": name, "namespace": "shop", "labels": {CRITICALITY_LABEL: criticality}}
        assert self.api.seed(kind, {"metadata": metadata, "spec": {"replicas": 3}}, manager="kubectl").ok

    async def look(self) -> Found:
        seen = await self.survey.seek(Query(namespace="shop", kinds=("Deployment",), name="thumbnailer"))
        assert not isinstance(seen, Blocked)
        return seen[0]

    async def take(self) -> tuple[Found, Outcome]:
        before = await self.look()
        step = next_step(before, {REPLICAS: claim()}, CHECKOUT)
        assert isinstance(step, Apply)
        return before, await self.executor.carry_out(step)


def on_a_bench(story: Callable[[Bench], Awaitable[None]]) -> None:
    async def run() -> None:
        await story(Bench())

    asyncio.run(run())


def test_a_take_is_one_request_by_the_taking_manager_and_shows_the_object_after() -> None:
    async def story(bench: Bench) -> None:
        _, outcome = await bench.take()
        assert outcome.result is Result.DONE
        assert outcome.found is not None
        assert isinstance(outcome.found.ledger, Ledger)
        assert [(each.verb, each.manager, each.name) for each in bench.cluster.writes] == [
            ("patch", "brownout", "thumbnailer")
        ]
        assert (await bench.look()).body == outcome.found.body

    on_a_bench(story)


def test_a_take_on_what_has_changed_since_is_a_conflict_and_changes_nothing() -> None:
    async def story(bench: Bench) -> None:
        before = await bench.look()
        label = '{"metadata":{"labels":{"team":"shop"}}}'
        await bench.api.patch(DEPLOYMENT, "shop", "thumbnailer", label, Content.MERGE_PATCH, manager="kubectl")
        step = next_step(before, {REPLICAS: claim()}, CHECKOUT)
        assert isinstance(step, Apply)
        outcome = await bench.executor.carry_out(step)
        assert outcome.result is Result.CONFLICT
        after = await bench.look()
        assert (after.ledger, after.original(REPLICAS)) == (None, 3)

    on_a_bench(story)


def test_a_take_delayed_until_after_a_take_and_a_give_back_changes_nothing() -> None:
    async def story(bench: Bench) -> None:
        before, _ = await bench.take()
        late = next_step(before, {REPLICAS: claim()}, CHECKOUT)
        for _ in range(2):
            step = next_step(await bench.look(), {}, CHECKOUT)
            assert isinstance(step, Restore | HandBack)
            assert (await bench.executor.carry_out(step)).result is Result.DONE
        assert isinstance(late, Apply)
        assert (await bench.executor.carry_out(late)).result is Result.CONFLICT
        assert (await bench.look()).original(REPLICAS) == 3

    on_a_bench(story)


def test_an_object_made_anew_under_its_name_is_not_touched() -> None:
    async def story(bench: Bench) -> None:
        before = await bench.look()
        bench.api.delete(DEPLOYMENT, "shop", "thumbnailer")
        bench.put("thumbnailer", "C5")
        step = next_step(before, {REPLICAS: claim()}, CHECKOUT)
        assert isinstance(step, Apply)
        assert (await bench.executor.carry_out(step)).result is Result.CONFLICT
        assert isinstance(await bench.survey.look_again(before.target), Gone)

    on_a_bench(story)


def test_an_object_that_is_gone_is_owed_nothing() -> None:
    async def story(bench: Bench) -> None:
        before = await bench.look()
        bench.api.delete(DEPLOYMENT, "shop", "thumbnailer")
        step = next_step(before, {REPLICAS: claim()}, CHECKOUT)
        assert isinstance(step, Apply)
        outcome = await bench.executor.carry_out(step)
        assert (outcome.result, outcome.gone) == (Result.UNCHANGED, True)

    on_a_bench(story)


def test_without_an_answer_nobody_knows_and_the_next_look_settles_it() -> None:
    async def story(bench: Bench) -> None:
        bench.cluster.on_write = lambda _: Fault.ANSWER_LOST
        _, outcome = await bench.take()
        assert (outcome.result, outcome.found) == (Result.UNSETTLED, None)
        bench.cluster.on_write = lambda _: None
        assert next_step(await bench.look(), {REPLICAS: claim()}, CHECKOUT) is None

    on_a_bench(story)


HELD = ledger(entry())


@pytest.mark.parametrize(
    ("step", "real"),
    [
        pytest.param(Apply(found=found(), entries={REPLICAS: entry()}), False, id="a take is only planned"),
        pytest.param(Restore(found=found(HELD), pointers=(REPLICAS,)), True, id="a restore is real"),
        pytest.param(HandBack(found=found(HELD), pointers=(REPLICAS,)), True, id="a hand-back is real"),
        pytest.param(Release(found=found(HELD), pointers=(REPLICAS,)), True, id="a release is real"),
        pytest.param(Repair(found=found(), ledger=HELD), True, id="a repair is real"),
        pytest.param(Strip(found=found(HELD)), True, id="a strip is real"),
    ],
)
def test_in_dry_run(step: Step, real: bool) -> None:
    class Counting:
        def __init__(self) -> None:
            self.steps: list[Step] = []

        async def carry_out(self, step: Step) -> Outcome:
            self.steps.append(step)
            return Outcome(step=step, result=Result.DONE)

    inner = Counting()
    outcome = asyncio.run(DryRun(inner).carry_out(step))
    assert inner.steps == ([step] if real else [])
    assert outcome.result is (Result.DONE if real else Result.PLANNED)


def test_a_selection_comes_in_the_order_of_selectors_then_kinds_and_each_object_once() -> None:
    async def story(bench: Bench) -> None:
        bench.put("a", "C4")
        bench.put("b", "C5")
        selectors = (f"{CRITICALITY_LABEL}=C5", f"{CRITICALITY_LABEL}=C4", f"{CRITICALITY_LABEL}")
        query = Query(namespace="shop", kinds=("Deployment", "CronJob"), selectors=selectors)
        seen = await bench.survey.seek(query)
        assert not isinstance(seen, Blocked)
        assert [each.target.name for each in seen] == ["b", "thumbnailer", "a"]
        assert {(each.target.kind, each.target.api_version) for each in seen} == {("Deployment", "apps/v1")}

    on_a_bench(story)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(Answer(status=403, reason="Forbidden"), BlockedReason.FORBIDDEN, id="forbidden"),
        pytest.param(Answer(status=0), BlockedReason.FAILED, id="unanswered"),
    ],
)
def test_what_cannot_be_read_is_blocked_and_never_empty(answer: Answer, reason: BlockedReason) -> None:
    async def story(bench: Bench) -> None:
        target = (await bench.look()).target
        bench.cluster.on_read = lambda *_: answer
        named = Query(namespace="shop", kinds=("Deployment",), name="thumbnailer")
        selected = Query(namespace="shop", kinds=("Deployment",), selectors=("a=b",))
        for seen in (
            await bench.survey.seek(named),
            await bench.survey.seek(selected),
            await bench.survey.look_again(target),
            await bench.survey.autoscalers("shop"),
        ):
            assert isinstance(seen, Blocked)
            assert seen.reason == reason

    on_a_bench(story)


def test_an_object_that_is_not_there_is_an_empty_answer_but_a_kind_that_is_not_served_is_blocked() -> None:
    async def story(bench: Bench) -> None:
        assert await bench.survey.seek(Query(namespace="shop", kinds=("Deployment",), name="none")) == ()
        bench.api.absent.add(FEATURE_FLAG)
        seen = await bench.survey.seek(Query(namespace="shop", kinds=("FeatureFlag",), name="flags"))
        assert isinstance(seen, Blocked)
        assert seen.reason == BlockedReason.NOT_FOUND

    on_a_bench(story)


def test_autoscalers_of_kinds_that_are_not_installed_are_none() -> None:
    async def story(bench: Bench) -> None:
        bench.api.absent |= {SCALED_OBJECT, VERTICAL_AUTOSCALER}
        bench.api.seed(AUTOSCALER, {"metadata": {"name": "hpa", "namespace": "shop"}, "spec": {}}, manager="kubectl")
        seen = await bench.survey.autoscalers("shop")
        assert not isinstance(seen, Blocked)
        assert {kind: len(objects) for kind, objects in seen.items()} == {
            "HorizontalPodAutoscaler": 1,
            "ScaledObject": 0,
            "VerticalPodAutoscaler": 0,
        }
        assert HELD_LABEL not in str(seen)

    on_a_bench(story)
