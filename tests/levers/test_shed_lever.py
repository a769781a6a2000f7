from __future__ import annotations

from typing import Any

import pytest

from brownout.api.actions import Action
from brownout.ledger.entries import Found, Order, Query
from brownout.levers.lever import Wanted
from brownout.levers.registry import lever_of
from tests.levers.objects import REPLICAS, SUSPEND, found, shed

OFF = {REPLICAS: Wanted(value=0, order=Order.LOWEST)}
SUSPENDED = {SUSPEND: Wanted(value=True, order=Order.SUSPENDED)}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(found("Deployment", spec={"replicas": 2}), OFF, id="a Deployment goes to no replicas"),
        pytest.param(found("StatefulSet", spec={"replicas": 2}), OFF, id="a StatefulSet goes to no replicas"),
        pytest.param(found("Deployment", spec={"replicas": 0}), {}, id="a Deployment without replicas is left alone"),
        pytest.param(found("CronJob", spec={"suspend": False}), SUSPENDED, id="a CronJob is suspended"),
        pytest.param(found("Job", spec={"suspend": False}), SUSPENDED, id="a Job is suspended"),
        pytest.param(found("CronJob", spec={}), SUSPENDED, id="a suspend that is absent counts as running"),
        pytest.param(found("CronJob", spec={"suspend": True}), {}, id="a CronJob already suspended is left alone"),
    ],
)
def test_shed_wants(one: Found, expected: object) -> None:
    lever, arguments = lever_of(shed())
    assert lever.wants(arguments, one) == expected


def _expressions(*each: dict[str, Any]) -> Action:
    return shed(selector={"matchLabels": {"tier": "batch", "app": "x"}, "matchExpressions": list(each)})


@pytest.mark.parametrize(
    ("act", "selectors"),
    [
        pytest.param(
            shed(criticalities=["C5", "C3", "C4"]),
            ("brownout.dev/criticality=C5", "brownout.dev/criticality=C3", "brownout.dev/criticality=C4"),
            id="criticalities are separate selectors in the written order",
        ),
        pytest.param(_expressions(), ("app=x,tier=batch",), id="labels are joined in a fixed order"),
        pytest.param(
            _expressions({"key": "env", "operator": "In", "values": ["dev", "test"]}),
            ("app=x,tier=batch,env in (dev,test)",),
            id="In becomes a set",
        ),
        pytest.param(
            _expressions({"key": "env", "operator": "NotIn", "values": ["prod"]}),
            ("app=x,tier=batch,env notin (prod)",),
            id="NotIn becomes a set that is excluded",
        ),
        pytest.param(
            _expressions({"key": "a/b", "operator": "Exists"}, {"key": "keep", "operator": "DoesNotExist"}),
            ("app=x,tier=batch,a/b,!keep",),
            id="Exists and DoesNotExist become the key, plain and negated",
        ),
    ],
)
def test_shed_selectors(act: Action, selectors: tuple[str, ...]) -> None:
    lever, arguments = lever_of(act)
    expected = Query(namespace="shop", kinds=("Deployment", "CronJob"), selectors=selectors)
    assert lever.seeks(arguments, "shop") == expected


def test_shed_seeks_the_kinds_that_are_listed_in_their_order() -> None:
    lever, arguments = lever_of(shed(criticalities=["C5"], kinds=["Job", "StatefulSet"]))
    assert lever.seeks(arguments, "shop").kinds == ("Job", "StatefulSet")
