"""The engine's small parts, each by itself: pace, source faults, goal, store, recall, record."""

import json
from typing import Any

import pytest

from brownout.api.load import dump, load_metadata
from brownout.api.reasons import BlockedReason, MissingReason
from brownout.api.refs import PolicyRef, Target
from brownout.api.status import PolicyStatus
from brownout.decide.model import Missing, Reading, Seen
from brownout.ledger.entries import Blocked, Claim, Entry, Held, Order, Owner
from brownout.ledger.pointer import ABSENT, Pointer, Value
from brownout.levers.selection import BlockedTarget, Selection
from brownout.reconcile.goal import Goal, goal_of
from brownout.reconcile.pace import PATIENCE, GiveBackPace
from brownout.reconcile.recall import held_in, released_in
from brownout.reconcile.record import FieldId, Record, older
from brownout.reconcile.source_fault import Fault
from brownout.reconcile.store import Store
from brownout.report import bounds
from brownout.report.facts import ReleasedField

NOW = 1_800_000_000.0
REPLICAS = Pointer("/spec/replicas")
POLICY = PolicyRef(namespace="shop", name="checkout", uid="p-1")


def target(name: str, kind: str = "Deployment") -> Target:
    return Target(api_version="apps/v1", kind=kind, namespace="shop", name=name, uid=f"uid-{name}")


def held(name: str, *, action: str = "thin", at: float = NOW, original: Value = 3, applied: Value = 0) -> Held:
    claim = Claim(policy=POLICY, level="trimmed", action=action, value=applied, order=Order.LOWEST, at=at)
    owners = (Owner(manager="kubectl", operation="Apply", api_version="apps/v1"),)
    entry = Entry(
        pointer=REPLICAS, original=original, applied=applied, wanted=applied, owners=owners, claims={POLICY: claim}
    )
    return Held(policy=POLICY, target=target(name), take="take-1", entry=entry)


def fields(*holds: Held) -> dict[FieldId, Held]:
    return {(each.target.uid, each.entry.pointer): each for each in holds}


class TestPace:
    def test_without_a_limit_all_is_granted(self) -> None:
        assert GiveBackPace(0).ask("a", 5, 1000, NOW) == 1000

    def test_a_minutes_worth_goes_at_once_and_then_it_refills_evenly(self) -> None:
        pace = GiveBackPace(6)
        assert pace.ask("a", 5, 10, NOW) == 6
        assert pace.ask("a", 5, 4, NOW + 9) == 0
        assert pace.ask("a", 5, 4, NOW + 10) == 1
        assert pace.ask("a", 5, 3, NOW + 40) == 3

    def test_it_never_saves_up_more_than_a_minutes_worth(self) -> None:
        pace = GiveBackPace(6)
        assert pace.ask("a", 5, 6, NOW) == 6
        assert pace.ask("a", 5, 100, NOW + 3600) == 6

    def test_what_a_more_vital_policy_waits_for_is_set_aside(self) -> None:
        pace = GiveBackPace(6)
        assert pace.ask("vital", 1, 8, NOW) == 6
        assert pace.ask("other", 5, 1, NOW + 10) == 0
        assert pace.ask("vital", 1, 2, NOW + 20) == 2
        assert pace.ask("other", 5, 1, NOW + 30) == 1

    def test_a_less_vital_policy_holds_nobody_up(self) -> None:
        pace = GiveBackPace(6)
        assert pace.ask("other", 5, 8, NOW) == 6
        assert pace.ask("vital", 1, 1, NOW + 10) == 1

    def test_an_ask_that_is_not_repeated_is_forgotten(self) -> None:
        pace = GiveBackPace(6)
        assert pace.ask("vital", 1, 60, NOW) == 6
        assert pace.ask("other", 5, 6, NOW + PATIENCE - 1) == 0
        assert pace.ask("other", 5, 6, NOW + PATIENCE) == 6

    def test_a_clock_that_is_set_back_gives_nothing_out_twice(self) -> None:
        pace = GiveBackPace(6)
        assert pace.ask("a", 5, 6, NOW) == 6
        assert pace.ask("a", 5, 6, NOW - 3600) == 0
        assert pace.ask("a", 5, 6, NOW - 3590) == 1


def seen(*values: float | MissingReason) -> dict[str, Seen]:
    return {f"q{number}": _seen(each) for number, each in enumerate(values)}


def _seen(value: float | MissingReason) -> Seen:
    if isinstance(value, MissingReason):
        return Missing(reason=value, message=f"{value}")
    return Reading(value=value, at=NOW)


GONE, DOWN, IDLE = MissingReason.NO_DATA, MissingReason.SOURCE_DOWN, MissingReason.NO_TRAFFIC


