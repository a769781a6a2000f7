"""What the tables and scenarios do not say about deciding."""

import pytest

from brownout.api.policy import NORMAL, PolicySpec
from brownout.api.reasons import DecisionReason
from brownout.decide.engine import decide
from brownout.decide.model import Dwell, Move, Relapse, State, Zone
from brownout.decide.relapse import entered, left, recover_after
from brownout.decide.zones import evidence_of
from brownout.testing.builders import above, level, missing, policy, reading

NOW = 1_800_000_000.0
TRIMMED = level("trimmed", above("p99", 0.8, 0.6), lasts=30, recover_after=180)
CORE = level("core-only", above("p99", 2, 0.8), lasts=60, recover_after=300)
SPEC = policy(TRIMMED, CORE)


def spec_of(*names: str) -> PolicySpec:
    return policy(*(level(name, above("p99", 2, 0.8)) for name in names))


@pytest.mark.parametrize(
    ("levels", "current", "then"),
    [
        pytest.param(("a", "b"), "c", "b", id="removed at the top: the one below holds"),
        pytest.param(("a", "c"), "b", "a", id="removed in the middle: the one below holds, not the one above"),
        pytest.param(("b", "c"), "a", NORMAL, id="removed at the bottom: Normal"),
        pytest.param(("a", "bee", "c"), "b", "a", id="renamed: the one below holds"),
        pytest.param(("b",), "c", "b", id="the lowest removed as well: the next lower that is left"),
        pytest.param(("a",), "c", "a", id="two removed: the next lower that is left"),
        pytest.param(("x", "a", "b"), "c", "b", id="one inserted below as well: still the one it knew to be below"),
        pytest.param(("x", "y"), "c", NORMAL, id="all others: Normal"),
        pytest.param(("x", "a", "b", "c"), "c", "c", id="only inserted below: it holds"),
        pytest.param(("b", "a", "c"), "b", "b", id="only put into another order: it holds"),
    ],
)
def test_an_edit_of_the_levels(levels: tuple[str, ...], current: str, then: str) -> None:
    known = ("a", "b", "c")
    state = State(level=current, since=NOW - 900, below=known[: known.index(current)])
    decision = decide(spec_of(*levels), state, (reading(1.5),), NOW)
    assert decision.level == then
    assert decision.reason is (DecisionReason.LEVEL_REMOVED if then != current else DecisionReason.HOLDING)
    if then != current:
        assert decision.move is Move.RECOVER
        assert decision.state.giving_back
        assert decision.state.recovery == Dwell()
        assert decision.state.relapses == {}


def test_the_levels_below_are_those_of_the_spec_it_was_last_decided_on() -> None:
    state = State(level="c", below=("a", "b"))
    state = decide(spec_of("x", "a", "c"), state, (reading(1.5),), NOW).state
    assert state.below == ("x", "a")
    assert decide(spec_of("x"), state, (reading(1.5),), NOW + 10).level == "x"


def test_the_clock_of_a_level_that_was_renamed_starts_anew() -> None:
    state = State(escalation={"core-only": Dwell(seconds=55, zone=Zone.OVER, at=NOW - 10)})
    spec = policy(TRIMMED, level("bare-bones", above("p99", 2, 0.8), lasts=60))
    decision = decide(spec, state, (reading(3),), NOW)
    assert set(decision.state.escalation) == {"trimmed", "bare-bones"}
    assert decision.state.escalation["bare-bones"].seconds == 0


def test_of_manual_levels_only_nothing_automatic_is_left_but_normal() -> None:
    spec = policy(level("by-hand"), level("static-page"))
    assert decide(spec, State(level="static-page", below=("by-hand",)), (reading(9),), NOW).level == NORMAL
    assert decide(spec, State(), (reading(9),), NOW).reason is DecisionReason.CALM


def test_a_manual_level_is_reached_by_nothing_automatic() -> None:
    spec = policy(TRIMMED, level("static-page"))
    state = State()
    for number in range(200):
        decision = decide(spec, state, (reading(99),), NOW + 10 * number)
        state = decision.state
    assert decision.level == "trimmed"


def test_a_calm_policy_gets_its_state_back_and_pays_for_no_evidence() -> None:
    state = State(since=NOW)
    decision = decide(SPEC, state, (reading(0.1),), NOW + 10)
    assert decision.state is state
    assert decision.evidence == ()
    assert [each.zone for each in evidence_of(SPEC, decision.seen)] == [Zone.UNDER, Zone.UNDER]


