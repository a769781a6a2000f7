"""What will be done about each field of an object that bears something of ours."""

from collections.abc import Callable

import pytest

from brownout.act.holdings import Fate, Holding, holding_of, next_give_back
from brownout.cluster.kinds import CONFIG_MAP, DEPLOYMENT, Kind
from brownout.ledger.codec import find
from brownout.ledger.entries import LEDGER_ANNOTATION
from brownout.ledger.steps import HandBack, Release, Restore, Step, Strip
from tests.act.glass_stage import GlassStage

Change = Callable[[GlassStage], object]


def scaled(replicas: int, manager: str = "kubectl") -> Change:
    return lambda stage: stage.edit(DEPLOYMENT, "web", {"spec": {"replicas": replicas}}, manager)


def ledger_with(old: str, new: str) -> Change:
    def change(stage: GlassStage) -> None:
        text = stage.body(DEPLOYMENT, "web")["metadata"]["annotations"][LEDGER_ANNOTATION]
        assert old in text
        stage.annotate(DEPLOYMENT, "web", text.replace(old, new))

    return change


def unchanged(stage: GlassStage) -> None:
    """Nothing happened to it."""


def held(change: Change) -> GlassStage:
    stage = GlassStage()
    stage.seed(DEPLOYMENT, "web", spec={"replicas": 3, "paused": False})
    stage.take(DEPLOYMENT, "web", stage.policy(), replicas=1)
    change(stage)
    return stage


def holding(stage: GlassStage, kind: Kind = DEPLOYMENT, name: str = "web") -> Holding:
    found = holding_of(find(stage.body(kind, name)))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("change", "fate", "step"),
    [
        pytest.param(unchanged, Fate.GIVE_BACK, Restore, id="a field as we set it is given back"),
        pytest.param(scaled(5), Fate.LEAVE, Release, id="a field that somebody changed is left to them"),
        pytest.param(scaled(3), Fate.LEAVE, Release, id="a field that somebody put back is left as it is"),
        pytest.param(
            scaled(2, "brownout"),
            Fate.GIVE_BACK,
            None,
            id="a value that admission made of ours is still ours to take back",
        ),
        pytest.param(
            ledger_with('"claims":', '"restored":true,"claims":'),
            Fate.HAND_BACK,
            HandBack,
            id="a field that is back already goes back to its owners",
        ),
        pytest.param(
            ledger_with("/spec/replicas", "/spec/paused"),
            Fate.REFUSE,
            None,
            id="a field that no lever changes is refused",
        ),
        pytest.param(
            ledger_with('"v":1', '"v":0'),
            None,
            None,
            id="a ledger of a version that is not known is not followed",
        ),
        pytest.param(
            lambda stage: stage.label(DEPLOYMENT, "web", "take-2"),
            Fate.NOT_FOLLOWED,
            None,
            id="a ledger of another take than the label's is not followed",
        ),
        pytest.param(
            lambda stage: stage.label(DEPLOYMENT, "web", None),
            Fate.NOT_FOLLOWED,
            None,
            id="a ledger without its label is not followed",
        ),
        pytest.param(
            ledger_with('"uid":"0', '"uid":"1'),
            Fate.NOT_FOLLOWED,
            None,
            id="a ledger that was written for another object is not followed",
        ),
        pytest.param(
            lambda stage: stage.annotate(DEPLOYMENT, "web", None),
            None,
            None,
            id="a label whose ledger is gone is not followed",
        ),
    ],
)
def test_the_fate_of_a_field(change: Change, fate: Fate | None, step: type[Step] | None) -> None:
    stage = held(change)
    one = holding(stage)
    assert [field.fate for field in one.fields] == ([fate] if fate else [])
    assert bool(one.problem) == (fate in (None, Fate.NOT_FOLLOWED))
    planned = next_give_back(one.found)
    if fate not in (Fate.GIVE_BACK,):
        assert planned is None if step is None else isinstance(planned, step)
    else:
        assert planned is not None


@pytest.mark.parametrize(
    ("change", "may_be"),
    [
        pytest.param(unchanged, True, id="without its label but with our value it may well be held"),
        pytest.param(scaled(5), False, id="without its label and with another value it owes nothing"),
        pytest.param(scaled(3), False, id="without its label and with its original it owes nothing"),
        pytest.param(ledger_with('"v":1', '"v":9'), True, id="nobody knows what is in a ledger that cannot be read"),
    ],
)
def test_whether_an_object_that_is_not_followed_may_be_held(change: Change, may_be: bool) -> None:
    stage = held(change)
    stage.label(DEPLOYMENT, "web", None)
    assert holding(stage).may_be_held is may_be


def test_a_forged_entry_stays_and_the_others_are_given_back() -> None:
    stage = held(ledger_with('"fields":{', '"fields":{"/spec/paused":{"original":true,"applied":false,"claims":[]},'))
    one = holding(stage)
    assert {field.pointer: field.fate for field in one.fields} == {
        "/spec/paused": Fate.REFUSE,
        "/spec/replicas": Fate.GIVE_BACK,
    }
    step = next_give_back(one.found)
    assert isinstance(step, Restore)
    assert step.pointers == ("/spec/replicas",)
    assert step.found is one.found


def test_an_object_that_bears_nothing_of_ours_is_no_holding() -> None:
    stage = GlassStage()
    stage.seed(CONFIG_MAP, "flags", data={"a": "b"})
    assert holding_of(find(stage.body(CONFIG_MAP, "flags"))) is None


def test_a_ledger_without_fields_is_only_removed() -> None:
    stage = held(unchanged)
    stage.annotate(DEPLOYMENT, "web", _emptied(stage))
    assert isinstance(next_give_back(holding(stage).found), Strip)


def _emptied(stage: GlassStage) -> str:
    uid = stage.body(DEPLOYMENT, "web")["metadata"]["uid"]
    return f'{{"v":1,"take":"take-1","uid":"{uid}","fields":{{}}}}'


def test_a_claim_from_beyond_all_calendars_has_no_since() -> None:
    stage = held(ledger_with('"at":1800000000.0', '"at":1e300'))
    (field,) = holding(stage).fields
    assert field.since is None
