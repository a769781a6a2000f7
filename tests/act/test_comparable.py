"""What a JSON Patch may ask an API server to compare."""

import pytest

from brownout.act.comparable import comparable
from brownout.ledger.pointer import Json


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param(None, True, id="a null alone is compared: it stands for an absent field"),
        pytest.param({"a": None}, True, id="a null in a map is compared"),
        pytest.param([1, "a"], True, id="a list without a null is compared"),
        pytest.param("null", True, id="a text is no null"),
        pytest.param([None], False, id="a null in a list makes the API server panic"),
        pytest.param({"if": [{"==": [1, None]}, "lite"]}, False, id="at any depth"),
    ],
)
def test_which_tests_stay_in_a_patch(value: Json, kept: bool) -> None:
    test, change = {"op": "test", "path": "/a", "value": value}, {"op": "replace", "path": "/a", "value": [None]}
    assert comparable([test, change]) == ([test, change] if kept else [change])
