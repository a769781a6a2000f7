"""Whether a new status says anything that the old one does not: only then is it written.

Left out on purpose, for they move at every tick: `why`, messages, the seconds of running clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum

from brownout.api.status import PolicyStatus


class WriteReason(StrEnum):
    """What changed; the first that did, in this order."""

    FIRST_EVALUATION = "FirstEvaluation"
    GENERATION = "Generation"
    MODE = "Mode"
    LEVEL = "Level"
    APPLIED = "Applied"
    RELEASED = "Released"
    BLOCKED = "Blocked"
    SIGNALS = "Signals"
    CONDITIONS = "Conditions"
    CLOCKS = "Clocks"
    OBSERVED = "Observed"


def needs_write(old: PolicyStatus, new: PolicyStatus) -> WriteReason | None:
    """Why `new` must be written, or None when it says what `old` says already."""
    if new is old:
        return None
    return next((reason for reason, part in _PARTS if part(old) != part(new)), None)


def _level(status: PolicyStatus) -> object:
    return status.level, status.level_index, status.level_shown, status.since


def _applied(status: PolicyStatus) -> object:
    return status.held, [
        (each.target.uid, each.pointer, each.take, each.level, each.action, each.original, each.applied, each.owners)
        for each in status.applied
    ]


def _released(status: PolicyStatus) -> object:
    return [(each.target.uid, each.pointer, each.found) for each in status.released]


def _blocked(status: PolicyStatus) -> object:
    return [(each.action, each.target, each.reason) for each in status.blocked]


def _signals(status: PolicyStatus) -> object:
    return status.signals_shown, [(each.name, each.state) for each in status.signals]


def _conditions(status: PolicyStatus) -> object:
    return [(each.type, each.status, each.reason, each.observed_generation) for each in status.conditions]


def _clocks(status: PolicyStatus) -> object:
    """Which clocks run, and in which zone; not how far."""
    pending = [(each.level, each.zone) for each in status.pending.clocks] if status.pending else []
    recovery = status.recovery
    if recovery is None:
        return pending, None, None
    clock = recovery.clock
    running = (clock.level, clock.zone) if clock else None
    return pending, replace(recovery, clock=None), running


_PARTS: Sequence[tuple[WriteReason, Callable[[PolicyStatus], object]]] = (
    (WriteReason.FIRST_EVALUATION, lambda status: bool(status.level_shown)),
    (WriteReason.GENERATION, lambda status: status.observed_generation),
    (WriteReason.MODE, lambda status: status.mode),
    (WriteReason.LEVEL, _level),
    (WriteReason.APPLIED, _applied),
    (WriteReason.RELEASED, _released),
    (WriteReason.BLOCKED, _blocked),
    (WriteReason.SIGNALS, _signals),
    (WriteReason.CONDITIONS, _conditions),
    (WriteReason.CLOCKS, _clocks),
    (WriteReason.OBSERVED, lambda status: status.observed and status.observed.at),
)
