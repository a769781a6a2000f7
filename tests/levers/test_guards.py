from __future__ import annotations

from typing import Any

import pytest

from brownout.api.actions import Action
from brownout.ledger.entries import Found
from brownout.ledger.pointer import Pointer
from brownout.levers.guards import LARGEST_ORIGINAL, guard
from brownout.levers.surroundings import Surroundings
from tests.levers.objects import (
    REPLICAS,
    deployment,
    feature_flag,
    found,
    held,
    recommendations,
    scale,
    set_key,
    shed,
    spec,
    turn,
)

PROTECTING = spec(protects={"kind": "Deployment", "name": "checkout"})
AUTOSCALED = Surroundings(
    autoscalers={
        ("Deployment", "thumbnailer"): "HPA thumbnailer drives replicas",
        ("StatefulSet", "thumbnailer"): "HPA thumbnailer drives replicas",
        ("CronJob", "report"): "VPA report resizes its pods",
    }
)
OPERATOR = Surroundings(operator=frozenset({("Deployment", "dimmer")}))
C1: dict[str, Any] = {"labels": {"brownout.dev/criticality": "C1"}}
ALONE = Surroundings()


def owned(controller: bool) -> dict[str, Any]:
    return {"ownerReferences": [{"kind": "Rollout", "name": "front", "controller": controller}]}


def job(condition: str, status: str = "True") -> Found:
    return found(
        "Job", "import", spec={"suspend": False}, status={"conditions": [{"type": condition, "status": status}]}
    )


def stateful(when_scaled: str) -> Found:
    policy = {"whenScaled": when_scaled, "whenDeleted": "Delete"}
    return found("StatefulSet", "db", spec={"replicas": 3, "persistentVolumeClaimRetentionPolicy": policy})


def flags_map(size: int = 0, **body: Any) -> Found:
    return found("ConfigMap", "shop-flags", data={"static": "x" * size}, **body)


