"""The executor refuses a step on a field that no lever changes, whoever planned it."""

import asyncio

import pytest

from brownout.act.executor import ClusterExecutor
from brownout.api.reasons import BlockedReason, Result
from brownout.cluster.kinds import DEPLOYMENT
from brownout.ledger.codec import find
from brownout.ledger.entries import Entry
from brownout.ledger.pointer import Pointer
from brownout.ledger.steps import Apply, HandBack, Restore, Step, Strip
from tests.act.glass_stage import REPLICAS, GlassStage

IMAGE = Pointer("/spec/template/spec/containers/0/image")


def carried_out(make: type[Restore] | type[HandBack] | type[Apply], where: Pointer) -> tuple[Result, int]:
    stage = GlassStage()
    policy = stage.policy()
    stage.seed(DEPLOYMENT, "web", spec={"replicas": 3})
    stage.take(DEPLOYMENT, "web", policy, replicas=1)
    found, writes = find(stage.body(DEPLOYMENT, "web")), stage.api.writes
    entry = Entry(pointer=where, original="a", applied="b", wanted="c")
    step: Step = Apply(found=found, entries={where: entry}) if make is Apply else make(found=found, pointers=(where,))  # type: ignore[call-arg]
    outcome = asyncio.run(ClusterExecutor(stage.api, stage.clock).carry_out(step))
    if outcome.result is Result.FAILED:
        assert outcome.reason is BlockedReason.ILLEGIBLE_LEDGER
        assert str(where) in outcome.message
    return outcome.result, stage.api.writes - writes


@pytest.mark.parametrize("make", [Restore, HandBack, Apply])
def test_a_field_that_no_lever_changes_is_refused_before_anything_is_sent(
    make: type[Restore] | type[HandBack] | type[Apply],
) -> None:
    assert carried_out(make, IMAGE) == (Result.FAILED, 0)


def test_a_field_of_a_lever_is_written() -> None:
    assert carried_out(Restore, REPLICAS) == (Result.DONE, 1)


def test_our_own_metadata_may_always_go() -> None:
    stage = GlassStage()
    stage.seed(DEPLOYMENT, "web", metadata={"labels": {"brownout.dev/held": "t"}}, spec={"replicas": 3})
    step = Strip(found=find(stage.body(DEPLOYMENT, "web")))
    assert asyncio.run(ClusterExecutor(stage.api, stage.clock).carry_out(step)).result is Result.DONE
    assert stage.held() == []
