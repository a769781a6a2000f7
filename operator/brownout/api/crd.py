"""The CustomResourceDefinitions, made from the models."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from brownout.api.base import GROUP, VERSION
from brownout.api.policy import PolicySpec
from brownout.api.source import SourceSpec, SourceStatus
from brownout.api.status import PolicyStatus
from brownout.api.structural import structural

HEADER = "# Made from operator/brownout/api by `brownout crds --out crds` (make generate): change it there.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of `kubectl get`. kubectl shows a date as the time since."""

    name: str
    path: str
    type: str = "string"
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crd:
    """One of our kinds, as the API server is told about it."""

    kind: str
    plural: str
    short: str
    namespaced: bool
    description: str
    spec: type
    status: type
    columns: Sequence[Column]

    @property
    def file(self) -> str:
        """Its file name."""
        return f"{self.plural}.yaml"


POLICY = Crd(
    kind="DegradationPolicy",
    plural="degradationpolicies",
    short="dgp",
    namespaced=True,
    description="Switches off what a service can spare when it gets sick, in the order written here, and gives"
    " everything back when it is well again. Acts in its own namespace only.",
    spec=PolicySpec,
    status=PolicyStatus,
    columns=(
        Column(name="Mode", path=".spec.mode", description="Enforce or DryRun"),
        Column(name="Level", path=".status.levelShown", description="The level that applies, and how many there are"),
        Column(name="Since", path=".status.since", type="date", description="How long the level has applied"),
        Column(name="Why", path=".status.why", description="Why the level is this one"),
        Column(name="Held", path=".status.held", type="integer", description="How many targets the policy holds"),
        Column(name="Signals", path=".status.signalsShown", description="How many signals have a fresh number"),
        Column(
            name="Ready",
            path='.status.conditions[?(@.type=="Ready")].status',
            description="Accepted, signals read once, targets found",
        ),
    ),
)

SOURCE = Crd(
    kind="PrometheusSource",
    plural="prometheussources",
    short="promsrc",
    namespaced=False,
    description="A Prometheus, or what speaks its query API, that policies may read their signals from. Written by"
    " platform admins: a policy names it and never a URL. Policies that name none use the one named default.",
    spec=SourceSpec,
    status=SourceStatus,
    columns=(
        Column(name="URL", path=".spec.url", description="Where it is"),
        Column(name="Version", path=".status.version", description="The version that the server gives for itself"),
        Column(
            name="Ready", path='.status.conditions[?(@.type=="Ready")].status', description="Whether the source answers"
        ),
        Column(name="Age", path=".metadata.creationTimestamp", type="date", description="How long it has been there"),
    ),
)

CRDS = (POLICY, SOURCE)


def definition(crd: Crd) -> dict[str, Any]:
    """The CustomResourceDefinition object, of plain JSON values."""
    whole = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{crd.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "categories": ["brownout"],
                "kind": crd.kind,
                "listKind": f"{crd.kind}List",
                "plural": crd.plural,
                "shortNames": [crd.short],
                "singular": crd.kind.lower(),
            },
            "scope": "Namespaced" if crd.namespaced else "Cluster",
            "versions": [_version(crd)],
        },
    }
    plain: dict[str, Any] = json.loads(json.dumps(whole))  # leaves no enum member that YAML could not write
    return plain


def text(crd: Crd) -> str:
    """The definition as the YAML file that is committed: the same models always give the same bytes."""
    return HEADER + yaml.safe_dump(definition(crd), sort_keys=False, allow_unicode=True, width=110)


def _version(crd: Crd) -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            {"name": each.name, "type": each.type, "jsonPath": each.path, "description": each.description}
            for each in crd.columns
        ],
        "schema": {"openAPIV3Schema": _schema(crd)},
    }


def _schema(crd: Crd) -> dict[str, Any]:
    return {
        "description": crd.description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}."},
            "kind": {"type": "string", "description": f"{crd.kind}."},
            "metadata": {"type": "object"},
            "spec": structural(crd.spec, defaults=True),
            "status": structural(crd.status, defaults=False),
        },
    }
