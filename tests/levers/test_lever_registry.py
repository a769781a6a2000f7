from __future__ import annotations

import pytest

from brownout.api.actions import Action
from brownout.ledger.pointer import Pointer
from brownout.levers.flag import FlagLever
from brownout.levers.registry import lever_of, may_change
from brownout.levers.scale import ScaleLever
from brownout.levers.shed import ShedLever
from tests.levers.objects import scale, set_key, shed, turn


@pytest.mark.parametrize(
    ("act", "lever", "arguments"),
    [
        pytest.param(turn(), FlagLever, "flag", id="a feature flag uses the flag lever"),
        pytest.param(set_key(), FlagLever, "flag", id="a config map key uses the flag lever"),
        pytest.param(scale(atMost=1), ScaleLever, "scale", id="scale uses the scale lever"),
        pytest.param(shed(), ShedLever, "shed", id="shed uses the shed lever"),
    ],
)
def test_each_action_has_its_lever(act: Action, lever: type, arguments: str) -> None:
    found, given = lever_of(act)
    assert type(found) is lever
    assert given == getattr(act, arguments)


@pytest.mark.parametrize(
    ("kind", "where", "allowed"),
    [
        pytest.param("Deployment", "/spec/replicas", True, id="replicas of a Deployment"),
        pytest.param("StatefulSet", "/spec/replicas", True, id="replicas of a StatefulSet"),
        pytest.param("CronJob", "/spec/suspend", True, id="suspend of a CronJob"),
        pytest.param("Job", "/spec/suspend", True, id="suspend of a Job"),
        pytest.param("ConfigMap", "/data/any", True, id="a key of a ConfigMap"),
        pytest.param("FeatureFlag", "/spec/flagSpec/flags/a~1b/defaultVariant", True, id="a flag's default variant"),
        pytest.param("FeatureFlag", "/spec/flagSpec/flags/x/targeting", True, id="a flag's targeting"),
        pytest.param("FeatureFlag", "/spec/flagSpec/flags/x/state", False, id="not a flag's state"),
        pytest.param("FeatureFlag", "/spec/flagSpec/flags/x", False, id="not a whole flag"),
        pytest.param("FeatureFlag", "/spec/flagSpec/flags/x/variants/targeting", False, id="not a flag's variants"),
        pytest.param("ConfigMap", "/binaryData/any", False, id="not a binary key"),
        pytest.param("ConfigMap", "/data/a/b", False, id="nothing below a key"),
        pytest.param("ConfigMap", "/data", False, id="not all keys at once"),
        pytest.param("ConfigMap", "x/data/any", False, id="not a pointer that does not begin with a slash"),
        pytest.param("ConfigMap", "/data/any~", False, id="not a pointer with a broken escape"),
        pytest.param("Secret", "/data/any", False, id="not a Secret"),
        pytest.param("CronJob", "/spec/replicas", False, id="not another kind's field"),
        pytest.param("Deployment", "/spec/suspend", False, id="not suspend of a Deployment"),
        pytest.param("Deployment", "/spec/template/spec/containers", False, id="not a workload's template"),
    ],
)
def test_a_lever_may_change(kind: str, where: str, allowed: bool) -> None:
    assert may_change(kind, Pointer(where)) is allowed
