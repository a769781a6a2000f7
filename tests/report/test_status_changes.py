"""Events are the difference between two statuses: said once, on the objects they are about."""

from __future__ import annotations

import pytest

from brownout.api.reasons import BlockedReason, DecisionReason, MissingReason
from brownout.api.status import PolicyStatus
from brownout.decide.model import Missing
from brownout.ledger.pointer import ABSENT
from brownout.report import events
from brownout.report.changes import changes
from brownout.report.facts import Evaluation
from brownout.report.status import next_status
from tests.report.evaluations import (
    BLIND,
    DRY,
    NOW,
    REF,
    WELL,
    blocked,
    calm,
    decided,
    escalated,
    held,
    holding,
    released,
    target,
)

BAD_QUERY = (Missing(reason=MissingReason.BAD_QUERY, message="parse error"), WELL[1])


def recovered(to: str, before: str, **changed: object) -> Evaluation:
    decision = decided(to, reason=DecisionReason.RECOVERED, before=before)
    return calm(decision=decision, why="p99 0.3 < 0.6 for 5m", **changed)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(calm(), calm(now=NOW + 10), [], id="nothing changed, nothing is said"),
        pytest.param(
            calm(),
            escalated(),
            [("Escalated", "checkout", "Warning", "Normal -> core-only: p99 2.31 > 2 for 1m")],
            id="an escalation is a warning on the policy, with the numbers",
        ),
        pytest.param(
            escalated(),
            recovered("trimmed", "core-only"),
            [("Recovered", "checkout", "Normal", "core-only -> trimmed: p99 0.3 < 0.6 for 5m")],
            id="a step down is a recovery",
        ),
        pytest.param(
            calm(spec=DRY),
            escalated(spec=DRY),
            [("WouldEscalate", "checkout", "Normal", "Normal -> core-only")],
            id="in DryRun it would have escalated",
        ),
        pytest.param(
            escalated(spec=DRY),
            recovered("Normal", "core-only", spec=DRY),
            [("WouldRecover", "checkout", "Normal", "core-only -> Normal")],
            id="in DryRun it would have recovered",
        ),
        pytest.param(
            holding(),
            holding(held=(held(original="é<b", applied=""),)),
            [
                (
                    "Taken",
                    "thumbnailer",
                    "Normal",
                    "spec.replicas é<b ->  by policy shop/checkout, level trimmed, action thin",
                )
            ],
            id="a field taken is said on its target, with both values",
        ),
        pytest.param(
            holding(held=(held(applied=2),)),
            holding(held=(held(applied=1),)),
            [("Taken", "thumbnailer", "Normal", "spec.replicas 3 -> 1")],
            id="a held field set to another value is said again",
        ),
        pytest.param(
            holding(held=(held(), held("batch", original=ABSENT))),
            holding(held=(held(),)),
            [("GivenBack", "batch", "Normal", "spec.replicas is back at (not set)")],
            id="a field given back is said on its target",
        ),
        pytest.param(
            holding(held=(held(),)),
            calm(decision=decided("core-only")),
            [
                ("GivenBack", "thumbnailer", "Normal", "spec.replicas is back at 3"),
                ("AllGivenBack", "checkout", "Normal", "nothing is held any more"),
            ],
            id="the last one also says on the policy that nothing is held any more",
        ),
        pytest.param(
            holding(held=(held(), held("batch"))),
            holding(held=(held("batch"),), released=(released(),)),
            [
                ("Released", "thumbnailer", "Normal", "spec.replicas is left alone at 5: kubectl-scale set it"),
                ("Released", "checkout", "Normal", "Deployment thumbnailer: spec.replicas is left alone at 5"),
            ],
            id="a field let go is said on both, and is not given back",
        ),
        pytest.param(
            calm(),
            calm(blocked=(blocked(on=target()),)),
            [
                (
                    "Blocked",
                    "checkout",
                    "Warning",
                    "action thin, Deployment thumbnailer is not taken: Autoscaler, an auto",
                )
            ],
            id="an action that is blocked is said on the policy",
        ),
        pytest.param(
            calm(blocked=(blocked(message="17 of 20"),)),
            calm(blocked=(blocked(message="18 of 20"),)),
            [],
            id="the same obstacle with other words is not said again",
        ),
        pytest.param(
            holding(held=(held(),)),
            holding(held=(held(),), unrestored=(blocked(BlockedReason.FAILED, "no", on=target()),)),
            [
                ("RestoreFailed", "checkout", "Warning", "Deployment thumbnailer cannot be given back: Failed, no"),
                ("Stalled", "checkout", "Warning", "needs a person: RestoreFailed"),
            ],
            id="a give-back that is refused is said, and stalls the policy",
        ),
        pytest.param(
            calm(),
            calm(decision=decided(seen=BLIND)),
            [("SignalsLost", "checkout", "Warning", "blind, the level stays: p99: TimedOut, after 10 s")],
            id="a lost signal is said once",
        ),
        pytest.param(
            calm(decision=decided(seen=BLIND)),
            calm(),
            [("SignalsBack", "checkout", "Normal", "every signal gives a number again")],
            id="its return is said",
        ),
        pytest.param(
            calm(),
            calm(refusal="write 30s"),
            [("Stalled", "checkout", "Warning", "needs a person: Invalid, write 30s")],
            id="a policy that stalls says why",
        ),
        pytest.param(
            calm(refusal="write 30s"),
            calm(),
            [("Resumed", "checkout", "Normal", "nothing needs a person any more")],
            id="and that it goes on",
        ),
        pytest.param(
            calm(refusal="write 30s"),
            calm(decision=decided(seen=BAD_QUERY)),
            [
                ("SignalsLost", "checkout", "Warning", "blind"),
                ("Stalled", "checkout", "Warning", "needs a person: BadQuery, p99: BadQuery, parse error"),
            ],
            id="another reason to be stalled is said again",
        ),
    ],
)
def test_what_is_said_between_two_statuses(
    before: Evaluation, after: Evaluation, said: list[tuple[str, str, str, str]]
) -> None:
    old = next_status(PolicyStatus(), before)
    found = changes(old, next_status(old, after), after)

    assert [(each.reason, each.regarding.name, each.type) for each in found] == [each[:3] for each in said]
    for event, (_, _, _, note) in zip(found, said, strict=True):
        assert note in event.note


def test_the_first_evaluation_of_a_calm_policy_says_nothing() -> None:
    assert changes(PolicyStatus(), next_status(PolicyStatus(), calm()), calm()) == ()


def test_a_policy_that_starts_blind_says_so() -> None:
    facts = calm(decision=decided(seen=BLIND), unproven=("p99",))
    found = changes(PolicyStatus(), next_status(PolicyStatus(), facts), facts)

    assert [each.reason for each in found] == [events.EventReason.SIGNALS_LOST]


def test_an_event_on_a_target_names_the_policy_as_related_and_its_mirror_the_other_way_round() -> None:
    event = events.taken(held(), "p99 2.31 > 2")
    mirror = event.mirrored()

    assert (event.regarding.kind, event.related) == ("Deployment", events.object_of(REF))
    assert (mirror.regarding, mirror.related) == (event.related, event.regarding)
    assert events.all_given_back(REF).mirrored() == events.all_given_back(REF)


def test_our_metadata_removed_from_a_clone_is_said_on_the_clone() -> None:
    event = events.stale_ledger_removed(target("clone"), "no policy knows it")

    assert (event.regarding.name, event.reason, event.related) == ("clone", "StaleLedgerRemoved", None)
