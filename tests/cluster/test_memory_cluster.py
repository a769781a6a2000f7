"""What the in-memory API server has beyond the conformance table: its clock, its watch, admission."""

import asyncio
from typing import Any

from brownout.cluster.inbox import Change
from brownout.cluster.kinds import CONFIG_MAP, DEPLOYMENT, POLICY, SECRET, Kind
from brownout.cluster.port import Answer, Content
from brownout.ledger.entries import HELD_LABEL
from brownout.testing.clock import VirtualClock
from brownout.testing.cluster import InMemoryCluster
from brownout.testing.managed_fields import owners_of


def made(cluster: InMemoryCluster, kind: Kind, name: str, **metadata: Any) -> Answer:
    return cluster.seed(kind, {"metadata": {"name": name, "namespace": "ns", **metadata}}, manager="owner")


def merge(cluster: InMemoryCluster, kind: Kind, name: str, text: str, subresource: str = "") -> Answer:
    patch = cluster.patch(kind, "ns", name, text, Content.MERGE_PATCH, manager="me", subresource=subresource)
    return asyncio.run(patch)


def test_the_watch_follows_the_label_of_targets_and_all_of_ours() -> None:
    cluster = InMemoryCluster(VirtualClock())
    told: list[Change] = []
    made(cluster, POLICY, "there")
    made(cluster, DEPLOYMENT, "web")
    cluster.subscribe(told.append)
    made(cluster, SECRET, "s", labels={HELD_LABEL: "t"})
    merge(cluster, DEPLOYMENT, "web", '{"metadata":{"labels":{"%s":"t"}}}' % HELD_LABEL)  # noqa: UP031
    merge(cluster, DEPLOYMENT, "web", '{"spec":{"replicas":3}}')
    merge(cluster, DEPLOYMENT, "web", '{"spec":{"replicas":3}}')
    merge(cluster, DEPLOYMENT, "web", '{"metadata":{"labels":null}}')
    merge(cluster, DEPLOYMENT, "web", '{"spec":{"replicas":4}}')
    cluster.delete(POLICY, "ns", "there")
    assert [(change.kind, change.body is not None) for change in told] == [
        ("DegradationPolicy", True),
        ("Deployment", True),
        ("Deployment", True),
        ("Deployment", False),
        ("DegradationPolicy", False),
    ]
    assert told[2].body is not None
    assert "spec" not in told[2].body


def test_admission_may_change_what_is_stored_but_not_the_callers_object() -> None:
    def cap(kind: Kind, body: dict[str, Any]) -> None:
        if kind == DEPLOYMENT and body.get("spec", {}).get("replicas", 0) > 2:
            body["spec"]["replicas"] = 2

    cluster = InMemoryCluster(VirtualClock())
    cluster.admission.append(cap)
    body = {"metadata": {"name": "web", "namespace": "ns"}, "spec": {"replicas": 9}}
    assert cluster.seed(DEPLOYMENT, body, manager="owner").body["spec"] == {"replicas": 2}
    assert body["spec"] == {"replicas": 9}
    answer = merge(cluster, DEPLOYMENT, "web", '{"spec":{"replicas":5}}')
    assert answer.body["spec"]["replicas"] == 2
    assert answer.body["metadata"]["generation"] == 1


def test_time_and_ids_repeat_themselves() -> None:
    def run() -> object:
        cluster = InMemoryCluster(VirtualClock())
        made(cluster, CONFIG_MAP, "a")
        return merge(cluster, CONFIG_MAP, "a", '{"data":{"k":"v"}}').body

    assert run() == run()


def test_an_owner_may_have_applied() -> None:
    cluster = InMemoryCluster(VirtualClock())
    body = {"metadata": {"name": "web", "namespace": "ns"}, "spec": {"replicas": 3}}
    stored = cluster.seed(DEPLOYMENT, body, manager="argocd", operation="Apply").body
    assert owners_of(stored, "spec", "replicas") == [("argocd", "Apply", "")]
    after = merge(cluster, DEPLOYMENT, "web", '{"spec":{"replicas":1}}').body
    assert owners_of(after, "spec", "replicas") == [("me", "Update", "")]


def test_a_kind_without_its_crd_is_absent_until_it_comes() -> None:
    cluster = InMemoryCluster(VirtualClock(), absent=[POLICY])
    assert asyncio.run(cluster.served(POLICY)) is False
    assert not asyncio.run(cluster.list(POLICY)).ok
    cluster.absent.clear()
    assert asyncio.run(cluster.list(POLICY)).ok


def test_requests_that_may_write_are_counted() -> None:
    cluster = InMemoryCluster(VirtualClock())
    asyncio.run(cluster.list(POLICY))
    asyncio.run(cluster.get(POLICY, "ns", "x"))
    assert cluster.writes == 0
    merge(cluster, POLICY, "x", "{}")
    assert cluster.writes == 1
