"""DegradationPolicy.status: what a person at 3 a.m. reads, and what a restart continues from."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from brownout.api.base import model
from brownout.api.instants import parse_instant

KEYED_BY_TYPE: Final = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
KEYED_BY_NAME: Final = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}


def _a_time(text: str) -> str:
    if parse_instant(text) is None:
        raise ValueError("write a time with its zone, such as 2026-11-24T14:59:00Z")
    return text


Time = Annotated[str, Field(max_length=32, json_schema_extra={"format": "date-time"}), AfterValidator(_a_time)]
"""RFC 3339, with its zone."""
Text = Annotated[str, Field(max_length=1024)]
Word = Annotated[str, Field(max_length=317)]
JsonText = Annotated[str, Field(max_length=65536)]
PointerText = Annotated[str, Field(max_length=1024)]


@model()
class Condition:
    """One standard condition."""

    type: Word
    """What it is about."""
    status: Annotated[str, Field(max_length=16, pattern="^(True|False|Unknown)$")]
    """True, False or Unknown."""
    reason: Word
    """Why, in one word."""
    message: Annotated[str, Field(max_length=32768)] = ""
    """Why, in a sentence for people."""
    last_transition_time: Time
    """When `status` changed last."""
    observed_generation: int = 0
    """The generation of the spec that it is about."""


@model()
class SignalStatus:
    """How one signal is."""

    name: Word
    """The signal's name in the spec."""
    state: Word
    """`Fresh`, or why there is no number (`NoData`, `BadQuery`, ...)."""
    message: Text = ""
    """Why there is no number, in the source's own words where it gave any."""
    value_at_transition: float | None = None
    """Its value when the level changed last."""


@model()
class TargetStatus:
    """An object that an action changes, in the policy's namespace."""

    api_version: Word
    """Its apiVersion."""
    kind: Word
    """Its kind."""
    name: Word
    """Its name."""
    uid: Word
    """Its uid: another object under the same name is another target."""


@model()
class OwnerStatus:
    """A field manager that owned a field before we took it, and gets it back."""

    manager: Word
    """Its name."""
    operation: Word
    """Apply or Update."""
    subresource: Word = ""
    """The subresource it wrote through, if any."""


@model()
class AppliedStatus:
    """One field held: enough to rebuild a lost ledger."""

    action: Word
    """The action that took it."""
    level: Word
    """The level that the action belongs to."""
    target: TargetStatus
    """The object."""
    take: Word
    """The take-id: also in the object's ledger and in its label `brownout.dev/held`."""
    pointer: PointerText
    """The field, as a JSON pointer. Example: /spec/replicas."""
    original: JsonText | None = None
    """The original as JSON text; not set where the field was absent."""
    applied: JsonText | None = None
    """Our value as JSON text; not set where we removed the field."""
    owners: Annotated[tuple[OwnerStatus, ...], Field(max_length=16)] = ()
    """The field managers that get the field back."""
    at: Time
    """When it was taken."""


@model()
class BlockedStatus:
    """An action, or one of its targets, that is not taken."""

    action: Word
    """The action."""
    target: Word = ""
    """The target, as kind and name; empty when the whole action is blocked."""
    reason: Word
    """Why, in one word."""
    message: Text
    """Why, and what to do about it."""


@model()
class ReleasedStatus:
    """A field that somebody else took over while we held it, and that we therefore leave alone."""

    target: TargetStatus
    """The object."""
    pointer: PointerText
    """The field, as a JSON pointer."""
    original: JsonText | None = None
    """What it was before us, as JSON text; not set where it was absent."""
    applied: JsonText | None = None
    """What we had set, as JSON text; not set where we had removed it."""
    found: JsonText | None = None
    """What somebody set it to, as JSON text; not set where it was removed."""
    manager: Word = ""
    """The field manager that did, if it is known."""
    at: Time
    """When we saw it."""


@model()
class DwellStatus:
    """A clock that runs: how long a level's zone has lasted so far."""

    level: Word
    """The level."""
    seconds: float
    """How long it has run, in seconds."""
    still: float = 0.0
    """How long it has stood still since, in seconds."""
    zone: Word
    """The zone at the last tick: Over, Between, Under or Unknown."""
    at: Time
    """When the last tick was."""


