"""What is never taken, and why: an ordered chain of small checks.

The same chain says that something held has become never-takeable: its claim is gone then, and it is given back.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from brownout.api.actions import Action
from brownout.api.policy import PolicySpec
from brownout.api.reasons import BlockedReason
from brownout.ledger.entries import CRITICALITY_LABEL, Blocked, Found
from brownout.ledger.pointer import ABSENT, Json, Value, look, pointer
from brownout.levers.registry import lever_of
from brownout.levers.replicas import REPLICAS
from brownout.levers.surroundings import Surroundings

LARGEST_ORIGINAL: Final = 32 * 1024
"""Bytes of JSON; all annotations of an object share 256 KiB."""

NAME_LABEL: Final = "app.kubernetes.io/name"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One target, and what a guard judges it by."""

    found: Found
    spec: PolicySpec
    action: Action
    surroundings: Surroundings

    def live(self, *parts: str) -> Value:
        return look(self.found.body, pointer(*parts))

    @property
    def only_gives(self) -> bool:
        return self.action.scale is not None and self.action.scale.at_least is not None


_Check: TypeAlias = Callable[[_Case], str | None]
"""The sentence that says what is in the way and what to do about it, or None."""


def guard(found: Found, spec: PolicySpec, action: Action, surroundings: Surroundings) -> Blocked | None:
    """The first reason why the action must not take this object, or None."""
    case = _Case(found=found, spec=spec, action=action, surroundings=surroundings)
    for reason, check in _CHECKS:
        sentence = check(case)
        if sentence is not None:
            return Blocked(reason=reason, message=f"{found.target} {sentence}")
    return None


def _vital(case: _Case) -> str | None:
    if case.only_gives or case.live("metadata", "labels", CRITICALITY_LABEL) != "C1":
        return None
    return f"is vital ({CRITICALITY_LABEL}: C1) and never taken: change its label, or leave it out of the action"


def _protected(case: _Case) -> str | None:
    protects, target = case.spec.protects, case.found.target
    if case.only_gives or protects is None or (protects.kind.value, protects.name) != (target.kind, target.name):
        return None
    return "is what this policy protects: only atLeast may change it; leave it out of the action"


def _operator(case: _Case) -> str | None:
    target = case.found.target
    named = case.live("metadata", "labels", NAME_LABEL) == "brownout"
    if not named and (target.kind, target.name) not in case.surroundings.operator:
        return None
    return "is the operator itself, which must live to give things back: leave it out of the action"


def _controlled(case: _Case) -> str | None:
    for owner in _maps(case.live("metadata", "ownerReferences")):
        if owner.get("controller") is True:
            return f"is controlled by {owner.get('kind')} {owner.get('name')}, which would set it back: act on that"
    return None


def _autoscaled(case: _Case) -> str | None:
    lever, arguments = lever_of(case.action)
    target = case.found.target
    driver = case.surroundings.autoscalers.get((target.kind, target.name))
    if driver is None or REPLICAS not in lever.fields(arguments, case.found):
        return None
    return f"is autoscaled ({driver}) and would be scaled back: leave it out of the action, or remove the autoscaler"


def _finished(case: _Case) -> str | None:
    if case.found.target.kind != "Job":
        return None
    for condition in _maps(case.live("status", "conditions")):
        if condition.get("type") in ("Complete", "Failed") and condition.get("status") == "True":
            return f"has finished ({condition.get('type')}), there is nothing to take: it can be deleted"
    return None


def _volumes(case: _Case) -> str | None:
    policy = case.live("spec", "persistentVolumeClaimRetentionPolicy", "whenScaled")
    if case.found.target.kind != "StatefulSet" or policy != "Delete":
        return None
    return "would lose its volumes when scaled down: set persistentVolumeClaimRetentionPolicy.whenScaled to Retain"


def _immutable(case: _Case) -> str | None:
    if case.found.target.kind != "ConfigMap" or case.live("immutable") is not True:
        return None
    return "is immutable: keep the flag in a ConfigMap that is not"


def _large(case: _Case) -> str | None:
    lever, arguments = lever_of(case.action)
    for where in lever.fields(arguments, case.found):
        size = _size(case.found.original(where))
        if size > LARGEST_ORIGINAL:
            return f"has {size} bytes at {where}, too many to remember: at most {LARGEST_ORIGINAL} can be given back"
    return None


def _terminating(case: _Case) -> str | None:
    return None if case.live("metadata", "deletionTimestamp") in (ABSENT, None) else "is being deleted: nothing to do"


def _maps(value: Value) -> list[Mapping[str, Json]]:
    if not isinstance(value, list | tuple):
        return []
    return [each for each in value if isinstance(each, Mapping)]


def _size(value: Value) -> int:
    return 0 if value is ABSENT else len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


_CHECKS: Final[tuple[tuple[BlockedReason, _Check], ...]] = (
    (BlockedReason.CRITICALITY, _vital),
    (BlockedReason.PROTECTED, _protected),
    (BlockedReason.OPERATOR, _operator),
    (BlockedReason.CONTROLLED, _controlled),
    (BlockedReason.AUTOSCALER, _autoscaled),
    (BlockedReason.FINISHED, _finished),
    (BlockedReason.VOLUMES, _volumes),
    (BlockedReason.IMMUTABLE, _immutable),
    (BlockedReason.TOO_LARGE, _large),
    (BlockedReason.TERMINATING, _terminating),
)
