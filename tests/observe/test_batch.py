"""Batches: each member gets its own answer back, whatever else happens."""

import math
import re
from collections import deque
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout.api.reasons import MissingReason
from brownout.decide.model import Missing, Reading
from brownout.observe.answer import Result
from brownout.observe.batch import Form, Member, compose, distribute, halves, partition, seen_bare

AT = 7.0


def vector(samples: Sequence[dict[str, Any]]) -> Result:
    return Result(kind="vector", value=list(samples))


def marked(place: object, value: str = "1", **labels: str) -> dict[str, Any]:
    return {"metric": {**labels, "__sig__": str(place)}, "value": [AT, value]}


def reason(seen: object) -> MissingReason | None:
    return seen.reason if isinstance(seen, Missing) else None


def test_one_member_is_wrapped_and_its_comment_ended() -> None:
    text = compose([Member("up # all of them", Form.VECTOR)])
    assert text == 'label_replace((up # all of them\n),"__sig__","0","","")'


def test_a_scalar_becomes_a_vector() -> None:
    assert compose([Member("time()", Form.SCALAR)]) == 'label_replace(vector(time()\n),"__sig__","0","","")'


def test_the_tree_is_balanced() -> None:
    text = compose([Member("up", Form.VECTOR)] * 100)
    tree, rounds = re.sub(r"label_replace\(\(up\n\),[^)]*\)", "m", text), 0
    while "(m or m)" in tree:
        tree, rounds = tree.replace("(m or m)", "m"), rounds + 1
    assert tree == "m"
    assert rounds == math.ceil(math.log2(100))


@pytest.mark.parametrize(
    ("count", "largest", "sizes"),
    [
        pytest.param(0, 100, [], id="nothing makes no batch"),
        pytest.param(1, 100, [1], id="one makes one"),
        pytest.param(100, 100, [100], id="a full batch stays whole"),
        pytest.param(101, 100, [50, 51], id="one too many makes two halves and not 100 and 1"),
        pytest.param(7, 3, [2, 2, 3], id="sizes differ by one at most"),
    ],
)
def test_partition(count: int, largest: int, sizes: list[int]) -> None:
    parts = partition(range(count), largest)
    assert [len(part) for part in parts] == sizes
    assert [one for part in parts for one in part] == list(range(count))


def _source(text: str, values: dict[str, float]) -> Result:
    """Evaluates a batch as Prometheus does, for members that are names, in an order of its own."""
    places = re.findall(r'label_replace\(\((\w+)\n\),"__sig__","(\d+)","",""\)', text)
    return vector([marked(place, repr(values[name])) for name, place in reversed(places) if name in values])


@given(st.data(), st.integers(1, 130))
def test_each_member_gets_its_own_value_whichever_others_are_missing(data: st.DataObject, count: int) -> None:
    names = [f"m{nr}" for nr in range(count)]
    there = data.draw(st.sets(st.sampled_from(names)))
    values = {name: float(names.index(name)) for name in there}
    seen = distribute(_source(compose([Member(name, Form.VECTOR) for name in names]), values), count)
    assert seen is not None
    for name, one in zip(names, seen, strict=True):
        if name in there:
            assert one == Reading(value=values[name], at=AT)
        else:
            assert reason(one) is MissingReason.NO_DATA


def test_several_series_of_one_member_are_its_own_fault_only() -> None:
    seen = distribute(vector([marked(0, pod="a"), marked(1, "5"), marked(0, pod="b")]), 2)
    assert seen is not None
    assert reason(seen[0]) is MissingReason.SEVERAL_SERIES
    assert seen[1] == Reading(value=5.0, at=AT)


def test_twice_the_same_labels_are_still_two_series() -> None:
    seen = distribute(vector([marked(0), marked(0)]), 1)
    assert seen is not None
    assert reason(seen[0]) is MissingReason.SEVERAL_SERIES


@pytest.mark.parametrize(
    "result",
    [
        pytest.param(vector([marked(2)]), id="a place that was not asked for"),
        pytest.param(vector([marked("00")]), id="a place written otherwise"),
        pytest.param(vector([{"metric": {}, "value": [AT, "1"]}]), id="a series without a place"),
        pytest.param(Result(kind="vector", value=["x"]), id="a sample that is no object"),
        pytest.param(Result(kind="vector", value=[{"metric": []}]), id="labels that are no object"),
        pytest.param(Result(kind="vector", value=[{"metric": {"__sig__": []}}]), id="a place that is no text"),
        pytest.param(Result(kind="scalar", value=[AT, "1"]), id="a scalar for a batch"),
    ],
)
def test_an_answer_that_does_not_fit_is_trusted_for_no_member(result: Result) -> None:
    assert distribute(result, 2) is None


@pytest.mark.parametrize(
    ("result", "why", "form"),
    [
        pytest.param(Result(kind="scalar", value=[AT, "NaN"]), MissingReason.NO_TRAFFIC, Form.SCALAR, id="scalar NaN"),
        pytest.param(vector([]), MissingReason.NO_DATA, Form.VECTOR, id="an empty vector is no data"),
        pytest.param(
            Result(kind="matrix", value=[]), MissingReason.NOT_A_NUMBER, None, id="a range never gives a number"
        ),
        pytest.param(
            Result(kind="string", value=[AT, "1"]), MissingReason.NOT_A_NUMBER, None, id="a string is no number"
        ),
        pytest.param(
            Result(kind="vector", value=[1]), MissingReason.BAD_ANSWER, Form.VECTOR, id="a vector of no samples"
        ),
    ],
)
def test_a_bare_answer_tells_the_form(result: Result, why: MissingReason, form: Form | None) -> None:
    seen, found = seen_bare(result)
    assert (reason(seen), found) == (why, form)


@given(st.integers(2, 100), st.data())
def test_bisection_finds_exactly_the_bad_ones_in_few_questions(count: int, data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=5))
    asked, found, good = 0, set(), set()
    groups: deque[Sequence[int]] = deque([range(count)])
    while groups:
        group = groups.popleft()
        asked += 1
        if not bad & set(group):
            good |= set(group)
        elif len(group) == 1:
            found |= set(group)
        else:
            groups.extendleft(halves(group))
    assert found == bad
    assert good == set(range(count)) - bad
    assert asked - 1 <= 2 * len(bad) * math.ceil(math.log2(count))
