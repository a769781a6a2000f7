"""What the operator remembers of one policy between two ticks. While it runs, this and not a cache is the truth."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from brownout.api.load import Metadata, dump, load_metadata
from brownout.api.policy import PolicySpec
from brownout.api.refs import PolicyRef, Target
from brownout.api.status import PolicyStatus
from brownout.decide.model import Decision, State
from brownout.decide.waves import Wave
from brownout.ledger.entries import Entry, Held, Instant
from brownout.ledger.pointer import Pointer
from brownout.levers.selection import BlockedTarget
from brownout.report.facts import BlockedAction, ReleasedField

FieldId: TypeAlias = tuple[str, Pointer]
"""A field of one object: the object's uid and the pointer."""
LEAST_VITAL = 5


@dataclass(slots=True, kw_only=True)
class Backoff:
    """How often in a row a target's step failed, and when to try again."""

    failures: int
    until: Instant
    what: BlockedAction
    restoring: bool
    """Whether it is giving back that failed."""


@dataclass(slots=True, kw_only=True)
class Record:
    """One policy. Only its own ticks and its own pass of work write here, all on one loop."""

    about: Metadata
    spec: PolicySpec | None = None
    """The last good one."""
    refusal: str = ""
    """Why the newest spec cannot be used; "" when it can."""
    status: PolicyStatus = field(default_factory=PolicyStatus)
    """As last written, or as found at the start."""
    stored: Mapping[str, Any] = field(default_factory=dict)
    """The same as the API server has it: what was never written is not there, and defaults are not filled in."""

    state: State = field(default_factory=State)
    decision: Decision | None = None
    transition: Decision | None = None
    """The last decision that changed the level."""
    unproven: tuple[str, ...] = ()
    source_down: str = ""

    held: Mapping[FieldId, Held] = field(default_factory=dict)
    released: tuple[ReleasedField, ...] = ()
    blocked: tuple[BlockedAction, ...] = ()
    unrestored: tuple[BlockedAction, ...] = ()
    planned: Mapping[FieldId, tuple[Target, Entry]] = field(default_factory=dict)
    """What DryRun would take, as of the last pass."""
    wave: Wave | None = None
    left: int = 0
    """Targets that still wait to be given back."""
    changing: bool = False
    """The writes of the last change of level are not all done: it settles from the last of them."""
    wrote_at: Instant | None = None
    """The last write of that change, once there is one and it does not count yet."""
    vitality: int = LEAST_VITAL
    """The criticality (1 is C1) of what the policy protects."""

    surveyed: int = -1
    """The generation whose targets were looked for."""
    survey_again: Instant | None = None
    """When to look again at Normal, because something was missing or could not be read."""
    problem: str = ""
    """What the last pass could not write about the policy itself; said in the log, where else?"""
    preview: tuple[BlockedTarget, ...] = ()
    """What the last look at the targets found in the way."""
    backoffs: dict[str, Backoff] = field(default_factory=dict)

    gone: bool = False
    """The policy exists no more, or another one has its name."""
    poked: asyncio.Event = field(default_factory=asyncio.Event)
    work: asyncio.Task[None] | None = None

    @property
    def places(self) -> Mapping[str, int]:
        """Each action's place in the spec."""
        levels = self.spec.levels if self.spec else ()
        return {action.name: place for place, action in enumerate(a for level in levels for a in level.actions)}

    @property
    def ref(self) -> PolicyRef:
        return self.about.ref

    def learn(self, body: Mapping[str, Any] | None) -> None:
        """Takes in the policy's metadata from an answer of the API server; None: it is gone."""
        about = load_metadata(body) if body is not None else None
        if about is None or about.uid != self.about.uid:
            self.about = replace(self.about, finalizers=(), deleting=True)
        elif about.resource_version and not older(about.resource_version, self.about.resource_version):
            # The generation is the spec's, and a spec is taken in by the watch alone.
            self.about = replace(about, generation=self.about.generation)

    def hear(self, body: Mapping[str, Any]) -> bool:
        """Takes in the metadata, generation included, as the watch tells it; False if it is older than ours."""
        about = load_metadata(body)
        if older(about.resource_version, self.about.resource_version):
            return False
        self.about = about
        return True

    def wrote(self, status: PolicyStatus, resource_version: str) -> None:
        """The status was written, and the policy has this resourceVersion now."""
        self.status, self.stored = status, dump(status)
        self.about = replace(self.about, resource_version=resource_version)

    @property
    def deleting(self) -> bool:
        return self.about.deleting

    def held_on(self, target: Target) -> Mapping[Pointer, Held]:
        """What this policy holds on one object."""
        return {where: held for (uid, where), held in self.held.items() if uid == target.uid}


def older(one: str, other: str) -> bool:
    """Whether a resourceVersion is older than another of the same object: they compare as numbers since 1.35, and are
    numbers in every release before."""
    return one.isdigit() and other.isdigit() and int(one) < int(other)
