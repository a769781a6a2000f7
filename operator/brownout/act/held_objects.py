"""Everything in a cluster that bears something of ours, as break glass looks at it. Reads only."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brownout.act.holdings import Holding, Remembered, holding_of
from brownout.act.presence import Sign, sign_of
from brownout.api.instants import parse_instant
from brownout.api.load import load_status
from brownout.api.refs import PolicyRef, Target
from brownout.api.status import AppliedStatus, TargetStatus
from brownout.clock import Clock
from brownout.cluster.kinds import LEASE, POLICY, TARGETS, Kind
from brownout.cluster.port import UNANSWERED, Answer, Cluster
from brownout.ledger import gojson
from brownout.ledger.codec import find
from brownout.ledger.entries import HELD_LABEL, LEDGER_ANNOTATION, Claim, Found, Order
from brownout.ledger.pointer import ABSENT, Pointer, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Something that could not be read, and why; what is held there is not known."""

    what: str
    why: str
    unanswered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look found."""

    holdings: tuple[Holding, ...]
    """By namespace, kind and name."""
    unread: tuple[Unread, ...]
    """Target kinds."""
    policies: tuple[Mapping[str, Any], ...]
    unread_policies: Unread | None
    """None also when their CRD is gone: then there are none."""
    sign: Sign
    unread_leases: Unread | None


class HeldObjects:
    """`namespace` "" is all of them. `deep` looks at every object of the target kinds, not at the label alone."""

    def __init__(self, cluster: Cluster, clock: Clock, *, namespace: str = "", deep: bool = False) -> None:
        self._cluster, self._clock = cluster, clock
        self._namespace, self._deep = namespace, deep

    async def look(self) -> Seen:
        """Reads all that there is to read; writes nothing."""
        policies, leases, *kinds = await asyncio.gather(
            self._cluster.list(POLICY, self._namespace),
            self._leases(),
            *(self._held(kind) for kind in TARGETS.values()),
        )
        found: list[Found] = [each for every in kinds if not isinstance(every, Unread) for each in every]
        unread = [each for each in kinds if isinstance(each, Unread)]
        remembered = _remembered(policies.items if policies.ok else ())
        more = await self._unlabelled(
            remembered.keys() - {each.target for each in found}, {each.what for each in unread}
        )
        found += [each for each in more if isinstance(each, Found)]
        holdings = [holding_of(each, remembered.get(each.target, ())) for each in sorted(found, key=_place)]
        return Seen(
            holdings=tuple(each for each in holdings if each is not None),
            unread=(*unread, *(each for each in more if isinstance(each, Unread))),
            policies=tuple(policies.items) if policies.ok else (),
            unread_policies=None if policies.ok or policies.status == 404 else self._unread(POLICY, policies),
            sign=sign_of(None if isinstance(leases, Unread) else leases, policies.items, self._clock.now()),
            unread_leases=leases if isinstance(leases, Unread) else None,
        )

    async def _held(self, kind: Kind) -> list[Found] | Unread:
        answer = await self._cluster.list(kind, self._namespace, selector=HELD_LABEL)
        if answer.status == 404:
            return []
        if not answer.ok:
            return self._unread(kind, answer)
        found = [_found(kind, each) for each in answer.items]
        if not self._deep:
            return found
        more = await self._without_label(kind)
        return more if isinstance(more, Unread) else found + more

    async def _without_label(self, kind: Kind) -> list[Found] | Unread:
        """Objects that bear our annotation and not our label; their metadata is read first, it is far smaller."""
        answer = await self._cluster.list(kind, self._namespace, metadata_only=True)
        if not answer.ok:
            return self._unread(kind, answer)
        found = []
        for each in answer.items:
            metadata = each["metadata"]
            labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
            if LEDGER_ANNOTATION not in annotations or HELD_LABEL in labels:
                continue
            whole = await self._cluster.get(kind, metadata.get("namespace", ""), metadata["name"])
            if not whole.ok and not whole.missing:
                return self._unread(kind, whole)
            found += [_found(kind, whole.body)] if whole.ok else []
        return found

    async def _unlabelled(self, targets: Collection[Target], unread: Collection[str]) -> list[Found | Unread]:
        """Objects that a status names as held, and that were not found by their label."""
        found: list[Found | Unread] = []
        for target in sorted(targets):
            kind = TARGETS[target.kind]
            if kind.plural in unread:
                continue
            answer = await self._cluster.get(kind, target.namespace, target.name)
            if answer.ok and answer.body["metadata"]["uid"] == target.uid:
                found.append(_found(kind, answer.body))
            elif not answer.ok and answer.status != 404:
                found.append(
                    Unread(what=str(target), why=f"{target} could not be read: {answer.message or answer.reason}")
                )
        return found

    async def _leases(self) -> Sequence[Mapping[str, Any]] | Unread:
        answer = await self._cluster.list(LEASE)
        return answer.items if answer.ok else self._unread(LEASE, answer, everywhere=True)

    def _unread(self, kind: Kind, answer: Answer, *, everywhere: bool = False) -> Unread:
        """In the words of a person's own rights."""
        namespace = "" if everywhere else self._namespace
        where = f"in namespace {namespace}" if namespace else "in all namespaces"
        if answer.status == 403:
            return Unread(what=kind.plural, why=f"you may not list {kind.plural} {where}")
        why = f"{kind.plural} {where} could not be listed: {answer.message or answer.reason}"
        return Unread(what=kind.plural, why=why, unanswered=answer.status == UNANSWERED)


def _found(kind: Kind, item: Mapping[str, Any]) -> Found:
    return find({"apiVersion": kind.api_version, "kind": kind.kind, **item})


def _place(found: Found) -> tuple[str, str, str]:
    return found.target.namespace, found.target.kind, found.target.name


def _remembered(policies: Sequence[Mapping[str, Any]]) -> Mapping[Target, list[Remembered]]:
    """What the statuses of policies say that they hold."""
    told: dict[Target, list[Remembered]] = {}
    for body in policies:
        metadata = body["metadata"]
        policy = PolicyRef(namespace=metadata["namespace"], name=metadata["name"], uid=metadata["uid"])
        for each in load_status(body).applied:
            remembered = _recalled(each, policy)
            if remembered is not None and each.target.kind in TARGETS:
                told.setdefault(_target(each.target, policy.namespace), []).append(remembered)
    return told


def _recalled(applied: AppliedStatus, policy: PolicyRef) -> Remembered | None:
    """None for values that are no JSON: nobody could be shown them."""
    try:
        original, value = _value(applied.original), _value(applied.applied)
    except (ValueError, RecursionError):
        return None
    claim = Claim(
        policy=policy,
        level=applied.level,
        action=applied.action,
        value=value,
        order=Order.NONE,
        at=parse_instant(applied.at) or 0.0,
    )
    return Remembered(claim=claim, pointer=Pointer(applied.pointer), original=original)


def _value(text: str | None) -> Value:
    """ValueError or RecursionError for what could not be written as JSON again."""
    value: Value = ABSENT if text is None else json.loads(text)
    if value is not ABSENT:
        gojson.encode(value)
    return value


def _target(target: TargetStatus, namespace: str) -> Target:
    return Target(
        api_version=TARGETS[target.kind].api_version,
        kind=target.kind,
        namespace=namespace,
        name=target.name,
        uid=target.uid,
    )
