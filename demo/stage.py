"""Setting the stage: two shops with their customers, the operator, a policy for one of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from demo.children import Children, listener, port_of
from demo.cluster import Cluster
from demo.kubectl import Kubectl
from demo.measured import SHOPS, Prometheus
from demo.node import Node
from demo.operator_process import OperatorProcess
from demo.waiting import until
from e2e.controlplane.handle import Controlplane

HERE = Path(__file__).parent
ROOT = HERE.parent
OPERATOR_NAMESPACE = "brownout-system"
OPERATOR_ACCOUNT = "brownout"
HELD_KINDS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
    "FeatureFlag": "/apis/core.openfeature.dev/v1beta1/namespaces/{}/featureflags",
}
POLICY = "/apis/brownout.dev/v1alpha1/namespaces/shop/degradationpolicies/checkout"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything the story needs to hold in its hands."""

    plane: Controlplane
    cluster: Cluster
    kubectl: Kubectl
    prometheus: Prometheus
    operator: OperatorProcess
    nodes: tuple[Node, ...]
    followers: tuple[asyncio.Task[None], ...]
    session: aiohttp.ClientSession

    def raise_for_nodes(self) -> None:
        """Raise the error of a node that has ended: it never should."""
        for follower in self.followers:
            if follower.done():
                follower.result()

    async def policy(self) -> dict[str, Any]:
        """The policy's status; empty before the operator has written one."""
        status: dict[str, Any] = (await self.cluster.get(POLICY)).get("status", {})
        return status

    async def objects(self) -> list[dict[str, Any]]:
        """All objects of the shop with a policy that could be taken, with their kind filled in."""
        found: list[dict[str, Any]] = []
        for kind, path in HELD_KINDS.items():
            listed = await self.cluster.get(path.format("shop"))
            found += [{**each, "kind": kind} for each in listed["items"]]
        return found

    async def slow_database(self, factor: float) -> None:
        """The incident, in both shops at once: every query takes `factor` times as long."""
        for node in self.nodes:
            url = f"http://127.0.0.1:{node.port}/admin/slow"
            timeout = aiohttp.ClientTimeout(total=10)
            async with self.session.post(url, params={"factor": str(factor)}, timeout=timeout) as answer:
                answer.raise_for_status()


@asynccontextmanager
async def staged(plane: Controlplane, say: Say) -> AsyncIterator[Stage]:
    """Set all up on a running control plane, and stop what was started at the end."""
    async with AsyncExitStack() as stack:
        children = Children(plane.folder / "demo-logs")
        stack.push_async_callback(children.stop_all)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        cluster = await stack.enter_async_context(Cluster(plane))
        kubectl = Kubectl(plane)
        say("Applying the CRDs, the operator's rights and both shops with kubectl.")
        await _apply(kubectl)
        say("Starting the shops: a process for each pod.")
        nodes = tuple([await _node(name, cluster, children, plane) for name in SHOPS])
        followers = _following(nodes, cluster)
        stack.push_async_callback(_cancelled, followers)
        await asyncio.gather(*(_until_up(session, node.port) for node in nodes))
        await _send_customers(nodes, children, plane, session)
        say("Starting the operator with its own ServiceAccount, and applying the policy to one shop.")
        operator = await _start_operator(plane, kubectl, session)
        stack.callback(operator.close)
        await operator.until_ready()
        await kubectl("apply", "-f", "-", text=json.dumps(_source(plane)))
        await kubectl("apply", "-n", "shop", "-f", HERE / "policy.yaml")
        prometheus = Prometheus(plane.prometheus_url, session)
        yield Stage(
            plane=plane,
            cluster=cluster,
            kubectl=kubectl,
            prometheus=prometheus,
            operator=operator,
            nodes=nodes,
            followers=tuple(followers),
            session=session,
        )


async def _apply(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", ROOT / "crds", "-f", ROOT / "e2e" / "crds" / "featureflag.yaml")
    await kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    await kubectl("create", "namespace", OPERATOR_NAMESPACE)
    await kubectl("apply", "-f", ROOT / "manifests" / "rbac")
    for name in SHOPS:
        await kubectl("create", "namespace", name)
        await kubectl("apply", "--server-side", "-n", name, "-f", HERE / "shop.yaml")


async def _node(name: str, cluster: Cluster, children: Children, plane: Controlplane) -> Node:
    node = Node(name, children, plane.folder)
    (flag,) = (await cluster.get(HELD_KINDS["FeatureFlag"].format(name)))["items"]
    node.write_flag(flag)
    return node


def _following(nodes: tuple[Node, ...], cluster: Cluster) -> list[asyncio.Task[None]]:
    return [
        asyncio.create_task(follower)
        for node in nodes
        for follower in (_follow_pods(node, cluster), _follow_flags(node, cluster))
    ]


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def _follow_pods(node: Node, cluster: Cluster) -> None:
    async for pods in cluster.follow(f"/api/v1/namespaces/{node.namespace}/pods"):
        await node.run(pods)


async def _follow_flags(node: Node, cluster: Cluster) -> None:
    async for flags in cluster.follow(HELD_KINDS["FeatureFlag"].format(node.namespace)):
        for flag in flags:
            node.write_flag(flag)


async def _until_up(session: aiohttp.ClientSession, port: int) -> None:
    timeout = aiohttp.ClientTimeout(total=5)

    async def up() -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{port}/metrics", timeout=timeout) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    await until(f"the process on port {port} serves /metrics", up, 60)


async def _send_customers(
    nodes: tuple[Node, ...], children: Children, plane: Controlplane, session: aiohttp.ClientSession
) -> None:
    start = asyncio.get_running_loop().time() + 4.0
    ports = {}
    for node in nodes:
        with listener() as metrics:
            ports[node.namespace] = port_of(metrics)
            address = f"http://127.0.0.1:{node.port}"
            await children.python(
                f"{node.namespace}-load", "demo.load", str(metrics.fileno()), address, str(start), inherit=metrics
            )
    await asyncio.gather(*(_until_up(session, port) for port in ports.values()))
    targets = [
        {
            "targets": [f"{plane.exporter_host}:{node.port}", f"{plane.exporter_host}:{ports[node.namespace]}"],
            "labels": {"namespace": node.namespace},
        }
        for node in nodes
    ]
    (plane.targets / "demo.json").write_text(json.dumps(targets))


async def _start_operator(plane: Controlplane, kubectl: Kubectl, session: aiohttp.ClientSession) -> OperatorProcess:
    token = (await kubectl("create", "token", OPERATOR_ACCOUNT, "-n", OPERATOR_NAMESPACE)).strip()
    kubeconfig = plane.kubeconfig_for(token, plane.folder / "operator.kubeconfig")
    operator = OperatorProcess(kubeconfig, OPERATOR_NAMESPACE, plane.folder / "operator.log", session)
    operator.start()
    return operator


def _source(plane: Controlplane) -> dict[str, Any]:
    return {
        "apiVersion": "brownout.dev/v1alpha1",
        "kind": "PrometheusSource",
        "metadata": {"name": "default"},
        "spec": {"url": plane.prometheus_url, "timeout": "2s"},
    }
