"""The ledger as text, and when it may be used."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout.api.refs import PolicyRef
from brownout.ledger import codec
from brownout.ledger.entries import (
    HELD_LABEL,
    LEDGER_ANNOTATION,
    Claim,
    Entry,
    Illegible,
    Ledger,
    Order,
    Owner,
)
from brownout.ledger.pointer import ABSENT, Pointer

text = st.text(max_size=8)
policies = st.builds(PolicyRef, namespace=text, name=text, uid=text)
values = st.just(ABSENT) | st.none() | st.booleans() | st.integers() | text
owners = st.builds(Owner, manager=text, operation=text, subresource=text, api_version=text, time=text)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    claims = {
        policy: Claim(
            policy=policy,
            level=draw(text),
            action=draw(text),
            value=draw(values),
            order=draw(st.sampled_from(Order)),
            at=draw(st.floats(0, 2e9)),
        )
        for policy in draw(st.lists(policies, max_size=3))
    }
    return Entry(
        pointer=Pointer("/" + draw(text)),
        original=draw(values),
        applied=draw(values),
        wanted=draw(values),
        owners=tuple(draw(st.lists(owners, max_size=2))),
        claims=claims,
        restored=draw(st.booleans()),
        parent=draw(st.none() | st.just(Pointer("/data"))),
    )


def metadata(ledger: Ledger, **changed: Any) -> dict[str, Any]:
    return {
        "uid": ledger.uid,
        "labels": {HELD_LABEL: ledger.take},
        "annotations": {LEDGER_ANNOTATION: codec.encode(ledger)},
    } | changed


@given(st.lists(entries(), max_size=3))
def test_every_ledger_reads_back_as_it_was_written(all_entries: list[Entry]) -> None:
    ledger = Ledger(take="t1", uid="u1", entries={entry.pointer: entry for entry in all_entries})
    assert codec.decode(metadata(ledger)) == ledger


LEDGER = Ledger(take="t1", uid="u1", entries={})
TEXT = codec.encode(LEDGER)


@pytest.mark.parametrize(
    ("found", "stale", "takes"),
    [
        pytest.param(
            {"labels": {HELD_LABEL: "t1"}, "annotations": None},
            True,
            frozenset({"t1"}),
            id="a label without a ledger: a rollback took the annotations, the take-id is still known",
        ),
        pytest.param({"labels": None}, True, frozenset({"t1"}), id="a ledger without its label is never used"),
        pytest.param(
            {"labels": {HELD_LABEL: "t2"}},
            True,
            frozenset({"t1", "t2"}),
            id="a ledger of another take than the label's: an old revision brought it back",
        ),
        pytest.param({"uid": "u2"}, True, frozenset(), id="a ledger written for another object: a clone"),
        pytest.param(
            {"annotations": {LEDGER_ANNOTATION: "{"}},
            False,
            frozenset({"t1"}),
            id="broken text is not stale: somebody must look",
        ),
        pytest.param(
            {"annotations": {LEDGER_ANNOTATION: TEXT.replace('"v":1', '"v":99')}},
            False,
            frozenset({"t1"}),
            id="a version from the future is not guessed at",
        ),
        pytest.param(
            {"annotations": {LEDGER_ANNOTATION: "[]"}},
            False,
            frozenset({"t1"}),
            id="a ledger that is no map cannot be read",
        ),
    ],
)
def test_a_ledger_that_must_not_be_used_says_why(found: Mapping[str, Any], stale: bool, takes: frozenset[str]) -> None:
    decoded = codec.decode(metadata(LEDGER, **found))
    assert isinstance(decoded, Illegible)
    assert (decoded.stale, decoded.takes) == (stale, takes)
    assert decoded.message


def test_an_object_without_anything_of_ours_has_no_ledger() -> None:
    assert codec.decode({"uid": "u1"}) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | text,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(text, each, max_size=3),
    max_leaves=6,
)


@given(json_values, st.sampled_from(["v", "take", "uid", "fields"]))
def test_no_forged_ledger_makes_reading_fail(value: object, key: str) -> None:
    forged = json.loads(TEXT) | {key: value}
    decoded = codec.decode(metadata(LEDGER, annotations={LEDGER_ANNOTATION: json.dumps(forged)}))
    assert isinstance(decoded, Ledger | Illegible)


@given(json_values)
def test_no_forged_entry_makes_reading_fail(value: object) -> None:
    forged = json.loads(TEXT) | {"fields": {"/spec/replicas": value}}
    decoded = codec.decode(metadata(LEDGER, annotations={LEDGER_ANNOTATION: json.dumps(forged)}))
    assert isinstance(decoded, Ledger | Illegible)
