"""Conditions: which rule speaks, and the rules they all keep."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brownout.api.instants import show_instant
from brownout.api.policy import NoTraffic
from brownout.api.reasons import BlockedReason, DecisionReason, MissingReason
from brownout.api.status import PolicyStatus
from brownout.decide.model import Missing
from brownout.report.conditions import conditions_of
from brownout.report.facts import Evaluation
from brownout.report.meaning import needs_write
from brownout.report.status import next_status, refused_status
from tests.report.condition_rules import broken, jumped
from tests.report.evaluations import (
    BLIND,
    DRY,
    NOW,
    SPEC,
    WELL,
    blocked,
    calm,
    decided,
    escalated,
    held,
    holding,
    target,
)

BAD_QUERY = (Missing(reason=MissingReason.BAD_QUERY, message="1:5: parse error"), WELL[1])
NO_TRAFFIC = (Missing(reason=MissingReason.NO_TRAFFIC), WELL[1])
NO_DATA = (Missing(reason=MissingReason.NO_DATA), WELL[1])
CLEAR = replace(SPEC, signals=tuple(replace(each, on_no_traffic=NoTraffic.CLEAR) for each in SPEC.signals))
FORBIDDEN = blocked(BlockedReason.FORBIDDEN, "may not patch deployments", on=target())
LOST = blocked(BlockedReason.LOST_LEDGER, "spec.replicas: the original is not known", on=target())
REFUSED = blocked(BlockedReason.FAILED, "maxReplicas must be set", on=target())


@pytest.mark.parametrize(
    ("facts", "kind", "status", "reason", "says"),
    [
        pytest.param(calm(), "Ready", "True", "Accepted", "accepted", id="a calm policy is Ready"),
        pytest.param(calm(), "Stalled", "False", "Working", "nothing", id="a calm policy is not Stalled, and says so"),
        pytest.param(
            calm(), "DegradationActive", "False", "Normal", "nothing", id="a calm policy says that nothing is degraded"
        ),
        pytest.param(
            calm(), "SignalsAvailable", "True", "AllFresh", "every", id="fresh numbers make SignalsAvailable True"
        ),
        pytest.param(escalated(), "Ready", "True", "Accepted", "accepted", id="a degraded policy stays Ready"),
        pytest.param(
            escalated(),
            "DegradationActive",
            "True",
            "core-only",
            "p99 2.31 > 2",
            id="the level's name is the reason of DegradationActive, why is its message",
        ),
        pytest.param(
            escalated(spec=DRY, held=(held(),)),
            "DegradationActive",
            "False",
            "DryRun",
            "nothing is taken",
            id="DryRun never makes DegradationActive True, even while something is still held",
        ),
        pytest.param(
            calm(held=(held(), held("batch"))),
            "DegradationActive",
            "True",
            "GivingBack",
            "2 fields are still",
            id="DegradationActive stays True at Normal until everything was given back",
        ),
        pytest.param(
            calm(held=(held(),)),
            "DegradationActive",
            "True",
            "GivingBack",
            "1 field is still",
            id="one field left is said in the singular",
        ),
        pytest.param(
            holding(decision=decided("core-only", reason=DecisionReason.BLIND, seen=BLIND)),
            "SignalsAvailable",
            "False",
            "TimedOut",
            "p99: TimedOut, after 10 s",
            id="a missing signal gives its own reason",
        ),
        pytest.param(
            holding(decision=decided("core-only", reason=DecisionReason.BLIND, seen=BLIND)),
            "Ready",
            "True",
            "Accepted",
            "accepted",
            id="a signal that has proved itself and is gone now leaves the policy Ready",
        ),
        pytest.param(
            calm(decision=decided(seen=BLIND), source_down="source default is down"),
            "SignalsAvailable",
            "False",
            "SourceDown",
            "source default is down",
            id="a source that is down is said once, not for each signal",
        ),
        pytest.param(
            calm(decision=decided(seen=())),
            "SignalsAvailable",
            "Unknown",
            "NotYetRead",
            "no signal",
            id="before the first reading SignalsAvailable is Unknown",
        ),
        pytest.param(
            calm(decision=decided(seen=NO_TRAFFIC)),
            "SignalsAvailable",
            "False",
            "NoTraffic",
            "p99: NoTraffic",
            id="no traffic under Hold is a missing signal",
        ),
        pytest.param(
            calm(spec=CLEAR, decision=decided(seen=NO_TRAFFIC)),
            "SignalsAvailable",
            "True",
            "AllFresh",
            "every",
            id="no traffic under Clear counts as a reading",
        ),
        pytest.param(
            calm(spec=CLEAR, decision=decided(seen=NO_DATA)),
            "SignalsAvailable",
            "False",
            "NoData",
            "p99: NoData",
            id="no data under Clear is missing all the same",
        ),
        pytest.param(
            calm(decision=decided(seen=BLIND), unproven=("p99",)),
            "Ready",
            "False",
            "SignalsNotSeen",
            "no number yet: p99: TimedOut, after 10 s",
            id="a signal that has never given a number keeps the policy from being Ready",
        ),
        pytest.param(
            calm(blocked=(blocked(BlockedReason.NOT_FOUND, "there is no Deployment web", on="Deployment web"),)),
            "Ready",
            "False",
            "TargetNotFound",
            "thin, Deployment web: there is no Deployment web",
            id="a target that does not exist keeps the policy from being Ready",
        ),
        pytest.param(
            calm(blocked=(blocked(),)), "Ready", "True", "Accepted", "accepted", id="a target that is Blocked does not"
        ),
        pytest.param(
            calm(refusal="spec.levels[0].for is missing: write it"),
            "Stalled",
            "True",
            "Invalid",
            "spec.levels[0].for is missing: write it",
            id="a spec that cannot be used stalls the policy with the sentence that says what to write",
        ),
        pytest.param(
            calm(decision=decided(seen=BAD_QUERY)),
            "Stalled",
            "True",
            "BadQuery",
            "p99: BadQuery, 1:5: parse error",
            id="a query that the source refuses stalls the policy and names the signal",
        ),
        pytest.param(
            holding(blocked=(FORBIDDEN,)),
            "Stalled",
            "True",
            "Forbidden",
            "may not patch deployments",
            id="a missing right stalls the policy and is named",
        ),
        pytest.param(
            calm(unrestored=(LOST,)),
            "Stalled",
            "True",
            "LedgerLost",
            "the original is not known",
            id="a lost ledger stalls the policy and names the field",
        ),
        pytest.param(
            calm(unrestored=(REFUSED,)),
            "Stalled",
            "True",
            "RestoreFailed",
            "maxReplicas must be set",
            id="a refused give-back stalls the policy",
        ),
        pytest.param(
            holding(blocked=(REFUSED,)),
            "Stalled",
            "False",
            "Working",
            "nothing",
            id="a step that failed and is retried does not stall the policy",
        ),
        pytest.param(
            calm(refusal="no", decision=decided(seen=BAD_QUERY), unrestored=(LOST,)),
            "Stalled",
            "True",
            "Invalid",
            "no",
            id="of several reasons to be Stalled the first in order speaks",
        ),
    ],
)
def test_the_rule_that_speaks(facts: Evaluation, kind: str, status: str, reason: str, says: str) -> None:
    found = next(each for each in conditions_of((), facts) if each.type == kind)

    assert (found.status, found.reason) == (status, reason)
    assert says in found.message
    assert broken(next_status(PolicyStatus(), facts), facts.generation) == []


def test_a_time_of_transition_moves_only_with_its_status() -> None:
    first = next_status(PolicyStatus(), calm())
    later = next_status(first, escalated(now=NOW + 100, generation=2))
    last = next_status(later, escalated("trimmed", before="core-only", now=NOW + 200, generation=3))

    assert jumped(first.conditions, later.conditions) == []
    assert jumped(later.conditions, last.conditions) == []
    active = next(each for each in last.conditions if each.type == "DegradationActive")
    assert (active.reason, active.last_transition_time) == ("trimmed", show_instant(NOW + 100))
    assert active.observed_generation == 3


def test_a_policy_that_was_never_usable_is_stalled_and_keeps_what_it_says() -> None:
    before = next_status(PolicyStatus(), escalated(held=(held(),)))
    refused = refused_status(before, "signal p98 is not declared", 2, NOW + 5)

    assert broken(refused, 2) == []
    assert (refused.level, refused.applied, refused.history) == (before.level, before.applied, before.history)
    kept = {each.type: (each.status, each.reason) for each in refused.conditions}
    assert kept["DegradationActive"] == ("True", "core-only")
    assert kept["Stalled"] == ("True", "Invalid")
    assert needs_write(before, refused)
    assert needs_write(refused, refused_status(refused, "signal p98 is not declared", 2, NOW + 99)) is None


def test_a_policy_refused_at_first_sight_has_all_its_conditions() -> None:
    refused = refused_status(PolicyStatus(), "spec is missing: write it", 1, NOW)

    assert broken(refused, 1) == []
    assert {each.type: each.status for each in refused.conditions} == {
        "Ready": "False",
        "DegradationActive": "Unknown",
        "SignalsAvailable": "Unknown",
        "Stalled": "True",
    }


def test_the_check_of_the_rules_finds_what_is_broken() -> None:
    stalled = next_status(PolicyStatus(), calm(refusal="no"))
    lying = replace(
        stalled, conditions=tuple(replace(each, status="True") for each in stalled.conditions), mode="DryRun"
    )

    assert broken(lying, 2) == [
        "Ready must be False when Stalled is True",
        "the status must be about the newest generation",
        "each condition must be about the status' generation",
        "DegradationActive must never be True in DryRun",
    ]
