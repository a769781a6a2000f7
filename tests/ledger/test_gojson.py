"""The API server's spelling of JSON, as Go's encoding/json prints it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout.ledger import gojson

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("a<b>&c", '"a\\u003cb\\u003e\\u0026c"', id="angle brackets and ampersands are escaped"),
        pytest.param("naïve 日本", '"naïve 日本"', id="other text stays UTF-8"),
        pytest.param("\u2028\u2029", '"\\u2028\\u2029"', id="line separators are escaped"),
        pytest.param('say "hi"\n\t\x00', '"say \\"hi\\"\\n\\t\\u0000"', id="quotes and control characters are escaped"),
        pytest.param("\ud800", '"\ufffd"', id="a lone surrogate becomes the replacement character"),
        pytest.param(18, "18", id="an integer is its digits"),
        pytest.param(18.0, "18", id="a whole float loses its fraction"),
        pytest.param(0.25, "0.25", id="a fraction keeps its shortest digits"),
        pytest.param(1e20, "100000000000000000000", id="below 1e21 there is no exponent"),
        pytest.param(1e21, "1e+21", id="from 1e21 on there is an exponent"),
        pytest.param(0.000001, "0.000001", id="1e-6 has no exponent yet"),
        pytest.param(1.5e-7, "1.5e-7", id="below 1e-6 the exponent has no leading zero"),
        pytest.param(True, "true", id="a boolean is no number"),
        pytest.param({"b": [1, None]}, '{"b":[1,null]}', id="maps and lists are compact"),
    ],
)
def test_a_value_is_written_as_go_writes_it(value: object, text: str) -> None:
    assert gojson.encode(value) == text  # type: ignore[arg-type]


def test_a_number_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="not a JSON number"):
        gojson.encode(float("nan"))


@given(JSON)
def test_what_is_written_reads_back_as_the_same_value(value: object) -> None:
    text = gojson.encode(value)  # type: ignore[arg-type]
    assert json.loads(text, parse_int=float) == json.loads(json.dumps(value), parse_int=float)
