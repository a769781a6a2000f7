from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout.api.actions import Action, Scale
from brownout.ledger.entries import Blocked, Found, Order, Query
from brownout.ledger.pointer import Pointer, look
from brownout.levers.lever import Lever, Wanted
from brownout.levers.registry import lever_of
from brownout.levers.scale import ScaleLever
from brownout.testing.lever_contract import take, violations
from tests.levers.objects import REPLICAS, deployment, feature_flag, found, scale, set_key, shed, turn

replicas = st.integers(min_value=0, max_value=1000)
variants = st.sampled_from(["full", "lite", "off"])
texts = st.text(max_size=20)
keys = st.sampled_from(["recommendations", "a/b", "a~b", "münze", "<&>"])

hows = st.sampled_from(["atMost", "percent", "atLeast"])
workloads = st.builds(
    lambda kind, number: found(kind, spec=({} if number is None else {"replicas": number})),
    st.sampled_from(["Deployment", "StatefulSet"]),
    replicas | st.none(),
)
sheddable = st.builds(
    lambda kind, number, suspended: found(
        kind,
        spec={"replicas": number} if kind in ("Deployment", "StatefulSet") else suspended,
    ),
    st.sampled_from(["Deployment", "StatefulSet", "CronJob", "Job"]),
    replicas,
    st.sampled_from([{}, {"suspend": False}, {"suspend": True}]),
)
flag_bodies = st.fixed_dictionaries(
    {"defaultVariant": variants, "variants": st.dictionaries(variants, st.booleans())},
    optional={
        "targeting": st.just({}) | st.just({"if": [True, "full"]}),
        "state": st.sampled_from(["ENABLED", "DISABLED"]),
    },
)
feature_flags = st.dictionaries(keys, flag_bodies, max_size=3).map(feature_flag)
maps = st.fixed_dictionaries(
    {},
    optional={
        "data": st.dictionaries(st.sampled_from(["static", "b"]), texts, max_size=2),
        "binaryData": st.dictionaries(st.sampled_from(["static", "b"]), texts, max_size=1),
    },
).map(lambda body: found("ConfigMap", "shop-flags", **body))

every_kind = ["Deployment", "StatefulSet", "CronJob", "Job"]


def broken(act: Action, one: Found) -> tuple[str, ...]:
    lever, arguments = lever_of(act)
    return violations(lever, arguments, one)


@given(hows, st.integers(min_value=1, max_value=100), workloads)
def test_scale_keeps_the_contract(how: str, number: int, one: Found) -> None:
    wish: dict[str, Any] = {how: number}
    assert broken(scale(kind=one.target.kind, **wish), one) == ()


@given(sheddable)
def test_shed_keeps_the_contract(one: Found) -> None:
    assert broken(shed(criticalities=["C5"], kinds=every_kind), one) == ()


@given(variants, keys, feature_flags)
def test_a_feature_flag_keeps_the_contract(variant: str, key: str, one: Found) -> None:
    assert broken(turn(variant, key), one) == ()


@given(texts, maps)
def test_a_config_map_key_keeps_the_contract(value: str, one: Found) -> None:
    assert broken(set_key(value), one) == ()


@given(sheddable)
def test_what_is_shed_wants_nothing_more(one: Found) -> None:
    lever, arguments = lever_of(shed(criticalities=["C5"], kinds=every_kind))
    gone = take(one, lever.wants(arguments, one))  # type: ignore[arg-type]
    assert lever.wants(arguments, replace(gone, ledger=None)) == {}


class _Careless:
    """A lever that forgets the original, raises, and reaches for what is not on its list."""

    def __init__(self, wanted: Mapping[Pointer, Wanted], list_all: bool = False) -> None:
        self.wanted = wanted
        self.list_all = list_all

    def seeks(self, arguments: Scale, namespace: str) -> Query:
        return ScaleLever().seeks(arguments, namespace)

    def fields(self, arguments: Scale, found: Found) -> tuple[Pointer, ...]:
        return tuple(self.wanted)

    def wants(self, arguments: Scale, found: Found) -> Mapping[Pointer, Wanted] | Blocked:
        return self.wanted

    def may_change(self, kind: str, where: Pointer) -> bool:
        return self.list_all or where == REPLICAS


class _Growing(_Careless):
    """A lever that works from the live value and not from the original."""

    def wants(self, arguments: Scale, found: Found) -> Mapping[Pointer, Wanted]:
        live = look(found.body, REPLICAS)
        return {REPLICAS: Wanted(value=live - 1 if isinstance(live, int) else 0, order=Order.LOWEST)}


class _Writing(_Careless):
    def wants(self, arguments: Scale, found: Found) -> Mapping[Pointer, Wanted]:
        spec: Any = found.body["spec"]
        spec["replicas"] = 7
        return self.wanted


class _Wordless(_Careless):
    def wants(self, arguments: Scale, found: Found) -> Blocked:
        return Blocked(reason="Whatever", message="")


TWO = {REPLICAS: Wanted(value=2, order=Order.LOWEST)}


@pytest.mark.parametrize(
    ("lever", "sentence"),
    [
        pytest.param(
            _Careless({REPLICAS: Wanted(value=9, order=Order.LOWEST)}), "from 3 to 9", id="raising is noticed"
        ),
        pytest.param(
            _Careless({REPLICAS: Wanted(value=1, order=Order.HIGHEST)}), "from 3 to 1", id="lowering is noticed"
        ),
        pytest.param(
            _Careless({REPLICAS: Wanted(value=3, order=Order.NONE)}),
            "wants what is there already",
            id="wanting what is there is noticed",
        ),
        pytest.param(
            _Careless({Pointer("/spec/paused"): Wanted(value=True, order=Order.NONE)}),
            "not on its own list",
            id="a field off the list is noticed",
        ),
        pytest.param(_Careless(TWO, list_all=True), "its list holds", id="a list without an end is noticed"),
        pytest.param(_Growing(TWO), "once taken it wants something else", id="forgetting the original is noticed"),
        pytest.param(_Writing(TWO), "changed the object", id="changing the object is noticed"),
        pytest.param(_Wordless(TWO), "not a reason of the API", id="an unknown reason is noticed"),
        pytest.param(_Wordless(TWO), "its sentence is empty", id="an empty sentence is noticed"),
    ],
)
def test_the_contract_notices(lever: Lever[Any], sentence: str) -> None:
    assert sentence in "; ".join(violations(lever, scale(atMost=2).scale, deployment(replicas=3)))
