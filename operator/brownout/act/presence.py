"""Whether an operator is running, by what it leaves in the cluster. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from brownout.api.base import show_duration
from brownout.api.instants import parse_instant
from brownout.ledger.entries import TAKING_MANAGER, Instant

LEASE_PREFIX = "brownout"
LEASE_LASTS = 15.0
"""Seconds, where a Lease does not say it."""
LEASE_SLACK = 5.0
"""Seconds by which this machine's clock may be ahead of the operator's."""
ALIVE = 150.0
"""Seconds. While it holds anything an operator refreshes `status.observed` once a minute; two may be missed."""


class Presence(StrEnum):
    RUNNING = "Running"
    PERHAPS = "Perhaps"
    """It wrote a status a short while ago, and may have ended since."""
    GONE = "Gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What was seen of an operator."""

    presence: Presence
    why: str
    """One clause, for a person."""
    marks: Mapping[str, object]
    """What a running operator changes sooner or later."""

    def moved(self, later: "Sign") -> str:
        """What has changed until a later look, in words; "" if nothing has."""
        moved = [name for name, mark in self.marks.items() if name in later.marks and later.marks[name] != mark]
        return f"{moved[0]} has just changed" if moved else ""


def sign_of(leases: Sequence[Mapping[str, Any]] | None, policies: Sequence[Mapping[str, Any]], now: Instant) -> Sign:
    """From all Leases (None: not known) and policies. A Lease decides, where there is one; else the statuses do."""
    ours = sorted((each for each in leases or () if _name(each).startswith(LEASE_PREFIX)), key=_renewed, reverse=True)
    marks: dict[str, object] = {f"Lease {_place(each)}": (each.get("spec") or {}).get("renewTime") for each in ours}
    marks |= {f"the status of policy {_place(each)}": each.get("status") for each in policies}
    if ours:
        presence, why = _by_lease(ours[0], now)
    else:
        presence, why = _by_status(policies, now)
        why = f"{'there is no Lease' if leases is not None else 'no Lease could be read'}, and {why}"
    return Sign(presence=presence, why=why, marks=marks)


def _by_lease(lease: Mapping[str, Any], now: Instant) -> tuple[Presence, str]:
    spec = lease.get("spec") or {}
    holder, lasts = spec.get("holderIdentity") or "", float(spec.get("leaseDurationSeconds") or LEASE_LASTS)
    age = max(0.0, now - _renewed(lease))
    if not holder:
        return Presence.GONE, f"Lease {_place(lease)} is held by nobody"
    told = f"Lease {_place(lease)}, held by {holder}, was renewed {show_duration(round(age))} ago"
    return (Presence.RUNNING if age <= lasts + LEASE_SLACK else Presence.GONE), told


def _by_status(policies: Sequence[Mapping[str, Any]], now: Instant) -> tuple[Presence, str]:
    written = {at: _place(each) for each in policies for at in _written(each)}
    if not written:
        return Presence.GONE, "no operator has written a policy's status"
    last = max(written)
    age = show_duration(round(max(0.0, now - last)))
    told = f"the last status, of policy {written[last]}, was written {age} ago"
    return (Presence.PERHAPS if now - last <= ALIVE else Presence.GONE), told


def _written(policy: Mapping[str, Any]) -> Iterator[Instant]:
    """When the operator wrote the policy's status, by its own word and by the API server's."""
    observed = (policy.get("status") or {}).get("observed") or {}
    times = [observed.get("at")]
    for each in policy["metadata"].get("managedFields") or ():
        if each.get("manager") == TAKING_MANAGER and each.get("subresource") == "status":
            times.append(each.get("time"))
    yield from (at for at in map(parse_instant, times) if at is not None)


def _renewed(lease: Mapping[str, Any]) -> Instant:
    return parse_instant((lease.get("spec") or {}).get("renewTime")) or 0.0


def _name(body: Mapping[str, Any]) -> str:
    return str(body["metadata"]["name"])


def _place(body: Mapping[str, Any]) -> str:
    return f"{body['metadata'].get('namespace', '')}/{_name(body)}"
