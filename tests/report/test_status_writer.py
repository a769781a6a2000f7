"""Writing the status: one patch, one more try after a conflict, and never onto another policy."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from brownout.api.load import dump, load_status
from brownout.api.status import PolicyStatus
from brownout.cluster.port import Answer
from brownout.decide.model import State
from brownout.report.status import next_status
from brownout.report.writer import NotWritten, Unwritten, Written, merge_patch, write_status
from tests.report.api_server import SmallServer, merged, refused, unanswered
from tests.report.evaluations import NOW, REF, calm, escalated, held

CALM = next_status(PolicyStatus(), calm())
SETTLING = State(level="core-only", settle_from=NOW, giving_back=True)
DEGRADED = next_status(CALM, escalated(held=(held(),), state=SETTLING))


def write(server: SmallServer, old: PolicyStatus, new: PolicyStatus, version: str = "1") -> Written | NotWritten:
    return asyncio.run(write_status(server, REF, old, new, version))


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        pytest.param({"a": 1}, {"a": 1}, {}, id="nothing changed, nothing is sent"),
        pytest.param({"a": 1, "b": 2}, {"a": 3}, {"a": 3, "b": None}, id="a key that went is null"),
        pytest.param(
            {"r": {"clock": {"s": 1}, "giving": True}},
            {"r": {"giving": True, "from": "x"}},
            {"r": {"clock": None, "from": "x"}},
            id="a key that went inside an object is null too, for objects merge",
        ),
        pytest.param({"l": [1, 2]}, {"l": [2]}, {"l": [2]}, id="a list is sent whole"),
        pytest.param({"r": {"a": 1}}, {"r": {}}, {"r": {"a": None}}, id="an object that became empty"),
        pytest.param({}, {"r": {}}, {"r": {}}, id="an empty object that is new"),
        pytest.param({"r": [1]}, {"r": {"a": 1}}, {"r": {"a": 1}}, id="a list that became an object"),
    ],
)
def test_the_smallest_merge_patch(old: dict[str, Any], new: dict[str, Any], patch: dict[str, Any]) -> None:
    assert merge_patch(old, new) == patch
    assert merged(old, patch) == new


def test_a_status_is_written_with_the_version_it_was_read_at_and_the_new_version_comes_back() -> None:
    server = SmallServer()
    server.put("checkout", REF.uid, dump(CALM))

    assert write(server, CALM, DEGRADED) == Written(resource_version="2")
    assert load_status(server.policies["checkout"]) == DEGRADED
    assert write(server, DEGRADED, CALM, "2") == Written(resource_version="3")
    assert load_status(server.policies["checkout"]) == CALM
    assert server.asked == 0


def test_only_what_changed_is_sent() -> None:
    server = SmallServer()
    server.put("checkout", REF.uid, dump(CALM))
    write(server, CALM, next_status(CALM, calm(generation=2)))

    (patch,) = server.sent
    assert patch["metadata"] == {"resourceVersion": "1"}
    assert set(patch["status"]) == {"observedGeneration", "conditions"}


def test_a_status_that_says_the_same_is_not_sent() -> None:
    server = SmallServer()

    assert write(server, CALM, CALM, "7") == Written(resource_version="7", changed=False)
    assert server.sent == []


def test_after_a_conflict_the_difference_to_what_is_there_is_written() -> None:
    server = SmallServer()
    server.put("checkout", REF.uid, dump(CALM) | {"strange": {"key": 1}}, version=5)

    assert write(server, CALM, DEGRADED) == Written(resource_version="6")
    assert server.policies["checkout"]["status"] == dump(DEGRADED)
    assert (len(server.sent), server.asked) == (2, 1)


def test_after_a_conflict_nothing_is_written_onto_another_policy_of_the_same_name() -> None:
    server = SmallServer()
    server.put("checkout", "uid-of-another", {}, version=5)
    result = write(server, CALM, DEGRADED)

    assert isinstance(result, NotWritten)
    assert result.reason is Unwritten.GONE
    assert server.policies["checkout"]["status"] == {}


@pytest.mark.parametrize(
    ("script", "reason", "requests"),
    [
        pytest.param([refused(409), refused(409)], Unwritten.CONFLICT, 2, id="two conflicts are left to the next tick"),
        pytest.param([unanswered()], Unwritten.UNANSWERED, 1, id="no answer is not tried again: it may have landed"),
        pytest.param([refused(422, "too long")], Unwritten.REFUSED, 1, id="a refusal comes back with its message"),
        pytest.param([refused(403)], Unwritten.REFUSED, 1, id="a missing right comes back"),
        pytest.param([refused(409), refused(500)], Unwritten.REFUSED, 2, id="a failure of the second try comes back"),
        pytest.param(
            [Answer(status=404, reason="HTTP404", message="404 page not found")],
            Unwritten.REFUSED,
            1,
            id="a CRD that is gone is not a policy that is gone",
        ),
    ],
)
def test_what_did_not_work_comes_back_as_a_value(script: list[Answer], reason: Unwritten, requests: int) -> None:
    server = SmallServer(*script)
    server.put("checkout", REF.uid, dump(CALM))
    result = write(server, CALM, DEGRADED)

    assert isinstance(result, NotWritten)
    assert result.reason is reason
    assert result.message
    assert len(server.sent) == requests


def test_a_policy_that_is_gone_is_said_to_be_gone() -> None:
    result = write(SmallServer(), CALM, DEGRADED)
    after_conflict = write(SmallServer(refused(409)), CALM, DEGRADED)

    assert isinstance(result, NotWritten)
    assert isinstance(after_conflict, NotWritten)
    assert {result.reason, after_conflict.reason} == {Unwritten.GONE}
