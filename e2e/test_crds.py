"""Our CustomResourceDefinitions on a real API server: taken at their maxima, explained, listed."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from brownout.api.load import dump, load_status
from brownout.api.status import (
    AppliedStatus,
    BlockedStatus,
    Condition,
    DwellStatus,
    ObservedSignal,
    ObservedStatus,
    OwnerStatus,
    PendingStatus,
    PolicyStatus,
    RecoveryStatus,
    RelapseStatus,
    ReleasedStatus,
    SignalStatus,
    TargetStatus,
    TransitionStatus,
)
from e2e.controlplane.api import Api
from e2e.fixtures.kubectl import Kubectl, KubectlRefused
from e2e.fixtures.polling import until
from tests.api.cases import good

POLICIES = "/apis/brownout.dev/v1alpha1/namespaces/default/degradationpolicies"
CRDS = Path(__file__).parents[1] / "crds"
THEN = "2026-11-24T14:59:00Z"
LONG = "a" * 59
TARGET = TargetStatus(api_version="apps/v1", kind="Deployment", name="thumbnailer", uid="u-1")
SEEN = (ObservedSignal(name="p99", value=2.31), ObservedSignal(name="free", state="NoData"))


@pytest.fixture(scope="module", autouse=True)
def _served(cluster_kubectl: Kubectl) -> None:
    cluster_kubectl.run("apply", "--server-side", "-f", str(CRDS))
    for plural in ("degradationpolicies", "prometheussources"):
        cluster_kubectl.wait("crd", f"{plural}.brownout.dev", "condition=Established")
    for plural in ("degradationpolicies", "prometheussources"):
        until(partial(_is_explained, cluster_kubectl, plural), f"the API server publishes the schema of {plural}")


def _is_explained(kubectl: Kubectl, plural: str) -> bool:
    try:
        return "FIELDS:" in kubectl.run("explain", plural)
    except KubectlRefused:
        return False


def full_status() -> PolicyStatus:
    """A status with everything in it."""
    return PolicyStatus(
        observed_generation=1,
        mode="Enforce",
        level="core-only",
        level_index=2,
        level_shown="core-only 2/3",
        since=THEN,
        why="p99 2.31 > 2 for 1m",
        held=6,
        signals_shown="1/2",
        signals=(SignalStatus(name="p99", state="Fresh", value_at_transition=2.31),),
        applied=(
            AppliedStatus(
                action="thin",
                level="trimmed",
                target=TARGET,
                take="t1",
                pointer="/spec/replicas",
                original="5",
                applied="1",
                owners=(OwnerStatus(manager="argocd", operation="Apply"),),
                at=THEN,
            ),
        ),
        blocked=(BlockedStatus(action="shed-batch", reason="MaxTargets", message="30 targets are more than 20"),),
        released=(ReleasedStatus(target=TARGET, pointer="/spec/replicas", found="7", manager="ann", at=THEN),),
        pending=PendingStatus(clocks=(DwellStatus(level="core-only", seconds=12.5, zone="Over", at=THEN),)),
        recovery=RecoveryStatus(giving_back=True, relapses=(RelapseStatus(level="trimmed", count=2, left_at=THEN),)),
        observed=ObservedStatus(at=THEN, signals=SEEN),
        history=(
            TransitionStatus(at=THEN, from_="Normal", to="core-only", reason="Escalated", message="", signals=SEEN),
        ),
        conditions=(
            Condition(type="Ready", status="True", reason="Accepted", last_transition_time=THEN, observed_generation=1),
        ),
    )


def largest_policy() -> dict[str, Any]:
    """A policy at every maximum of the schema, with names as long and as alike as they may be."""
    signals = [f"{LONG}-{i:03}" for i in range(16)]
    conditions = [{"signal": signals[15 - i], "enterAbove": 1, "exitBelow": 0.5} for i in range(8)]
    levels = [
        {
            "name": f"{LONG}-{i:03}",
            "when": {"allOf" if i % 2 else "anyOf": conditions},
            "for": "30s",
            "recoverAfter": "3m",
            "actions": [_largest_action(f"{LONG}-{i}{j:02}", j) for j in range(16)],
        }
        for i in range(8)
    ]
    spec = {
        "mode": "DryRun",
        "interval": "59m59s",
        "protects": {"kind": "Deployment", "name": LONG},
        "signals": [{"name": name, "query": "sum(up)" + " or vector(0)" * 300} for name in signals],
        "levels": levels,
    }
    return {**good("DegradationPolicy"), "metadata": {"name": "largest"}, "spec": spec}


def _largest_action(name: str, number: int) -> dict[str, Any]:
    if number % 2:
        return {"name": name, "scale": {"target": {"kind": "Deployment", "name": f"{LONG}b"}, "percent": 10}}
    labels = {f"example.com/{LONG}{i:02}": LONG for i in range(16)}
    return {"name": name, "shed": {"selector": {"matchLabels": labels}}}


def test_a_policy_at_every_maximum_is_within_the_cost_budget(api: Api) -> None:
    answer = api.post(f"{POLICIES}?dryRun=All&fieldValidation=Strict", largest_policy())
    assert answer.status == 201, answer.body


def test_the_costly_rules_still_refuse_a_policy_at_every_maximum(api: Api) -> None:
    policy = largest_policy()
    policy["spec"]["levels"][7]["actions"][15]["name"] = policy["spec"]["levels"][0]["actions"][0]["name"]
    answer = api.post(f"{POLICIES}?dryRun=All&fieldValidation=Strict", policy)
    assert answer.status == 422
    assert "two actions have the same name" in answer.body["message"]


@pytest.mark.parametrize(
    ("path", "phrase"),
    [
        ("dgp", "Switches off what a service can spare"),
        ("dgp.spec", "Enforce, or DryRun: decide, report and record the same, and take nothing"),
        ("dgp.spec.levels", "mildest first: each includes those before it"),
        ("dgp.spec.levels.for", "How long the conditions must be bad before the level is entered"),
        ("dgp.spec.levels.when.anyOf.exitBelow", "Well again below this"),
        ("dgp.spec.levels.actions.shed.kinds", "[Deployment, CronJob] if not set"),
        ("dgp.spec.signals.onNoTraffic", "What NaN means"),
        ("dgp.status.applied.original", "not set where the field was absent"),
        ("promsrc.spec.tls", "there is no way to turn that off"),
        ("dgp.spec.recovery", "How what was taken is given back"),
    ],
)
def test_explain_is_the_reference(cluster_kubectl: Kubectl, path: str, phrase: str) -> None:
    assert phrase in " ".join(cluster_kubectl.run("explain", path).split())


def test_the_columns_say_what_a_person_wants_to_know_first(kubectl: Kubectl) -> None:
    kubectl.apply(good("DegradationPolicy"))
    kubectl.run("patch", "dgp", "checkout", "--subresource=status", "--type=merge", "-p", _patch(full_status()))
    head, row = kubectl.run("get", "dgp").splitlines()
    assert head.split() == ["NAME", "MODE", "LEVEL", "SINCE", "WHY", "HELD", "SIGNALS", "READY"]
    words = row.split()
    assert words[:4] == ["checkout", "Enforce", "core-only", "2/3"]
    assert words[5:] == ["p99", "2.31", ">", "2", "for", "1m", "6", "1/2", "True"]


def test_a_whole_status_comes_back_from_the_api_server_as_it_was(kubectl: Kubectl) -> None:
    kubectl.apply(good("DegradationPolicy"))
    kubectl.run("patch", "dgp", "checkout", "--subresource=status", "--type=merge", "-p", _patch(full_status()))
    assert load_status(kubectl.get("dgp", "checkout")) == full_status()


def test_get_brownout_lists_all_our_kinds(kubectl: Kubectl, namespace: str) -> None:
    kubectl.apply(good("DegradationPolicy"), good("PrometheusSource") | {"metadata": {"name": namespace}})
    shown = kubectl.run("get", "brownout", "-A")
    kubectl.run("delete", "promsrc", namespace)
    assert "degradationpolicy.brownout.dev/checkout" in shown
    assert f"prometheussource.brownout.dev/{namespace}" in shown
    assert "https://mimir.example.com:8443/prometheus" in shown


def test_kubectl_refuses_an_unknown_field_by_itself(kubectl: Kubectl) -> None:
    policy = good("DegradationPolicy")
    policy["spec"]["levels"][0]["recoverafter"] = "5m"
    with pytest.raises(KubectlRefused, match=r'unknown field "spec\.levels\[0\]\.recoverafter"'):
        kubectl.apply(policy)


def _patch(status: PolicyStatus) -> str:
    return json.dumps({"status": dump(status)})
