"""The next status: what a person reads at 3 a.m."""

from __future__ import annotations

import json

import pytest

from brownout.api.instants import show_instant
from brownout.api.policy import NoTraffic
from brownout.api.reasons import BlockedReason, DecisionReason, MissingReason
from brownout.api.status import BlockedStatus, OwnerStatus, PolicyStatus
from brownout.decide.changes import after_write
from brownout.decide.model import Missing, Reading, Zone
from brownout.ledger.entries import Owner
from brownout.ledger.pointer import ABSENT
from brownout.report.facts import Evaluation, still_unproven, unproven_at_start
from brownout.report.status import next_status
from brownout.testing.builders import level, policy, signal
from tests.report.evaluations import (
    BLIND,
    DRY,
    NOW,
    SICK,
    SPEC,
    WELL,
    blocked,
    calm,
    clock,
    decided,
    escalated,
    held,
    holding,
    released,
    target,
)

EMPTY = PolicyStatus()
CLEAR = policy(*SPEC.levels, signals=(signal("p99", on_no_traffic=NoTraffic.CLEAR), signal("errors")))


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        pytest.param(calm(), "Normal 0/2", id="Normal shows how many levels there are"),
        pytest.param(escalated(), "core-only 2/2", id="a level shows its place"),
        pytest.param(escalated("trimmed", spec=DRY), "(trimmed 1/2)", id="DryRun is in brackets"),
        pytest.param(
            escalated("trimmed", spec=policy(*SPEC.levels, level("static-page"))),
            "trimmed 1/3",
            id="manual levels count",
        ),
        pytest.param(holding("gone"), "gone 0/2", id="a level that the spec does not have any more stands at 0"),
    ],
)
def test_the_level_as_a_column_shows_it(facts: Evaluation, shown: str) -> None:
    assert next_status(EMPTY, facts).level_shown == shown


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        pytest.param(calm(), "2/2", id="all fresh"),
        pytest.param(calm(decision=decided(seen=BLIND)), "1/2", id="a missing signal does not count"),
        pytest.param(calm(decision=decided(seen=())), "0/2", id="nothing read yet"),
        pytest.param(
            calm(spec=CLEAR, decision=decided(seen=(Missing(reason=MissingReason.NO_TRAFFIC), WELL[1]))),
            "2/2",
            id="no traffic counts where the policy says Clear",
        ),
    ],
)
def test_the_signals_as_a_column_shows_them(facts: Evaluation, shown: str) -> None:
    assert next_status(EMPTY, facts).signals_shown == shown


def test_a_change_of_level_is_recorded_with_its_numbers() -> None:
    before = next_status(EMPTY, calm())
    status = next_status(before, escalated(now=NOW + 30))

    assert (status.level, status.level_index, status.since) == ("core-only", 2, show_instant(NOW + 30))
    assert status.why == "p99 2.31 > 2 for 1m"
    (change,) = status.history
    assert (change.at, change.from_, change.to, change.reason) == (
        show_instant(NOW + 30),
        "Normal",
        "core-only",
        "Escalated",
    )
    assert [(each.name, each.value, each.state) for each in change.signals] == [
        ("p99", 2.31, "Fresh"),
        ("errors", 0.0, "Fresh"),
    ]


def test_history_keeps_the_last_twenty_changes_oldest_first() -> None:
    status = EMPTY
    for index in range(25):
        to, before = ("trimmed", "Normal") if index % 2 == 0 else ("Normal", "trimmed")
        status = next_status(status, escalated(to, before=before, now=NOW + index))

    assert [each.at for each in status.history] == [show_instant(NOW + index) for index in range(5, 25)]


def test_since_stays_while_the_level_stays_and_starts_again_with_the_mode() -> None:
    entered = next_status(EMPTY, escalated())
    later = next_status(entered, holding(now=NOW + 900))
    dry = next_status(later, holding(now=NOW + 1000, spec=DRY))

    assert later.since == entered.since == show_instant(NOW)
    assert dry.since == show_instant(NOW + 1000)


