"""The one sentence that a person reads at three in the morning."""

from dataclasses import replace

import pytest

from brownout.api.policy import NORMAL, Mode, PolicySpec
from brownout.api.reasons import DecisionReason, MissingReason
from brownout.decide.engine import decide
from brownout.decide.message import transition, why
from brownout.decide.model import Decision, Dwell, Move, Relapse, Seen, State, Zone
from brownout.decide.words import joined, show_length, show_number
from brownout.testing.builders import above, level, missing, policy, reading

NOW = 1_800_000_000.0  # 08:00:00 UTC
LEVELS = (
    level("trimmed", above("p99", 0.8, 0.6), above("errors", 0.02, 0.01), lasts=30, recover_after=180),
    level("core-only", above("p99", 2, 0.8), lasts=60, recover_after=300),
    level("static-page"),
)
SPEC = policy(*LEVELS)


def clock(seconds: float, zone: Zone) -> Dwell:
    return Dwell(seconds=seconds, zone=zone, at=NOW)


def said(state: State, *seen: Seen, spec: PolicySpec = SPEC, owed: int = 0) -> str:
    return why(spec, decide(spec, state, seen, NOW), NOW, owed=owed)


OVER_CORE = {"core-only": clock(60, Zone.OVER)}
AT_CORE = State(level="core-only", below=("trimmed",))


@pytest.mark.parametrize(
    ("state", "seen", "sentence"),
    [
        pytest.param(State(), (reading(0.2), reading(0)), "Normal", id="calm"),
        pytest.param(State(escalation=OVER_CORE), (reading(2.314), reading(0)), "p99 2.31 > 2 for 1m", id="escalated"),
        pytest.param(
            State(escalation={"trimmed": clock(12.7, Zone.OVER)}),
            (reading(0.9), reading(0.05)),
            "p99 0.9 > 0.8 and errors 0.05 > 0.02 for 12s of 30s, then trimmed",
            id="pending, for all the signals that are bad",
        ),
        pytest.param(
            State(escalation={"trimmed": clock(10, Zone.OVER), "core-only": clock(50, Zone.OVER)}),
            (reading(3), reading(0)),
            "p99 3 > 2 for 50s of 1m, then core-only",
            id="pending twice: the level that would come first",
        ),
        pytest.param(
            State(escalation={"trimmed": clock(10, Zone.BETWEEN)}),
            (reading(0.7), reading(0)),
            "p99 0.7 between 0.6 and 0.8; trimmed stands at 10s of 30s",
            id="pending and standing still",
        ),
        pytest.param(AT_CORE, (reading(2.5), reading(0)), "p99 2.5 > 2", id="holding while bad"),
        pytest.param(AT_CORE, (reading(1.2), reading(0)), "p99 1.2 between 0.8 and 2", id="holding between"),
        pytest.param(
            replace(AT_CORE, recovery=clock(120, Zone.UNDER)),
            (reading(1.2), reading(0)),
            "p99 1.2 between 0.8 and 2; recovery stands at 2m of 5m",
            id="holding between with some recovery behind it",
        ),
        pytest.param(
            replace(AT_CORE, recovery=clock(120, Zone.UNDER)),
            (reading(0.62), reading(0)),
            "p99 0.62 < 0.8 for 2m of 5m, then trimmed",
            id="recovering",
        ),
        pytest.param(
            replace(AT_CORE, recovery=clock(120, Zone.UNDER), relapses={"core-only": Relapse(count=1)}),
            (reading(0.62), reading(0)),
            "p99 0.62 < 0.8 for 2m of 10m, then trimmed",
            id="recovering after a relapse",
        ),
        pytest.param(
            replace(AT_CORE, recovery=clock(300, Zone.UNDER)),
            (reading(0.62), reading(0)),
            "p99 0.62 < 0.8 for 5m",
            id="recovered",
        ),
        pytest.param(
            replace(AT_CORE, settle_from=NOW + 30 - 60),
            (reading(3), reading(0)),
            "settling until 08:00:30",
            id="settling",
        ),
        pytest.param(
            replace(AT_CORE, giving_back=True), (reading(0.1), reading(0)), "giving back: 4 left", id="giving back"
        ),
        pytest.param(
            replace(AT_CORE, blind_since=NOW - 600),
            (missing(MissingReason.SOURCE_DOWN), missing(MissingReason.SOURCE_DOWN)),
            "BLIND since 07:50: source default down; holds",
            id="blind: the source is said once",
        ),
        pytest.param(
            State(blind_since=NOW - 3 * 86400),
            (missing(MissingReason.NO_DATA), missing(MissingReason.TIMED_OUT)),
            "BLIND since 2027-01-12 08:00: p99 has no data and errors timed out; holds",
            id="blind for days: the date, and each signal",
        ),
        pytest.param(
            State(),
            (reading(float("inf")), reading(float("nan"))),
            "BLIND since 08:00: p99 is infinite and errors has no traffic; holds",
            id="blind for numbers that are none",
        ),
        pytest.param(
            State(level="static-page", below=("trimmed", "core-only")),
            (reading(0), reading(0)),
            "no override asks for static-page any more; core-only holds",
            id="an override ended",
        ),
        pytest.param(
            State(level="bare-bones", below=("trimmed",)),
            (reading(0), reading(0)),
            "bare-bones is not in the spec any more; trimmed holds",
            id="a level was removed",
        ),
    ],
)
def test_why(state: State, seen: tuple[Seen, ...], sentence: str) -> None:
    assert said(state, *seen, owed=4) == sentence


