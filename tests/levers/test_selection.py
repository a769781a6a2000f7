from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout.api.actions import Action
from brownout.api.policy import PolicySpec
from brownout.api.refs import PolicyRef
from brownout.ledger.entries import Blocked, Claim, Found, Ledger, Order
from brownout.ledger.pointer import ABSENT, Pointer, Value
from brownout.levers.selection import BlockedTarget, FieldId, Selection, claims
from brownout.levers.surroundings import Surroundings
from tests.levers.objects import (
    OTHER,
    POLICY,
    REPLICAS,
    deployment,
    feature_flag,
    found,
    held,
    recommendations,
    scale,
    set_key,
    shed,
    spec,
    turn,
)

DEFAULT = Pointer("/spec/flagSpec/flags/recommendations/defaultVariant")
TARGETING = Pointer("/spec/flagSpec/flags/recommendations/targeting")
FLAGS = feature_flag({"recommendations": recommendations(targeting={"if": []})})
OFF = feature_flag({"recommendations": recommendations(defaultVariant="off")})


ALONE = Surroundings()


def select(
    policy: PolicySpec,
    level: str,
    seen: Mapping[str, Sequence[Found] | Blocked],
    released: Set[FieldId] = frozenset(),
    now: float = 100.0,
    around: Surroundings = ALONE,
) -> Selection:
    return claims(
        spec=policy,
        level=level,
        found_by_action=seen,
        policy=POLICY,
        surroundings=around,
        released=released,
        now=now,
    )


def values(selection: Selection) -> dict[str, dict[Pointer, Value]]:
    """Target name -> pointer -> claimed value."""
    return {
        target.name: {where: claim.value for where, claim in fields.items()}
        for target, fields in selection.wants.items()
    }


def reasons(selection: Selection) -> list[tuple[str, str | None, str]]:
    return [(each.action, each.target.name if each.target else None, each.blocked.reason) for each in selection.blocked]


TWO_LEVELS = spec(("mild", [turn("lite", name="lite")]), ("hard", [turn("off", name="off")]))


def test_normal_claims_nothing() -> None:
    assert select(TWO_LEVELS, "Normal", {}) == Selection(wants={}, blocked=(), order=(), unread=frozenset())


def test_a_claim_names_policy_level_action_value_order_and_time() -> None:
    policy = spec(("mild", [scale(name="thin", atMost=1)]))
    one = deployment(replicas=3)
    claim = Claim(policy=POLICY, level="mild", action="thin", value=1, order=Order.LOWEST, at=100.0)
    assert select(policy, "mild", {"thin": [one]}).wants == {one.target: {REPLICAS: claim}}


def test_a_level_includes_the_actions_of_the_levels_below_it_and_none_above() -> None:
    policy = spec(
        ("mild", [scale("a", name="one", atMost=1)]),
        ("hard", [scale("b", name="two", atMost=1)]),
        ("worst", [scale("c", name="three", atMost=1)]),
    )
    seen = {"one": [deployment("a")], "two": [deployment("b")], "three": [deployment("c")]}
    assert values(select(policy, "hard", seen)) == {"a": {REPLICAS: 1}, "b": {REPLICAS: 1}}


def test_targets_are_taken_mildest_level_first_then_in_written_order_then_as_found() -> None:
    policy = spec(
        ("mild", [shed("batch", criticalities=["C5"]), scale("a", name="thin", atMost=1)]),
        ("hard", [scale("b", name="more", atMost=1)]),
    )
    seen = {"thin": [deployment("a")], "batch": [deployment("z"), deployment("y")], "more": [deployment("b")]}
    assert [each.name for each in select(policy, "hard", seen).order] == ["z", "y", "a", "b"]


