"""Looking for targets before planning: what an action names or selects, and what stands around it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from brownout.act.outcomes import unreadable
from brownout.api.refs import Target
from brownout.cluster.kinds import AUTOSCALER, SCALED_OBJECT, TARGETS, VERTICAL_AUTOSCALER, Kind
from brownout.cluster.port import Cluster
from brownout.ledger.codec import find
from brownout.ledger.entries import Blocked, Found, Query


class Gone:
    """A target that exists no more, or under another uid: nothing is owed to it."""


class Survey:
    """Reads from the API server, never from a cache: what is decided on must be what is there."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def seek(self, query: Query) -> Sequence[Found] | Blocked:
        """What a query finds, in the order of its selectors and kinds; Blocked when it could not be read."""
        if query.name is not None:
            return await self._named(TARGETS[query.kinds[0]], query.namespace, query.name)
        found: dict[str, Found] = {}
        for selector in query.selectors:
            for kind in query.kinds:
                listed = await self._listed(TARGETS[kind], query.namespace, selector)
                if isinstance(listed, Blocked):
                    return listed
                found |= {each.target.uid: each for each in listed if each.target.uid not in found}
        return tuple(found.values())

    async def look_again(self, target: Target) -> Found | Gone | Blocked:
        """One known target as it is now."""
        named = await self._named(TARGETS[target.kind], target.namespace, target.name)
        if isinstance(named, Blocked):
            return named
        return next((each for each in named if each.target.uid == target.uid), Gone())

    async def autoscalers(self, namespace: str) -> Mapping[str, Sequence[Mapping[str, Any]]] | Blocked:
        """The HPA, ScaledObject and VPA objects of a namespace by kind; a kind that is not installed has none."""
        kinds = (AUTOSCALER, SCALED_OBJECT, VERTICAL_AUTOSCALER)
        answers = await asyncio.gather(*(self._cluster.list(kind, namespace) for kind in kinds))
        objects: dict[str, Sequence[Mapping[str, Any]]] = {}
        for kind, answer in zip(kinds, answers, strict=True):
            if not answer.ok and answer.status != 404:
                return unreadable(answer, kind, namespace, "list")
            objects[kind.kind] = answer.items
        return objects

    async def _named(self, kind: Kind, namespace: str, name: str) -> Sequence[Found] | Blocked:
        answer = await self._cluster.get(kind, namespace, name)
        if answer.ok:
            return (find(answer.body),)
        return () if answer.missing else unreadable(answer, kind, namespace, "get")

    async def _listed(self, kind: Kind, namespace: str, selector: str) -> Sequence[Found] | Blocked:
        answer = await self._cluster.list(kind, namespace, selector=selector)
        if not answer.ok:
            return unreadable(answer, kind, namespace, "list")
        return tuple(find({"apiVersion": kind.api_version, "kind": kind.kind, **item}) for item in answer.items)
