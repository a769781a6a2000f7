"""What a level does: an action is a name and exactly one lever's arguments."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from brownout.api.base import model
from brownout.api.rules import Rule, elsewhere
from brownout.api.texts import (
    LABEL_KEY,
    LABEL_OPERATOR,
    WRITE_INSTEAD,
    DataKey,
    LabelKey,
    LabelValue,
    Name,
    ObjectName,
    Whole,
)


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


C1_IS_VITAL = "C1 is vital and is never taken: write C2, C3, C4 or C5"


def _not_vital(value: Any) -> Any:
    if value == "C1":
        raise ValueError(C1_IS_VITAL)
    return value


_Sheddable = Annotated[
    Criticality,
    BeforeValidator(_not_vital),
    WithJsonSchema({"type": "string", "enum": ["C1", *Criticality]}),  # C1 passes: the rule has a better sentence
]


@model()
class FeatureFlagKey:
    """One flag of a FeatureFlag object of the OpenFeature operator (core.openfeature.dev/v1beta1)."""

    name: ObjectName
    """Name of the FeatureFlag object, in the policy's namespace."""
    key: Annotated[str, Field(min_length=1, max_length=253)]
    """Key of the flag below `spec.flagSpec.flags`."""


@model()
class ConfigMapKey:
    """One key of a ConfigMap."""

    name: ObjectName
    """Name of the ConfigMap, in the policy's namespace."""
    key: DataKey
    """Key below `data`. It is made if it is not there, and removed again on giving back."""


@model(
    rules=[
        Rule(
            says="write either featureFlag with variant, or configMap with value",
            cel="has(self.featureFlag) != has(self.configMap) && has(self.featureFlag) == has(self.variant)"
            " && has(self.configMap) == has(self.value)",
            holds=lambda flag: (
                (flag.feature_flag is None) != (flag.config_map is None)
                and (flag.feature_flag is None) == (flag.variant is None)
                and (flag.config_map is None) == (flag.value is None)
            ),
        )
    ]
)
class Flag:
    """Switches a feature flag: `featureFlag` with `variant`, or `configMap` with `value`.

    Example: {featureFlag: {name: shop, key: recommendations}, variant: lite}.
    """

    feature_flag: FeatureFlagKey | None = None
    """A flag of a FeatureFlag object. `variant` becomes its defaultVariant and its targeting is removed, so that
    everybody gets the variant; both come back."""
    variant: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """The variant that everybody gets. It must be one of the flag's own variants. Example: "off" (quoted: a bare off is
    a boolean in YAML)."""
    config_map: ConfigMapKey | None = None
    """A key of a ConfigMap, for applications that read their flags from a mounted ConfigMap. It can take two minutes to
    arrive in a volume, and never arrives in an environment variable or a subPath mount."""
    value: Annotated[str, Field(max_length=32768)] | None = None
    """What the ConfigMap's key holds meanwhile, as text. Example: "true"."""


@model()
class ScaleTarget:
    """The workload to scale, in the policy's namespace. One that an autoscaler drives is Blocked: they would fight."""

    kind: ScaleKind
    """Deployment or StatefulSet."""
    name: ObjectName
    """Name of the workload. One that does not exist is reported, and taken when it appears."""


@model(
    rules=[
        Rule(
            says="write exactly one of atMost, percent and atLeast",
            cel="[has(self.atMost), has(self.percent), has(self.atLeast)].exists_one(set, set)",
            holds=lambda scale: [scale.at_most, scale.percent, scale.at_least].count(None) == 2,
        )
    ]
)
class Scale:
    """Changes the replicas of one workload, by exactly one of atMost, percent and atLeast.

    Example: {target: {kind: Deployment, name: thumbnailer}, atMost: 1}.
    """

    target: ScaleTarget
    at_most: Annotated[Whole, Field(ge=0, le=100000)] | None = None
    """Replicas to come down to; never raises: a workload that has fewer keeps them. 0 stops it."""
    percent: Annotated[Whole, Field(ge=0, le=100)] | None = None
    """Percent of the original replicas to come down to, rounded up; never raises. 50 of 5 replicas are 3."""
    at_least: Annotated[Whole, Field(ge=1, le=100000)] | None = None
    """Replicas to go up to, as room for what is vital; never lowers. The only way to name what the policy protects."""


