"""Writes a policy's status: one merge patch, guarded by resourceVersion, with one more try after a conflict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from brownout.api.load import dump
from brownout.api.refs import PolicyRef
from brownout.api.status import PolicyStatus
from brownout.cluster.kinds import POLICY
from brownout.cluster.port import UNANSWERED, Answer, Cluster, Content
from brownout.ledger import gojson
from brownout.ledger.entries import TAKING_MANAGER

CONFLICT = 409


class Unwritten(StrEnum):
    """Why a status was not written."""

    CONFLICT = "Conflict"
    """Twice in a row: the next tick tries again."""
    GONE = "Gone"
    """The policy is not there any more, or another one has its name."""
    UNANSWERED = "Unanswered"
    """It may have been written or not: the next write meets a conflict and reads."""
    REFUSED = "Refused"
    """The API server said no; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The status is on the object, which now has this resourceVersion."""

    resource_version: str
    changed: bool = True
    """False: the object said all of it already, and nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotWritten:
    reason: Unwritten
    message: str
    status: int = UNANSWERED


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest merge patch (RFC 7396) from old to new: a key that went is null, a list is sent whole."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            if inner := merge_patch(before, value):
                patch[key] = inner
        elif key not in old or value != before:
            patch[key] = value
    return patch


async def write_status(
    cluster: Cluster,
    policy: PolicyRef,
    old: PolicyStatus | Mapping[str, Any],
    new: PolicyStatus,
    resource_version: str,
    *,
    timeout: float = 10.0,
) -> Written | NotWritten:
    """Makes the policy's status `new`.

    `old` is what the object says now, as last written or as read, at `resource_version`. `timeout` in seconds holds
    for each of at most three requests. After a conflict the object is read again: it is written if it is still ours.
    """
    wanted = dump(new)
    before = dump(old) if isinstance(old, PolicyStatus) else old
    answer = await _send(cluster, policy, before, wanted, resource_version, timeout)
    if isinstance(answer, Written) or answer.status != CONFLICT:
        return answer if isinstance(answer, Written) else _not_written(answer)
    live = await cluster.get(POLICY, policy.namespace, policy.name, timeout=timeout)
    if not live.ok:
        return _not_written(live)
    metadata = live.body.get("metadata", {})
    if metadata.get("uid") != policy.uid:
        return NotWritten(reason=Unwritten.GONE, message=f"another policy has the name {policy}", status=live.status)
    version = str(metadata.get("resourceVersion", ""))
    again = await _send(cluster, policy, live.body.get("status") or {}, wanted, version, timeout)
    return again if isinstance(again, Written) else _not_written(again)


async def _send(
    cluster: Cluster,
    policy: PolicyRef,
    before: Mapping[str, Any],
    wanted: Mapping[str, Any],
    resource_version: str,
    timeout: float,
) -> Written | Answer:
    change = merge_patch(before, wanted)
    if not change:
        return Written(resource_version=resource_version, changed=False)
    body = {"metadata": {"resourceVersion": resource_version}, "status": change}
    answer = await cluster.patch(
        POLICY,
        policy.namespace,
        policy.name,
        gojson.encode(body),
        Content.MERGE_PATCH,
        manager=TAKING_MANAGER,
        subresource="status",
        timeout=timeout,
    )
    if not answer.ok:
        return answer
    return Written(resource_version=str(answer.body.get("metadata", {}).get("resourceVersion", "")))


def _not_written(answer: Answer) -> NotWritten:
    if answer.status == UNANSWERED:
        reason = Unwritten.UNANSWERED
    elif answer.missing:
        reason = Unwritten.GONE
    elif answer.status == CONFLICT:
        reason = Unwritten.CONFLICT
    else:
        reason = Unwritten.REFUSED
    message = answer.message or answer.reason or f"HTTP status {answer.status}"
    return NotWritten(reason=reason, message=message, status=answer.status)
