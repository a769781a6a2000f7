"""What the caller tells a state: what was written, given back, found held, and edited."""

import pytest

from brownout.api.policy import NORMAL, Mode
from brownout.decide.changes import adopt, after_write, changed_mode, gave_back
from brownout.decide.engine import decide
from brownout.decide.model import Decision, Dwell, Move, Relapse, State, Zone
from brownout.testing.builders import above, level, policy, reading

NOW = 1_800_000_000.0
LEVELS = (
    level("trimmed", above("p99", 0.8, 0.6), lasts=30, recover_after=180),
    level("core-only", above("p99", 2, 0.8), lasts=60, recover_after=300),
)
SPEC = policy(*LEVELS)
RAN = Dwell(seconds=50, zone=Zone.OVER, at=NOW - 10)


def ticks(state: State, value: float, *, start: float, count: int) -> Decision:
    for number in range(count):
        decision = decide(SPEC, state, (reading(value),), start + 10 * number)
        state = decision.state
    return decision


def test_readings_count_again_one_settle_after_the_last_write() -> None:
    state = after_write(State(level="trimmed", settle_from=NOW), NOW + 25)
    assert ticks(state, 0.1, start=NOW + 80, count=1).state.recovery == Dwell()
    assert ticks(state, 0.1, start=NOW + 85, count=1).state.recovery == Dwell(zone=Zone.UNDER, at=NOW + 85)


@pytest.mark.parametrize(
    ("settles", "wrote", "then"),
    [
        pytest.param(NOW, NOW + 5, NOW + 5, id="a later write moves it"),
        pytest.param(NOW, NOW - 5, NOW, id="an earlier write does not"),
        pytest.param(None, NOW, NOW, id="a write after it had settled settles once more"),
    ],
)
def test_after_a_write(settles: float | None, wrote: float, then: float) -> None:
    assert after_write(State(settle_from=settles), wrote).settle_from == then


def test_a_settle_time_that_lies_ahead_counts_from_now() -> None:
    state = State(level="trimmed", settle_from=NOW + 86400)
    first = decide(SPEC, state, (reading(0.1),), NOW).state
    assert first.settle_from == NOW
    assert decide(SPEC, first, (reading(0.1),), NOW + 60).state.settle_from is None


def test_after_giving_back_the_next_step_down_is_free() -> None:
    state = State(level="trimmed", giving_back=True)
    assert ticks(state, 0.1, start=NOW, count=30).move is Move.HOLD
    assert ticks(gave_back(state), 0.1, start=NOW, count=19).level == NORMAL


def test_the_highest_claim_wins_over_a_lower_status_and_settles() -> None:
    found = adopt(
        SPEC, State(level="trimmed", since=NOW - 900, relapses={"trimmed": Relapse(count=1)}), "core-only", NOW
    )
    assert (found.level, found.since, found.below, found.settle_from) == ("core-only", NOW, ("trimmed",), NOW)
    assert found.recovery == Dwell()
    assert found.relapses == {"trimmed": Relapse(count=1)}


def test_a_wiped_status_is_rebuilt_with_the_clocks_above_kept() -> None:
    found = adopt(SPEC, State(since=NOW, escalation={"core-only": RAN, "trimmed": RAN}), "trimmed", NOW)
    assert (found.level, found.escalation) == ("trimmed", {"core-only": RAN})


@pytest.mark.parametrize(
    ("state", "claim", "mode"),
    [
        pytest.param(State(giving_back=True), "core-only", Mode.ENFORCE, id="the status is still giving back"),
        pytest.param(State(level="core-only"), "trimmed", Mode.ENFORCE, id="the claim is lower"),
        pytest.param(State(level="trimmed"), "trimmed", Mode.ENFORCE, id="the claim is the same level"),
        pytest.param(State(), "gone", Mode.ENFORCE, id="the claim's level is not in the spec"),
        pytest.param(State(), "trimmed", Mode.DRY_RUN, id="nothing is wanted in a dry run"),
        pytest.param(
            State(level="gone", below=("trimmed",)),
            "trimmed",
            Mode.ENFORCE,
            id="the status is of a level above it that is gone",
        ),
    ],
)
def test_a_claim_is_not_adopted_where(state: State, claim: str, mode: Mode) -> None:
    assert adopt(policy(*LEVELS, mode=mode), state, claim, NOW) is state


def test_from_dry_run_to_enforce_starts_at_normal_with_clocks_at_zero() -> None:
    would_be = State(
        level="trimmed", escalation={"core-only": RAN}, recovery=RAN, relapses={"trimmed": Relapse(count=3)}
    )
    assert changed_mode(would_be, Mode.ENFORCE, NOW, owes=False) == State(since=NOW)


def test_from_dry_run_to_enforce_what_is_still_held_goes_back_first() -> None:
    assert changed_mode(State(level="trimmed"), Mode.ENFORCE, NOW, owes=True) == State(since=NOW, giving_back=True)


def test_from_enforce_to_dry_run_the_level_goes_on_as_what_would_be() -> None:
    state = State(level="trimmed", since=NOW - 5, escalation={"core-only": RAN})
    assert changed_mode(state, Mode.DRY_RUN, NOW, owes=True) == State(
        level="trimmed", since=NOW - 5, escalation={"core-only": RAN}, giving_back=True
    )
