"""The door to Kubernetes on a real API server."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from brownout.clock import SystemClock
from brownout.cluster.kinds import CONFIG_MAP, DEPLOYMENT, SECRET, Kind
from brownout.cluster.kubernetes import Kubernetes
from brownout.cluster.port import Answer, Content
from brownout.ledger.gojson import encode
from e2e.controlplane.handle import Controlplane
from e2e.fixtures.kubectl import Kubectl
from e2e.fixtures.relay import Relay

NO_KIND = Kind("nothing.brownout.dev/v1", "Nothing", "nothings")


def ask(kubeconfig: Path, question: Callable[[Kubernetes], Awaitable[object]]) -> None:
    async def run() -> None:
        door = await Kubernetes.connect(SystemClock(), kubeconfig=str(kubeconfig))
        try:
            await question(door)
        finally:
            await door.close()

    asyncio.run(run())


async def config_map(door: Kubernetes, namespace: str, name: str, **labels: str) -> Answer:
    body = {"metadata": {"name": name, "labels": labels}, "data": {"n": "0", "big": "x" * 100}}
    return await door.create(CONFIG_MAP, namespace, body, manager="brownout")


def test_a_long_list_comes_whole(controlplane: Controlplane, namespace: str) -> None:
    async def question(door: Kubernetes) -> None:
        names = [f"c-{number:04d}" for number in range(620)]
        for start in range(0, len(names), 20):
            made = await asyncio.gather(
                *(config_map(door, namespace, name, a="b") for name in names[start : start + 20])
            )
            assert {answer.status for answer in made} == {201}
        whole = await door.list(CONFIG_MAP, namespace, selector="a=b")
        assert [item["metadata"]["name"] for item in whole.items] == names
        assert whole.items[0]["data"]["big"]
        assert "continue" not in whole.body["metadata"]
        brief = await door.list(CONFIG_MAP, namespace, selector="a in (b)", metadata_only=True)
        assert [item["metadata"]["name"] for item in brief.items] == names
        assert all("data" not in item and item["kind"] == "ConfigMap" for item in brief.items)

    ask(controlplane.kubeconfig, question)


def test_what_is_served(controlplane: Controlplane) -> None:
    async def question(door: Kubernetes) -> None:
        assert (await door.version()).body["gitVersion"].startswith("v1.")
        assert await door.served(DEPLOYMENT) is True
        assert await door.served(CONFIG_MAP) is True
        assert await door.served(NO_KIND) is False

    ask(controlplane.kubeconfig, question)


def test_a_service_account_sees_what_it_may(
    controlplane: Controlplane, namespace: str, kubectl: Kubectl, tmp_path: Path
) -> None:
    kubectl.run("create", "serviceaccount", "reader")
    kubectl.run("create", "role", "reader", "--verb=get,list", "--resource=configmaps")
    kubectl.run("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:reader")
    token = kubectl.run("create", "token", "reader").strip()

    async def question(door: Kubernetes) -> None:
        assert (await door.list(CONFIG_MAP, namespace)).ok
        refused = await door.get(SECRET, namespace, "s")
        assert (refused.status, refused.reason) == (403, "Forbidden")
        assert 'cannot get resource "secrets"' in refused.message
        refused = await config_map(door, namespace, "mine")
        assert (refused.status, refused.reason) == (403, "Forbidden")

    async def stranger(door: Kubernetes) -> None:
        refused = await door.get(CONFIG_MAP, namespace, "x")
        assert (refused.status, refused.reason) == (401, "Unauthorized")

    ask(controlplane.kubeconfig_for(token, tmp_path / "reader", namespace), question)
    ask(controlplane.kubeconfig_for("no-such-token", tmp_path / "stranger", namespace), stranger)


def test_a_cancelled_write_is_finished(controlplane: Controlplane, namespace: str) -> None:
    async def write(door: Kubernetes, number: int) -> None:
        patch = [{"op": "add", "path": "/data/n", "value": str(number)}]
        name = f"c-{number}"
        await door.patch(CONFIG_MAP, namespace, name, encode(patch), Content.JSON_PATCH, manager="brownout")

    async def question(door: Kubernetes) -> None:
        for number in range(20):
            assert (await config_map(door, namespace, f"c-{number}")).status == 201
        writes = [asyncio.create_task(write(door, number)) for number in range(20)]
        await asyncio.sleep(0)
        await asyncio.sleep(0.004)
        for task in writes:
            task.cancel()
        await asyncio.gather(*writes, return_exceptions=True)
        await door.close()

    async def afterwards(door: Kubernetes) -> None:
        found = (await door.list(CONFIG_MAP, namespace)).items
        numbers = {item["metadata"]["name"]: item["data"].get("n") for item in found}
        assert [numbers[f"c-{number}"] for number in range(20)] == [str(number) for number in range(20)]

    ask(controlplane.kubeconfig, question)
    ask(controlplane.kubeconfig, afterwards)


def test_a_cut_connection_is_no_answer(
    controlplane: Controlplane, namespace: str, tmp_path: Path, relay: Callable[[str], Relay]
) -> None:
    way = relay(controlplane.server)
    path = tmp_path / "kubeconfig"
    path.write_text(controlplane.kubeconfig.read_text().replace(controlplane.server, way.url))

    async def question(door: Kubernetes) -> None:
        assert (await door.version()).ok
        way.cut()
        await asyncio.sleep(0.2)
        for _ in range(2):
            answer = await door.get(CONFIG_MAP, namespace, "x", timeout=2)
            assert (answer.status, answer.reason) == (0, "Unanswered")
            assert answer.message.startswith(way.url)
        way.mend()
        assert (await door.get(CONFIG_MAP, namespace, "x")).missing

    ask(path, question)


def test_a_server_that_cannot_be_trusted_is_not_asked(controlplane: Controlplane, tmp_path: Path) -> None:
    content = json.loads(controlplane.kubeconfig.read_text())
    for key in ("certificate-authority", "certificate-authority-data"):
        content["clusters"][0]["cluster"].pop(key, None)
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(content))

    async def question(door: Kubernetes) -> None:
        answer = await door.version()
        assert (answer.status, answer.reason) == (0, "Unanswered")
        assert "cannot be trusted" in answer.message

    ask(path, question)


@pytest.mark.parametrize("name", ["../secrets/s", "..", "a%2fb"])
def test_a_name_never_leads_elsewhere(controlplane: Controlplane, namespace: str, name: str) -> None:
    async def question(door: Kubernetes) -> None:
        assert (await door.get(CONFIG_MAP, namespace, name)).status == 400

    ask(controlplane.kubeconfig, question)
