"""HTTP answers to values: whose fault is it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout.api.reasons import MissingReason
from brownout.observe.answer import Failed, Refused, Result, decode, raw


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def error(kind: str, text: str = "why") -> bytes:
    return body(status="error", errorType=kind, error=text)


def test_a_result_keeps_its_type_and_warnings() -> None:
    answer = decode(raw(200, body(status="success", data={"resultType": "vector", "result": []}, warnings=["partial"])))
    assert answer == Result(kind="vector", value=[], warnings=("partial",))


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        pytest.param(400, error("bad_data"), MissingReason.BAD_QUERY, id="a parse error is the query's fault"),
        pytest.param(422, error("execution"), MissingReason.BAD_QUERY, id="an execution error is the query's fault"),
        pytest.param(200, error("bad_data"), MissingReason.BAD_QUERY, id="an error hidden behind HTTP 200 is found"),
        pytest.param(413, b"<html>", MissingReason.TOO_LARGE, id="a body too large for a proxy is the query's fault"),
    ],
)
def test_the_query_is_refused(status: int, content: bytes, reason: MissingReason) -> None:
    answer = decode(raw(status, content))
    assert isinstance(answer, Refused)
    assert answer.reason is reason


@pytest.mark.parametrize(
    ("status", "content", "reason", "whole"),
    [
        pytest.param(302, b"", MissingReason.SOURCE_DOWN, True, id="a redirect is not followed"),
        pytest.param(401, b"", MissingReason.SOURCE_DOWN, True, id="no credentials: nothing else needs to be asked"),
        pytest.param(404, b"404 page", MissingReason.SOURCE_DOWN, True, id="no API at this address"),
        pytest.param(429, b"", MissingReason.SOURCE_DOWN, True, id="too many requests: ask no more"),
        pytest.param(500, error("internal"), MissingReason.SOURCE_DOWN, False, id="a panic may be one query's doing"),
        pytest.param(502, b"<html>", MissingReason.SOURCE_DOWN, False, id="a gateway's 502 may be one query's doing"),
        pytest.param(503, error("timeout"), MissingReason.TIMED_OUT, False, id="the source's own timeout is TimedOut"),
        pytest.param(400, b"<html>", MissingReason.BAD_ANSWER, True, id="a 400 of a proxy is nobody's bad query"),
        pytest.param(200, b"<html>", MissingReason.BAD_ANSWER, True, id="HTML is no answer"),
        pytest.param(200, b"{", MissingReason.BAD_ANSWER, True, id="half an answer is none"),
        pytest.param(200, b"[]", MissingReason.BAD_ANSWER, True, id="a list is no answer"),
        pytest.param(200, b"{}", MissingReason.BAD_ANSWER, True, id="an empty object is no answer"),
        pytest.param(200, b"[" * 100_000, MissingReason.BAD_ANSWER, True, id="deep nesting is no answer"),
        pytest.param(200, b"\xff", MissingReason.BAD_ANSWER, True, id="bytes that are no text are no answer"),
        pytest.param(200, body(status="success"), MissingReason.BAD_ANSWER, True, id="success without data"),
        pytest.param(
            200,
            b'{"status":"success","data":{"resultType":"scalar","result":[NaN,"1"]}}',
            MissingReason.BAD_ANSWER,
            True,
            id="NaN outside quotes is not JSON",
        ),
    ],
)
def test_the_source_failed(status: int, content: bytes, reason: MissingReason, whole: bool) -> None:
    answer = decode(raw(status, content, "text/html"))
    assert isinstance(answer, Failed)
    assert (answer.missing.reason, answer.whole) == (reason, whole)
    assert len(answer.missing.message) > 5


def test_401_asks_for_new_credentials() -> None:
    answer = decode(raw(401, b""))
    assert isinstance(answer, Failed)
    assert answer.unauthorised


def test_a_long_error_is_cut() -> None:
    answer = decode(raw(400, error("bad_data", "x" * 10_000)))
    assert isinstance(answer, Refused)
    assert len(answer.message) == 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
)


@given(
    st.sampled_from([200, 301, 400, 422, 500, 503]),
    st.fixed_dictionaries(
        {"status": st.sampled_from(["success", "error"]) | json_values},
        optional={"data": json_values, "errorType": json_values, "error": json_values, "warnings": json_values},
    ),
)
def test_no_answer_raises(status: int, fields: dict[str, object]) -> None:
    assert isinstance(decode(raw(status, json.dumps(fields).encode())), Result | Refused | Failed)