@pytest.mark.parametrize(
    ("one", "level", "expected"),
    [
        pytest.param(
            FLAGS, "mild", {"shop": {DEFAULT: "lite", TARGETING: ABSENT}}, id="at the mild level its own value holds"
        ),
        pytest.param(FLAGS, "hard", {"shop": {DEFAULT: "off", TARGETING: ABSENT}}, id="the higher level's value holds"),
        pytest.param(
            OFF, "hard", {}, id="a higher level that finds its value there already lets the lower level's claim go"
        ),
    ],
)
def test_the_same_flag_in_two_levels(one: Found, level: str, expected: object) -> None:
    assert values(select(TWO_LEVELS, level, {"lite": [one], "off": [one]})) == expected


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        pytest.param(9, {"thumbnailer": {REPLICAS: 4}}, id="the higher level's value holds though it is milder"),
        pytest.param(3, {}, id="the higher level's wish is met by the original, and the lower level's is gone"),
    ],
)
def test_a_higher_level_may_be_less_degraded(original: int, expected: object) -> None:
    policy = spec(("mild", [scale(name="low", atMost=1)]), ("hard", [scale(name="high", atMost=4)]))
    one = deployment(replicas=original)
    assert values(select(policy, "hard", {"low": [one], "high": [one]})) == expected


def test_a_higher_level_that_is_blocked_leaves_the_lower_levels_claim() -> None:
    policy = spec(("mild", [turn("lite", name="lite")]), ("hard", [turn("none", name="none")]))
    selection = select(policy, "hard", {"lite": [FLAGS], "none": [FLAGS]})
    assert values(selection) == {"shop": {DEFAULT: "lite", TARGETING: ABSENT}}
    assert reasons(selection) == [("none", "shop", "VariantNotFound")]


def test_of_two_actions_of_one_level_on_one_field_the_later_written_holds() -> None:
    policy = spec(("mild", [scale(name="first", atMost=2), scale(name="second", atMost=1)]))
    one = deployment(replicas=3)
    assert values(select(policy, "mild", {"first": [one], "second": [one]})) == {"thumbnailer": {REPLICAS: 1}}


def test_two_flags_of_one_object_are_claimed_side_by_side() -> None:
    policy = spec(("mild", [turn("lite", name="one"), turn("off", key="adverts", name="two")]))
    one = feature_flag({"recommendations": recommendations(), "adverts": recommendations()})
    (fields,) = select(policy, "mild", {"one": [one], "two": [one]}).wants.values()
    assert {claim.action for claim in fields.values()} == {"one", "two"}
    assert len(fields) == 4


@pytest.mark.parametrize(
    ("one", "at"),
    [
        pytest.param(deployment(), 100.0, id="a new claim is made now"),
        pytest.param(
            held(deployment(), REPLICAS, 1, action="thin", at=7.0), 7.0, id="a claim that stands keeps its time"
        ),
        pytest.param(
            held(deployment(), REPLICAS, 2, action="before", level="milder", at=7.0),
            7.0,
            id="a claim whose value changes with the level keeps its time",
        ),
    ],
)
def test_when_a_claim_was_made(one: Found, at: float) -> None:
    policy = spec(("mild", [scale(name="thin", atMost=1)]))
    (fields,) = select(policy, "mild", {"thin": [one]}).wants.values()
    assert fields[REPLICAS].at == at


def test_another_policys_claim_lends_no_time() -> None:
    policy = spec(("mild", [scale(name="thin", atMost=1)]))
    one = held(deployment(), REPLICAS, 1, action="thin", at=7.0)
    selection = claims(
        spec=policy,
        level="mild",
        found_by_action={"thin": [one]},
        policy=OTHER,
        surroundings=Surroundings(),
        released=frozenset(),
        now=100.0,
    )
    assert selection.wants[one.target][REPLICAS].at == 100.0


def test_a_later_tick_selects_the_same() -> None:
    policy = spec(("mild", [scale(name="thin", atMost=1)]))
    one = held(deployment(), REPLICAS, 1, action="thin", at=7.0)
    assert select(policy, "mild", {"thin": [one]}, now=100.0) == select(policy, "mild", {"thin": [one]}, now=200.0)


