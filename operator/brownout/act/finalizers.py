"""Our finalizer on policies that owe nothing any more, where no operator is left to take it off."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brownout.act.held_objects import Seen
from brownout.cluster.kinds import POLICY
from brownout.cluster.port import UNANSWERED, Cluster, Content
from brownout.ledger.entries import FINALIZER, GIVING_MANAGER
from brownout.ledger.patches import JsonPatch, encode

TRIES = 3
"""Of a patch that meets a newer object, or gets no answer."""
CONFLICT = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalizerEnded:
    """What came of the finalizer of one policy."""

    namespace: str
    name: str
    removed: bool
    why: str = ""
    """Why it was not removed."""
    failed: bool = False
    """It should have been removed, and could not be."""


def bears_ours(policy: Mapping[str, Any]) -> bool:
    return FINALIZER in (policy["metadata"].get("finalizers") or ())


def kept(policy: Mapping[str, Any], why: str, *, failed: bool = False) -> FinalizerEnded:
    metadata = policy["metadata"]
    return FinalizerEnded(namespace=metadata["namespace"], name=metadata["name"], removed=False, why=why, failed=failed)


def still_needed(policy: Mapping[str, Any], seen: Seen) -> str:
    """Why a policy may still owe something; "" if it owes nothing. A policy acts in its own namespace only. Pure."""
    if seen.unread:
        return seen.unread[0].why
    namespace = policy["metadata"]["namespace"]
    here = [each for each in seen.holdings if each.found.target.namespace == namespace]
    owing = [each for each in here if each.may_be_held or not each.problem]
    return f"{owing[0].found.target} is not given back" if owing else ""


async def take_off(cluster: Cluster, policy: Mapping[str, Any]) -> FinalizerEnded:
    """Guarded by resourceVersion and uid; a policy that is gone needs no more."""
    metadata = policy["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    for _ in range(TRIES):
        answer = await cluster.patch(
            POLICY, namespace, name, encode(_patch(policy)), Content.JSON_PATCH, manager=GIVING_MANAGER
        )
        if answer.status not in (CONFLICT, UNANSWERED):
            break
        again = await cluster.get(POLICY, namespace, name)
        if again.missing or (again.ok and not bears_ours(again.body)):
            return FinalizerEnded(namespace=namespace, name=name, removed=True)
        if not again.ok or again.body["metadata"]["uid"] != metadata["uid"]:
            break
        policy = again.body
    if answer.ok or answer.status == 404:
        return FinalizerEnded(namespace=namespace, name=name, removed=True)
    if answer.status == 403:
        return kept(policy, f"you may not patch {POLICY.plural} in namespace {namespace}", failed=True)
    return kept(policy, answer.message or answer.reason, failed=True)


def _patch(policy: Mapping[str, Any]) -> JsonPatch:
    metadata = policy["metadata"]
    rest = [each for each in metadata["finalizers"] if each != FINALIZER]
    return [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
        {"op": "add", "path": "/metadata/finalizers", "value": rest},
    ]
