"""Everything Brownout says as an event: one constructor each, so that a reason always comes with the same shape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from brownout.api.refs import PolicyRef, Target
from brownout.cluster.kinds import POLICY
from brownout.ledger.entries import Entry, Held
from brownout.ledger.pointer import parts_of
from brownout.ledger.why import show
from brownout.report.facts import BlockedAction, ReleasedField


class EventReason(StrEnum):
    """Why an event was written: people search and alert on these."""

    ESCALATED = "Escalated"
    RECOVERED = "Recovered"
    WOULD_ESCALATE = "WouldEscalate"
    WOULD_RECOVER = "WouldRecover"
    TAKEN = "Taken"
    WOULD_TAKE = "WouldTake"
    GIVEN_BACK = "GivenBack"
    ALL_GIVEN_BACK = "AllGivenBack"
    RELEASED = "Released"
    BLOCKED = "Blocked"
    RESTORE_FAILED = "RestoreFailed"
    SIGNALS_LOST = "SignalsLost"
    SIGNALS_BACK = "SignalsBack"
    STALLED = "Stalled"
    RESUMED = "Resumed"
    STALE_LEDGER_REMOVED = "StaleLedgerRemoved"


class EventType(StrEnum):
    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to `regarding`. `topic` is what makes two of them the same beside their reason: the note
    carries numbers, and cannot be changed once written."""

    regarding: Target
    reason: EventReason
    action: str
    note: str
    type: EventType = EventType.NORMAL
    topic: str = ""
    related: Target | None = None

    def mirrored(self) -> Event:
        """The same, said on the other object."""
        if self.related is None:
            return self
        note = f"{self.regarding.kind} {self.regarding.name}: {self.note}"
        return replace(self, regarding=self.related, related=self.regarding, note=note)


def object_of(policy: PolicyRef) -> Target:
    """A policy as the object of an event."""
    return Target(
        api_version=POLICY.api_version, kind=POLICY.kind, namespace=policy.namespace, name=policy.name, uid=policy.uid
    )


def escalated(policy: PolicyRef, before: str, level: str, why: str, *, dry_run: bool = False) -> Event:
    return Event(
        regarding=object_of(policy),
        reason=EventReason.WOULD_ESCALATE if dry_run else EventReason.ESCALATED,
        action="Escalate",
        type=EventType.NORMAL if dry_run else EventType.WARNING,
        note=f"{before} -> {level}: {why}",
        topic=f"{before}>{level}",
    )


def recovered(policy: PolicyRef, before: str, level: str, why: str, *, dry_run: bool = False) -> Event:
    return Event(
        regarding=object_of(policy),
        reason=EventReason.WOULD_RECOVER if dry_run else EventReason.RECOVERED,
        action="Recover",
        note=f"{before} -> {level}: {why}",
        topic=f"{before}>{level}",
    )


def taken(held: Held, why: str) -> Event:
    entry, claim = held.entry, held.claim
    where = ".".join(parts_of(entry.pointer))
    values = f"{where} {show(entry.original)} -> {show(entry.applied)}"
    return Event(
        regarding=held.target,
        related=object_of(held.policy),
        reason=EventReason.TAKEN,
        action="Take",
        note=f"{values} by policy {held.policy}, level {claim.level}, action {claim.action}: {why}",
        topic=f"{entry.pointer}={show(entry.applied)}",
    )


def would_take(policy: PolicyRef, target: Target, entry: Entry) -> Event:
    """DryRun: `entry` as it would stand in the target's ledger."""
    where, claim = ".".join(parts_of(entry.pointer)), entry.claims[policy]
    values = f"{where} {show(entry.original)} -> {show(entry.wanted)}"
    return Event(
        regarding=object_of(policy),
        related=target,
        reason=EventReason.WOULD_TAKE,
        action="Take",
        note=f"{target.kind} {target.name}: {values}, level {claim.level}, action {claim.action}",
        topic=f"{target.uid} {entry.pointer}={show(entry.wanted)}",
    )


def given_back(policy: PolicyRef, target: Target, where: str, original: str) -> Event:
    """`where` is the field and `original` its value, both as shown."""
    return Event(
        regarding=target,
        related=object_of(policy),
        reason=EventReason.GIVEN_BACK,
        action="GiveBack",
        note=f"{where} is back at {original}, as it was before policy {policy} took it",
        topic=where,
    )


def all_given_back(policy: PolicyRef) -> Event:
    return Event(
        regarding=object_of(policy),
        reason=EventReason.ALL_GIVEN_BACK,
        action="GiveBack",
        note="nothing is held any more",
    )


def released(policy: PolicyRef, field: ReleasedField) -> Event:
    by = f"{field.manager} set it" if field.manager else "somebody set it"
    where = ".".join(parts_of(field.pointer))
    return Event(
        regarding=field.target,
        related=object_of(policy),
        reason=EventReason.RELEASED,
        action="Release",
        note=f"{where} is left alone at {show(field.found)}: {by} while policy {policy} held it at "
        f"{show(field.applied)}; before that it was {show(field.original)}",
        topic=field.pointer,
    )


def blocked(policy: PolicyRef, what: BlockedAction) -> Event:
    where = f", {what.target_shown}" if what.target_shown else ""
    return Event(
        regarding=object_of(policy),
        related=what.target if isinstance(what.target, Target) else None,
        reason=EventReason.BLOCKED,
        action="Take",
        type=EventType.WARNING,
        note=f"action {what.action}{where} is not taken: {what.reason}, {what.message}",
        topic=f"{what.action} {what.target_shown} {what.reason}",
    )


def restore_failed(policy: PolicyRef, what: BlockedAction) -> Event:
    return Event(
        regarding=object_of(policy),
        related=what.target if isinstance(what.target, Target) else None,
        reason=EventReason.RESTORE_FAILED,
        action="GiveBack",
        type=EventType.WARNING,
        note=f"{what.target_shown or what.action} cannot be given back: {what.reason}, {what.message}",
        topic=f"{what.action} {what.target_shown} {what.reason}",
    )


def signals_lost(policy: PolicyRef, message: str) -> Event:
    return Event(
        regarding=object_of(policy),
        reason=EventReason.SIGNALS_LOST,
        action="Read",
        type=EventType.WARNING,
        note=f"blind, the level stays: {message}",
    )


def signals_back(policy: PolicyRef) -> Event:
    return Event(
        regarding=object_of(policy),
        reason=EventReason.SIGNALS_BACK,
        action="Read",
        note="every signal gives a number again",
    )


def stalled(policy: PolicyRef, reason: str, message: str) -> Event:
    return Event(
        regarding=object_of(policy),
        reason=EventReason.STALLED,
        action="Evaluate",
        type=EventType.WARNING,
        note=f"needs a person: {reason}, {message}",
        topic=reason,
    )


def resumed(policy: PolicyRef) -> Event:
    return Event(
        regarding=object_of(policy),
        reason=EventReason.RESUMED,
        action="Evaluate",
        note="nothing needs a person any more",
    )


def stale_ledger_removed(target: Target, message: str) -> Event:
    return Event(
        regarding=target,
        reason=EventReason.STALE_LEDGER_REMOVED,
        action="RemoveMetadata",
        note=f"Brownout's label and annotations were removed, and nothing else: {message}",
    )
