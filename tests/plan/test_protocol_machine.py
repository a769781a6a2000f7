"""Policies, people, rollbacks and crashes in any order on real steps and an API server in memory: nothing is lost."""

import asyncio
import json
import os
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from brownout.act.executor import ClusterExecutor
from brownout.act.survey import Survey
from brownout.api.refs import PolicyRef, Target
from brownout.api.status import PolicyStatus
from brownout.cluster.kinds import CONFIG_MAP, DEPLOYMENT, TARGETS, Kind
from brownout.cluster.port import Answer, Content
from brownout.ledger.claims import winner
from brownout.ledger.codec import find
from brownout.ledger.entries import (
    HELD_LABEL,
    LEDGER_ANNOTATION,
    WHY_ANNOTATION,
    Claim,
    Found,
    Held,
    Illegible,
    Ledger,
    Order,
)
from brownout.ledger.pointer import ABSENT, Pointer, Value, look, parts_of, pointer, same
from brownout.ledger.steps import Outcome, Step
from brownout.reconcile.bring import Bringer, Brought
from brownout.reconcile.recall import held_in
from brownout.report import bounds
from brownout.testing.clock import VirtualClock
from brownout.testing.cluster import InMemoryCluster
from brownout.testing.faults import Fault, FaultyCluster, Write
from brownout.testing.managed_fields import owners_of
from brownout.testing.rules import normal

T = TypeVar("T")
NAMESPACE = "shop"
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


@dataclass(frozen=True)
class Field:
    """A field that policies claim; originals, claims and people's values never meet: each is known by itself."""

    kind: Kind
    name: str
    where: Pointer
    original: Value
    claimed: tuple[Value, ...]
    set_by_people: tuple[Value, ...]
    order: Order

    def __repr__(self) -> str:
        return f"<{self.name}{self.where}>"


REPLICAS = pointer("spec", "replicas")
FIELDS = (
    Field(DEPLOYMENT, "web", REPLICAS, 5, (0, 1, 2), (11, 12), Order.LOWEST),
    Field(DEPLOYMENT, "batch", REPLICAS, 6, (0, 3), (13,), Order.LOWEST),
    Field(CONFIG_MAP, "flags", pointer("data", "a/b"), "calm", ("lite", "off"), ("mine", ABSENT), Order.NONE),
    Field(CONFIG_MAP, "flags", pointer("data", "new"), ABSENT, ("on",), ("hand",), Order.NONE),
    Field(CONFIG_MAP, "bare", pointer("data", "only"), ABSENT, ("on", "dim"), ("hand",), Order.NONE),
)
OBJECTS = tuple(dict.fromkeys((each.kind, each.name) for each in FIELDS))
DEPLOYMENTS = tuple(name for kind, name in OBJECTS if kind == DEPLOYMENT)
POLICIES = ("p1", "p2", "p3")
NOBODY = PolicyRef(namespace="", name="", uid="")
METADATA = (HELD_LABEL, LEDGER_ANNOTATION, WHY_ANNOTATION)


class Crash(Exception):
    """The operator ends here."""


class CrashingExecutor:
    """Ends the operator before a step, or after it was carried out and before anybody heard."""

    def __init__(self, inner: ClusterExecutor) -> None:
        self._inner = inner
        self.before: int | None = None
        self.after: int | None = None
        self.steps = 0

    async def carry_out(self, step: Step) -> Outcome:
        self.steps += 1
        if self.steps == self.before:
            raise Crash
        outcome = await self._inner.carry_out(step)
        if self.steps == self.after:
            raise Crash
        return outcome


