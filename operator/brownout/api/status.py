"""DegradationPolicy.status: what a person at 3 a.m. reads, and what a restart continues from."""

from typing import Annotated

from pydantic import Field

from brownout.api.base import model

Time = Annotated[str, Field(max_length=32, json_schema_extra={"format": "date-time"})]
Text = Annotated[str, Field(max_length=1024)]
Word = Annotated[str, Field(max_length=317)]


@model()
class Condition:
    type: Word
    status: Annotated[str, Field(pattern="^(True|False|Unknown)$")]
    reason: Word
    message: Annotated[str, Field(max_length=32768)] = ""
    last_transition_time: Time
    observed_generation: int = 0


@model()
class SignalStatus:
    name: Word
    state: Word
    """`Fresh`, or why there is no number (`NoData`, `BadQuery`, ...)."""
    message: Text = ""
    value_at_transition: float | None = None


@model()
class TargetStatus:
    api_version: Word
    kind: Word
    name: Word
    uid: Word


@model()
class OwnerStatus:
    manager: Word
    operation: Word
    subresource: Word = ""


@model()
class AppliedStatus:
    """One field held: enough to rebuild a lost ledger."""

    action: Word
    level: Word
    target: TargetStatus
    take: Word
    pointer: Annotated[str, Field(max_length=1024)]
    original: Annotated[str, Field(max_length=65536)] | None = None
    """The original as JSON text; not set where the field was absent."""
    applied: Annotated[str, Field(max_length=65536)] | None = None
    """Our value as JSON text; not set where we removed the field."""
    owners: Annotated[tuple[OwnerStatus, ...], Field(max_length=16)] = ()
    at: Time


@model()
class BlockedStatus:
    action: Word
    target: Word = ""
    reason: Word
    message: Text


@model()
class ReleasedStatus:
    """A field that somebody else took over while we held it, and that we therefore leave alone."""

    target: TargetStatus
    pointer: Annotated[str, Field(max_length=1024)]
    original: Annotated[str, Field(max_length=65536)] | None = None
    applied: Annotated[str, Field(max_length=65536)] | None = None
    found: Annotated[str, Field(max_length=65536)] | None = None
    manager: Word = ""
    at: Time


@model()
class DwellStatus:
    """A clock that runs: how long a level's zone has lasted so far."""

    level: Word
    seconds: float
    still: float = 0.0
    zone: Word
    at: Time


@model()
class RelapseStatus:
    level: Word
    count: int = 0
    left_at: Time | None = None


@model()
class PendingStatus:
    clocks: Annotated[tuple[DwellStatus, ...], Field(max_length=16)] = ()


@model()
class RecoveryStatus:
    clock: DwellStatus | None = None
    giving_back: bool = False
    settle_from: Time | None = None
    normal_since: Time | None = None
    relapses: Annotated[tuple[RelapseStatus, ...], Field(max_length=16)] = ()


@model()
class ObservedSignal:
    name: Word
    value: float | None = None
    state: Word = "Fresh"


@model()
class ObservedStatus:
    at: Time
    signals: Annotated[tuple[ObservedSignal, ...], Field(max_length=16)] = ()


@model()
class TransitionStatus:
    at: Time
    from_: Annotated[Word, Field(alias="from")]
    to: Word
    reason: Word
    message: Text
    signals: Annotated[tuple[ObservedSignal, ...], Field(max_length=16)] = ()


@model()
class PolicyStatus:
    observed_generation: int = 0
    mode: Word = ""
    """The mode that the last evaluation ran in: a change of mode is seen across restarts."""
    level: Word = "Normal"
    level_index: int = 0
    level_shown: Word = ""
    since: Time | None = None
    why: Text = ""
    held: int = 0
    signals_shown: Word = ""
    signals: Annotated[tuple[SignalStatus, ...], Field(max_length=16)] = ()
    applied: Annotated[tuple[AppliedStatus, ...], Field(max_length=1000)] = ()
    blocked: Annotated[tuple[BlockedStatus, ...], Field(max_length=256)] = ()
    released: Annotated[tuple[ReleasedStatus, ...], Field(max_length=256)] = ()
    pending: PendingStatus | None = None
    recovery: RecoveryStatus | None = None
    observed: ObservedStatus | None = None
    history: Annotated[tuple[TransitionStatus, ...], Field(max_length=20)] = ()
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16)] = ()
