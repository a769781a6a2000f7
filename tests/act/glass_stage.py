"""A cluster in memory with things taken in it, and `brownout restore` run on it."""

import asyncio
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from brownout.act.executor import ClusterExecutor
from brownout.api.refs import PolicyRef
from brownout.cli.restore import Options, Restore, Terminal
from brownout.cluster.kinds import CONFIG_MAP, CRON_JOB, DEPLOYMENT, LEASE, NAMESPACE, POLICY, TARGETS, Kind
from brownout.cluster.port import Content
from brownout.decide.plan import next_step
from brownout.ledger.codec import find
from brownout.ledger.entries import FINALIZER, HELD_LABEL, LEDGER_ANNOTATION, Claim, Order
from brownout.ledger.pointer import ABSENT, Pointer, Value, pointer
from brownout.ledger.steps import Stuck
from brownout.testing.clock import START
from brownout.testing.cluster import Body, InMemoryCluster
from brownout.testing.faults import FaultyCluster
from brownout.testing.managed_fields import owners_of

SHOP = "shop"
REPLICAS, SUSPEND, MODE = pointer("spec", "replicas"), pointer("spec", "suspend"), pointer("data", "mode")
LATER = 600.0
"""Seconds from the takes until somebody breaks the glass."""


class HurriedClock:
    """Time passes in sleeps only, and they take none; `woken` is told of each."""

    def __init__(self) -> None:
        self.time = START
        self.woken: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.woken()
        await asyncio.sleep(0)

    def take_id(self) -> str:
        return "take-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What a run of the verb ended with, and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


