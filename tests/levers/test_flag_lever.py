from __future__ import annotations

from typing import Any

import pytest

from brownout.api.actions import Action
from brownout.ledger.entries import Blocked, Found, Order, Query
from brownout.ledger.pointer import ABSENT, Pointer
from brownout.levers.lever import Wanted
from brownout.levers.registry import lever_of
from tests.levers.objects import feature_flag, found, recommendations, set_key, turn

DEFAULT = Pointer("/spec/flagSpec/flags/recommendations/defaultVariant")
TARGETING = Pointer("/spec/flagSpec/flags/recommendations/targeting")
STATIC = Pointer("/data/static")


def wants(act: Action, one: Found) -> Any:
    lever, arguments = lever_of(act)
    return lever.wants(arguments, one)


def shop(**more: Any) -> Found:
    return feature_flag({"recommendations": recommendations(**more)})


def turned(variant: str) -> dict[Pointer, Wanted]:
    return {DEFAULT: Wanted(value=variant, order=Order.NONE), TARGETING: Wanted(value=ABSENT, order=Order.NONE)}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(
            shop(targeting={"if": []}), turned("off"), id="the default variant is set and the targeting taken away"
        ),
        pytest.param(shop(), turned("off"), id="a targeting that is absent is claimed as absent"),
        pytest.param(
            shop(defaultVariant="off", targeting={"if": []}),
            turned("off"),
            id="a flag that is off by default but has targeting is claimed whole",
        ),
        pytest.param(shop(defaultVariant="off"), {}, id="a flag that is off for everybody wants nothing"),
    ],
)
def test_a_feature_flag_wants(one: Found, expected: object) -> None:
    assert wants(turn("off"), one) == expected


@pytest.mark.parametrize(
    ("act", "one", "expected"),
    [
        pytest.param(
            turn(key="recommendation"),
            shop(),
            (
                "KeyNotFound",
                "FeatureFlag shop/shop has no flag recommendation; its flags are recommendations",
            ),
            id="a flag that is missing is blocked and the flags there are named",
        ),
        pytest.param(
            turn(),
            found("FeatureFlag", "shop", spec={}),
            ("KeyNotFound", "FeatureFlag shop/shop has no flag recommendations; it has no flags"),
            id="an object without any flag is blocked",
        ),
        pytest.param(
            turn("none"),
            shop(),
            (
                "VariantNotFound",
                "flag recommendations of FeatureFlag shop/shop has no variant none; its variants are full, lite, off",
            ),
            id="a variant that is missing is blocked and the variants there are named",
        ),
        pytest.param(
            turn("none"),
            shop(variants={f"v{number}": number for number in range(10)}),
            (
                "VariantNotFound",
                "flag recommendations of FeatureFlag shop/shop has no variant none; "
                "its variants are v0, v1, v2, v3, v4, v5, v6, v7 and 2 more",
            ),
            id="a long list of variants is cut and says so",
        ),
        pytest.param(
            turn(),
            shop(state="DISABLED"),
            (
                "KeyNotFound",
                "flag recommendations of FeatureFlag shop/shop is DISABLED and its variants are not used: "
                "set its state to ENABLED",
            ),
            id="a disabled flag is blocked because its variants do nothing",
        ),
        pytest.param(
            set_key(),
            found("ConfigMap", "shop-flags", binaryData={"static": "AAA="}),
            (
                "KeyNotFound",
                "key static of ConfigMap shop/shop-flags is under binaryData: a flag needs a text key under data",
            ),
            id="a key that is binary is blocked",
        ),
    ],
)
def test_a_flag_is_blocked(act: Action, one: Found, expected: tuple[str, str]) -> None:
    assert wants(act, one) == Blocked(reason=expected[0], message=expected[1])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"data": {"static": "false"}}, True, id="a key with another value is set"),
        pytest.param({"data": {"other": "x"}}, True, id="a key that is missing is made"),
        pytest.param({}, True, id="a key is made where there is no data at all"),
        pytest.param({"data": {"static": ""}}, True, id="an empty value is not the value"),
        pytest.param({"data": {"static": "true"}}, False, id="a key that has the value wants nothing"),
        pytest.param({"binaryData": {"other": "AA=="}}, True, id="another key that is binary is in nobody's way"),
    ],
)
def test_a_config_map_key_wants(body: dict[str, Any], expected: bool) -> None:
    value = {STATIC: Wanted(value="true", order=Order.NONE)} if expected else {}
    assert wants(set_key(), found("ConfigMap", "shop-flags", **body)) == value


def test_a_flag_key_with_a_slash_and_a_tilde_is_one_part_of_the_pointer() -> None:
    lever, arguments = lever_of(turn(key="a/b~c"))
    assert lever.fields(arguments, shop())[0] == "/spec/flagSpec/flags/a~1b~0c/defaultVariant"


@pytest.mark.parametrize(
    ("act", "kind", "name"),
    [
        pytest.param(turn(), "FeatureFlag", "shop", id="a feature flag is sought by name"),
        pytest.param(set_key(), "ConfigMap", "shop-flags", id="a config map is sought by name"),
    ],
)
def test_a_flag_seeks(act: Action, kind: str, name: str) -> None:
    lever, arguments = lever_of(act)
    assert lever.seeks(arguments, "shop") == Query(namespace="shop", kinds=(kind,), name=name)