def test_a_signal_keeps_its_message_while_its_state_lasts_and_its_value_until_the_level_moves() -> None:
    first = next_status(EMPTY, escalated())
    slower = (Missing(reason=MissingReason.TIMED_OUT, message="after 11 s"), Reading(value=0.5, at=NOW))
    lost = next_status(first, holding(decision=decided("core-only", reason=DecisionReason.BLIND, seen=BLIND)))
    still = next_status(lost, holding(decision=decided("core-only", reason=DecisionReason.BLIND, seen=slower)))

    assert (first.signals[0].state, first.signals[0].value_at_transition) == ("Fresh", 2.31)
    assert (lost.signals[0].state, lost.signals[0].message) == ("TimedOut", "after 10 s")
    assert lost.signals[0].value_at_transition == 2.31
    assert still.signals == lost.signals


def test_what_is_held_is_recorded_whole() -> None:
    owners = (Owner(manager="kubectl", operation="Update", subresource="scale"),)
    fields = (held(owners=owners), held(field="minReplicas", original=ABSENT, applied={"a": "<é>"}), held("batch"))
    status = next_status(EMPTY, escalated(held=fields))

    assert status.held == 2
    first, second, third = status.applied
    assert (first.target.name, second.pointer, third.pointer) == ("batch", "/spec/minReplicas", "/spec/replicas")
    assert (second.original, second.applied) == (None, '{"a":"\\u003cé\\u003e"}')
    assert (third.original, third.applied, third.take) == ("3", "1", "take-1")
    assert third.owners == (OwnerStatus(manager="kubectl", operation="Update", subresource="scale"),)
    assert (third.action, third.level, third.at) == ("thin", "trimmed", show_instant(NOW))


def test_an_original_too_large_for_the_status_is_left_out_whole_and_said() -> None:
    status = next_status(EMPTY, escalated(held=(held(original="x" * 70_000), held("batch"))))

    assert status.held == 2
    assert [each.target.name for each in status.applied] == ["batch"]
    assert status.blocked[0].reason == "TooLarge"
    assert "1 field is held" in status.blocked[0].message


def test_many_large_originals_stay_within_what_an_object_can_hold() -> None:
    fields = tuple(held(f"web-{index}", original="é" * 8_000) for index in range(200))
    status = next_status(EMPTY, escalated(held=fields))

    assert 0 < len(status.applied) < 200
    assert sum(len((each.original or "").encode()) for each in status.applied) <= 512 * 1024
    assert all(json.loads(each.original or "") == "é" * 8_000 for each in status.applied)
    assert f"{200 - len(status.applied)} fields are held" in status.blocked[0].message


def test_blocked_lists_first_what_needs_attention_and_says_how_many_more_there_are() -> None:
    usual = tuple(blocked(BlockedReason.CRITICALITY, on=target(f"web-{index:03}")) for index in range(300))
    lost = blocked(BlockedReason.LOST_LEDGER, on=target("lost"))
    forbidden = blocked(BlockedReason.FORBIDDEN, on=target("forbidden"))
    status = next_status(EMPTY, holding(blocked=(*usual, forbidden), unrestored=(lost,)))

    assert len(status.blocked) == 256
    assert [each.target for each in status.blocked[:3]] == [
        "Deployment lost",
        "Deployment forbidden",
        "Deployment web-000",
    ]
    assert status.blocked[-1] == BlockedStatus(action="", reason="More", message="47 more are not listed")


def test_blocked_that_just_fits_has_no_last_line() -> None:
    usual = tuple(blocked(on=target(f"web-{index:03}")) for index in range(256))
    status = next_status(EMPTY, holding(blocked=usual))

    assert len(status.blocked) == 256
    assert status.blocked[-1].target == "Deployment web-255"


def test_released_keeps_the_newest_and_shows_what_was_found() -> None:
    fields = tuple(released(f"web-{index}", at=NOW + index) for index in range(300))
    status = next_status(EMPTY, holding(released=fields))

    assert len(status.released) == 256
    last = status.released[-1]
    assert (last.target.name, last.original, last.applied, last.found) == ("web-299", "3", "1", "5")
    assert last.manager == "kubectl-scale"


