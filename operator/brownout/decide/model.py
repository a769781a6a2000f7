"""What deciding takes in and gives out: values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

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
    below: tuple[str, ...] = ()
    """The levels below it when it was last decided on, mildest first: where to go should it vanish from the spec."""
    escalation: Mapping[str, Dwell] = field(default_factory=dict)
    """The clocks of levels above; one that is not here stands at zero."""
    recovery: Dwell = field(default_factory=Dwell)
    settle_from: Instant | None = None
    """The last write of the last change of level; None once it has settled."""
    giving_back: bool = False
    """Waves of the last recovery are still going back: no further step down before they end."""
    relapses: Mapping[str, Relapse] = field(default_factory=dict)
    normal_since: Instant | None = None
    """Since when relapses are being forgotten; None above Normal and without relapses."""
    blind_since: Instant | None = None
    """Since when the current level or one above it cannot be seen."""


class Move(StrEnum):
    ESCALATE = "Escalate"
    RECOVER = "Recover"
    HOLD = "Hold"


class Evidence(NamedTuple):
    """One condition of one level, with the number that was compared and the thresholds it was compared with."""

    level: str
    signal: str
    seen: Seen
    zone: Zone
    enter: float
    exit: float
    above: bool
    """True: worse is above `enter`; False: worse is below it."""


class Decision(NamedTuple):
    """What to do, why, and what to remember. A tuple, since one is made for each policy at each tick."""

    move: Move
    level: str
    """The level that applies from now on."""
    reason: DecisionReason
    state: State
    evidence: tuple[Evidence, ...] = ()
    """Empty while Calm, where it would be thrown away each tick: `zones.evidence_of(spec, seen)` gives it then."""
    zones: Mapping[str, Zone] = MappingProxyType({})
    """Of each automatic level."""
    before: str = NORMAL
    """The level until now; the same as `level` on a hold."""
    lasted: float = 0.0
    """Seconds on the clock that made the level change; 0 on a hold."""
    seen: Sequence[Seen] = ()
    """The readings it was decided on, in the order of spec.signals."""