@pytest.mark.parametrize(
    ("released", "expected"),
    [
        pytest.param(set(), {"shop": {DEFAULT: "off", TARGETING: ABSENT}}, id="nothing released, all claimed"),
        pytest.param({(FLAGS.target.uid, DEFAULT)}, {}, id="one field of a flag released, the whole flag is let go"),
        pytest.param(
            {("another-uid", DEFAULT)},
            {"shop": {DEFAULT: "off", TARGETING: ABSENT}},
            id="a release of an object that is gone says nothing of its successor",
        ),
    ],
)
def test_what_somebody_took_over_is_skipped_silently(released: set[FieldId], expected: object) -> None:
    selection = select(spec(("mild", [turn("off", name="off")])), "mild", {"off": [FLAGS]}, released)
    assert (values(selection), selection.blocked) == (expected, ())


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        pytest.param(
            scale("thumbnailer", name="act", atMost=1),
            "Deployment shop/thumbnailer does not exist yet; taken when it appears",
            id="a named workload that is missing is said",
        ),
        pytest.param(
            set_key(),
            "ConfigMap shop/shop-flags does not exist yet; taken when it appears",
            id="a named config map that is missing is said",
        ),
        pytest.param(shed(), None, id="a shed that matches nothing is fine"),
    ],
)
def test_an_action_that_finds_nothing(act: Any, expected: str | None) -> None:
    selection = select(spec(("mild", [act])), "mild", {"act": []})
    missing = BlockedTarget(action="act", target=None, blocked=Blocked(reason="NotFound", message=expected or ""))
    assert selection.blocked == ((missing,) if expected else ())


def test_an_action_whose_targets_could_not_be_read_is_blocked_and_keeps_what_it_holds() -> None:
    forbidden = Blocked(reason="Forbidden", message="may not list deployments in shop")
    policy = spec(("mild", [shed("batch"), scale(name="thin", atMost=1)]))
    selection = select(policy, "mild", {"batch": forbidden, "thin": [deployment()]})
    assert selection.blocked == (BlockedTarget(action="batch", target=None, blocked=forbidden),)
    assert selection.unread == {"batch"}
    assert values(selection) == {"thumbnailer": {REPLICAS: 1}}


def test_autoscalers_that_could_not_be_read_stop_what_changes_replicas_and_nothing_else() -> None:
    forbidden = Blocked(reason="Forbidden", message="may not list horizontalpodautoscalers in shop")
    cron_jobs = shed("nightly", criticalities=["C5"], kinds=["CronJob"])
    policy = spec(("mild", [shed("batch"), scale(name="thin", atMost=1), cron_jobs, turn(name="off")]))
    nightly = found("CronJob", "nightly", spec={"suspend": False})
    seen = {"batch": [deployment("a")], "thin": [deployment()], "nightly": [nightly], "off": [FLAGS]}
    selection = select(policy, "mild", seen, around=Surroundings(unread=forbidden))
    assert list(values(selection)) == ["nightly", "shop"]
    assert selection.unread == {"batch", "thin"}
    assert {each.blocked for each in selection.blocked} == {forbidden}


def test_a_blocked_target_is_blocked_alone_and_the_others_are_taken() -> None:
    vital = deployment("front", labels={"brownout.dev/criticality": "C1"})
    selection = select(spec(("mild", [shed()])), "mild", {"act": [deployment("a"), vital, deployment("b")]})
    assert list(values(selection)) == ["a", "b"]
    assert reasons(selection) == [("act", "front", "Criticality")]


def lent(one: Found, value: Value, at: float, by: PolicyRef = OTHER) -> Found:
    """The flag turned to `value` by another policy (or `by`)."""
    turned = held(one, DEFAULT, value, action="theirs", at=at, by=by, order=Order.NONE)
    return held(turned, TARGETING, ABSENT, action="theirs", at=at, by=by, order=Order.NONE)


