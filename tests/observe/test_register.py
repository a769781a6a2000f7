"""What is remembered of expressions: forms, quarantine, suspicion."""

from collections.abc import Sequence

import pytest

from brownout.api.reasons import MissingReason
from brownout.decide.model import Missing
from brownout.observe.batch import Form
from brownout.observe.register import LONGEST_PAUSE, UNUSED, Plan, Register

BAD = Missing(reason=MissingReason.BAD_QUERY, message="parse error")


def planned(register: Register, queries: Sequence[str], now: float = 0.0) -> Plan:
    return register.plan(queries, now, largest=100, spread=16)


def proved(count: int) -> tuple[Register, list[str]]:
    register, queries = Register(), [f"q{nr}" for nr in range(count)]
    planned(register, queries)
    for query in queries:
        register.proved(query, Form.VECTOR)
    return register, queries


def test_a_new_expression_is_asked_bare_first() -> None:
    plan = planned(Register(), ["up"])
    assert (plan.bare, plan.batches) == (["up"], [])


def test_a_proved_expression_shares_a_batch() -> None:
    register, queries = proved(150)
    assert [len(batch) for batch in planned(register, queries).batches] == [75, 75]


def test_a_bad_expression_costs_nothing_while_in_quarantine() -> None:
    register, queries = proved(2)
    register.strike("q0", BAD, now=10.0)
    plan = planned(register, queries, now=14.9)
    assert plan.held == {"q0": BAD}
    assert plan.bare == []


def test_after_its_pause_it_is_asked_again_bare() -> None:
    register, queries = proved(2)
    register.strike("q0", BAD, now=10.0)
    plan = planned(register, queries, now=15.0)
    assert plan.bare == ["q0"]
    assert plan.held == {}


def test_the_pause_doubles_up_to_its_longest() -> None:
    register, _ = proved(1)
    pauses, now = [], 0.0
    for _ in range(8):
        register.strike("q0", BAD, now)
        step = next(step for step in range(1, 1000) if planned(register, ["q0"], now + step).bare)
        pauses.append(step)
        now += step
    assert pauses == [5, 10, 20, 40, 80, 120, 120, 120]
    assert LONGEST_PAUSE == 120


def test_only_an_answer_in_a_batch_forgives_the_strikes() -> None:
    register, _ = proved(1)
    register.strike("q0", BAD, 0.0)
    register.proved("q0", Form.VECTOR)
    register.strike("q0", BAD, 10.0)
    assert planned(register, ["q0"], 19.9).held
    register.proved("q0", Form.VECTOR)
    register.answered("q0")
    register.strike("q0", BAD, 30.0)
    assert planned(register, ["q0"], 35.0).bare


def test_suspects_leave_the_others_batch_and_sit_in_ever_smaller_ones() -> None:
    register, queries = proved(100)
    for query in queries[:10]:
        register.suspect(query)
    assert [len(batch) for batch in planned(register, queries).batches] == [90, 10]
    for _ in range(4):
        for query in queries[:10]:
            register.suspect(query)
    assert [len(batch) for batch in planned(register, queries).batches] == [90, 2, 3, 2, 3]


@pytest.mark.parametrize("count", [10, 100, 1000, 5000])
def test_a_source_slow_as_a_whole_is_not_asked_much_more(count: int) -> None:
    register, queries = proved(count)
    for _ in range(20):
        for query in queries:
            register.suspect(query)
    assert len(planned(register, queries).batches) <= max(16, -(-count // 100))


def test_unused_expressions_are_forgotten() -> None:
    register, _ = proved(5)
    planned(register, ["q0"], now=UNUSED / 2)
    planned(register, ["q0"], now=UNUSED + 1)
    assert len(register) == 1
