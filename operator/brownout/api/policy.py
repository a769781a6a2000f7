"""DegradationPolicy: signals, levels, actions; and the values the core knows a policy by."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from brownout.api.actions import Action, Name, ObjectName
from brownout.api.base import Duration, model

NORMAL = "Normal"


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
    kind: ProtectedKind
    name: ObjectName


@model()
class SourceRef:
    name: ObjectName = "default"


@model()
class Signal:
    name: Name
    query: Annotated[str, Field(min_length=1, max_length=4096)]
    on_no_traffic: NoTraffic = NoTraffic.HOLD


@model()
class Condition:
    signal: Name
    enter_above: float | None = None
    exit_below: float | None = None
    enter_below: float | None = None
    exit_above: float | None = None


@model()
class When:
    any_of: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=8)] | None = None
    all_of: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=8)] | None = None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.any_of or self.all_of or ()


@model()
class Level:
    name: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$")]
    when: When | None = None
    for_: Annotated[Duration | None, Field(alias="for")] = None
    recover_after: Duration | None = None
    manual: bool = False
    actions: Annotated[tuple[Action, ...], Field(max_length=16)] = ()


@model()
class Recovery:
    wave_size: Annotated[int, Field(ge=1, le=1000)] = 5
    max_backoff: Duration = 1800.0


@model()
class Safety:
    max_targets: Annotated[int, Field(ge=1, le=1000)] = 20


@model()
class PolicySpec:
    mode: Mode
    protects: Protects | None = None
    interval: Duration = 15.0
    settle: Duration = 60.0
    source_ref: SourceRef = Field(default_factory=SourceRef)
    signals: Annotated[tuple[Signal, ...], Field(min_length=1, max_length=16)]
    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=8)]
    recovery: Recovery = Field(default_factory=Recovery)
    safety: Safety = Field(default_factory=Safety)

    def index(self, level: str) -> int:
        """0 for Normal or a level that is not in the spec; 1 for the mildest."""
        return next((i for i, each in enumerate(self.levels, 1) if each.name == level), 0)

    def up_to(self, level: str) -> tuple[Level, ...]:
        """The levels that apply at `level`, mildest first: it and all below it."""
        return self.levels[: self.index(level)]
