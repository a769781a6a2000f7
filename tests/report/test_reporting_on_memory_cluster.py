"""Status and events on the in-memory API server that is proved against the real one."""

from __future__ import annotations

import asyncio

from brownout.api.load import load_metadata, load_status
from brownout.api.status import PolicyStatus
from brownout.cluster.kinds import EVENT, POLICY
from brownout.cluster.port import Content
from brownout.decide.model import State
from brownout.report.changes import changes
from brownout.report.metrics import Metrics
from brownout.report.recorder import Recorder
from brownout.report.status import next_status
from brownout.report.writer import Written, write_status
from brownout.testing.clock import VirtualClock
from brownout.testing.cluster import InMemoryCluster
from tests.report.evaluations import NOW, calm, escalated, held, released


def test_a_status_is_written_read_and_written_again_although_somebody_labels_the_policy() -> None:
    async def story() -> None:
        cluster = InMemoryCluster(VirtualClock())
        seeded = cluster.seed(
            POLICY, {"metadata": {"name": "checkout", "namespace": "shop"}, "spec": {}}, manager="git"
        )
        about = load_metadata(seeded.body)
        sick = escalated(policy=about.ref, released=(released(),), state=State(level="core-only", settle_from=NOW))
        first = next_status(PolicyStatus(), calm(policy=about.ref))
        second = next_status(first, sick)

        written = await write_status(cluster, about.ref, PolicyStatus(), first, about.resource_version)
        assert isinstance(written, Written)
        label = '{"metadata":{"labels":{"team":"shop"}}}'
        await cluster.patch(POLICY, "shop", "checkout", label, Content.MERGE_PATCH, manager="kubectl")
        for old, new in ((first, second), (second, first)):
            assert isinstance(await write_status(cluster, about.ref, old, new, written.resource_version), Written)
            live = await cluster.get(POLICY, "shop", "checkout")
            assert load_status(live.body) == new
            assert live.body["metadata"]["labels"] == {"team": "shop"}

    asyncio.run(story())


def test_the_events_of_an_escalation_reach_the_policy_and_the_target() -> None:
    async def story() -> list[tuple[str, str, int]]:
        clock = VirtualClock()
        cluster = InMemoryCluster(clock)
        recorder = Recorder(cluster, clock, Metrics(), instance="brownout-0")
        work = asyncio.create_task(recorder.run())
        facts = escalated(held=(held(),))
        old = next_status(PolicyStatus(), calm())
        for _ in range(2):
            recorder.record(*changes(old, next_status(old, facts), facts))
            assert await recorder.flush(5) == 0
        work.cancel()
        found = (await cluster.list(EVENT, "shop")).items
        return sorted((each["reason"], each["regarding"]["kind"], each["series"]["count"]) for each in found)

    assert asyncio.run(story()) == [("Escalated", "DegradationPolicy", 2), ("Taken", "Deployment", 2)]
