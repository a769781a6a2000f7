"""What we owe back, and to whom it is owed: the ledger that lives on each target we hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from brownout.api.refs import PolicyRef, Target
from brownout.ledger.pointer import Json, Pointer, Value, look

Instant: TypeAlias = float
"""UTC seconds since the epoch."""

HELD_LABEL = "brownout.dev/held"
LEDGER_ANNOTATION = "brownout.dev/ledger"
WHY_ANNOTATION = "brownout.dev/why"
CRITICALITY_LABEL = "brownout.dev/criticality"
FINALIZER = "brownout.dev/owes"
TAKING_MANAGER = "brownout"
GIVING_MANAGER = "brownout-restore"


class Order(StrEnum):
    """Which of two values of one field is the more degraded."""

    LOWEST = "lowest"
    HIGHEST = "highest"
    SUSPENDED = "suspended"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One policy's wish for one field."""

    policy: PolicyRef
    level: str
    action: str
    value: Value
    order: Order
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A field manager that owned the field before us."""

    manager: str
    operation: str
    subresource: str = ""
    api_version: str = ""
    time: str = ""
    fields: Mapping[str, Json] = field(default_factory=dict)
    """The FieldsV1 set at and below the field, as this manager owned it; empty for a scalar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field held: what it was, what we set, who owned it, who claims it.

    `wanted` is the winning claim's value; `applied` is what the API server stored for it (admission may adjust).
    `parent` is the topmost parent we had to make for it (removed again with it), if any.
    """

    pointer: Pointer
    original: Value
    applied: Value
    wanted: Value
    owners: tuple[Owner, ...] = ()
    claims: Mapping[PolicyRef, Claim] = field(default_factory=dict)
    restored: bool = False
    parent: Pointer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """All entries of one object, under the take-id made with the first of them."""

    take: str
    uid: str
    entries: Mapping[Pointer, Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Illegible:
    """A ledger that must not be used, and why; `takes` are the take-ids that the object still shows."""

    message: str
    stale: bool
    """True: lost, cloned or brought back from an earlier time. False: broken text or an unknown version."""
    takes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object as it was read."""

    target: Target
    body: Mapping[str, Json]
    ledger: Ledger | Illegible | None

    @property
    def version(self) -> str:
        """Its resourceVersion."""
        metadata = self.body["metadata"]
        return str(metadata["resourceVersion"]) if isinstance(metadata, Mapping) else ""

    @property
    def held(self) -> Mapping[Pointer, Entry]:
        """The entries that may be used."""
        return self.ledger.entries if isinstance(self.ledger, Ledger) else {}

    def original(self, where: Pointer) -> Value:
        """The field as its owners had it: from the ledger while held, else the live value."""
        entry = self.held.get(where)
        return entry.original if entry is not None and not entry.restored else look(self.body, where)

    def claims_of(self, policy: PolicyRef) -> Mapping[Pointer, Claim]:
        """What the ledger says this policy holds here; a field already given back is not held."""
        return {
            where: entry.claims[policy]
            for where, entry in self.held.items()
            if policy in entry.claims and not entry.restored
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One field that one policy holds, as its status remembers it: enough to rebuild a lost ledger."""

    policy: PolicyRef
    target: Target
    take: str
    entry: Entry

    @property
    def claim(self) -> Claim:
        return self.entry.claims[self.policy]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look for: one named object, or all of several kinds that a label selector matches."""

    namespace: str
    kinds: tuple[str, ...]
    name: str | None = None
    selectors: Sequence[str] = ()
    """Kubernetes label selectors; what each finds is taken in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A reason to do nothing."""

    reason: str
    message: str
