"""The proof that everything was given back."""

from __future__ import annotations

from typing import Any

import pytest

from demo.fields import Verdict, compare, fields_of, generations


def deployment(replicas: int, generation: int = 1, **metadata: Any) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": "export", "generation": generation, **metadata},
        "spec": {"replicas": replicas, "template": {"containers": [{"args": ["a", "b"]}]}},
    }


def test_every_scalar_is_a_field_under_its_pointer() -> None:
    fields = fields_of([deployment(2, labels={"brownout.dev/held": "t1"}, uid="x")])
    assert fields == {
        ("Deployment/export", "/metadata/labels/brownout.dev~1held"): '"t1"',
        ("Deployment/export", "/spec/replicas"): "2",
        ("Deployment/export", "/spec/template/containers/0/args/0"): '"a"',
        ("Deployment/export", "/spec/template/containers/0/args/1"): '"b"',
    }


def test_empty_maps_and_lists_are_fields_too() -> None:
    assert fields_of([{"kind": "A", "metadata": {"name": "b"}, "spec": {"x": {}, "y": []}}]) == {
        ("A/b", "/spec/x"): "{}",
        ("A/b", "/spec/y"): "[]",
    }


KEY = ("Deployment/export", "/spec/replicas")


@pytest.mark.parametrize(
    ("before", "during", "after", "released", "verdict"),
    [
        pytest.param("2", "0", "2", False, Verdict.GIVEN_BACK, id="back at its original"),
        pytest.param("2", "0", "0", False, Verdict.LOST, id="still at our value is lost"),
        pytest.param("2", "0", "3", True, Verdict.LEFT_ALONE, id="taken over by a person"),
        pytest.param("", "0", "", False, Verdict.GIVEN_BACK, id="absent again"),
        pytest.param("2", "2", "0", False, Verdict.LOST, id="changed only at the end is lost"),
    ],
)
def test_compare(before: str, during: str, after: str, released: bool, verdict: Verdict) -> None:
    fields = [{KEY: value} if value else {} for value in (before, during, after)]
    (row,) = compare(fields[0], fields[1], fields[2], {KEY} if released else set())
    assert row.verdict is verdict


def test_a_field_that_never_changed_has_no_row() -> None:
    assert compare({KEY: "2"}, {KEY: "2"}, {KEY: "2"}, set()) == []


def test_a_field_that_moved_and_came_back_shows_in_the_generation() -> None:
    assert generations([deployment(2, generation=1)]) != generations([deployment(2, generation=3)])
