"""The watch against a small API server of scripted answers: it ends, it is refused, it is started again."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeAlias

from brownout.clock import SystemClock
from brownout.cluster.access import Access
from brownout.cluster.inbox import Inbox
from brownout.cluster.kinds import DEPLOYMENT, POLICY, SOURCE, TARGETS
from brownout.watch import STOP_WITHIN, Watch
from tests.cluster.scripted_server import Act, Exchange, Server, hangs, kubeconfig, says, serving

KINDS = [kind for kind in (POLICY, SOURCE, *TARGETS.values()) if kind.kind != "FeatureFlag"]
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SCANNED = {
    **{kind.group_path: [] for kind in KINDS},
    "/apis/apiextensions.k8s.io/v1": [("customresourcedefinitions", "CustomResourceDefinition", False)],
}
for _kind in KINDS:
    SCANNED[_kind.group_path].append((_kind.plural, _kind.kind, _kind.namespaced))
SCANNED["/api/v1"].append(("namespaces", "Namespace", False))


class Hasty(SystemClock):
    """Waits for nothing."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.01)


def api_server(watched: Callable[[str, Exchange], bytes | None], items: dict[str, list[object]]) -> Act:
    """Discovery and lists as kopf reads them; `watched` gives the first line of a watch, or None for none."""

    async def act(exchange: Exchange) -> None:
        path, _, query = exchange.request.path.partition("?")
        if "watch=true" in query:
            line = watched(path, exchange)
            await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
            if line:
                await exchange.send(line + b"\n")
            await hangs(exchange)
        elif path in SCANNED:
            await says(200, {"resources": [_resource(*each) for each in SCANNED[path]]})(exchange)
        elif path == "/api":
            await says(200, {"versions": ["v1"]})(exchange)
        elif path == "/apis":
            groups = {each.split("/")[2]: each.split("/")[3] for each in SCANNED if each.startswith("/apis")}
            await says(200, {"groups": [_group(name, version) for name, version in groups.items()]})(exchange)
        else:
            listed = {"kind": "L", "metadata": {"resourceVersion": "5"}, "items": items.get(path, [])}
            await says(200, listed)(exchange)

    return act


def _resource(plural: str, kind: str, namespaced: bool) -> dict[str, object]:
    verbs = ["list", "watch", "patch"]
    return {"name": plural, "kind": kind, "singularName": kind.lower(), "namespaced": namespaced, "verbs": verbs}


def _group(name: str, version: str) -> dict[str, object]:
    one = {"version": version, "groupVersion": f"{name}/{version}"}
    return {"name": name, "versions": [one], "preferredVersion": one}


class Followed:
    """A watch of one server while the test looks on."""

    def __init__(self, access: Access, inbox: Inbox, clock: SystemClock) -> None:
        self.synced = 0
        self.inbox = inbox
        self.watch = Watch(access, inbox, clock, on_synced=self._count)

    def _count(self) -> None:
        self.synced += 1

    async def until(self, true: Callable[[], object], seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.02)


Test: TypeAlias = Callable[[Followed, Server], Coroutine[object, object, None]]


def follow(folder: Path, act: Act, test: Test, clock: SystemClock | None = None) -> None:
    """Runs the watch against a server that plays `act` while the coroutine of `test` runs; it must stop in time."""

    async def run() -> None:
        async with serving(act) as server:
            path = kubeconfig(folder, server.url)
            used = clock or Hasty()
            seen = Followed(await Access.load(used, kubeconfig=str(path)), Inbox(), used)
            task = asyncio.create_task(seen.watch.run())
            try:
                await test(seen, server)
            finally:
                started = time.monotonic()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert time.monotonic() - started < STOP_WITHIN + 0.5
            assert seen.watch.stale

    asyncio.run(run())


def test_it_is_synced_once_every_list_has_been_told(tmp_path: Path) -> None:
    listed = {"metadata": {"name": "web", "namespace": "ns", "uid": "u", "labels": {"brownout.dev/held": "t"}}}

    async def test(seen: Followed, server: Server) -> None:
        assert seen.watch.stale
        await seen.until(lambda: not seen.watch.stale)
        await seen.until(lambda: seen.synced == 1)
        (change,) = await seen.inbox.get_batch()
        assert change.key == ("Deployment", "ns", "web")
        selected = [each.path for each in server.requests if each.path.startswith(DEPLOYMENT.path())]
        assert selected
        assert all("labelSelector=brownout.dev/held" in path for path in selected)
        assert all("labelSelector" not in each.path for each in server.requests if "brownout.dev/v1" in each.path)
        assert {each.headers.get("authorization") for each in server.requests} == {"Bearer secret"}
        assert {each.method for each in server.requests} == {"GET"}

    follow(tmp_path, api_server(lambda path, exchange: None, {DEPLOYMENT.path(): [listed]}), test)


def test_kopf_that_ends_is_started_again(tmp_path: Path) -> None:
    broken: list[str] = []

    def watched(path: str, exchange: Exchange) -> bytes | None:
        if path != POLICY.path() or broken:
            return None
        broken.append(path)
        return b'{"type": "ERROR", "object": {"kind": "Status", "code": 500, "message": "etcd is gone"}}'

    async def test(seen: Followed, server: Server) -> None:
        await seen.until(lambda: seen.watch.restarts == 1)
        await seen.until(lambda: not seen.watch.stale)

    follow(tmp_path, api_server(watched, {}), test)


def test_a_relist_calls_for_a_sweep(tmp_path: Path) -> None:
    expired: list[str] = []

    def watched(path: str, exchange: Exchange) -> bytes | None:
        if path != POLICY.path() or expired:
            return None
        expired.append(path)
        return b'{"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}}'

    async def test(seen: Followed, server: Server) -> None:
        await seen.until(lambda: seen.watch.synced)
        await seen.until(lambda: len([each for each in server.requests if _lists_policies(each.path)]) == 2)
        await seen.until(lambda: not seen.watch.stale)
        assert seen.synced >= 1
        assert seen.watch.restarts == 0

    follow(tmp_path, api_server(watched, {}), test)


def _lists_policies(path: str) -> bool:
    return path.startswith(POLICY.path() + "?") and "watch=true" not in path


def test_credentials_that_are_refused_do_not_become_a_busy_loop(tmp_path: Path) -> None:
    async def test(seen: Followed, server: Server) -> None:
        await seen.until(lambda: server.requests)
        await asyncio.sleep(0.9)
        assert 1 <= len(server.requests) < 10
        assert seen.watch.stale

    refused = {"kind": "Status", "reason": "Unauthorized", "message": "Unauthorized"}
    follow(tmp_path, says(401, refused), test, SystemClock())


def test_a_server_that_says_nothing_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async def test(seen: Followed, server: Server) -> None:
        await seen.until(lambda: server.requests)

    follow(tmp_path, hangs, test)


def test_a_kubeconfig_that_vanishes_is_waited_for(tmp_path: Path) -> None:
    broken: list[str] = []

    def watched(path: str, exchange: Exchange) -> bytes | None:
        if path != POLICY.path() or broken:
            return None
        broken.append(path)
        (tmp_path / "kubeconfig").rename(tmp_path / "away")
        return b'{"type": "ERROR", "object": {"kind": "Status", "code": 500, "message": "etcd is gone"}}'

    async def test(seen: Followed, server: Server) -> None:
        await seen.until(lambda: seen.watch.restarts > 2)
        assert seen.watch.stale
        (tmp_path / "away").rename(tmp_path / "kubeconfig")
        await seen.until(lambda: not seen.watch.stale)

    follow(tmp_path, api_server(watched, {}), test)
