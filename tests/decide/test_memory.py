"""State in the status and back: nothing lost within two intervals, nothing in a status makes time jump."""

from dataclasses import replace

import pytest

from brownout.api.instants import parse_instant, show_instant
from brownout.api.policy import NORMAL
from brownout.api.status import DwellStatus, PendingStatus, PolicyStatus, RecoveryStatus, RelapseStatus
from brownout.decide.engine import decide
from brownout.decide.memory import remembered, to_status
from brownout.decide.model import Dwell, Move, Relapse, State, Zone
from brownout.testing.builders import above, level, policy, reading

NOW = 1_800_000_000.0
SPEC = policy(
    level("trimmed", above("p99", 0.8, 0.6), lasts=30, recover_after=180),
    level("core-only", above("p99", 2, 0.8), lasts=60, recover_after=300),
)


def pending(name: str, *, seconds: float, at: str, zone: str = "Over", still: float = 0.0) -> PolicyStatus:
    clock = DwellStatus(level=name, seconds=seconds, still=still, zone=zone, at=at)
    return PolicyStatus(pending=PendingStatus(clocks=(clock,)))


def ago(seconds: float) -> str:
    return show_instant(NOW - seconds)


def test_an_empty_status_is_a_fresh_policy_at_normal() -> None:
    assert remembered(PolicyStatus(), SPEC, NOW) == State(since=NOW)


def test_a_fresh_policy_writes_nothing() -> None:
    assert to_status(State(since=NOW)) == (None, None)


def test_everything_comes_back_as_it_was() -> None:
    state = State(
        level="core-only",
        since=NOW - 400.25,
        below=("trimmed",),
        recovery=Dwell(seconds=61.5, still=3.0, zone=Zone.UNKNOWN, at=NOW - 7.125),
        settle_from=NOW - 20,
        giving_back=True,
        relapses={"trimmed": Relapse(count=2, left_at=NOW - 90), "core-only": Relapse(count=1)},
        normal_since=NOW - 5000,
        blind_since=NOW - 7.125,
    )
    escalating = State(
        since=NOW - 99, escalation={"core-only": Dwell(seconds=20, still=10, zone=Zone.BETWEEN, at=NOW - 3)}
    )
    for each in (state, escalating):
        waiting, recovery = to_status(each)
        status = PolicyStatus(level=each.level, since=show_instant(each.since), pending=waiting, recovery=recovery)
        assert remembered(status, SPEC, NOW) == each


@pytest.mark.parametrize(
    ("gap", "seconds"),
    [
        pytest.param(10, 30, id="after one interval the clock has run on"),
        pytest.param(20, 40, id="after two intervals the clock has run on"),
        pytest.param(21, 20, id="after more than two intervals the clock stands still"),
        pytest.param(61, 0, id="after longer than for the clock is at zero"),
    ],
)
def test_a_restart(gap: float, seconds: float) -> None:
    state = remembered(pending("core-only", seconds=20, at=ago(gap)), SPEC, NOW)
    assert decide(SPEC, state, (reading(3),), NOW).state.escalation["core-only"].seconds == seconds


def test_the_gap_runs_from_the_last_sign_of_life_and_not_from_the_last_write() -> None:
    state = remembered(pending("core-only", seconds=2, at=ago(45)), SPEC, NOW, alive_until=NOW - 15)
    assert decide(SPEC, state, (reading(3),), NOW).state.escalation["core-only"].seconds == 47


@pytest.mark.parametrize(
    ("status", "alive_until"),
    [
        pytest.param(pending("core-only", seconds=2, at=ago(45), zone="Between"), NOW - 15, id="a clock that stood"),
        pytest.param(pending("core-only", seconds=2, at=ago(10)), NOW - 15, id="a sign of life before the last tick"),
        pytest.param(
            replace(pending("core-only", seconds=2, at=ago(45)), recovery=RecoveryStatus(settle_from=ago(50))),
            NOW - 15,
            id="a clock that stands still while settling",
        ),
    ],
)
def test_a_sign_of_life_moves_no_clock_that_did_not_run(status: PolicyStatus, alive_until: float) -> None:
    assert remembered(status, SPEC, NOW, alive_until=alive_until).escalation["core-only"].seconds == 2


