"""A small shop, its policies and an engine: what a test of the whole line needs, in few words."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from brownout.api.load import load_status
from brownout.api.status import PolicyStatus
from brownout.cluster.kinds import CONFIG_MAP, CRON_JOB, DEPLOYMENT, FEATURE_FLAG, POLICY, Kind
from brownout.cluster.port import Answer, Content
from brownout.ledger.entries import CRITICALITY_LABEL, FINALIZER, HELD_LABEL, LEDGER_ANNOTATION, WHY_ANNOTATION
from brownout.ledger.pointer import Value, look, pointer
from brownout.reconcile.record import Record
from brownout.testing.clock import VirtualClock
from brownout.testing.cluster import Body, InMemoryCluster
from brownout.testing.engine import ScriptedSource, VirtualOperator
from brownout.testing.faults import FaultyCluster, Write

NAMESPACE = "shop"
CALM, SICK = {"p99": "0.2"}, {"p99": "1.0"}
VERY_SICK = {"p99": "3"}


def action(name: str, target: str, at_most: int = 0) -> dict[str, Any]:
    return {"name": name, "scale": {"target": {"kind": "Deployment", "name": target}, "atMost": at_most}}


def shed(*criticalities: str, name: str = "shed") -> dict[str, Any]:
    return {"name": name, "shed": {"criticalities": list(criticalities)}}


def flag(name: str, value: str, key: str = "key") -> dict[str, Any]:
    return {"name": name, "flag": {"configMap": {"name": "flags", "key": key}, "value": value}}


def variant(name: str, value: str, key: str = "recommendations") -> dict[str, Any]:
    return {"name": name, "flag": {"featureFlag": {"name": "flags", "key": key}, "variant": value}}


def level(name: str, *actions: Mapping[str, Any], enter: float = 0.8, leave: float = 0.6) -> dict[str, Any]:
    when = {"anyOf": [{"signal": "p99", "enterAbove": enter, "exitBelow": leave}]}
    return {"name": name, "when": when, "for": "10s", "recoverAfter": "30s", "actions": list(actions)}


def spec(*levels: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A policy of these levels, quick to move; query and signal have one name."""
    quick = {"mode": "Enforce", "interval": "10s", "settle": "10s", "signals": [{"name": "p99", "query": "p99"}]}
    return {**quick, "levels": list(levels), **more}