@model()
class RelapseStatus:
    """How often a level came back soon after it was left."""

    level: Word
    """The level."""
    count: int = 0
    """How often; each doubles its recoverAfter."""
    left_at: Time | None = None
    """When it was left by recovery last."""


@model()
class PendingStatus:
    """What may lead to an escalation."""

    clocks: Annotated[tuple[DwellStatus, ...], Field(max_length=16)] = ()
    """The clocks of the levels above the current one."""


@model()
class RecoveryStatus:
    """How far recovery has come."""

    clock: DwellStatus | None = None
    """The clock of the current level's recovery."""
    giving_back: bool = False
    """True while the waves of the last step down still go back."""
    settle_from: Time | None = None
    """The last write of the last change of level; not set once it has settled."""
    normal_since: Time | None = None
    """When the level became Normal, while relapses are remembered."""
    blind_since: Time | None = None
    """Since when the current level or one above it cannot be seen."""
    below: Annotated[tuple[Word, ...], Field(max_length=8)] = ()
    """The levels below the current one, mildest first: where to go should it vanish from the spec."""
    relapses: Annotated[tuple[RelapseStatus, ...], Field(max_length=16)] = ()
    """Levels that came back soon after they were left."""


@model()
class ObservedSignal:
    """A signal at one time."""

    name: Word
    """The signal's name in the spec."""
    value: float | None = None
    """Its number; not set if there was none."""
    state: Word = "Fresh"
    """`Fresh`, or why there was no number."""


@model()
class ObservedStatus:
    """What was seen last, refreshed at most once a minute while pending or degraded."""

    at: Time
    """When."""
    signals: Annotated[tuple[ObservedSignal, ...], Field(max_length=16, json_schema_extra=KEYED_BY_NAME)] = ()
    """The signals then."""


@model()
class TransitionStatus:
    """One change of level, with the numbers behind it."""

    at: Time
    """When."""
    from_: Annotated[Word, Field(alias="from")]
    """The level before."""
    to: Word
    """The level after."""
    reason: Word
    """Why, in one word."""
    message: Text
    """Why, in a sentence."""
    signals: Annotated[tuple[ObservedSignal, ...], Field(max_length=16)] = ()
    """The signals then."""


@model()
class PolicyStatus:
    """What the policy does now and why, what it holds, and what it remembers across a restart.

    In DryRun level, levelIndex, since and why say what would be.
    """

    observed_generation: int = 0
    """The generation of the spec that this status is about."""
    mode: Word = ""
    """The mode that the last evaluation ran in: a change of mode is seen across restarts."""
    level: Word = "Normal"
    """The level that applies; Normal where none does."""
    level_index: int = 0
    """The level's number; 0 is Normal, higher is worse."""
    level_shown: Word = ""
    """The level for people, with how many there are: `core-only 2/3`; in brackets in DryRun."""
    since: Time | None = None
    """When the level became this one."""
    why: Text = ""
    """Why the level is this one, or what is about to change it, in one sentence."""
    held: int = 0
    """How many targets the policy holds."""
    signals_shown: Word = ""
    """How many signals have a fresh number, of how many: `2/3`."""
    signals: Annotated[tuple[SignalStatus, ...], Field(max_length=16, json_schema_extra=KEYED_BY_NAME)] = ()
    """How each signal is."""
    applied: Annotated[tuple[AppliedStatus, ...], Field(max_length=1000)] = ()
    """Every field held, with its original."""
    blocked: Annotated[tuple[BlockedStatus, ...], Field(max_length=256)] = ()
    """What is not taken although the level says so, and why."""
    released: Annotated[tuple[ReleasedStatus, ...], Field(max_length=256)] = ()
    """What somebody else took over in this episode; it is left alone."""
    pending: PendingStatus | None = None
    recovery: RecoveryStatus | None = None
    observed: ObservedStatus | None = None
    history: Annotated[tuple[TransitionStatus, ...], Field(max_length=20)] = ()
    """The last 20 changes of level."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16, json_schema_extra=KEYED_BY_TYPE)] = ()
    """Ready, DegradationActive, SignalsAvailable, Stalled, Contended and Overridden."""