def test_a_recovery_runs_on_until_the_last_sign_of_life() -> None:
    clock = DwellStatus(level="trimmed", seconds=100, zone="Under", at=ago(70))
    status = PolicyStatus(level="trimmed", since=ago(900), recovery=RecoveryStatus(clock=clock))
    state = remembered(status, SPEC, NOW, alive_until=NOW - 10)
    assert decide(SPEC, state, (reading(0.1),), NOW).state.recovery.seconds == 170


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(show_instant(NOW + 86400), id="ahead by a day"),
        pytest.param("9999-12-31T23:59:59Z", id="at the end of the calendar"),
        pytest.param("1970-01-01T00:00:00Z", id="long ago"),
    ],
)
def test_a_time_that_cannot_be_moves_nothing(at: str) -> None:
    clock = DwellStatus(level="trimmed", seconds=100, zone="Under", at=at)
    status = PolicyStatus(
        level="trimmed",
        since=at,
        pending=pending("core-only", seconds=20, at=at).pending,
        recovery=RecoveryStatus(
            clock=clock,
            settle_from=at,
            normal_since=at,
            blind_since=at,
            relapses=(RelapseStatus(level="trimmed", count=1, left_at=at),),
        ),
    )
    state = remembered(status, SPEC, NOW)
    times = (state.since, state.recovery.at, state.settle_from, state.normal_since, state.blind_since)
    assert all(each is not None and each <= NOW for each in times)
    for gone in (0.0, 10.0, 70.0, 80.0):
        decision = decide(SPEC, state, (reading(3),), NOW + gone)
        assert decision.move is Move.HOLD
        assert all(each.seconds <= 20 + gone for each in decision.state.escalation.values())
        state = decision.state
    assert state.settle_from is None


@pytest.mark.parametrize(
    "seconds", [pytest.param(each, id=f"{each} seconds") for each in (-5.0, float("nan"), float("inf"))]
)
def test_a_length_that_cannot_be_is_zero(seconds: float) -> None:
    state = remembered(pending("core-only", seconds=seconds, still=seconds, at=ago(0)), SPEC, NOW)
    assert state.escalation["core-only"] == Dwell(zone=Zone.OVER, at=NOW)


def test_a_zone_that_nobody_knows_is_unknown() -> None:
    state = remembered(pending("trimmed", seconds=20, at=ago(10), zone="Sideways"), SPEC, NOW)
    assert state.escalation["trimmed"].zone is Zone.UNKNOWN


def test_clocks_of_levels_that_are_not_above_are_dropped() -> None:
    clock = DwellStatus(level="trimmed", seconds=100, zone="Under", at=ago(5))
    status = replace(
        pending("trimmed", seconds=20, at=ago(10)), level="core-only", recovery=RecoveryStatus(clock=clock)
    )
    state = remembered(status, SPEC, NOW)
    assert state.escalation == {}
    assert state.recovery == Dwell()


def test_a_level_without_a_name_is_normal() -> None:
    assert remembered(PolicyStatus(level=""), SPEC, NOW).level == NORMAL


@pytest.mark.parametrize(
    ("at", "text"),
    [
        pytest.param(1_800_000_000.0, "2027-01-15T08:00:00Z", id="a whole second"),
        pytest.param(1_800_000_000.25, "2027-01-15T08:00:00.250Z", id="a part of a second, in milliseconds"),
    ],
)
def test_an_instant_is_written_and_read(at: float, text: str) -> None:
    assert show_instant(at) == text
    assert parse_instant(text) == at


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param("yesterday", id="not a time"),
        pytest.param("2027-01-15", id="a day"),
        pytest.param("2027-01-15T08:00:00", id="no offset"),
        pytest.param("0001-01-01T00:00:00+14:00", id="before the calendar"),
    ],
)
def test_a_text_that_is_no_instant_is_none(text: str | None) -> None:
    assert parse_instant(text) is None
