"""Anybody who may edit an annotation may write a ledger: none of them may break what reads it, or reach further."""

import json
from typing import Any

import pytest

from brownout.ledger import codec
from brownout.ledger.entries import HELD_LABEL, LEDGER_ANNOTATION, Illegible, Ledger
from brownout.ledger.patches import encode, patch_of
from brownout.ledger.pointer import Pointer
from brownout.ledger.steps import Restore

CLAIM = {"namespace": "n", "name": "p", "uid": "u", "level": "l", "action": "a", "order": "none", "at": 1}


def body(text: str, **more: Any) -> dict[str, Any]:
    metadata = {
        "name": "flags",
        "namespace": "n",
        "uid": "u1",
        "resourceVersion": "1",
        "labels": {HELD_LABEL: "t1"},
        "annotations": {LEDGER_ANNOTATION: text},
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **more}


def ledger(**entry: Any) -> str:
    return json.dumps({"v": 1, "take": "t1", "uid": "u1", "fields": {"/data/key": {"claims": [CLAIM], **entry}}})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ledger(original=float("nan"), applied=1), id="NaN is no JSON, and could not be written back"),
        pytest.param(ledger(original=1, applied=0).replace(": 1,", ": 1e999,", 1), id="a number beyond all numbers"),
        pytest.param(ledger(claims=[{**CLAIM, "at": "inf"}], applied=1), id="a claim of the end of time"),
        pytest.param(ledger(claims=[{**CLAIM, "at": 10**400}], applied=1), id="a time that no float can hold"),
        pytest.param("[" * 100_000, id="lists nested deeper than Python can read"),
        pytest.param(
            ledger(original=0).replace("0", "[" * 300 + "]" * 300), id="lists that read, and could not be walked"
        ),
    ],
)
def test_a_ledger_that_could_not_be_written_again_is_not_read(text: str) -> None:
    found = codec.find(body(text))
    assert isinstance(found.ledger, Illegible)
    assert not found.ledger.stale


def test_a_claim_with_a_huge_number_can_still_be_weighed() -> None:
    claim = {**CLAIM, "order": "lowest", "value": 10**400}
    found = codec.find(body(ledger(original="a", applied="b", claims=[claim]), data={"key": "b"}))
    assert isinstance(found.ledger, Ledger)
    assert encode(patch_of(Restore(found=found, pointers=(Pointer("/data/key"),)), ""))


@pytest.mark.parametrize(
    "parent", ["/metadata/annotations", "/metadata", "/spec", "", "/data/other", "/data/key/below"]
)
def test_a_parent_that_does_not_stand_above_the_field_is_not_removed(parent: str) -> None:
    found = codec.find(body(ledger(applied="b", parent=parent), data={"key": "b"}, spec={"a": 1}))
    patch = patch_of(Restore(found=found, pointers=(Pointer("/data/key"),)), "")
    assert [each["path"] for each in patch if each["op"] == "remove"] == ["/data/key"]


def test_a_parent_of_ours_goes_with_its_last_field() -> None:
    found = codec.find(body(ledger(applied="b", parent="/data"), data={"key": "b"}))
    patch = patch_of(Restore(found=found, pointers=(Pointer("/data/key"),)), "")
    assert [each["path"] for each in patch if each["op"] == "remove"] == ["/data"]


def test_a_ledger_that_must_not_be_used_can_still_be_shown() -> None:
    text = ledger(original="a", applied="b")
    shown = codec.legible({"uid": "another", "annotations": {LEDGER_ANNOTATION: text}})
    assert shown is not None
    assert shown.entries[Pointer("/data/key")].original == "a"
    assert codec.legible({"annotations": {LEDGER_ANNOTATION: "{"}}) is None
    assert codec.legible({"uid": "u1"}) is None
