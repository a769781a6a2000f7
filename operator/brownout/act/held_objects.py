"""Everything in a cluster that bears something of ours, as break glass looks at it. Reads only."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brownout.act.holdings import Holding, holding_of
from brownout.act.presence import Sign, sign_of
from brownout.api.load import load_status
from brownout.clock import Clock
from brownout.cluster.kinds import LEASE, POLICY, TARGETS, Kind
from brownout.cluster.port import UNANSWERED, Answer, Cluster
from brownout.ledger.codec import find
from brownout.ledger.entries import HELD_LABEL, LEDGER_ANNOTATION, Found


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
        remembered = _remembered(policies.items if policies.ok else ())
        holdings = [holding_of(each, remembered.get(each.target.uid, ())) for each in sorted(found, key=_place)]
        return Seen(
            holdings=tuple(each for each in holdings if each is not None),
            unread=tuple(each for each in kinds if isinstance(each, Unread)),
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


def _remembered(policies: Sequence[Mapping[str, Any]]) -> Mapping[str, list[str]]:
    """By uid of the object: what a policy's status says that its fields were."""
    told: dict[str, list[str]] = {}
    for body in policies:
        metadata = body["metadata"]
        for each in load_status(body).applied:
            was = each.original if each.original is not None else "(not set)"
            sentence = f"the status of policy {metadata['namespace']}/{metadata['name']} says {each.pointer} was {was}"
            told.setdefault(each.target.uid, []).append(sentence)
    return told