@pytest.mark.parametrize(
    ("ticks", "at_fault"),
    [
        pytest.param([seen(1, 1, 1, 1)], False, id="all give numbers: fine"),
        pytest.param([seen(1, 1, 1, 1), seen(GONE, GONE, GONE, 1)], True, id="most vanish at once: its fault"),
        pytest.param([seen(1, 1, 1, 1), seen(GONE, GONE, 1, 1)], False, id="half of them: not yet"),
        pytest.param([seen(1, 1, 1), seen(GONE, GONE, GONE)], False, id="all of three: too few to tell"),
        pytest.param([seen(GONE, GONE, GONE, GONE)], False, id="none ever gave a number: the queries' fault"),
        pytest.param([seen(DOWN)], True, id="it cannot be reached: its fault, however few"),
        pytest.param([seen(1, 1, 1, 1), seen(IDLE, IDLE, IDLE, IDLE)], False, id="no traffic anywhere is an answer"),
        pytest.param(
            [seen(1, 1, 1, 1), seen(GONE, GONE, GONE, GONE), seen(GONE, GONE, GONE, 1)], True,
            id="it stays at fault until half are back",
        ),
        pytest.param(
            [seen(1, 1, 1, 1), seen(GONE, GONE, GONE, GONE), seen(1, 1, GONE, GONE)], False, id="half are back: fine"
        ),
        pytest.param([seen(DOWN, DOWN), seen(1, 1)], False, id="it is reached again: fine"),
    ],
)  # fmt: skip
def test_whose_fault_it_is(ticks: list[dict[str, Seen]], at_fault: bool) -> None:
    fault = Fault("default")
    for tick in ticks:
        fault.observe(tick)
    assert bool(fault.sentence) is at_fault


def wish(name: str) -> tuple[Target, dict[Pointer, Claim]]:
    return target(name), {REPLICAS: held(name).claim}


def goal(
    *names: str,
    holds: tuple[Held, ...] = (),
    blocked: tuple[BlockedTarget, ...] = (),
    unread: frozenset[str] = frozenset(),
    grant: int = 100,
    **more: Any,
) -> Goal:
    wants = dict(wish(name) for name in names)
    settings: dict[str, Any] = {"gives_all_back": False, "wave_size": 5, "wave": None} | more
    return goal_of(
        selection=Selection(wants=wants, blocked=blocked, order=tuple(wants), unread=unread),
        held=fields(*holds),
        places={"thin": 0},
        available=lambda _: True,
        grant=lambda targets: min(grant, targets),
        now=NOW,
        **settings,
    )


def back(one: Goal) -> list[str]:
    return [each.name for each, claims in one.wants.items() if not claims]


class TestGoal:
    def test_what_is_wanted_and_not_held_is_a_take(self) -> None:
        one = goal("a")
        assert one.takes({})
        assert not one.takes(fields(held("a")))
        assert (back(one), one.left, one.wave) == ([], (), None)

    def test_without_a_finalizer_only_what_is_held_is_gone_about(self) -> None:
        one = goal("a", "b", holds=(held("b"), held("c")))
        assert [each.name for each in one.only(fields(held("b"), held("c"))).wants] == ["b", "c"]

    def test_what_is_held_and_not_wanted_goes_back_the_last_taken_first(self) -> None:
        one = goal(holds=(held("a", at=NOW - 9), held("b", at=NOW - 5)))
        assert back(one) == ["b", "a"]
        assert one.wave is not None

    def test_a_wave_at_a_time_and_the_rest_stays_as_it_is(self) -> None:
        one = goal(holds=(held("a"), held("b"), held("c")), wave_size=2)
        assert (back(one), [each.name for each in one.left]) == (["c", "b"], ["a"])
        assert one.wants[target("a")] == {REPLICAS: held("a").claim}

    def test_no_more_than_the_common_pace_grants(self) -> None:
        one = goal(holds=(held("a"), held("b")), grant=1)
        assert (back(one), [each.name for each in one.left]) == (["b"], ["a"])

    def test_what_becomes_never_takeable_goes_back_at_once_beside_the_wave(self) -> None:
        never = Blocked(reason=BlockedReason.CONTROLLED, message="")
        blocked = tuple(BlockedTarget(action="thin", target=target(name), blocked=never) for name in "abc")
        one = goal(holds=tuple(held(name) for name in "abcd"), blocked=blocked, wave_size=1, grant=0)
        assert sorted(back(one)) == ["a", "b", "c"]
        assert [each.name for each in one.left] == ["d"]

    def test_no_data_on_an_actions_targets_gives_nothing_back(self) -> None:
        one = goal(holds=(held("a"),), unread=frozenset({"thin"}))
        assert (back(one), one.left, one.wave) == ([], (), None)

    def test_when_all_goes_back_what_is_wanted_is_no_reason_to_keep_it(self) -> None:
        one = goal("a", "b", holds=(held("a"),), gives_all_back=True)
        assert back(one) == ["a"]
        assert one.wants[target("b")]


