"""Loading and dumping: whatever an object holds, the answer is a value; what is dumped loads as the same."""

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout.api.load import (
    Metadata,
    Refused,
    dump,
    load_metadata,
    load_policy,
    load_source,
    load_source_status,
    load_status,
)
from brownout.api.policy import Level, Mode, Policy, PolicySpec, Signal
from brownout.api.refs import PolicyRef
from brownout.api.source import SourceStatus
from brownout.api.status import AppliedStatus, Condition, PolicyStatus, TargetStatus
from tests.api.cases import cases, good

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
JARGON = re.compile(r"pydantic|https?://errors|validation error|Input should|dataclass|tuple|keyword argument", re.I)
THEN = "2026-11-24T14:59:00Z"
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "thumbnailer", "uid": "u-1"}
APPLIED = {
    "action": "thin",
    "level": "trimmed",
    "target": TARGET,
    "take": "t1",
    "pointer": "/spec/replicas",
    "original": "5",
    "applied": "1",
    "owners": [{"manager": "argocd", "operation": "Apply"}],
    "at": THEN,
}


def places(body: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every member and item."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(body, dict):
        inner = list(body.items())
    elif isinstance(body, list):
        inner = list(enumerate(body))
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))] if path or inner else [path]


def with_value(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A copy with another value somewhere."""
    out = copy.deepcopy(body)
    here: Any = out
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    return out


POLICY_PLACES = [path for path in places(good("DegradationPolicy")) if path]
SOURCE_PLACES = [path for path in places(good("PrometheusSource")) if path]
STATUS = {"status": {"level": "trimmed", "since": THEN, "held": 1, "applied": [APPLIED], "recovery": {"clock": None}}}
STATUS_PLACES = [path for path in places(STATUS) if path]


@given(st.dictionaries(st.sampled_from(["metadata", "spec", "status", "kind"]) | st.text(), JSON))
def test_any_json_is_loaded_to_a_value(body: dict[str, Any]) -> None:
    assert isinstance(load_policy(body), Policy | Refused)
    assert isinstance(load_source(body), object)
    assert isinstance(load_status(body), PolicyStatus)
    assert isinstance(load_source_status(body), SourceStatus)
    assert isinstance(load_metadata(body), Metadata)


@given(st.sampled_from(POLICY_PLACES), JSON)
def test_a_policy_with_anything_anywhere_is_loaded_or_refused_in_plain_words(path: tuple[Any, ...], value: Any) -> None:
    loaded = load_policy(with_value(good("DegradationPolicy"), path, value))
    if isinstance(loaded, Refused):
        assert loaded.message
        assert not JARGON.search(loaded.message.replace(str(value), ""))


@given(st.sampled_from(SOURCE_PLACES), JSON)
def test_a_source_with_anything_anywhere_is_loaded_or_refused_in_plain_words(path: tuple[Any, ...], value: Any) -> None:
    loaded = load_source(with_value(good("PrometheusSource"), path, value))
    if isinstance(loaded, Refused):
        assert loaded.message
        assert not JARGON.search(loaded.message.replace(str(value), ""))


@given(st.sampled_from(STATUS_PLACES), JSON)
def test_a_status_with_anything_anywhere_is_loaded_and_the_object_is_not_touched(
    path: tuple[Any, ...], value: Any
) -> None:
    body = with_value(STATUS, path, value)
    before = repr(body)
    assert isinstance(load_status(body), PolicyStatus)
    assert repr(body) == before


def test_the_numbers_beyond_any_float_are_refused() -> None:
    body = with_value(good("DegradationPolicy"), ("spec", "levels", 0, "when", "anyOf", 0, "enterAbove"), 10**400)
    assert isinstance(load_policy(body), Refused)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases() if case.says is None])
def test_a_good_object_is_dumped_as_what_loads_the_same(case: Any) -> None:
    load = load_policy if case.kind == "DegradationPolicy" else load_source
    loaded: Any = load(case.body)
    assert load({**case.body, "spec": dump(loaded.spec)}) == loaded


def test_a_policy_comes_with_what_kubernetes_knows_it_by() -> None:
    body = good("DegradationPolicy")
    body["metadata"] = {
        "namespace": "shop",
        "name": "checkout",
        "uid": "u-7",
        "generation": 4,
        "resourceVersion": "812",
        "finalizers": ["brownout.dev/owes"],
        "deletionTimestamp": THEN,
    }
    policy = load_policy(body)
    assert isinstance(policy, Policy)
    assert policy.ref == PolicyRef(namespace="shop", name="checkout", uid="u-7")
    assert (policy.generation, policy.resource_version) == (4, "812")
    assert policy.finalizers == ("brownout.dev/owes",)
    assert policy.deleting


def test_a_refused_policy_still_has_its_name_and_may_still_be_on_its_way_out() -> None:
    refused = load_policy({"metadata": {"namespace": "shop", "name": "a", "uid": "u", "deletionTimestamp": THEN}})
    assert isinstance(refused, Refused)
    assert refused.metadata.ref == PolicyRef(namespace="shop", name="a", uid="u")
    assert refused.metadata.deleting


def test_each_problem_has_its_place_and_many_are_counted() -> None:
    body = good("DegradationPolicy")
    body["spec"]["signals"] = [{"name": f"s{i}"} for i in range(12)]
    refused = load_policy(body)
    assert isinstance(refused, Refused)
    assert refused.message.startswith("spec.signals[0].query: is missing: write it; spec.signals[1].query")
    assert refused.message.endswith("; and 4 more")


def test_a_list_whose_items_were_refused_is_not_called_too_short() -> None:
    body = good("DegradationPolicy")
    body["spec"]["levels"] = [{"name": "a", "manual": True, "actions": [{"name": "A"}]}]
    refused = load_policy(body)
    assert isinstance(refused, Refused)
    assert "at least" not in refused.message


def test_every_place_that_breaks_a_rule_is_named() -> None:
    body = good("DegradationPolicy")
    for condition in body["spec"]["levels"][1]["when"]["allOf"]:
        condition["signal"] = "gone"
    refused = load_policy(body)
    assert isinstance(refused, Refused)
    says = "a condition names a signal that the policy does not have: write the name of one in spec.signals"
    where = "spec.levels[1].when.allOf"
    assert refused.message == f"{where}[0].signal: {says}; {where}[1].signal: {says}"


def test_in_python_a_duration_is_a_number_and_on_the_wire_it_never_is() -> None:
    spec = PolicySpec(
        mode=Mode.DRY_RUN,
        interval=20,
        signals=(Signal(name="a", query="a"),),
        levels=(Level(name="x", manual=True),),
    )
    assert dump(spec)["interval"] == "20s"
    assert isinstance(load_policy({"spec": {**dump(spec), "interval": 20}}), Refused)


@pytest.mark.parametrize(
    ("status", "loaded"),
    [
        pytest.param(None, PolicyStatus(), id="no status is an empty one"),
        pytest.param("wiped", PolicyStatus(), id="a text is an empty one"),
        pytest.param(
            {"level": "trimmed", "mood": "good"}, PolicyStatus(level="trimmed"), id="an unknown field is dropped"
        ),
        pytest.param({"level": 3, "held": 2}, PolicyStatus(held=2), id="a broken field is dropped"),
        pytest.param({"since": "yesterday", "held": 2}, PolicyStatus(held=2), id="a time that is none is dropped"),
        pytest.param(
            {"since": "2026-11-24T14:59:00", "held": 2}, PolicyStatus(held=2), id="a time without a zone is dropped"
        ),
        pytest.param(
            {"applied": [{"action": "a"}, APPLIED, 7, {**APPLIED, "take": 1}]},
            load_status({"status": {"applied": [APPLIED]}}),
            id="a broken item is dropped and the others stay",
        ),
        pytest.param(
            {"applied": [{**APPLIED, "colour": "red", "owners": [{"manager": "a"}, *APPLIED["owners"]]}]},
            load_status({"status": {"applied": [APPLIED]}}),
            id="an item keeps what is whole in it",
        ),
        pytest.param(
            {"history": [{"at": THEN, "from": "a", "to": f"l{i}", "reason": "r", "message": ""} for i in range(25)]},
            load_status(
                {
                    "status": {
                        "history": [
                            {"at": THEN, "from": "a", "to": f"l{i}", "reason": "r", "message": ""} for i in range(20)
                        ]
                    }
                }
            ),
            id="a list that is too long is cut",
        ),
        pytest.param(
            {"recovery": {"clock": {"level": "a"}, "givingBack": True}},
            load_status({"status": {"recovery": {"givingBack": True}}}),
            id="a broken clock does not take the rest of recovery with it",
        ),
    ],
)
def test_a_status_is_salvaged(status: Any, loaded: PolicyStatus) -> None:
    assert load_status({"status": status}) == loaded


def test_a_dumped_status_omits_what_is_empty_and_keeps_what_a_person_reads() -> None:
    assert dump(PolicyStatus()) == {"observedGeneration": 0, "level": "Normal", "levelIndex": 0, "held": 0}


def test_a_dumped_status_has_the_names_of_the_wire() -> None:
    status = PolicyStatus(
        applied=(
            AppliedStatus(
                action="a",
                level="l",
                target=TargetStatus(api_version="v1", kind="ConfigMap", name="c", uid="u"),
                take="t",
                pointer="/data/x",
                at=THEN,
            ),
        ),
        conditions=(Condition(type="Ready", status="True", reason="Accepted", last_transition_time=THEN),),
    )
    out = dump(status)
    assert out["applied"][0]["target"]["apiVersion"] == "v1"
    assert "original" not in out["applied"][0]
    assert out["conditions"][0]["lastTransitionTime"] == THEN
    assert load_status({"status": out}) == status
