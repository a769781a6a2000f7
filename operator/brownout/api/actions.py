"""What a level does: an action is a name and exactly one lever's arguments."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from brownout.api.base import model

Name = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
ObjectName = Annotated[str, Field(min_length=1, max_length=253)]


class ScaleKind(StrEnum):
    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"


class ShedKind(StrEnum):
    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"
    CRON_JOB = "CronJob"
    JOB = "Job"


class Criticality(StrEnum):
    """How dispensable a workload is, from its label `brownout.dev/criticality`; C1 is vital and never taken."""

    C2 = "C2"
    C3 = "C3"
    C4 = "C4"
    C5 = "C5"


@model()
class FeatureFlagKey:
    name: ObjectName
    key: Annotated[str, Field(min_length=1, max_length=253)]


@model()
class ConfigMapKey:
    name: ObjectName
    key: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]


@model()
class Flag:
    feature_flag: FeatureFlagKey | None = None
    variant: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    config_map: ConfigMapKey | None = None
    value: Annotated[str, Field(max_length=32768)] | None = None


@model()
class ScaleTarget:
    kind: ScaleKind
    name: ObjectName


@model()
class Scale:
    target: ScaleTarget
    at_most: Annotated[int, Field(ge=0, le=100000)] | None = None
    percent: Annotated[int, Field(ge=0, le=100)] | None = None
    at_least: Annotated[int, Field(ge=1, le=100000)] | None = None


@model()
class LabelRequirement:
    key: Annotated[str, Field(min_length=1, max_length=317)]
    operator: Annotated[str, Field(pattern="^(In|NotIn|Exists|DoesNotExist)$")]
    values: tuple[Annotated[str, Field(max_length=63)], ...] = ()


@model()
class LabelSelector:
    match_labels: Annotated[dict[str, str], Field(max_length=16)] = Field(default_factory=dict)
    match_expressions: Annotated[tuple[LabelRequirement, ...], Field(max_length=16)] = ()


@model()
class Shed:
    criticalities: Annotated[tuple[Criticality, ...], Field(max_length=4)] = ()
    selector: LabelSelector | None = None
    kinds: Annotated[tuple[ShedKind, ...], Field(min_length=1, max_length=4)] = (
        ShedKind.DEPLOYMENT,
        ShedKind.CRON_JOB,
    )


@model()
class Action:
    name: Name
    flag: Flag | None = None
    scale: Scale | None = None
    shed: Shed | None = None
