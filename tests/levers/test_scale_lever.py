from __future__ import annotations

from typing import Any

import pytest

from brownout.api.actions import Action
from brownout.ledger.entries import Found, Order, Query
from brownout.ledger.pointer import Pointer
from brownout.levers.lever import Wanted
from brownout.levers.registry import lever_of
from tests.levers.objects import REPLICAS, deployment, found, held, scale


def wants(act: Action, one: Found) -> object:
    lever, arguments = lever_of(act)
    return lever.wants(arguments, one)


def lowest(replicas: int) -> dict[Pointer, Wanted]:
    return {REPLICAS: Wanted(value=replicas, order=Order.LOWEST)}


def highest(replicas: int) -> dict[Pointer, Wanted]:
    return {REPLICAS: Wanted(value=replicas, order=Order.HIGHEST)}


@pytest.mark.parametrize(
    ("how", "original", "expected"),
    [
        pytest.param({"atMost": 1}, 3, lowest(1), id="atMost lowers a workload that is larger"),
        pytest.param({"atMost": 3}, 3, {}, id="atMost wants nothing of a workload that is just as large"),
        pytest.param({"atMost": 5}, 3, {}, id="atMost never raises a smaller workload"),
        pytest.param({"atMost": 0}, 3, lowest(0), id="atMost 0 switches off"),
        pytest.param({"atMost": 0}, 0, {}, id="atMost 0 wants nothing of a workload that is off"),
        pytest.param({"percent": 50}, 4, lowest(2), id="percent takes a share of the original"),
        pytest.param({"percent": 50}, 5, lowest(3), id="percent is rounded up"),
        pytest.param({"percent": 1}, 3, lowest(1), id="a percent above zero keeps one pod"),
        pytest.param({"percent": 50}, 1, {}, id="percent wants nothing when rounding up gives the original"),
        pytest.param({"percent": 0}, 3, lowest(0), id="percent 0 switches off"),
        pytest.param({"percent": 100}, 3, {}, id="percent 100 wants nothing"),
        pytest.param({"percent": 7}, 100, lowest(7), id="percent is exact where floating point would give one more"),
        pytest.param({"atLeast": 6}, 3, highest(6), id="atLeast raises a smaller workload"),
        pytest.param({"atLeast": 3}, 3, {}, id="atLeast wants nothing of a workload that is just as large"),
        pytest.param({"atLeast": 2}, 3, {}, id="atLeast never lowers a larger workload"),
    ],
)
def test_scale_wants(how: dict[str, Any], original: int, expected: object) -> None:
    assert wants(scale(**how), deployment(replicas=original)) == expected


def test_percent_counts_from_the_original_and_not_from_what_we_applied() -> None:
    one = held(deployment(replicas=10), REPLICAS, 5, action="act")
    assert wants(scale(percent=50), one) == lowest(5)


def test_replicas_that_are_absent_count_as_the_servers_default_of_one() -> None:
    one = found("Deployment", spec={})
    assert wants(scale(atMost=1), one) == {}
    assert wants(scale(atMost=0), one) == lowest(0)


def test_scale_seeks_its_one_named_target_in_the_policys_namespace() -> None:
    lever, arguments = lever_of(scale("db", kind="StatefulSet", atMost=1))
    assert lever.seeks(arguments, "shop") == Query(namespace="shop", kinds=("StatefulSet",), name="db")