@model(
    rules=[
        Rule(
            says="write values with the operators In and NotIn, and none with Exists and DoesNotExist",
            cel="(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
            holds=lambda it: (it.operator in ("In", "NotIn")) == bool(it.values),
        )
    ]
)
class LabelRequirement:
    """One requirement on a label."""

    key: LabelKey
    """The label's key."""
    operator: Annotated[str, Field(max_length=16, pattern=LABEL_OPERATOR)]
    """In, NotIn, Exists or DoesNotExist."""
    values: Annotated[tuple[LabelValue, ...], Field(max_length=16)] = ()
    """The values for In and NotIn."""


@model(
    rules=[
        Rule(
            says="an empty selector would match everything: write matchLabels or matchExpressions",
            cel="(has(self.matchLabels) && size(self.matchLabels) > 0)"
            " || (has(self.matchExpressions) && size(self.matchExpressions) > 0)",
            holds=lambda it: bool(it.match_labels or it.match_expressions),
        ),
        Rule(
            says=WRITE_INSTEAD[LABEL_KEY],
            cel=f'!has(self.matchLabels) || self.matchLabels.all(key, key.matches(r"{LABEL_KEY}"))',
            holds=elsewhere,  # each key is checked by its own type
            at="matchLabels",
        ),
    ]
)
class LabelSelector:
    """Which workloads, by any of their labels, as everywhere in Kubernetes: all requirements must hold; never empty."""

    match_labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=16)] = Field(default_factory=dict)
    """Labels and their values. Example: {app.kubernetes.io/part-of: reports}."""
    match_expressions: Annotated[tuple[LabelRequirement, ...], Field(max_length=16)] = ()
    """Requirements by operator. Example: [{key: tier, operator: In, values: [batch, reports]}]."""


@model(
    rules=[
        Rule(
            says="write either criticalities or selector",
            cel="has(self.criticalities) != has(self.selector)",
            holds=lambda shed: bool(shed.criticalities) != (shed.selector is not None),
        ),
        Rule(
            says=C1_IS_VITAL,
            cel="!has(self.criticalities) || !('C1' in self.criticalities)",
            holds=elsewhere,  # each member refuses C1 by itself
            at="criticalities",
        ),
    ]
)
class Shed:
    """Stops whole workloads: Deployments and StatefulSets go to 0 replicas, CronJobs and Jobs are suspended.

    Chosen by `criticalities` or by `selector`, in the policy's namespace. What must never be taken (C1, the policy's
    `protects`, what an autoscaler or another controller drives) is left out, each with its reason in `status.blocked`.
    Example: {criticalities: [C5, C4]}.
    """

    criticalities: Annotated[tuple[_Sheddable, ...], Field(min_length=1, max_length=4)] = ()
    """Which workloads, by their label `brownout.dev/criticality`: C2 (nearly vital) to C5 (first to go), in the order
    they are taken. C1 is vital and refused. A workload without the label is not chosen."""
    selector: LabelSelector | None = None
    kinds: Annotated[tuple[ShedKind, ...], Field(min_length=1, max_length=4)] = (
        ShedKind.DEPLOYMENT,
        ShedKind.CRON_JOB,
    )
    """Which kinds: Deployment, StatefulSet, CronJob, Job; [Deployment, CronJob] if not set. Suspending a CronJob lets
    its running Jobs finish; suspending a Job kills its Pods, and it starts anew when it is given back."""


@model(
    rules=[
        Rule(
            says="write exactly one of flag, scale and shed",
            cel="[has(self.flag), has(self.scale), has(self.shed)].exists_one(set, set)",
            holds=lambda action: [action.flag, action.scale, action.shed].count(None) == 2,
        )
    ]
)
class Action:
    """One thing that a level spares: a name, and exactly one of flag, scale and shed."""

    name: Name
    """What events and the status call it; unique in the policy. Example: recommendations-lite."""
    flag: Flag | None = None
    scale: Scale | None = None
    shed: Shed | None = None
