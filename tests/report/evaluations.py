"""Small builders of what a tick found: a test says only what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from brownout.api.policy import NORMAL, Mode
from brownout.api.reasons import BlockedReason, DecisionReason, MissingReason
from brownout.api.refs import PolicyRef, Target
from brownout.decide.model import Decision, Dwell, Missing, Move, Reading, Seen, State, Zone
from brownout.ledger.entries import Claim, Entry, Held, Order, Owner
from brownout.ledger.pointer import Value, pointer
from brownout.report.facts import BlockedAction, Evaluation, ReleasedField
from brownout.testing.builders import above, level, policy

NOW = 1_800_000_000.0
REF = PolicyRef(namespace="shop", name="checkout", uid="uid-policy")
SPEC = policy(
    level("trimmed", above("p99", 0.8, 0.6)), level("core-only", above("p99", 2.0, 0.8), above("errors", 0.1, 0.01))
)
DRY = replace(SPEC, mode=Mode.DRY_RUN)
WELL: tuple[Seen, ...] = (Reading(value=0.3, at=NOW), Reading(value=0.0, at=NOW))
SICK: tuple[Seen, ...] = (Reading(value=2.31, at=NOW), Reading(value=0.0, at=NOW))
BLIND: tuple[Seen, ...] = (Missing(reason=MissingReason.TIMED_OUT, message="after 10 s"), Reading(value=0.0, at=NOW))


def decided(
    to: str = NORMAL,
    *,
    reason: DecisionReason = DecisionReason.CALM,
    seen: Sequence[Seen] = WELL,
    before: str | None = None,
    state: State | None = None,
) -> Decision:
    was = to if before is None else before
    move = Move.HOLD if was == to else Move.RECOVER if reason is DecisionReason.RECOVERED else Move.ESCALATE
    remembered = State(level=to) if state is None else state
    return Decision(move=move, level=to, reason=reason, state=remembered, before=was, seen=seen)


def calm(**changes: Any) -> Evaluation:
    """Normal, every signal fresh, nothing held."""
    facts = Evaluation(now=NOW, policy=REF, generation=1, spec=SPEC, decision=decided(), why="Normal")
    return replaced(facts, **changes)


def escalated(to: str = "core-only", *, before: str = NORMAL, **changes: Any) -> Evaluation:
    """A level just entered."""
    decision = decided(to, reason=DecisionReason.ESCALATED, seen=SICK, before=before)
    return replaced(calm(decision=decision, why="p99 2.31 > 2 for 1m"), **changes)


def holding(at: str = "core-only", **changes: Any) -> Evaluation:
    """A level that stays."""
    decision = decided(at, reason=DecisionReason.HOLDING, seen=SICK)
    return replaced(calm(decision=decision, why="p99 2.31 > 2"), **changes)


def replaced(facts: Evaluation, **changes: Any) -> Evaluation:
    return replace(facts, **changes)


def clock(seconds: float, *, zone: Zone = Zone.OVER, at: float = NOW) -> State:
    """A state at Normal in which one level's clock runs."""
    return State(level=NORMAL, escalation={"trimmed": Dwell(seconds=seconds, zone=zone, at=at)})


def target(name: str = "thumbnailer", *, kind: str = "Deployment", uid: str | None = None) -> Target:
    api = {"Deployment": "apps/v1", "CronJob": "batch/v1"}.get(kind, "v1")
    return Target(api_version=api, kind=kind, namespace="shop", name=name, uid=uid or f"uid-{name}")


def held(
    name: str = "thumbnailer",
    *,
    original: Value = 3,
    applied: Value = 1,
    field: str = "replicas",
    owners: tuple[Owner, ...] = (),
    on: Target | None = None,
) -> Held:
    where = pointer("spec", field)
    claim = Claim(policy=REF, level="trimmed", action="thin", value=applied, order=Order.LOWEST, at=NOW)
    entry = Entry(pointer=where, original=original, applied=applied, wanted=applied, owners=owners, claims={REF: claim})
    return Held(policy=REF, target=on or target(name), take="take-1", entry=entry)


def blocked(
    reason: BlockedReason = BlockedReason.AUTOSCALER,
    message: str = "an autoscaler drives it",
    *,
    action: str = "thin",
    on: Target | str = "",
) -> BlockedAction:
    return BlockedAction(action=action, reason=reason, message=message, target=on)


def released(name: str = "thumbnailer", *, at: float = NOW, found: Value = 5) -> ReleasedField:
    return ReleasedField(
        target=target(name),
        pointer=pointer("spec", "replicas"),
        original=3,
        applied=1,
        found=found,
        manager="kubectl-scale",
        at=at,
    )