class GlassStage:
    """Objects of owners, policies, and takes as the operator makes them."""

    def __init__(self) -> None:
        self.clock = HurriedClock()
        self.api = InMemoryCluster(self.clock)
        self.cluster = FaultyCluster(self.api, self.clock)
        self.api.seed(NAMESPACE, {"metadata": {"name": SHOP}}, manager="kubectl")

    def seed(self, kind: Kind, name: str, namespace: str = SHOP, **body: Any) -> Body:
        metadata = {"name": name, "namespace": namespace, **body.pop("metadata", {})}
        answer = self.api.seed(kind, {"metadata": metadata, **body}, manager="kubectl", operation="Apply")
        assert answer.ok, answer.message
        return dict(answer.body)

    def policy(self, name: str = "checkout", mode: str = "Enforce", **body: Any) -> PolicyRef:
        """A policy that owes something."""
        made = self.seed(POLICY, name, metadata={"finalizers": [FINALIZER]}, spec={"mode": mode}, **body)
        return PolicyRef(namespace=SHOP, name=name, uid=made["metadata"]["uid"])

    def take(self, kind: Kind, name: str, policy: PolicyRef, level: str = "trimmed", **fields: Value) -> None:
        """As the operator takes; `fields` are REPLICAS, SUSPEND, MODE by their last part."""
        known = {"replicas": REPLICAS, "suspend": SUSPEND, "mode": MODE}
        self.take_at(kind, name, policy, {known[key]: value for key, value in fields.items()}, level)

    def take_at(
        self, kind: Kind, name: str, policy: PolicyRef, fields: Mapping[Pointer, Value], level: str = "trimmed"
    ) -> None:
        now = self.clock.now()
        claims = {
            where: Claim(policy=policy, level=level, action="a", value=value, order=Order.NONE, at=now)
            for where, value in fields.items()
        }
        step = next_step(find(self.body(kind, name)), claims, policy)
        assert step is not None
        assert not isinstance(step, Stuck)
        outcome = asyncio.run(ClusterExecutor(self.api, self.clock).carry_out(step))
        assert outcome.settled, outcome

    def shop_is_degraded(self) -> PolicyRef:
        """A policy holds a Deployment, a CronJob and a key of a ConfigMap, for ten minutes."""
        policy = self.policy()
        self.seed(DEPLOYMENT, "thumbnailer", spec={"replicas": 3})
        self.seed(CRON_JOB, "bill", spec={"schedule": "@daily"})
        self.seed(CONFIG_MAP, "flags", data={"mode": "full", "other": "stays"})
        self.take(DEPLOYMENT, "thumbnailer", policy, replicas=1)
        self.take(CRON_JOB, "bill", policy, "core-only", suspend=True)
        self.take(CONFIG_MAP, "flags", policy, mode="lite")
        self.clock.time += LATER
        return policy

    def remember(self, kind: Kind, name: str, where: Pointer, original: Value, applied: Value) -> None:
        """In the policy's status, as the operator writes what it holds."""
        target = {"apiVersion": kind.api_version, "kind": kind.kind, "name": name, "uid": self.uid(kind, name)}
        entry = {"action": "a", "level": "trimmed", "target": target, "take": "take-1", "pointer": where}
        values = {"original": json.dumps(original), "applied": json.dumps(applied), "at": "2027-01-15T08:00:00Z"}
        policy = self.body(POLICY, "checkout")
        before = policy.get("status", {}).get("applied", [])
        self.api._store(POLICY, policy, {**policy, "status": {"applied": [*before, {**entry, **values}]}})

    def uid(self, kind: Kind, name: str) -> str:
        return str(self.body(kind, name)["metadata"]["uid"])

    def policy_ref(self, name: str = "checkout") -> PolicyRef:
        return PolicyRef(namespace=SHOP, name=name, uid=self.body(POLICY, name)["metadata"]["uid"])

    def edit(self, kind: Kind, name: str, patch: Mapping[str, Any], manager: str = "kubectl-edit") -> None:
        text = json.dumps(patch)
        answer = asyncio.run(self.api.patch(kind, SHOP, name, text, Content.MERGE_PATCH, manager=manager))
        assert answer.ok, answer.message

    def annotate(self, kind: Kind, name: str, ledger: str | None) -> None:
        self.edit(kind, name, {"metadata": {"annotations": {LEDGER_ANNOTATION: ledger}}})

    def label(self, kind: Kind, name: str, take: str | None) -> None:
        self.edit(kind, name, {"metadata": {"labels": {HELD_LABEL: take}}})

    def lease(self, renewed: str, holder: str = "brownout-0", name: str = "brownout") -> None:
        spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed}
        self.seed(LEASE, name, "brownout-system", spec=spec)

    def body(self, kind: Kind, name: str, namespace: str = SHOP) -> Body:
        found = self.api._find(kind, namespace, name)
        assert found is not None, f"no {kind.kind} {name}"
        return found

    def look(self, kind: Kind, name: str, where: Pointer) -> Value:
        here: Any = self.body(kind, name)
        for part in where.split("/")[1:]:
            if part not in here:
                return ABSENT
            here = here[part]
        value: Value = here
        return value

    def held(self) -> list[str]:
        """Everything that bears our label."""
        return [
            f"{kind.kind}/{each['metadata']['name']}"
            for kind in TARGETS.values()
            for each in self.api._objects.get(kind, {}).values()
            if HELD_LABEL in each["metadata"].get("labels", {})
        ]

    def owes(self, name: str = "checkout") -> bool:
        found = self.api._find(POLICY, SHOP, name)
        return found is not None and FINALIZER in found["metadata"].get("finalizers", ())

    def restore(self, *, answer: bool | None = None, **options: Any) -> Printed:
        """Runs the verb; `answer` is what the person says, None: nobody is there."""
        out, err = io.StringIO(), io.StringIO()
        asked: list[str] = []

        def ask(question: str) -> bool:
            asked.append(question)
            err.write(f"{question} yes/no: {'yes' if answer else 'no'}\n")
            return bool(answer)

        told = Options(**{"namespace": SHOP, "yes": answer is None, **options})
        terminal = Terminal(out=out, err=err, ask=ask if answer is not None else None)
        with asyncio.Runner() as runner:
            code = Restore(runner, self.cluster, self.clock, told, terminal).run()
        return Printed(code=code, out=out.getvalue(), err=err.getvalue())


OBJECTS = ((DEPLOYMENT, "thumbnailer"), (CRON_JOB, "bill"), (CONFIG_MAP, "flags"))


def degraded() -> tuple[GlassStage, dict[Kind, Any]]:
    """A degraded shop, and its objects as they were before."""
    stage = GlassStage()
    seeded = GlassStage()
    seeded.policy()
    seeded.seed(DEPLOYMENT, "thumbnailer", spec={"replicas": 3})
    seeded.seed(CRON_JOB, "bill", spec={"schedule": "@daily"})
    seeded.seed(CONFIG_MAP, "flags", data={"mode": "full", "other": "stays"})
    stage.shop_is_degraded()
    return stage, {kind: seeded.body(kind, name) for kind, name in OBJECTS}


def is_as_before(stage: GlassStage, before: dict[Kind, Any], *but: Kind) -> None:
    """Values, labels, annotations and owners."""
    moving = ("resourceVersion", "generation", "creationTimestamp", "managedFields")
    for kind, name in OBJECTS:
        if kind in but:
            continue
        then, now = before[kind], stage.body(kind, name)
        assert {**now, "metadata": 0} == {**then, "metadata": 0}
        assert _without(now["metadata"], moving) == _without(then["metadata"], moving)
    if DEPLOYMENT not in but:
        assert owners_of(stage.body(DEPLOYMENT, "thumbnailer"), "spec", "replicas") == [("kubectl", "Apply", "")]


def _without(metadata: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key not in keys}
