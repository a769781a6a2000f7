"""All that is reported about one policy after a tick, in one value: the reconciler fills it, `report` reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from brownout.api.policy import Mode, NoTraffic, PolicySpec, Signal
from brownout.api.reasons import BlockedReason, MissingReason
from brownout.api.refs import PolicyRef, Target
from brownout.api.status import PolicyStatus
from brownout.decide.model import Decision, Missing, Reading, Seen, State
from brownout.ledger.entries import Held, Instant
from brownout.ledger.pointer import Pointer, Value
from brownout.ledger.steps import Outcome, Stuck

READY = "Ready"
FRESH = "Fresh"
"""The state of a signal that gives a number; any other is a MissingReason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedAction:
    """An action, or one of its targets, that is not taken or not given back, and why.

    `target` is "" for the whole action, a Target where the object exists, else text such as `Deployment web`.
    """

    action: str
    reason: BlockedReason
    message: str
    target: Target | str = ""

    @property
    def target_shown(self) -> str:
        """`Deployment web`: the namespace is the policy's."""
        return f"{self.target.kind} {self.target.name}" if isinstance(self.target, Target) else self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedField:
    """A field that somebody set to `found` while we held it: left alone for the rest of the episode."""

    target: Target
    pointer: Pointer
    original: Value
    applied: Value
    found: Value
    at: Instant
    manager: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One policy after one tick.

    `generation` is the newest one seen, also when it was refused; `spec` is the last good one.
    """

    now: Instant
    policy: PolicyRef
    generation: int
    spec: PolicySpec
    decision: Decision
    why: str
    """The decision in one sentence."""
    unproven: tuple[str, ...] = ()
    """Signals that have not given a number under this generation yet: see `unproven_at_start` and `still_unproven`."""
    source_down: str = ""
    """The sentence said once when the source, and not a query, is at fault."""
    held: tuple[Held, ...] = ()
    blocked: tuple[BlockedAction, ...] = ()
    """Everything that should be taken and is not, missing targets and failed steps included."""
    unrestored: tuple[BlockedAction, ...] = ()
    """Fields whose giving back was refused or cannot be known (not those that had no answer: they are retried)."""
    released: tuple[ReleasedField, ...] = ()
    give_back_left: int = 0
    """Targets that still wait to be given back."""
    refusal: str = ""
    """Why the newest spec cannot be used."""
    state: State | None = None
    """What is to be remembered, where acting has changed it since the decision (`decide.changes`)."""
    seen: Mapping[str, Seen] = field(init=False)
    """decision.seen by signal; empty when nothing was read yet."""

    def __post_init__(self) -> None:
        names = (each.name for each in self.spec.signals)
        object.__setattr__(self, "seen", dict(zip(names, self.decision.seen, strict=False)))

    @property
    def remembered(self) -> State:
        return self.decision.state if self.state is None else self.state

    @property
    def dry_run(self) -> bool:
        return self.spec.mode is Mode.DRY_RUN


def counts(signal: Signal, seen: Seen | None) -> bool:
    """Whether a signal tells something: a number, or no traffic where the policy says that this is clear."""
    if isinstance(seen, Missing):
        return seen.reason is MissingReason.NO_TRAFFIC and signal.on_no_traffic is NoTraffic.CLEAR
    return seen is not None


def state_of(seen: Seen) -> str:
    """`Fresh`, or why there is no number."""
    return FRESH if isinstance(seen, Reading) else seen.reason.value


def unproven_at_start(status: PolicyStatus, spec: PolicySpec, generation: int) -> tuple[str, ...]:
    """Which signals are still to prove themselves when a policy is first seen or changed: none if it was Ready."""
    ready = any(each.type == READY and each.status == "True" for each in status.conditions)
    if ready and status.observed_generation == generation:
        return ()
    return tuple(signal.name for signal in spec.signals)


def still_unproven(unproven: tuple[str, ...], spec: PolicySpec, seen: Mapping[str, Seen]) -> tuple[str, ...]:
    """Those of `unproven` that have given nothing in this tick either."""
    if not unproven:
        return unproven
    return tuple(each.name for each in spec.signals if each.name in unproven and not counts(each, seen.get(each.name)))


def blocked_by(action: str, outcome: Outcome) -> BlockedAction:
    """A step that did not do what it should, as something to report."""
    reason = outcome.reason or BlockedReason.FAILED
    return BlockedAction(action=action, target=outcome.step.found.target, reason=reason, message=outcome.message)


def stuck(action: str, field_stuck: Stuck) -> BlockedAction:
    """A field whose original is not known any more, as something to report among `unrestored`."""
    return BlockedAction(
        action=action,
        target=field_stuck.found.target,
        reason=BlockedReason.LOST_LEDGER,
        message=field_stuck.message,
    )


def targets_of(held: Iterable[Held]) -> Mapping[Target, int]:
    """Every object held, with the number of its fields."""
    found: dict[Target, int] = {}
    for each in held:
        found[each.target] = found.get(each.target, 0) + 1
    return found