@pytest.mark.parametrize(
    ("one", "expected", "blocked"),
    [
        pytest.param(
            lent(FLAGS, "lite", 1.0),
            {},
            [("act", "shop", "HeldByOther")],
            id="a flag that another policy turned otherwise is blocked whole, its targeting included",
        ),
        pytest.param(
            lent(FLAGS, "off", 1.0),
            {"shop": {DEFAULT: "off", TARGETING: ABSENT}},
            [],
            id="a flag that another policy turned the same way is claimed too",
        ),
        pytest.param(
            lent(lent(FLAGS, "off", 1.0, POLICY), "lite", 2.0),
            {"shop": {DEFAULT: "off", TARGETING: ABSENT}},
            [],
            id="our claim that came first holds against a later one",
        ),
        pytest.param(
            lent(lent(FLAGS, "lite", 1.0, POLICY), "lite", 2.0),
            {},
            [("act", "shop", "HeldByOther")],
            id="our claim does not turn a flag further that another policy holds too",
        ),
    ],
)
def test_a_flag_that_another_policy_holds(one: Found, expected: object, blocked: object) -> None:
    selection = select(spec(("mild", [turn("off")])), "mild", {"act": [one]})
    assert (values(selection), reasons(selection)) == (expected, blocked)


def test_a_flag_held_by_another_policy_is_said_with_its_name_and_level() -> None:
    selection = select(spec(("mild", [turn("off")])), "mild", {"act": [lent(FLAGS, "lite", 1.0)]})
    expected = "FeatureFlag shop/shop is held by policy shop/search at level mild, and it came first"
    assert selection.blocked[0].blocked.message == expected


@pytest.mark.parametrize(
    ("act", "blocked"),
    [
        pytest.param(scale(atMost=2), [], id="two wishes to lower have an order, and both may stand"),
        pytest.param(
            scale(atLeast=9),
            [("act", "thumbnailer", "HeldByOther")],
            id="a wish to raise has no order against one to lower",
        ),
    ],
)
def test_a_workload_that_another_policy_lowered(act: Action, blocked: object) -> None:
    one = held(deployment(), REPLICAS, 1, action="theirs", by=OTHER)
    assert reasons(select(spec(("mild", [act])), "mild", {"act": [one]})) == blocked


def test_a_flag_that_another_policy_has_just_given_back_is_free() -> None:
    one = lent(FLAGS, "lite", 1.0)
    entries = {where: replace(entry, restored=True) for where, entry in one.held.items()}
    given_back = replace(FLAGS, ledger=Ledger(take="t", uid=FLAGS.target.uid, entries=entries))
    selection = select(spec(("mild", [turn("off")])), "mild", {"act": [given_back]})
    assert values(selection) == {"shop": {DEFAULT: "off", TARGETING: ABSENT}}


def test_a_higher_level_blocked_by_another_policy_leaves_the_lower_levels_claim() -> None:
    one = lent(FLAGS, "lite", 1.0)
    selection = select(TWO_LEVELS, "hard", {"lite": [one], "off": [one]})
    assert values(selection) == {"shop": {DEFAULT: "lite", TARGETING: ABSENT}}
    assert reasons(selection) == [("off", "shop", "HeldByOther")]


def many(*names: str) -> list[Found]:
    return [deployment(name) for name in names]


def keep(name: str) -> Found:
    return held(deployment(name), REPLICAS, 0, action="batch")


THREE = {"maxTargets": 3}
BATCH = spec(("mild", [shed("batch")]), ("hard", [shed("more", criticalities=["C4"])]), safety=THREE)