class TestRecall:
    @pytest.mark.parametrize(
        ("original", "applied"),
        [
            pytest.param(3, 0, id="numbers"),
            pytest.param(ABSENT, "true", id="an absent original"),
            pytest.param({"if": [1, None]}, ABSENT, id="a map that we removed"),
            pytest.param(None, "é<", id="null and odd text"),
            pytest.param(False, True, id="booleans"),
        ],
    )
    def test_what_a_status_says_is_held_is_what_was_held(self, original: Value, applied: Value) -> None:
        before = held("a", original=original, applied=applied)
        applied_status, _ = bounds.applied((before,))
        again = held_in(PolicyStatus(applied=applied_status), POLICY)[before.target.uid, REPLICAS]
        assert (again.target, again.take, again.policy) == (before.target, before.take, POLICY)
        assert (again.entry.original, again.entry.applied, again.entry.owners) == (
            original,
            applied,
            before.entry.owners,
        )
        assert (again.claim.level, again.claim.action, again.claim.at) == ("trimmed", "thin", NOW)

    def test_an_original_that_cannot_be_read_is_left_to_the_ledger(self) -> None:
        applied_status, _ = bounds.applied((held("a"),))
        broken = type(applied_status[0])(**{**_as_dict(applied_status[0]), "original": "{"})
        assert held_in(PolicyStatus(applied=(broken,)), POLICY) == {}

    def test_a_value_that_was_cut_is_shown_as_text(self) -> None:
        let_go = ReleasedField(
            target=target("a"), pointer=REPLICAS, original="x" * 40_000, applied=0, found=7, at=NOW, manager="kubectl"
        )
        again = released_in(PolicyStatus(released=bounds.released((let_go,))), POLICY)
        assert (again[0].target, again[0].found, again[0].manager, again[0].at) == (target("a"), 7, "kubectl", NOW)
        assert str(again[0].original).startswith('"xxx')


def _as_dict(status: Any) -> dict[str, Any]:
    return {name: getattr(status, name) for name in status.__dataclass_fields__}


def policy_body(version: str, generation: int = 1, **metadata: Any) -> dict[str, Any]:
    about = {"namespace": "shop", "name": "checkout", "uid": "p-1", "resourceVersion": version, **metadata}
    return {"metadata": {**about, "generation": generation}}


def record(version: str = "10") -> Record:
    return Record(about=load_metadata(policy_body(version)))


class TestRecord:
    def test_an_older_body_from_the_watch_is_not_heard(self) -> None:
        one = record("10")
        assert not one.hear(policy_body("9", 7))
        assert one.hear(policy_body("10", 7))
        assert one.about.generation == 7

    def test_an_answer_to_our_own_write_tells_all_but_the_generation(self) -> None:
        one = record("10")
        one.learn(policy_body("12", 7, finalizers=["x"]))
        assert (one.about.resource_version, one.about.generation, one.about.finalizers) == ("12", 1, ("x",))
        one.learn(policy_body("11", finalizers=[]))
        assert one.about.finalizers == ("x",)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(None, id="it is not there any more"),
            pytest.param(policy_body("12", uid="p-2"), id="it is another"),
        ],
    )
    def test_a_policy_that_is_gone_is_being_deleted(self, body: dict[str, Any] | None) -> None:
        one = record()
        one.learn(body)
        assert one.deleting
        assert one.about.finalizers == ()

    @pytest.mark.parametrize(
        ("one", "other", "expected"),
        [
            pytest.param("9", "10", True, id="as numbers"),
            pytest.param("10", "10", False, id="the same"),
            pytest.param("11", "10", False, id="newer"),
            pytest.param("", "10", False, id="not known"),
            pytest.param("abc", "abd", False, id="no numbers: nobody can tell"),
        ],
    )
    def test_which_version_is_older(self, one: str, other: str, expected: bool) -> None:
        assert older(one, other) is expected

    def test_a_status_that_was_written_is_what_is_stored(self) -> None:
        one, status = record(), PolicyStatus(level="trimmed")
        one.wrote(status, "11")
        assert (one.status, one.stored, one.about.resource_version) == (status, dump(status), "11")
        assert json.dumps(one.stored)


class TestStore:
    def test_what_any_policy_remembers_of_an_object_is_found_by_it(self) -> None:
        store, one = Store(), record()
        store.records["shop", "checkout"] = one
        store.remember(one, fields(held("a"), held("b")))
        assert store.remembered(target("a")) == [held("a")]
        store.remember(one, fields(held("b")))
        assert store.remembered(target("a")) == []
        store.forget(one)
        assert (store.remembered(target("b")), store.records) == ([], {})

    def test_a_policy_of_the_same_name_and_another_uid_is_not_the_same(self) -> None:
        store, one = Store(), record()
        store.records["shop", "checkout"] = one
        assert store.record_of(POLICY) is one
        assert store.record_of(PolicyRef(namespace="shop", name="checkout", uid="p-2")) is None
