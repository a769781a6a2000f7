"""Samples to readings: strict, and never a guess."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout.api.reasons import MissingReason
from brownout.decide.model import Missing, Reading
from brownout.observe.sample import seen_pair, seen_sample

AT = 12.5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("0", 0.0, id="zero is a number"),
        pytest.param("-1.5", -1.5, id="negative numbers are numbers"),
        pytest.param("1e-05", 1e-05, id="exponents are numbers"),
        pytest.param("+3", 3.0, id="a plus sign is allowed"),
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert seen_pair([AT, text]) == Reading(value=value, at=AT)


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        pytest.param([AT, "NaN"], MissingReason.NO_TRAFFIC, id="NaN is no traffic"),
        pytest.param([AT, "+Inf"], MissingReason.INFINITE, id="plus infinity is Infinite"),
        pytest.param([AT, "-Inf"], MissingReason.INFINITE, id="minus infinity is Infinite"),
        pytest.param([AT, "1e999"], MissingReason.INFINITE, id="what overflows a float is Infinite"),
        pytest.param([AT, "1_000"], MissingReason.BAD_ANSWER, id="Python's underscores are no number"),
        pytest.param([AT, " 1"], MissingReason.BAD_ANSWER, id="blanks are no part of a number"),
        pytest.param([AT, "infinity"], MissingReason.BAD_ANSWER, id="Python's word for infinity is no number"),
        pytest.param([AT, "nan"], MissingReason.BAD_ANSWER, id="only Prometheus' spelling of NaN counts"),
        pytest.param([AT, "١"], MissingReason.BAD_ANSWER, id="digits of other scripts are no number"),
        pytest.param([AT, ""], MissingReason.BAD_ANSWER, id="an empty string is no number"),
        pytest.param([AT, 1], MissingReason.BAD_ANSWER, id="a bare JSON number is not how Prometheus answers"),
        pytest.param(["12", "1"], MissingReason.BAD_ANSWER, id="a time in quotes is not how Prometheus answers"),
        pytest.param([True, "1"], MissingReason.BAD_ANSWER, id="true is no time"),
        pytest.param([AT], MissingReason.BAD_ANSWER, id="a time alone is no sample"),
        pytest.param(None, MissingReason.BAD_ANSWER, id="nothing is no sample"),
    ],
)
def test_what_is_no_number_keeps_its_reason(pair: object, reason: MissingReason) -> None:
    seen = seen_pair(pair)
    assert isinstance(seen, Missing)
    assert seen.reason is reason


def test_a_native_histogram_is_no_number() -> None:
    seen = seen_sample({"metric": {}, "histogram": [AT, {"count": "1"}]})
    assert isinstance(seen, Missing)
    assert seen.reason is MissingReason.NOT_A_NUMBER


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_survives_the_way(value: float) -> None:
    assert seen_pair(json.loads(json.dumps([AT, repr(value)]))) == Reading(value=value, at=AT)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
)


@given(json_values)
def test_no_shape_of_json_raises(pair: Any) -> None:
    assert isinstance(seen_pair(pair), Missing | Reading)