def test_a_long_released_value_is_cut_to_text_that_still_parses() -> None:
    status = next_status(EMPTY, holding(released=(released(found={"a": '"' * 60_000}),)))

    assert json.loads(status.released[0].found or "").startswith('{"a":"')


def test_the_numbers_are_refreshed_once_a_minute_while_degraded_and_go_when_calm() -> None:
    first = next_status(EMPTY, escalated())
    soon = next_status(first, holding(now=NOW + 59))
    later = next_status(soon, holding(now=NOW + 60))
    well = next_status(later, calm(now=NOW + 70))

    assert first.observed is not None
    assert soon.observed is first.observed
    assert later.observed is not None
    assert later.observed.at == show_instant(NOW + 60)
    assert well.observed is None


def test_the_numbers_are_shown_while_a_clock_runs_at_normal_and_while_giving_back() -> None:
    pending = decided(reason=DecisionReason.PENDING, seen=SICK, state=clock(10))

    assert next_status(EMPTY, calm(decision=pending)).observed is not None
    assert next_status(EMPTY, calm(held=(held(),))).observed is not None


def test_numbers_that_were_taken_in_the_future_are_taken_again() -> None:
    first = next_status(EMPTY, escalated(now=NOW + 3600))

    assert next_status(first, holding(now=NOW)).observed != first.observed


def test_a_number_that_json_does_not_have_is_left_out() -> None:
    seen = (Reading(value=float("inf"), at=NOW), Reading(value=float("nan"), at=NOW))
    status = next_status(EMPTY, escalated(decision=decided("core-only", seen=seen, before="Normal")))

    assert [each.value for each in status.history[0].signals] == [None, None]
    assert [each.value_at_transition for each in status.signals] == [None, None]


def test_clocks_are_those_of_the_state_after_acting() -> None:
    facts = escalated()
    status = next_status(EMPTY, escalated(state=after_write(facts.decision.state, NOW + 2)))

    assert status.recovery is not None
    assert status.recovery.settle_from == show_instant(NOW + 2)
    running = next_status(EMPTY, calm(decision=decided(reason=DecisionReason.PENDING, state=clock(10))))
    assert running.pending is not None
    assert (running.pending.clocks[0].seconds, running.pending.clocks[0].zone) == (10, Zone.OVER)


def test_while_calm_and_unchanged_the_very_same_status_comes_back() -> None:
    first = next_status(EMPTY, calm())
    other = (Reading(value=0.31, at=NOW + 10), Reading(value=0.001, at=NOW + 10))

    decision = decided(seen=other)

    assert next_status(first, calm(now=NOW + 10, decision=decision, why="something else")) is first
    assert next_status(first, calm(now=NOW + 10, decision=decision, state=decision.state)) is first


def test_a_signal_proves_itself_with_its_first_number_and_again_under_another_spec() -> None:
    fresh = {"p99": WELL[0], "errors": BLIND[0]}
    unproven = unproven_at_start(EMPTY, SPEC, 1)
    half = still_unproven(unproven, SPEC, fresh)
    ready = next_status(EMPTY, calm())

    assert unproven == ("p99", "errors")
    assert half == ("errors",)
    assert still_unproven(half, SPEC, {"p99": BLIND[0], "errors": WELL[1]}) == ()
    assert unproven_at_start(ready, SPEC, 1) == ()
    assert unproven_at_start(ready, SPEC, 2) == ("p99", "errors")


def test_long_texts_are_cut_to_what_the_api_takes() -> None:
    seen = (Missing(reason=MissingReason.BAD_ANSWER, message="m" * 5000), WELL[1])
    decision = decided("core-only", seen=seen, before="Normal")
    facts = escalated(why="w" * 5000 + "\ud800", decision=decision, blocked=(blocked(message="b" * 5000),))
    status = next_status(EMPTY, facts)

    lengths = [
        len(status.why),
        len(status.history[0].message),
        len(status.signals[0].message),
        len(status.blocked[0].message),
    ]
    assert lengths == [1024] * 4
    assert status.why.endswith("…")
