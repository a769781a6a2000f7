"""The watch on a real API server: what it tells, how soon, and that it writes nothing."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from brownout.clock import Clock, SystemClock
from brownout.cluster.access import Access
from brownout.cluster.inbox import Change, Inbox
from brownout.watch import STOP_WITHIN, Watch
from e2e.controlplane.api import MERGE_PATCH, Api
from e2e.controlplane.handle import Controlplane
from e2e.controlplane.start import controlplane as another_controlplane
from e2e.fixtures.kubectl import Kubectl
from e2e.fixtures.relay import Relay

# What kopf leaves open when its connections are cut is found by the garbage collector, in whichever test runs then.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ROOT = Path(__file__).parent
HELD = "brownout.dev/held"
SOON = 2.0
"""Seconds a change may take on a busy machine; on an idle one it takes a tenth of a second."""
POLICY: dict[str, Any] = {
    "apiVersion": "brownout.dev/v1alpha1",
    "kind": "DegradationPolicy",
    "metadata": {"name": "watched"},
    "spec": {
        "mode": "DryRun",
        "signals": [{"name": "s", "query": "vector(0)"}],
        "levels": [
            {
                "name": "trimmed",
                "when": {"anyOf": [{"signal": "s", "enterAbove": 2, "exitBelow": 1}]},
                "for": "30s",
                "recoverAfter": "1m",
                "actions": [{"name": "a", "scale": {"target": {"kind": "Deployment", "name": "x"}, "atMost": 1}}],
            }
        ],
    },
}


class Watching:
    """A running watch, and everything it has told."""

    def __init__(self, access: Access, inbox: Inbox, clock: Clock, namespaces: Collection[str]) -> None:
        self.watch = Watch(access, inbox, clock, namespaces=namespaces, on_synced=self.count_synced)
        self.told: list[Change] = []
        self.synced_times = 0
        self._inbox = inbox

    async def read(self) -> None:
        while True:
            self.told += await self._inbox.get_batch()

    def count_synced(self) -> None:
        self.synced_times += 1

    async def until(self, true: Callable[[], object], what: str, seconds: float = 20) -> float:
        """Seconds until it was true."""
        started = time.monotonic()
        while not true():
            assert time.monotonic() - started < seconds, f"not within {seconds} s: {what}; told: {self.told[-5:]}"
            await asyncio.sleep(0.02)
        return time.monotonic() - started

    async def tells(self, kind: str, name: str, *, gone: bool = False, seconds: float = 20) -> float:
        def told() -> bool:
            return any(
                change.kind == kind and change.name == name and (change.body is None) is gone for change in self.told
            )

        return await self.until(told, f"{kind} {name} {'gone' if gone else 'there'}", seconds)


@contextlib.asynccontextmanager
async def watching(kubeconfig: Path, *namespaces: str) -> AsyncIterator[Watching]:
    clock, inbox = SystemClock(), Inbox()
    access = await Access.load(clock, kubeconfig=str(kubeconfig))
    seen = Watching(access, inbox, clock, namespaces)
    tasks = [asyncio.create_task(seen.watch.run()), asyncio.create_task(seen.read())]
    try:
        yield seen
    finally:
        started = time.monotonic()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert time.monotonic() - started < STOP_WITHIN


def prepare(kubectl: Kubectl) -> None:
    kubectl.apply(*sorted((ROOT.parent / "crds").glob("*.yaml")), server_side=True)
    for crd in ("degradationpolicies.brownout.dev", "prometheussources.brownout.dev"):
        kubectl.wait("crd", crd, "condition=Established")


@pytest.fixture
def our_crds(cluster_kubectl: Kubectl) -> None:
    prepare(cluster_kubectl)


@pytest.fixture
def own() -> Iterator[Controlplane]:
    """A control plane for one test alone: its API server may be killed, its kinds are not there yet."""
    with another_controlplane() as plane:
        yield plane


def label(api: Api, namespace: str, name: str, value: str | None) -> None:
    body = {"metadata": {"labels": {HELD: value}}}
    answer = api.patch(f"/api/v1/namespaces/{namespace}/configmaps/{name}", body, MERGE_PATCH)
    assert answer.status == 200


@pytest.mark.usefixtures("our_crds", "feature_flag_crd")
def test_a_target_is_told_while_it_bears_the_label(
    controlplane: Controlplane, namespace: str, api: Api, kubectl: Kubectl
) -> None:
    kubectl.run("create", "configmap", "watched-flags", "--from-literal=a=1")

    async def run() -> None:
        async with watching(controlplane.kubeconfig) as seen:
            await seen.until(lambda: not seen.watch.stale, "fresh")
            assert not [change for change in seen.told if change.namespace == namespace]
            label(api, namespace, "watched-flags", "take-1")
            assert await seen.tells("ConfigMap", "watched-flags") < SOON
            body = next(change.body for change in seen.told if change.namespace == namespace)
            assert body is not None
            assert body["metadata"]["labels"] == {HELD: "take-1"}
            assert "data" not in body
            assert "managedFields" not in body["metadata"]
            label(api, namespace, "watched-flags", None)
            assert await seen.tells("ConfigMap", "watched-flags", gone=True) < SOON

    asyncio.run(run())


@pytest.mark.usefixtures("our_crds")
def test_a_policy_is_told_whole(controlplane: Controlplane, namespace: str, api: Api, kubectl: Kubectl) -> None:
    async def run() -> None:
        async with watching(controlplane.kubeconfig, namespace) as seen:
            await seen.until(lambda: seen.watch.synced, "synced")
            kubectl.apply(POLICY)
            assert await seen.tells("DegradationPolicy", "watched") < SOON
            body = seen.told[-1].body
            assert body is not None
            assert body["spec"]["levels"][0]["name"] == "trimmed"
            assert body["apiVersion"] == "brownout.dev/v1alpha1"
            kubectl.run("delete", "dgp", "watched")
            assert await seen.tells("DegradationPolicy", "watched", gone=True) < SOON

    asyncio.run(run())


@pytest.mark.usefixtures("our_crds")
def test_a_cut_connection_makes_it_stale_until_it_is_mended(
    controlplane: Controlplane,
    namespace: str,
    api: Api,
    kubectl: Kubectl,
    tmp_path: Path,
    relay: Callable[[str], Relay],
) -> None:
    way = relay(controlplane.server)
    text = controlplane.kubeconfig.read_text().replace(controlplane.server, way.url)
    (tmp_path / "kubeconfig").write_text(text)
    kubectl.run("create", "configmap", "watched-flags", "--from-literal=a=1")
    way.cut()

    async def run() -> None:
        async with watching(tmp_path / "kubeconfig", namespace) as seen:
            await asyncio.sleep(0.9)
            assert seen.watch.stale
            way.mend()
            await seen.until(lambda: not seen.watch.stale, "fresh once the server can be reached")
            way.cut()
            await seen.until(lambda: seen.watch.stale, "stale once it is cut off")
            label(api, namespace, "watched-flags", "take-1")
            way.mend()
            await seen.tells("ConfigMap", "watched-flags")
            await seen.until(lambda: not seen.watch.stale, "fresh again")
            assert seen.watch.restarts == 0

    asyncio.run(run())


def test_a_killed_api_server_and_kinds_that_appear_later(own: Controlplane) -> None:
    kubectl = Kubectl(command=own.kubectl, kubeconfig=own.kubeconfig)
    prepare(kubectl)
    kubectl.run("create", "configmap", "watched-flags", "--from-literal=a=1")
    api = own.api()

    async def run() -> None:
        async with watching(own.kubeconfig) as seen:
            await seen.until(lambda: not seen.watch.stale, "fresh though there are no FeatureFlags")
            await asyncio.to_thread(own.stop_apiserver)
            await seen.until(lambda: seen.watch.stale, "stale")
            await asyncio.to_thread(own.start_apiserver)
            await asyncio.to_thread(label, api, "default", "watched-flags", "take-1")
            await seen.tells("ConfigMap", "watched-flags")
            await seen.until(lambda: not seen.watch.stale, "fresh again")
            await asyncio.to_thread(later_kind)
            assert await seen.tells("FeatureFlag", "later") < 10
            assert seen.synced_times >= 1

    def later_kind() -> None:
        kubectl.apply(ROOT / "crds" / "featureflag.yaml", server_side=True)
        kubectl.wait("crd", "featureflags.core.openfeature.dev", "condition=Established")
        kubectl.apply(
            {
                "apiVersion": "core.openfeature.dev/v1beta1",
                "kind": "FeatureFlag",
                "metadata": {"name": "later", "labels": {HELD: "take-2"}},
                "spec": {"flagSpec": {"flags": {}}},
            }
        )

    asyncio.run(run())
    assert own.audit_log is not None
    entries = [json.loads(line) for line in own.audit_log.read_text().splitlines()]
    ours = [entry for entry in entries if entry.get("userAgent", "").startswith("kopf")]
    writes = [(entry["verb"], entry["requestURI"]) for entry in ours if entry["verb"] not in ("get", "list", "watch")]
    assert ours, "the audit log must show that kopf was there"
    assert writes == []
    print(f"{len(ours)} requests by kopf in the audit log")