class Protocol(RuleBasedStateMachine):
    """`memory` is what each policy's status says: it is written after a pass, and a crash comes before that."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = VirtualClock()
        self.api = InMemoryCluster(self.clock)
        self.cluster = FaultyCluster(self.api, self.clock)
        self.executor = CrashingExecutor(ClusterExecutor(self.cluster, self.clock))
        self.bringer = Bringer(Survey(self.cluster), self._remembered)
        self.refs = {name: PolicyRef(namespace=NAMESPACE, name=name, uid=f"{name}-1") for name in POLICIES}
        self.wants: dict[PolicyRef, dict[tuple[str, Pointer], Claim]] = {ref: {} for ref in self.refs.values()}
        self.memory: dict[PolicyRef, dict[tuple[str, Pointer], Held]] = {ref: {} for ref in self.refs.values()}
        self.released: set[tuple[PolicyRef, str, Pointer]] = set()
        self.to_be_released: dict[tuple[PolicyRef, str, Pointer], Value] = {}
        self.gone: set[PolicyRef] = set()
        self.expected: dict[tuple[str, Pointer], tuple[Value, str]] = {}
        self.clones: dict[str, Value] = {}
        self.snapshots: dict[str, list[Mapping[str, str]]] = {name: [{}] for name in DEPLOYMENTS}
        self.generations = 1
        self.let_go = False
        self._seed()

    def _seed(self) -> None:
        bodies: dict[str, dict[str, Any]] = {
            "web": {"spec": {"replicas": 5}},
            "batch": {"spec": {"replicas": 6}},
            "flags": {"data": {"a/b": "calm"}},
            "bare": {},
        }
        for kind, name in OBJECTS:
            body = {"metadata": {"name": name, "namespace": NAMESPACE}, **bodies[name]}
            assert self.api.seed(kind, body, manager="kubectl", operation="Apply").ok
        self.expected = {(each.name, each.where): (each.original, "kubectl") for each in FIELDS}

    def teardown(self) -> None:
        try:
            self._all_go()
        finally:
            self.loop.close()

    # How the operator sees it.

    def _run(self, work: Awaitable[T]) -> T:
        async def run() -> T:
            return await work

        return self.loop.run_until_complete(run())

    def _found(self, kind: Kind, name: str) -> Found:
        body = self.api._find(kind, NAMESPACE, name)
        assert body is not None
        return find(body)

    def _remembered(self, found: Found) -> list[Held]:
        every = [held for fields in self.memory.values() for held in fields.values()]
        return [held for held in every if held.target.uid == found.target.uid]

    def _bring(self, ref: PolicyRef, kind: Kind, name: str, orphans: frozenset[PolicyRef] = frozenset()) -> bool:
        """A pass of one policy over one object; False when the operator ended in it."""
        found, before = self._found(kind, name), self._found(kind, name)
        wants = {where: claim for (object_, where), claim in self.wants.get(ref, {}).items() if object_ == name}
        self.clock._now += 1.0
        try:
            brought = self._run(self.bringer.bring(found, wants, ref, self.executor, self.clock.now(), orphans))
        except Crash:
            self._restart()
            return False
        self._take_in(ref, name, found.target, brought)
        after = self._found(kind, name)
        self._check_step(before, after)
        self.snapshots.setdefault(name, []).append(after.body["metadata"].get("annotations") or {})  # type: ignore[union-attr, arg-type]
        return True

    def _take_in(self, ref: PolicyRef, name: str, target: Target, brought: Brought) -> None:
        assert brought.stuck is None, brought.stuck
        if brought.held is not None and ref in self.memory:
            rest = {field: held for field, held in self.memory[ref].items() if field[0] != name}
            self.memory[ref] = rest | {(name, where): held for where, held in brought.held.items()}
        self.let_go = bool(brought.released)
        for policy, let_go in brought.released:
            self.released.add((policy, name, let_go.pointer))
            self.wants.get(policy, {}).pop((name, let_go.pointer), None)
            self.memory.get(policy, {}).pop((name, let_go.pointer), None)

    def _restart(self) -> None:
        """What is remembered is what the statuses say, as text."""
        for ref, fields in self.memory.items():
            applied, unrecorded = bounds.applied(tuple(fields.values()))
            assert unrecorded == 0
            names = {held.target.uid: held.target.name for held in fields.values()}
            again = held_in(PolicyStatus(applied=applied), ref)
            self.memory[ref] = {(names[uid], where): held for (uid, where), held in again.items()}

    # What is true at any time.

    def _check_step(self, before: Found, after: Found) -> None:
        """The take-id and the original stay while a field stays held."""
        if isinstance(before.ledger, Ledger) and isinstance(after.ledger, Ledger):
            for where, entry in after.held.items():
                was = before.held.get(where)
                if was is not None and not was.restored and not entry.restored:
                    assert before.ledger.take == after.ledger.take
                    assert same(was.original, entry.original)

    @invariant()
    def a_ledger_and_its_label_come_and_go_together(self) -> None:
        for kind, name in OBJECTS:
            metadata: Any = self._found(kind, name).body["metadata"]
            if isinstance(self._found(kind, name).ledger, Ledger):
                assert WHY_ANNOTATION in metadata["annotations"]

    # What happens.

    @rule(name=st.sampled_from(POLICIES), field=st.sampled_from(FIELDS), pick=st.integers(0, 2))
    def wants_a_field(self, name: str, field: Field, pick: int) -> None:
        ref = self.refs[name]
        value = field.claimed[pick % len(field.claimed)]
        key = (field.name, field.where)
        if (ref, *key) in self.released or self._held_by_other(field, ref, value):
            return
        before = self.wants[ref].get(key)
        at = before.at if before else self.clock.now()
        self.wants[ref][key] = Claim(policy=ref, level=f"l{pick}", action="a", value=value, order=field.order, at=at)
        if self._bring(ref, field.kind, field.name):
            self._is_idempotent(ref, field)

    def _held_by_other(self, field: Field, ref: PolicyRef, value: Value) -> bool:
        """Selection blocks a claim that has no order with one that stands."""
        found = self._found(field.kind, field.name)
        entry = found.held.get(field.where)
        claims = [] if entry is None else [each for each in entry.claims.values() if each.policy != ref]
        claims += [wants[field.name, field.where] for other, wants in self.wants.items()
                   if other != ref and (field.name, field.where) in wants]  # fmt: skip
        return field.order is Order.NONE and any(each.value != value for each in claims)

    def _is_idempotent(self, ref: PolicyRef, field: Field) -> None:
        """What somebody else set was let go; a policy that had no claim on it may take it at its next pass."""
        if self.let_go:
            self._bring(ref, field.kind, field.name)
        steps = self.executor.steps
        self._bring(ref, field.kind, field.name)
        assert self.executor.steps == steps
        found = self._found(field.kind, field.name)
        for where, entry in found.held.items():
            assert not entry.restored
            assert same(look(found.body, where), winner(entry.claims).value)

    @rule(name=st.sampled_from(POLICIES), field=st.sampled_from(FIELDS))
    def wants_it_no_more(self, name: str, field: Field) -> None:
        ref = self.refs[name]
        self.wants[ref].pop((field.name, field.where), None)
        if self._bring(ref, field.kind, field.name):
            self._is_idempotent(ref, field)

    @rule(name=st.sampled_from(POLICIES), field=st.sampled_from(FIELDS))
    def looks_again(self, name: str, field: Field) -> None:
        self._bring(self.refs[name], field.kind, field.name)

    @rule(name=st.sampled_from(POLICIES))
    def begins_a_new_episode(self, name: str) -> None:
        ref = self.refs[name]
        if not self.wants[ref] and not self.memory[ref]:
            self.released = {each for each in self.released if each[0] != ref}
            self.to_be_released = {each: was for each, was in self.to_be_released.items() if each[0] != ref}

    @rule(field=st.sampled_from(FIELDS), pick=st.integers(0, 2), manager=st.sampled_from(("kubectl-edit", "argocd")))
    def somebody_sets_a_field(self, field: Field, pick: int, manager: str) -> None:
        values = (*field.set_by_people, field.original)
        self._set(field, values[pick % len(values)], manager)

    def _set(self, field: Field, value: Value, manager: str, **metadata: Any) -> None:
        found = self._found(field.kind, field.name)
        key, live = (field.name, field.where), look(found.body, field.where)
        entry = found.held.get(field.where)
        if not same(live, value):
            self.expected[key] = (value, manager)
            for ref in entry.claims if entry is not None and not entry.restored else ():
                if key in self.memory.get(ref, {}):
                    self.to_be_released[ref, *key] = entry.original if entry is not None else ABSENT
            # A field that is as it was, with our metadata gone too, cannot be told from one that we gave back.
            for each in [each for each, was in self.to_be_released.items() if each[1:] == key and same(was, value)]:
                del self.to_be_released[each]
        answer = self._run(self._patch(field, value, manager, metadata))
        assert answer.ok, answer.message

    async def _patch(self, field: Field, value: Value, manager: str, metadata: Mapping[str, Any]) -> Answer:
        patch: Any = None if value is ABSENT else value
        for part in reversed(parts_of(field.where)):
            patch = {part: patch}
        text = json.dumps({**patch, **({"metadata": dict(metadata)} if metadata else {})})
        return await self.api.patch(field.kind, NAMESPACE, field.name, text, Content.MERGE_PATCH, manager=manager)

    @rule(field=st.sampled_from([each for each in FIELDS if each.kind == DEPLOYMENT]), pick=st.integers(0, 2))
    def somebody_replaces_an_object(self, field: Field, pick: int) -> None:
        """`kubectl replace` with a manifest of one's own: our metadata goes, the field is what the manifest says."""
        value = field.set_by_people[pick % len(field.set_by_people)]
        metadata = {"labels": None, "annotations": None}
        if self._is_known(field.kind, field.name):
            self._set(field, value, "kubectl-replace", **metadata)

    @precondition(lambda self: any(len(each) > 1 for each in self.snapshots.values()))
    @rule(name=st.sampled_from(DEPLOYMENTS), back=st.integers(1, 5))
    def a_rollback_brings_annotations_back(self, name: str, back: int) -> None:
        """`kubectl rollout undo`: annotations as they were, labels as they are."""
        if not self._is_known(DEPLOYMENT, name):
            return
        snapshots = self.snapshots[name]
        old = snapshots[max(0, len(snapshots) - back)]
        body = self._found(DEPLOYMENT, name).body
        metadata: Any = body["metadata"]
        stored = {**body, "metadata": {**metadata, "annotations": dict(old)}}
        self.api._store(DEPLOYMENT, dict(body), normal(DEPLOYMENT, stored))

    def _is_known(self, kind: Kind, name: str) -> bool:
        """Whether the statuses know all that the ledger says: else losing the ledger too is one fault too many."""
        found = self._found(kind, name)
        if isinstance(found.ledger, Illegible):
            return False
        for where, entry in found.held.items():
            known = [fields[name, where] for fields in self.memory.values() if (name, where) in fields]
            if entry.restored or not known:
                return False
            fits = [same(each.entry.applied, entry.applied) and same(each.entry.original, entry.original)
                    for each in known]  # fmt: skip
            if not all(fits) or any(ref not in self.memory or (name, where) not in self.memory[ref]
                                    for ref in entry.claims):  # fmt: skip
                return False
        return True

    @rule(name=st.sampled_from(DEPLOYMENTS))
    def somebody_clones_an_object(self, name: str) -> None:
        body = self._found(DEPLOYMENT, name).body
        metadata: Any = body["metadata"]
        kept = {key: metadata[key] for key in ("labels", "annotations") if key in metadata}
        clone = f"clone-{len(self.clones)}"
        copied = {"metadata": {"name": clone, "namespace": NAMESPACE, **kept}, "spec": body["spec"]}
        assert self.api.seed(DEPLOYMENT, copied, manager="kubectl").ok
        self.clones[clone] = look(body, REPLICAS)

    @rule(
        name=st.sampled_from(POLICIES), field=st.sampled_from(FIELDS), step=st.integers(1, 3), committed=st.booleans()
    )
    def the_operator_ends_in_a_pass(self, name: str, field: Field, step: int, committed: bool) -> None:
        self.executor.before = None if committed else self.executor.steps + step
        self.executor.after = self.executor.steps + step if committed else None
        self._bring(self.refs[name], field.kind, field.name)
        self.executor.before = self.executor.after = None

    @rule(
        name=st.sampled_from(POLICIES),
        field=st.sampled_from(FIELDS),
        fault=st.sampled_from(
            (Fault.NEVER_SENT, Fault.ANSWER_LOST, Answer(status=500), Answer(status=403), Answer(status=409))
        ),
        step=st.integers(1, 3),
        stops=st.booleans(),
    )
    def a_request_fails_in_a_pass(self, name: str, field: Field, fault: Fault | Answer, step: int, stops: bool) -> None:
        first = len(self.cluster.writes) + step

        def on_write(write: Write) -> Fault | Answer | None:
            return fault if write.number == first or (not stops and write.number > first) else None

        self.cluster.on_write = on_write
        ref = self.refs[name]
        if stops:
            self.wants[ref].pop((field.name, field.where), None)
        self._bring(ref, field.kind, field.name)
        self.cluster.on_write = lambda _: None

    @rule(name=st.sampled_from(POLICIES))
    def a_policy_is_torn_away_and_made_anew(self, name: str) -> None:
        """Its finalizer was removed by hand; what it claims is in the ledgers alone. A claim in a ledger that was lost
        with it is one fault too many."""
        old = self.refs[name]
        claimed = [(kind, object_) for kind, object_ in OBJECTS if any(key[0] == object_ for key in self.memory[old])]
        if any(old not in {ref for entry in self._found(*each).held.values() for ref in entry.claims}
               or not self._is_known(*each) for each in claimed):  # fmt: skip
            return
        self.gone.add(old)
        self.generations += 1
        self.refs[name] = new = replace(old, uid=f"{name}-{self.generations}")
        self.wants.pop(old)
        self.memory.pop(old)
        self.wants[new], self.memory[new] = {}, {}
        self.to_be_released = {each: was for each, was in self.to_be_released.items() if each[0] != old}

    @rule()
    def the_sweep_gives_back_what_nobody_claims(self) -> None:
        for kind, name in (*OBJECTS, *((DEPLOYMENT, clone) for clone in self.clones)):
            found = self._found(kind, name)
            claiming = {ref for entry in found.held.values() for ref in entry.claims}
            orphans = frozenset(claiming & self.gone)
            if orphans:
                self._bring(min(orphans), kind, name, orphans)
            elif isinstance(found.ledger, Illegible) and not self._remembered(found):
                self._bring(NOBODY, kind, name)

    # How it ends.

    def _all_go(self) -> None:
        """Everybody is well again: each policy gives back what it holds, as often as it takes."""
        for wants in self.wants.values():
            wants.clear()
        for _ in range(3):
            self.the_sweep_gives_back_what_nobody_claims()
            for ref in list(self.refs.values()):
                for kind, name in OBJECTS:
                    self._bring(ref, kind, name)
        self._nothing_is_left()

    def _nothing_is_left(self) -> None:
        for field in FIELDS:
            found = self._found(field.kind, field.name)
            value, manager = self.expected[field.name, field.where]
            live = look(found.body, field.where)
            assert same(live, value), f"{field.name} {field.where} is {live}, not {value}"
            owners = {name for name, _, _ in owners_of(dict(found.body), *parts_of(field.where))}
            assert owners == (set() if value is ABSENT else {manager})
        for clone, replicas in self.clones.items():
            assert look(self._found(DEPLOYMENT, clone).body, REPLICAS) == replicas
        for kind, name in (*OBJECTS, *((DEPLOYMENT, clone) for clone in self.clones)):
            metadata: Any = self._found(kind, name).body["metadata"]
            there = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
            assert not [key for key in METADATA if key in there], name
        assert not any(self.memory.values())
        assert self.to_be_released.keys() <= self.released
        assert TARGETS


TestProtocol = Protocol.TestCase
TestProtocol.settings = settings(
    max_examples=2000 if THOROUGH else 40,
    stateful_step_count=40 if THOROUGH else 25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