@pytest.mark.parametrize(
    ("one", "act", "around", "reason", "sentence"),
    [
        pytest.param(
            deployment("front", **C1),
            shed(),
            ALONE,
            "Criticality",
            "Deployment shop/front is vital (brownout.dev/criticality: C1) and never taken: "
            "change its label, or leave it out of the action",
            id="a vital workload is never shed",
        ),
        pytest.param(
            deployment("front", **C1),
            scale("front", atMost=1),
            ALONE,
            "Criticality",
            "is vital",
            id="a vital workload is never lowered by name either",
        ),
        pytest.param(
            deployment("checkout"),
            scale("checkout", percent=50),
            ALONE,
            "Protected",
            "Deployment shop/checkout is what this policy protects: "
            "only atLeast may change it; leave it out of the action",
            id="what the policy protects is never lowered",
        ),
        pytest.param(
            deployment("anything", labels={"app.kubernetes.io/name": "brownout"}),
            shed(),
            ALONE,
            "Operator",
            "Deployment shop/anything is the operator itself, which must live to give things back: "
            "leave it out of the action",
            id="the operator is known by its label",
        ),
        pytest.param(
            deployment("dimmer"),
            shed(),
            OPERATOR,
            "Operator",
            "is the operator itself",
            id="the operator is known by name",
        ),
        pytest.param(
            deployment(**owned(True)),
            shed(),
            ALONE,
            "Controlled",
            "Deployment shop/thumbnailer is controlled by Rollout front, which would set it back: act on that",
            id="an object with a controller is left to it",
        ),
        pytest.param(
            deployment(),
            scale(atMost=1),
            AUTOSCALED,
            "Autoscaler",
            "Deployment shop/thumbnailer is autoscaled (HPA thumbnailer drives replicas) and would be scaled back: "
            "leave it out of the action, or remove the autoscaler",
            id="an autoscaled workload is not scaled",
        ),
        pytest.param(
            deployment(), shed(), AUTOSCALED, "Autoscaler", "is autoscaled", id="an autoscaled workload is not shed"
        ),
        pytest.param(
            deployment(),
            scale(atLeast=9),
            AUTOSCALED,
            "Autoscaler",
            "is autoscaled",
            id="an autoscaled workload is not given room either",
        ),
        pytest.param(
            job("Complete"),
            shed(),
            ALONE,
            "Finished",
            "Job shop/import has finished (Complete), there is nothing to take: it can be deleted",
            id="a completed Job is left alone",
        ),
        pytest.param(job("Failed"), shed(), ALONE, "Finished", "(Failed)", id="a failed Job is left alone"),
        pytest.param(
            stateful("Delete"),
            shed(),
            ALONE,
            "Volumes",
            "StatefulSet shop/db would lose its volumes when scaled down: "
            "set persistentVolumeClaimRetentionPolicy.whenScaled to Retain",
            id="a StatefulSet that deletes volumes when scaled down is left alone",
        ),
        pytest.param(
            stateful("Delete"),
            scale("db", kind="StatefulSet", atLeast=5),
            ALONE,
            "Volumes",
            "would lose its volumes",
            id="giving back what atLeast gave would delete volumes too",
        ),
        pytest.param(
            flags_map(immutable=True),
            set_key(),
            ALONE,
            "Immutable",
            "ConfigMap shop/shop-flags is immutable: keep the flag in a ConfigMap that is not",
            id="an immutable ConfigMap is blocked",
        ),
        pytest.param(
            flags_map(LARGEST_ORIGINAL - 1),
            set_key(),
            ALONE,
            "TooLarge",
            "ConfigMap shop/shop-flags has 32769 bytes at /data/static, too many to remember: "
            "at most 32768 can be given back",
            id="an original above 32 KiB is blocked",
        ),
        pytest.param(
            found("ConfigMap", "shop-flags", data={"static": "ü" * (LARGEST_ORIGINAL // 2)}),
            set_key(),
            ALONE,
            "TooLarge",
            "has 32770 bytes",
            id="the size of an original is counted in bytes and not in characters",
        ),
        pytest.param(
            feature_flag({"recommendations": recommendations(targeting={"if": ["x" * LARGEST_ORIGINAL]})}),
            turn(),
            ALONE,
            "TooLarge",
            "flags/recommendations/targeting",
            id="a large targeting is blocked before it is taken away",
        ),
        pytest.param(
            held(flags_map(LARGEST_ORIGINAL), Pointer("/data/static"), "true", action="act"),
            set_key(),
            ALONE,
            "TooLarge",
            "bytes at /data/static",
            id="the size that counts is the original's and not the applied value's",
        ),
        pytest.param(
            deployment(deletionTimestamp="2026-01-01T00:00:00Z"),
            shed(),
            ALONE,
            "Terminating",
            "Deployment shop/thumbnailer is being deleted: nothing to do",
            id="an object being deleted is left alone",
        ),
        pytest.param(
            held(deployment("front", **C1), REPLICAS, 0, action="act"),
            shed(),
            ALONE,
            "Criticality",
            "is vital",
            id="something held that becomes vital is no longer takeable",
        ),
    ],
)
def test_never_taken(one: Found, act: Action, around: Surroundings, reason: str, sentence: str) -> None:
    blocked = guard(one, PROTECTING, act, around)
    assert blocked is not None
    assert (blocked.reason, sentence in blocked.message) == (reason, True), blocked.message
    assert blocked.message.startswith(str(one.target))


@pytest.mark.parametrize(
    ("one", "act", "around"),
    [
        pytest.param(deployment(), shed(), ALONE, id="an ordinary workload"),
        pytest.param(deployment("front", **C1), scale("front", atLeast=9), ALONE, id="more room for a vital workload"),
        pytest.param(
            deployment("front", labels={"brownout.dev/criticality": "c1"}),
            shed(),
            ALONE,
            id="a criticality counts in the case in which it is defined",
        ),
        pytest.param(deployment("checkout"), scale("checkout", atLeast=9), ALONE, id="more room for what is protected"),
        pytest.param(
            found("StatefulSet", "checkout", spec={"replicas": 1}),
            shed(),
            ALONE,
            id="another kind under the protected name",
        ),
        pytest.param(deployment(**owned(False)), shed(), ALONE, id="an owner that does not control"),
        pytest.param(deployment("other"), shed(), AUTOSCALED, id="a workload beside an autoscaled one"),
        pytest.param(
            found("CronJob", "report", spec={}), shed(), AUTOSCALED, id="suspending, which no autoscaler sets"
        ),
        pytest.param(job("Complete", "False"), shed(), ALONE, id="a Job that has not finished"),
        pytest.param(job("Suspended"), shed(), ALONE, id="a Job with another condition"),
        pytest.param(stateful("Retain"), shed(), ALONE, id="a StatefulSet that retains its volumes when scaled down"),
        pytest.param(flags_map(immutable=False), set_key(), ALONE, id="a ConfigMap that may change"),
        pytest.param(flags_map(LARGEST_ORIGINAL - 2), set_key(), ALONE, id="an original of just 32 KiB"),
        pytest.param(
            found("ConfigMap", "shop-flags", data={"other": "x" * 99999}),
            set_key(),
            ALONE,
            id="a large field beside ours",
        ),
    ],
)
def test_takeable(one: Found, act: Action, around: Surroundings) -> None:
    assert guard(one, PROTECTING, act, around) is None
