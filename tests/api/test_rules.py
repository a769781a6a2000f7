"""Every row of tests/rules.yaml, loaded."""

import pytest

from brownout.api.load import Refused, load_policy, load_source
from tests.api.cases import Case, cases

LOAD = {"DegradationPolicy": load_policy, "PrometheusSource": load_source}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases()])
def test_a_rule_holds_at_load(case: Case) -> None:
    loaded = LOAD[case.kind](case.body)
    if case.says is None:
        assert not isinstance(loaded, Refused), loaded
        return
    assert isinstance(loaded, Refused)
    assert case.says in loaded.message
    assert f"{case.at}: " in loaded.message if case.at else True


def test_no_two_rows_have_the_same_id() -> None:
    ids = [case.id for case in cases()]
    assert len(set(ids)) == len(ids)