class Story:
    """The clock, the API server, the signals and the engine of one test."""

    def __init__(self, **operator: Any) -> None:
        self.clock = VirtualClock()
        self.api = InMemoryCluster(self.clock)
        self.cluster = FaultyCluster(self.api, self.clock)
        self.source = ScriptedSource(self.clock)
        self.source.say(CALM)
        self.settings = operator
        self.defects_expected = False
        self.operator = self._operator()

    def _operator(self) -> VirtualOperator:
        return VirtualOperator(self.clock, self.api, self.source, cluster=self.cluster, **self.settings)

    # What is there.

    def seed(self, kind: Kind, name: str, **body: Any) -> Body:
        labels = body.pop("labels", None)
        metadata = {"name": name, "namespace": NAMESPACE, **({"labels": labels} if labels else {})}
        answer = self.api.seed(kind, {"metadata": metadata, **body}, manager="kubectl", operation="Apply")
        assert answer.ok, answer.message
        return dict(answer.body)

    def deployment(self, name: str, replicas: int = 3, criticality: str = "") -> Body:
        labels = {CRITICALITY_LABEL: criticality} if criticality else None
        return self.seed(DEPLOYMENT, name, labels=labels, spec={"replicas": replicas})

    def cron_job(self, name: str, criticality: str = "C5") -> Body:
        return self.seed(CRON_JOB, name, labels={CRITICALITY_LABEL: criticality}, spec={"schedule": "@daily"})

    def config_map(self, **data: str) -> Body:
        return self.seed(CONFIG_MAP, "flags", **({"data": data} if data else {}))

    def feature_flag(self, key: str = "recommendations", **more: Any) -> Body:
        variants = {"full": 12, "lite": 4, "off": 0}
        flags = {key: {"state": "ENABLED", "variants": variants, "defaultVariant": "full", **more}}
        return self.seed(FEATURE_FLAG, "flags", spec={"flagSpec": {"flags": flags}})

    def policy(self, policy_spec: Mapping[str, Any], name: str = "checkout") -> Body:
        return self.seed(POLICY, name, spec=policy_spec)

    # What people do.

    async def edit(self, kind: Kind, name: str, patch: Mapping[str, Any], manager: str = "kubectl-edit") -> Answer:
        text = json.dumps(patch)
        return await self.api.patch(kind, NAMESPACE, name, text, Content.MERGE_PATCH, manager=manager)

    async def scale(self, name: str, replicas: int) -> None:
        assert (await self.edit(DEPLOYMENT, name, {"spec": {"replicas": replicas}}, "kubectl")).ok

    def delete(self, name: str = "checkout", kind: Kind = POLICY) -> None:
        assert self.api.delete(kind, NAMESPACE, name).ok

    # How time passes.

    def start(self) -> None:
        self.operator.start()

    async def wait(self, seconds: float) -> None:
        """Lets time pass; a part of the engine that ended meanwhile fails the test, and so does a pass that failed."""
        await self.clock.advance(seconds)
        for problem in self.operator.problems():
            raise problem
        assert self.defects_expected or not self.operator.metrics._pass_failures._value.get()

    async def until(self, true: Callable[[], bool | Awaitable[bool]], within: float = 600.0, step: float = 1.0) -> None:
        """Lets time pass until something is true."""
        ends = self.clock.now() + within
        while not await _now(true):
            assert self.clock.now() < ends, f"not true after {within:g} s"
            await self.wait(step)

    async def sick(self, seconds: float = 30.0) -> None:
        self.source.say(SICK)
        await self.wait(seconds)

    async def well(self, seconds: float = 120.0) -> None:
        self.source.say(CALM)
        await self.wait(seconds)

    async def restart(self) -> None:
        """The operator is killed, and another one starts."""
        await self.operator.crash()
        self.cluster.ended.clear()
        self.operator = self._operator()
        self.operator.start()

    # What is to be seen.

    def body(self, kind: Kind, name: str) -> Body:
        found = self.api._find(kind, NAMESPACE, name)
        assert found is not None, f"no {kind.kind} {name}"
        return found

    def exists(self, kind: Kind, name: str) -> bool:
        return self.api._find(kind, NAMESPACE, name) is not None

    def replicas(self, name: str) -> Value:
        return look(self.body(DEPLOYMENT, name), pointer("spec", "replicas"))

    def is_clean(self, kind: Kind, name: str) -> bool:
        """Whether nothing of ours is on an object."""
        metadata = self.body(kind, name)["metadata"]
        ours = {HELD_LABEL, LEDGER_ANNOTATION, WHY_ANNOTATION}
        return ours.isdisjoint({**metadata.get("labels", {}), **metadata.get("annotations", {})})

    def take_id(self, name: str, kind: Kind = DEPLOYMENT) -> str:
        return str(self.body(kind, name)["metadata"]["labels"][HELD_LABEL])

    def owes(self, name: str = "checkout") -> bool:
        return FINALIZER in self.body(POLICY, name)["metadata"].get("finalizers", ())

    def status(self, name: str = "checkout") -> PolicyStatus:
        return load_status(self.body(POLICY, name))

    def condition(self, kind: str, name: str = "checkout") -> str:
        found = {each.type: each for each in self.status(name).conditions}
        return f"{found[kind].status} {found[kind].reason}" if kind in found else ""

    def record(self, name: str = "checkout") -> Record:
        return self.operator.engine.store.records[NAMESPACE, name]

    def writes(self, kind: Kind | None = None, name: str = "") -> Sequence[Write]:
        """The patches so far."""
        return [
            each
            for each in self.cluster.writes
            if each.verb == "patch" and (kind is None or each.kind == kind.kind) and (not name or each.name == name)
        ]

    def metric(self, line: str) -> str:
        """The value of the metric whose line starts so; "" if there is none."""
        text = self.operator.metrics.text().decode()
        return next((each.rpartition(" ")[2] for each in text.splitlines() if each.startswith(line)), "")

    # Availability.

    async def available(self, name: str, replicas: int | None = None) -> None:
        """The Deployment's controller has seen the last change; all replicas are available, or as many as said."""
        body = self.body(DEPLOYMENT, name)
        status = {
            "observedGeneration": body["metadata"]["generation"],
            "availableReplicas": body["spec"]["replicas"] if replicas is None else replicas,
        }
        text = json.dumps({"status": status})
        answer = await self.api.patch(
            DEPLOYMENT,
            NAMESPACE,
            name,
            text,
            Content.MERGE_PATCH,
            manager="kube-controller-manager",
            subresource="status",
        )
        assert answer.ok, answer.message


async def _now(true: Callable[[], bool | Awaitable[bool]]) -> bool:
    answer = true()
    return answer if isinstance(answer, bool) else await answer


def tell(story: Callable[[], Awaitable[None]]) -> None:
    """Runs a test's story to its end; what it leaves running is cancelled."""

    async def told() -> None:
        await story()

    asyncio.run(told())
