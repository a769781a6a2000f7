"""DegradationPolicy: signals, levels, actions; and the values the core knows a policy by."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from brownout.api import policy_rules
from brownout.api.actions import Action
from brownout.api.base import Duration, model
from brownout.api.policy_rules import NORMAL as NORMAL
from brownout.api.refs import PolicyRef
from brownout.api.texts import LevelName, Name, Number, ObjectName, Whole, YesNo


class Mode(StrEnum):
    ENFORCE = "Enforce"
    DRY_RUN = "DryRun"


class NoTraffic(StrEnum):
    HOLD = "Hold"
    CLEAR = "Clear"


class ProtectedKind(StrEnum):
    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"


@model()
class Protects:
    """The workload that the policy protects. It is never taken by this policy; only a scale with atLeast may give it
    room. Optional. Example: {kind: Deployment, name: checkout}."""

    kind: ProtectedKind
    """Deployment or StatefulSet."""
    name: ObjectName
    """Name of the workload, in the policy's namespace."""


@model()
class SourceRef:
    """Which PrometheusSource answers the queries. Default: the one named default."""

    name: ObjectName = "default"
    """Name of a PrometheusSource; platform admins write them. `kubectl get promsrc` lists them."""


@model()
class Signal:
    """A number that tells how well the service is.

    Example: {name: p99, onNoTraffic: Clear, query: 'histogram_quantile(0.99, sum by (le)
    (rate(http_request_duration_seconds_bucket{app="checkout"}[1m])))'}.
    """

    name: Name
    """What conditions and the status call it; unique in the policy. Example: p99. A signal that no condition names is
    read and shown, and decides nothing."""
    query: Annotated[str, Field(min_length=1, max_length=4096)]
    """PromQL that gives exactly one number. No series, several series, an infinite number, an error or an old sample
    are all Unknown: the signal then neither escalates nor recovers. `sum(rate(errors[1m]))` is empty, not 0, where no
    error was ever counted: write `(sum(rate(errors[1m])) or vector(0))`."""
    on_no_traffic: NoTraffic = NoTraffic.HOLD
    """What NaN means, which is what 0/0 and a quantile of nothing give: Hold (default; Unknown, so nothing moves) or
    Clear (the service is idle, which counts as well, whichever the direction)."""


@model(rules=policy_rules.CONDITION)
class Condition:
    """Two thresholds for one signal, with a gap between them (hysteresis): past `enter` it is bad, past `exit` it is
    well again, between them nothing moves.

    Example: {signal: p99, enterAbove: 0.8, exitBelow: 0.6}.
    """

    signal: Name
    """Name of one of spec.signals."""
    enter_above: Number | None = None
    """Bad above this, in the query's unit. Comes with exitBelow, which must be lower."""
    exit_below: Number | None = None
    """Well again below this. Comes with enterAbove."""
    enter_below: Number | None = None
    """Bad below this, for signals where less is worse. Comes with exitAbove, which must be higher."""
    exit_above: Number | None = None
    """Well again above this. Comes with enterBelow."""


@model(rules=policy_rules.WHEN)
class When:
    """When the level is entered and left: exactly one of anyOf and allOf. Required, unless the level is manual."""

    any_of: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=8)] | None = None
    """One bad signal is enough to enter; all must be well again to recover. An Unknown one holds the level."""
    all_of: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=8)] | None = None
    """All must be bad to enter; one that is well again is enough to recover."""

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.any_of or self.all_of or ()


@model(rules=policy_rules.LEVEL)
class Level:
    """One step of degradation: when it is entered and left, and what it does without.

    Example: {name: trimmed, when: {anyOf: [{signal: p99, enterAbove: 0.8, exitBelow: 0.6}]}, for: 30s,
    recoverAfter: 3m, actions: [{name: thin, scale: {target: {kind: Deployment, name: thumbnailer}, atMost: 1}}]}.
    """

    name: LevelName
    """What the status, events and overrides call it; unique in the policy; not Normal, which is where no level applies.
    Example: core-only."""
    when: When | None = None
    for_: Annotated[Duration | None, Field(alias="for")] = None
    """How long the conditions must be bad before the level is entered; time between the thresholds or without data does
    not count. 0s acts at the first bad reading. Required, unless the level is manual. Example: 30s."""
    recover_after: Duration | None = None
    """How long the conditions must be well again before one step down. It doubles when the level comes back soon after
    it was left, up to recovery.maxBackoff. Required, unless the level is manual. Example: 3m."""
    manual: YesNo = False
    """True: the level has no condition, and only a person's Pin or Floor reaches it. Manual levels stand above (after)
    the automatic ones. Default false."""
    actions: Annotated[tuple[Action, ...], Field(max_length=16)] = ()
    """What it does without, taken in this order and given back in reverse. One that fails stops no other. A level
    includes the actions of all levels below it; where two set the same field, the higher level's value holds."""


@model()
class Recovery:
    """How what was taken is given back."""

    wave_size: Annotated[Whole, Field(ge=1, le=1000)] = 5
    """How many targets are given back at once. The next wave follows when the last is available again, or after 2
    minutes. Default 5."""
    max_backoff: Duration = 1800.0
    """The longest that recoverAfter may grow to when a level keeps coming back. At or below recoverAfter: it never
    grows. Default 30m."""


@model()
class Safety:
    """What limits the damage of a mistake in the policy."""

    max_targets: Annotated[Whole, Field(ge=1, le=1000)] = 20
    """How many targets the policy may hold at a time. An action that would go beyond is Blocked whole, and says
    so. Default 20."""


@model(rules=policy_rules.POLICY)
class PolicySpec:
    """What the policy watches, and what it does without, mildest first."""

    mode: Mode
    """Enforce, or DryRun: decide, report and record the same, and take nothing. A change from Enforce to DryRun gives
    everything back. Start with DryRun."""
    protects: Protects | None = None
    interval: Duration = 15.0
    """How often the signals are read, from 1s to 1h; default 15s. While degraded, targets are looked for again just
    as often."""
    settle: Duration = 60.0
    """How long readings do not count after our own change of level, since it takes that long until they show it: at
    least the range of the queries. 0s is allowed; default 1m."""
    source_ref: SourceRef = Field(default_factory=SourceRef)
    signals: Annotated[
        tuple[Signal, ...],
        Field(
            min_length=1,
            max_length=16,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ]
    """The numbers that tell how well the service is, 1 to 16."""
    levels: Annotated[
        tuple[Level, ...], Field(min_length=1, max_length=8, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ]
    """The steps of degradation, 1 to 8, mildest first: each includes those before it. The highest whose conditions have
    been bad for its `for` is entered at once, whatever lies between; recovery goes down one level at a time."""
    recovery: Recovery = Field(default_factory=Recovery)
    safety: Safety = Field(default_factory=Safety)

    def index(self, level: str) -> int:
        """0 for Normal or a level that is not in the spec; 1 for the mildest."""
        return next((i for i, each in enumerate(self.levels, 1) if each.name == level), 0)

    def up_to(self, level: str) -> tuple[Level, ...]:
        """The levels that apply at `level`, mildest first: it and all below it."""
        return self.levels[: self.index(level)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A DegradationPolicy as it was loaded: its spec is valid."""

    ref: PolicyRef
    generation: int
    spec: PolicySpec
    deleting: bool
    finalizers: tuple[str, ...]
    resource_version: str
