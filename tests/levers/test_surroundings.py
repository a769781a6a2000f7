from __future__ import annotations

from typing import Any

import pytest

from brownout.levers.surroundings import Body, autoscalers


def scaler(name: str, /, reference: str = "scaleTargetRef", mode: str | None = None, **target: Any) -> Body:
    spec: dict[str, Any] = {reference: target}
    if mode is not None:
        spec["updatePolicy"] = {"updateMode": mode}
    return {"metadata": {"name": name}, "spec": spec}


def test_an_hpa_drives_the_replicas_of_its_target() -> None:
    hpas = [scaler("indexer", kind="Deployment", name="index")]
    assert autoscalers(hpas) == {("Deployment", "index"): "HPA indexer drives replicas"}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param({"name": "w"}, ("Deployment", "w"), id="a target without a kind is a Deployment"),
        pytest.param({"kind": "StatefulSet", "name": "w"}, ("StatefulSet", "w"), id="a target's kind is honoured"),
    ],
)
def test_a_keda_scaled_object_drives_replicas(target: dict[str, str], expected: tuple[str, str]) -> None:
    found = autoscalers(scaled_objects=[scaler("queue", **target)])
    assert found == {expected: "KEDA ScaledObject queue drives replicas"}


@pytest.mark.parametrize(
    ("mode", "counts"),
    [
        pytest.param("Off", False, id="a VPA that is Off only recommends"),
        pytest.param("Auto", True, id="a VPA in mode Auto counts"),
        pytest.param("Initial", True, id="a VPA in mode Initial counts"),
        pytest.param(None, True, id="a VPA without a mode counts, for Auto is its default"),
    ],
)
def test_a_vertical_autoscaler(mode: str | None, counts: bool) -> None:
    found = autoscalers(vpas=[scaler("sizes", "targetRef", mode, kind="Deployment", name="w")])
    assert found == ({("Deployment", "w"): "VPA sizes resizes its pods"} if counts else {})


def test_all_autoscalers_of_one_workload_are_named() -> None:
    target = {"kind": "Deployment", "name": "w"}
    found = autoscalers([scaler("keda-hpa-queue", **target)], [scaler("queue", **target)])
    expected = "HPA keda-hpa-queue drives replicas, KEDA ScaledObject queue drives replicas"
    assert found == {("Deployment", "w"): expected}


def test_an_autoscaler_without_a_target_sizes_no_workload_of_ours() -> None:
    assert ("Deployment", "w") not in autoscalers([{"metadata": {"name": "odd"}, "spec": {}}])
