"""What deciding takes in and gives out: values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from brownout.api.policy import NORMAL
from brownout.api.reasons import DecisionReason, MissingReason
from brownout.ledger.entries import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A signal's number, at the time the source gave with it."""

    value: float
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A signal without a number, and why."""

    reason: MissingReason
    message: str = ""


Seen: TypeAlias = Reading | Missing


class Zone(StrEnum):
    OVER = "Over"
    BETWEEN = "Between"
    UNDER = "Under"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dwell:
    """A clock: how long it has run, how long it has stood still since, its zone and time at the last tick."""

    seconds: float = 0.0
    still: float = 0.0
    zone: Zone = Zone.UNKNOWN
    at: Instant = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Relapse:
    """How often a level came back soon after we left it by recovery, and when that was."""

    count: int = 0
    left_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that deciding remembers of one policy between two ticks; kept in the status across restarts."""

    level: str = NORMAL
    since: Instant = 0.0
    escalation: Mapping[str, Dwell] = field(default_factory=dict)
    recovery: Dwell = field(default_factory=Dwell)
    settle_from: Instant | None = None
    """The last write of the last change of level; None once it has settled."""
    giving_back: bool = False
    """Waves of the last recovery are still going back: no further step down before they end."""
    relapses: Mapping[str, Relapse] = field(default_factory=dict)
    normal_since: Instant | None = None


class Move(StrEnum):
    ESCALATE = "Escalate"
    RECOVER = "Recover"
    HOLD = "Hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One condition of one level, with the number that was compared and the thresholds it was compared with."""

    level: str
    signal: str
    seen: Seen
    zone: Zone
    enter: float
    exit: float
    above: bool
    """True: worse is above `enter`; False: worse is below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do, why, and what to remember."""

    move: Move
    level: str
    """The level that applies from now on."""
    reason: DecisionReason
    state: State
    evidence: tuple[Evidence, ...] = ()
    zones: Mapping[str, Zone] = field(default_factory=dict)