@pytest.mark.parametrize(
    ("state", "seen", "sentence"),
    [
        pytest.param(State(escalation=OVER_CORE), 2.31, "would: p99 2.31 > 2 for 1m", id="what would be is said so"),
        pytest.param(State(), 0.1, "Normal", id="Normal is Normal"),
    ],
)
def test_why_in_a_dry_run(state: State, seen: float, sentence: str) -> None:
    assert said(state, reading(seen), reading(0), spec=policy(*LEVELS, mode=Mode.DRY_RUN)) == sentence


def test_a_level_entered_at_once_does_not_say_for_how_long() -> None:
    spec = policy(level("trimmed", above("p99", 0.8, 0.6), lasts=0))
    assert said(State(), reading(0.9), spec=spec) == "p99 0.9 > 0.8"


@pytest.mark.parametrize(
    ("state", "value", "sentence"),
    [
        pytest.param(State(escalation=OVER_CORE), 2.31, "p99 2.31 > 2 for 1m: Normal -> core-only", id="up"),
        pytest.param(
            replace(AT_CORE, recovery=clock(300, Zone.UNDER)),
            0.5,
            "p99 0.5 < 0.8 for 5m: core-only -> trimmed",
            id="down",
        ),
    ],
)
def test_transition(state: State, value: float, sentence: str) -> None:
    decision = decide(SPEC, state, (reading(value), reading(0)), NOW)
    assert transition(SPEC, decision, NOW) == sentence


def test_an_adopted_level_can_be_told() -> None:
    decision = Decision(Move.HOLD, "trimmed", DecisionReason.ADOPTED, State(level="trimmed"), before=NORMAL)
    assert transition(SPEC, decision, NOW) == "trimmed is what is held, and holds: Normal -> trimmed"


@pytest.mark.parametrize("reason", list(MissingReason))
def test_every_reason_for_a_missing_number_has_its_phrase(reason: MissingReason) -> None:
    assert said(State(), missing(reason), reading(0)).startswith("BLIND since 08:00: ")


@pytest.mark.parametrize(
    ("number", "against", "shown"),
    [
        pytest.param(2.3149, 2, "2.31", id="three digits"),
        pytest.param(2.0, 1, "2", id="no zeros at the end"),
        pytest.param(2.0004, 2, "2.0004", id="as many as tell it from its threshold"),
        pytest.param(2.00000000000001, 2, "2.00000000000001", id="however close it is"),
        pytest.param(0.000123456, 1, "0.000123", id="small"),
        pytest.param(1.23e-9, 1, "1.23e-09", id="very small"),
        pytest.param(999.7, 2, "1000", id="just below a thousand"),
        pytest.param(1234567.8, 2, "1234568", id="large: whole"),
        pytest.param(1234.4, 1234, "1234.4", id="large and close"),
        pytest.param(6.02e23, 2, "6.02e+23", id="very large"),
        pytest.param(-0.05, 1, "-0.05", id="negative"),
        pytest.param(0.0, 1, "0", id="zero"),
    ],
)
def test_a_number(number: float, against: float, shown: str) -> None:
    assert show_number(number, against) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0s"), (0.25, "250ms"), (59.99, "59s"), (60, "1m"), (3725.2, "1h2m5s")]
)
def test_a_length_of_time(seconds: float, shown: str) -> None:
    assert show_length(seconds) == shown


def test_no_more_than_three_phrases_are_joined() -> None:
    assert joined(["a", "b", "a", "c", "d", "e"]) == "a and b and c and 2 more"