def test_a_blind_policy_remembers_since_when_and_then_nothing_changes() -> None:
    first = decide(SPEC, State(), (missing(),), NOW)
    assert first.state.blind_since == NOW
    assert decide(SPEC, first.state, (missing(),), NOW + 10).state is first.state
    assert decide(SPEC, first.state, (reading(0.1),), NOW + 20).state.blind_since is None


def test_readings_that_do_not_fit_the_signals_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        decide(SPEC, State(), (reading(1), reading(1)), NOW)


@pytest.mark.parametrize(
    ("count", "backoff", "seconds"),
    [
        pytest.param(0, 1800, 180, id="never relapsed: its own"),
        pytest.param(1, 1800, 360, id="once: doubled"),
        pytest.param(3, 1800, 1440, id="three times: doubled three times"),
        pytest.param(4, 1800, 1800, id="up to maxBackoff"),
        pytest.param(10**9, 1800, 1800, id="a count that cannot be: maxBackoff"),
        pytest.param(4, 180, 180, id="maxBackoff at recoverAfter: no back-off"),
        pytest.param(4, 0, 180, id="maxBackoff below recoverAfter: no back-off"),
    ],
)
def test_back_off(count: int, backoff: float, seconds: float) -> None:
    spec = policy(TRIMMED, max_backoff=backoff)
    assert recover_after(TRIMMED, {"trimmed": Relapse(count=count)}, spec.recovery) == seconds


@pytest.mark.parametrize(
    ("after", "recover", "count"),
    [
        pytest.param(600, 180, 1, id="at ten minutes it is a relapse"),
        pytest.param(601, 180, 0, id="after ten minutes it is not"),
        pytest.param(1200, 600, 1, id="at twice its recoverAfter it is a relapse, if that is longer"),
        pytest.param(1201, 600, 0, id="after twice its recoverAfter it is not"),
    ],
)
def test_a_relapse_is_soon(after: float, recover: float, count: int) -> None:
    one = level("trimmed", above("p99", 2, 1), recover_after=recover)
    relapses = entered(one, left("trimmed", {}, NOW), NOW + after)
    assert relapses.get("trimmed", Relapse()).count == count


def test_a_level_entered_twice_without_being_left_by_recovery_has_not_relapsed() -> None:
    once = entered(TRIMMED, left("trimmed", {}, NOW), NOW + 60)
    assert entered(TRIMMED, once, NOW + 120) == once == {"trimmed": Relapse(count=1)}


def test_an_hour_at_normal_forgets_relapses_and_less_does_not() -> None:
    state = State(since=NOW, relapses={"trimmed": Relapse(count=2)}, normal_since=NOW)
    assert decide(SPEC, state, (reading(0.1),), NOW + 3599).state is state
    assert decide(SPEC, state, (reading(0.1),), NOW + 3600).state == State(since=NOW)


def test_the_hour_begins_with_the_step_down_to_normal() -> None:
    state = State(level="trimmed", recovery=Dwell(seconds=180, zone=Zone.UNDER, at=NOW))
    assert decide(SPEC, state, (reading(0.1),), NOW).state.normal_since == NOW


@pytest.mark.parametrize(
    "since", [pytest.param(None, id="that is lost"), pytest.param(NOW + 86400, id="that lies ahead")]
)
def test_an_hour_whose_beginning_cannot_be_known_begins_now(since: float | None) -> None:
    state = State(relapses={"trimmed": Relapse(count=2)}, normal_since=since)
    assert decide(SPEC, state, (reading(0.1),), NOW).state.normal_since == NOW


def test_an_hour_below_normal_forgets_nothing() -> None:
    state = State(level="trimmed", since=NOW, relapses={"trimmed": Relapse(count=2)})
    assert decide(SPEC, state, (reading(0.7),), NOW + 7200).state.relapses == {"trimmed": Relapse(count=2)}


@pytest.mark.parametrize(
    "value", [pytest.param(0.1, id="well"), pytest.param(1.2, id="between"), pytest.param(9, id="bad")]
)
def test_while_settling_the_clocks_above_keep_their_time_whatever_is_read(value: float) -> None:
    clocks = {"core-only": Dwell(seconds=40, still=15, zone=Zone.OVER, at=NOW)}
    state = State(level="trimmed", escalation=clocks, settle_from=NOW)
    assert decide(SPEC, state, (reading(value),), NOW + 59).state.escalation == clocks
    assert decide(SPEC, State(level="trimmed", settle_from=NOW), (reading(value),), NOW + 59).state.escalation == {}
