"""When a status is written: on a change of meaning, and for nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout.api.reasons import BlockedReason, DecisionReason, MissingReason, Result
from brownout.api.status import PolicyStatus
from brownout.decide.model import Dwell, Missing, Reading, Relapse, State, Zone
from brownout.ledger.entries import Found
from brownout.ledger.steps import Outcome, Restore, Stuck
from brownout.report.facts import Evaluation, blocked_by, stuck
from brownout.report.meaning import WriteReason, needs_write
from brownout.report.status import next_status
from tests.report.evaluations import (
    BLIND,
    DRY,
    NOW,
    SICK,
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
OTHER_NUMBERS = (Reading(value=0.52, at=NOW + 10), Reading(value=0.004, at=NOW + 10))
WORSE_NUMBERS = (Reading(value=3.7, at=NOW + 10), Reading(value=0.004, at=NOW + 10))


def pending(seconds: float, *, zone: Zone = Zone.OVER, now: float = NOW) -> Evaluation:
    state = clock(seconds, zone=zone, at=now)
    return calm(now=now, decision=decided(reason=DecisionReason.PENDING, seen=SICK, state=state), why=f"for {seconds}s")


def recovering(seconds: float, *, zone: Zone = Zone.UNDER, now: float = NOW, **changes: object) -> Evaluation:
    state = State(level="core-only", recovery=Dwell(seconds=seconds, zone=zone, at=now), **changes)  # type: ignore[arg-type]
    decision = decided("core-only", reason=DecisionReason.RECOVERING, seen=WELL, state=state)
    return calm(now=now, decision=decision, why=f"for {seconds}s of 5m")


def blind(message: str, *, now: float = NOW) -> Evaluation:
    seen = (Missing(reason=MissingReason.TIMED_OUT, message=message), WELL[1])
    return calm(now=now, decision=decided(reason=DecisionReason.BLIND, seen=seen), why=message)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        pytest.param(None, calm(), WriteReason.FIRST_EVALUATION, id="the first evaluation is recorded"),
        pytest.param(
            calm(), calm(now=NOW + 10, decision=decided(seen=OTHER_NUMBERS)), None, id="numbers while calm are not"
        ),
        pytest.param(calm(), calm(why="errors 0 < 0.01"), None, id="another sentence while calm is not"),
        pytest.param(calm(), calm(now=NOW + 86400), None, id="a day of calm costs nothing"),
        pytest.param(calm(), calm(generation=2), WriteReason.GENERATION, id="a new generation is acknowledged"),
        pytest.param(calm(), calm(spec=DRY), WriteReason.MODE, id="a change of mode is written"),
        pytest.param(calm(), escalated(), WriteReason.LEVEL, id="an escalation is written"),
        pytest.param(
            escalated(),
            holding(now=NOW + 10, decision=decided("core-only", seen=WORSE_NUMBERS)),
            None,
            id="worse numbers at the same level are not",
        ),
        pytest.param(
            holding(), holding(now=NOW + 60), WriteReason.OBSERVED, id="the numbers are written once a minute"
        ),
        pytest.param(holding(), holding(now=NOW + 59), None, id="and not before the minute is over"),
        pytest.param(holding(), holding(held=(held(),)), WriteReason.APPLIED, id="a field taken is written"),
        pytest.param(
            holding(held=(held(applied=2),)),
            holding(held=(held(applied=1),)),
            WriteReason.APPLIED,
            id="a field held at another value is written",
        ),
        pytest.param(holding(), holding(released=(released(),)), WriteReason.RELEASED, id="a field let go is written"),
        pytest.param(calm(), calm(blocked=(blocked(),)), WriteReason.BLOCKED, id="a blocked action is written"),
        pytest.param(
            calm(blocked=(blocked(message="request 17 failed"),)),
            calm(blocked=(blocked(message="request 18 failed"),)),
            None,
            id="another message of the same obstacle is not",
        ),
        pytest.param(
            calm(blocked=(blocked(BlockedReason.FAILED),)),
            calm(blocked=(blocked(BlockedReason.FORBIDDEN),)),
            WriteReason.BLOCKED,
            id="another reason of the same obstacle is written",
        ),
        pytest.param(
            calm(), calm(decision=decided(seen=BLIND)), WriteReason.SIGNALS, id="a signal that is lost is written"
        ),
        pytest.param(
            blind("after 10.2 s"), blind("after 10.3 s", now=NOW + 10), None, id="its message, which moves, is not"
        ),
        pytest.param(
            calm(), calm(source_down="source default is down"), WriteReason.CONDITIONS, id="a condition is written"
        ),
        pytest.param(
            calm(),
            calm(state=State(giving_back=True)),
            WriteReason.CLOCKS,
            id="what acting made of the state is written, though the decision was calm",
        ),
        pytest.param(calm(), pending(0), WriteReason.CLOCKS, id="a clock that starts is written"),
        pytest.param(pending(10), pending(20, now=NOW + 10), None, id="its seconds are not"),
        pytest.param(
            pending(20), pending(20, zone=Zone.BETWEEN, now=NOW + 10), WriteReason.CLOCKS, id="its zone is written"
        ),
        pytest.param(pending(20), calm(now=NOW + 10), WriteReason.CLOCKS, id="a clock that stops is written"),
        pytest.param(
            pending(20), pending(80, now=NOW + 60), WriteReason.OBSERVED, id="its seconds are written once a minute"
        ),
        pytest.param(holding(), recovering(0), WriteReason.CLOCKS, id="a recovery that starts is written"),
        pytest.param(recovering(10), recovering(20, now=NOW + 10), None, id="how far it has come is not"),
        pytest.param(
            recovering(10), recovering(10, zone=Zone.BETWEEN), WriteReason.CLOCKS, id="that it stands still is written"
        ),
        pytest.param(
            recovering(10),
            recovering(10, giving_back=True),
            WriteReason.CLOCKS,
            id="that giving back begins is written, before anything goes back",
        ),
        pytest.param(
            recovering(10), recovering(10, settle_from=NOW), WriteReason.CLOCKS, id="that it settles is written"
        ),
        pytest.param(
            recovering(10),
            recovering(10, relapses={"trimmed": Relapse(count=1, left_at=NOW)}),
            WriteReason.CLOCKS,
            id="a relapse is written",
        ),
    ],
)
def test_when_a_status_is_written(before: Evaluation | None, after: Evaluation, reason: WriteReason | None) -> None:
    old = next_status(EMPTY, before) if before else EMPTY

    assert needs_write(old, next_status(old, after)) is reason


def test_what_was_not_written_is_compared_again_with_what_was() -> None:
    """Ten small steps below the threshold of writing must not add up to silence."""
    written = next_status(EMPTY, pending(0))
    reasons = [needs_write(written, next_status(written, pending(at, now=NOW + at))) for at in range(10, 70, 10)]

    assert reasons == [None] * 5 + [WriteReason.OBSERVED]


@given(st.floats(0, 0.59), st.floats(0, 0.009), st.floats(1, 1e6))
def test_nothing_is_written_while_calm_whatever_the_numbers(p99: float, errors: float, later: float) -> None:
    seen = (Reading(value=p99, at=NOW + later), Reading(value=errors, at=NOW + later))
    old = next_status(EMPTY, calm())

    assert needs_write(old, next_status(old, calm(now=NOW + later, decision=decided(seen=seen)))) is None


def test_a_failed_step_and_a_lost_original_are_reported_with_their_reasons() -> None:
    found = Found(target=target(), body={}, ledger=None)
    step = Restore(found=found, pointers=())
    failed = blocked_by("thin", Outcome(step=step, result=Result.FAILED, message="503"))
    denied = blocked_by("thin", Outcome(step=step, result=Result.FAILED, reason=BlockedReason.FORBIDDEN, message="403"))
    lost = stuck("thin", Stuck(found=found, pointers=(), message="not known"))

    assert [each.reason for each in (failed, denied, lost)] == ["Failed", "Forbidden", "LostLedger"]
    assert failed.target_shown == "Deployment thumbnailer"
    assert replace(failed, target="Deployment web").target_shown == "Deployment web"
