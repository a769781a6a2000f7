"""Every policy and every held object that the operator knows of."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from brownout.api.refs import PolicyRef, Target
from brownout.ledger.codec import find
from brownout.ledger.entries import Found, Held
from brownout.reconcile.record import FieldId, Record, older


class Store:
    """Records by policy, the index of held objects as the watch tells it, and who remembers holding what."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], Record] = {}
        self.index: dict[tuple[str, str, str], Found] = {}
        self._seen: dict[str, str] = {}
        self._holders: dict[str, set[tuple[str, str]]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def record_of(self, policy: PolicyRef) -> Record | None:
        """The record of exactly this policy: same name, same uid."""
        record = self.records.get((policy.namespace, policy.name))
        return record if record is not None and record.ref == policy else None

    def remember(self, record: Record, held: Mapping[FieldId, Held]) -> None:
        """Sets what a policy holds."""
        key = (record.about.namespace, record.about.name)
        for uid in {uid for uid, _ in record.held} - {uid for uid, _ in held}:
            self._holders[uid].discard(key)
            if not self._holders[uid]:
                del self._holders[uid]
        for uid, _ in held:
            self._holders.setdefault(uid, set()).add(key)
        record.held = held

    def remembered(self, target: Target) -> list[Held]:
        """What any policy remembers holding on one object."""
        records = [self.records[key] for key in sorted(self._holders.get(target.uid, ())) if key in self.records]
        return [held for record in records for held in record.held_on(target).values()]

    def forget(self, record: Record) -> None:
        """A policy is gone."""
        self.remember(record, {})
        self.records.pop((record.about.namespace, record.about.name), None)

    def indexed(self, key: tuple[str, str, str], body: Mapping[str, Any] | None) -> Found | None:
        """Takes in what the watch says of a held object (None: it is held no more); what was known of it before."""
        before = self.index.pop(key, None)
        if body is not None:
            self.index[key] = find(body)
        elif before is not None:
            self._drop(before.target.uid)
        return before

    def targets_of(self, policy: PolicyRef) -> list[Target]:
        """The objects whose ledger, as the watch has it, carries a claim of this policy."""
        return [
            found.target
            for found in self.index.values()
            if any(policy in entry.claims for entry in found.held.values())
        ]

    def policies_on(self, found: Iterable[Found | None]) -> set[PolicyRef]:
        """Everybody with a claim in these ledgers, or who remembers one on these objects."""
        policies: set[PolicyRef] = set()
        for each in found:
            if each is not None:
                policies |= {policy for entry in each.held.values() for policy in entry.claims}
                policies |= {held.policy for held in self.remembered(each.target)}
        return policies

    def saw(self, found: Found) -> None:
        """Notes the version of an object that we know: its echo from the watch tells nothing new."""
        self._seen[found.target.uid] = found.version

    def is_old(self, key: tuple[str, str, str], body: Mapping[str, Any]) -> bool:
        """Whether a later version of that object is known: a list or a watch may tell of it after our own write."""
        metadata = body["metadata"]
        known = {self._seen.get(metadata["uid"], "")}
        if key in self.index and self.index[key].target.uid == metadata["uid"]:
            known.add(self.index[key].version)
        return any(older(metadata["resourceVersion"], version) for version in known)

    def is_echo(self, found: Found) -> bool:
        return self._seen.get(found.target.uid) == found.version

    def _drop(self, uid: str) -> None:
        """Nothing of ours is on an object any more."""
        self._seen.pop(uid, None)
        if uid in self._locks and not self._locks[uid].locked():
            del self._locks[uid]

    def lock(self, target: Target) -> asyncio.Lock:
        """One object is changed by one policy at a time."""
        return self._locks.setdefault(target.uid, asyncio.Lock())