@pytest.mark.parametrize(
    ("seen", "expected", "blocked"),
    [
        pytest.param(
            {"batch": many("a", "b", "c"), "more": []}, ["a", "b", "c"], [], id="as many targets as allowed are taken"
        ),
        pytest.param(
            {"batch": many("a", "b", "c", "d"), "more": []},
            [],
            ["batch"],
            id="an action beyond the budget takes nothing, not a part",
        ),
        pytest.param(
            {"batch": many("a", "b"), "more": many("c", "d")},
            ["a", "b"],
            ["more"],
            id="targets count over all levels and the earlier action keeps its own",
        ),
        pytest.param(
            {"batch": many("a", "b"), "more": many("b", "c")},
            ["a", "b", "c"],
            [],
            id="a target counted by an earlier action costs nothing",
        ),
        pytest.param(
            {"batch": many("a", "b", "c", "d"), "more": many("e")},
            ["e"],
            ["batch"],
            id="a blocked action leaves the budget to a later one",
        ),
        pytest.param(
            {"batch": [*many("a", "b", "c"), deployment("d", replicas=0)], "more": []},
            ["a", "b", "c"],
            [],
            id="a target of which nothing is wanted does not count",
        ),
        pytest.param(
            {"batch": [*many("a", "b", "c"), deployment("d", labels={"brownout.dev/criticality": "C1"})], "more": []},
            ["a", "b", "c"],
            [],
            id="a target that is never taken does not count",
        ),
        pytest.param(
            {"batch": [keep("a"), keep("b"), *many("c", "d")], "more": []},
            ["a", "b"],
            ["batch"],
            id="workloads that appear while degraded are not taken and give back nothing that is held",
        ),
        pytest.param(
            {"batch": [keep("a"), keep("b"), keep("c"), keep("d")], "more": []},
            ["a", "b", "c", "d"],
            [],
            id="a budget that is lowered while degraded gives nothing back",
        ),
        pytest.param(
            {"batch": [keep("a"), keep("b"), keep("c"), keep("d")], "more": [keep("a")]},
            ["a", "b", "c", "d"],
            [],
            id="a later action on targets that are held beyond a lowered budget costs nothing",
        ),
    ],
)
def test_the_budget_of_targets(seen: dict[str, list[Found]], expected: list[str], blocked: list[str]) -> None:
    selection = select(BATCH, "hard", seen)
    assert [each.name for each in selection.order] == expected
    over = [each.action for each in selection.blocked if each.blocked.reason == "MaxTargets"]
    assert over == blocked


def test_a_budget_that_is_exceeded_says_by_how_much_and_what_to_do() -> None:
    selection = select(BATCH, "mild", {"batch": many("a", "b", "c", "d")})
    assert selection.blocked[0].target is None
    assert selection.blocked[0].blocked.message == (
        "would make 4 targets, beyond safety.maxTargets 3: takes nothing; raise maxTargets or narrow the action"
    )


names = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


@given(names, names, st.integers(min_value=1, max_value=8))
def test_a_policy_that_holds_nothing_never_claims_more_targets_than_its_budget(
    first: list[str], second: list[str], limit: int
) -> None:
    policy = spec(*(("mild", [shed("one")]), ("hard", [shed("two")])), safety={"maxTargets": limit})
    selection = select(policy, "hard", {"one": many(*first), "two": many(*second)})
    assert len(selection.wants) <= limit
    taken = {each.name for each in selection.order}
    for action, wished in (("one", first), ("two", second)):
        if action not in {each.action for each in selection.blocked}:
            assert set(wished) <= taken, "an action that is not blocked is taken whole"


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_a_higher_level_decides_alone_whatever_the_level_below_wanted(low: int, high: int, original: int) -> None:
    policy = spec(("mild", [scale(name="low", atMost=low)]), ("hard", [scale(name="high", atMost=high)]))
    one = deployment(replicas=original)
    expected = {"thumbnailer": {REPLICAS: high}} if high < original else {}
    assert values(select(policy, "hard", {"low": [one], "high": [one]})) == expected


def test_an_object_that_is_not_a_workload_is_found_by_its_own_kind() -> None:
    policy = spec(("mild", [set_key()]))
    one = found("ConfigMap", "shop-flags", immutable=True)
    assert reasons(select(policy, "mild", {"act": [one]})) == [("act", "shop-flags", "Immutable")]
