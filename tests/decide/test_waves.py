"""Giving back: the last taken first, a wave at a time."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout.api.refs import Target
from brownout.decide.waves import Owed, Wave, next_wave

NOW = 1_800_000_000.0


def target(name: str) -> Target:
    return Target(api_version="apps/v1", kind="Deployment", namespace="shop", name=name, uid=f"uid-{name}")


def owed(*names: str) -> list[Owed]:
    """Taken in this order, ten seconds apart, before now."""
    return [Owed(target=target(name), taken_at=NOW - 600 + 10 * n, order=0) for n, name in enumerate(names)]


def names(targets: Sequence[Target]) -> str:
    return "".join(each.name for each in targets)


def wave(members: str, *, since: float = NOW - 10, overdue: str = "") -> Wave:
    return Wave(targets=tuple(map(target, members)), since=since, overdue=tuple(map(target, overdue)))


@pytest.mark.parametrize(
    ("held", "last", "unavailable", "now", "then", "overdue"),
    [
        pytest.param("abcdef", None, "", "fe", "fe", "", id="the first wave: the last taken"),
        pytest.param("abcdef", wave("fe"), "", "fe", "fe", "", id="a wave that is not given back yet goes on"),
        pytest.param("abcde", wave("fe"), "", "e", "fe", "", id="half of it given back: the other half"),
        pytest.param("abcd", wave("fe"), "e", "", "fe", "", id="given back but not available: nothing goes"),
        pytest.param("abcd", wave("fe"), "", "dc", "dc", "", id="available: the next wave"),
        pytest.param("abcd", wave("fe", since=NOW - 120), "fe", "dc", "dc", "", id="after two minutes: the next wave"),
        pytest.param("abcd", wave("fe", since=NOW - 119), "fe", "", "fe", "", id="before two minutes: not yet"),
        pytest.param(
            "abcdef",
            wave("fe", since=NOW - 120),
            "",
            "fedc",
            "dc",
            "fe",
            id="what is overdue is tried with the next",
        ),
        pytest.param(
            "abf", wave("dc", overdue="fe"), "", "fba", "ba", "f", id="what was overdue and is given back is forgotten"
        ),
        pytest.param("f", wave("ba", overdue="f"), "", "f", "", "f", id="only the overdue left: tried again and again"),
        pytest.param("a", wave("cb"), "", "a", "a", "", id="the last wave may be smaller"),
        pytest.param("", wave("ba"), "a", "", "ba", "", id="all given back, the last not available yet: not ended"),
    ],
)
def test_next_wave(held: str, last: Wave | None, unavailable: str, now: str, then: str, overdue: str) -> None:
    waves = next_wave(owed(*held), last, lambda each: each.name not in unavailable, 2, NOW)
    assert names(waves.now) == now
    assert waves.wave is not None
    assert (names(waves.wave.targets), names(waves.wave.overdue)) == (then, overdue)
    assert waves.ended is (then == "")


@pytest.mark.parametrize("last", [None, wave("ba")], ids=["never begun", "the last is available"])
def test_nothing_owed_is_the_end(last: Wave | None) -> None:
    waves = next_wave([], last, lambda _: True, 5, NOW)
    assert (waves.now, waves.wave, waves.ended) == ((), None, True)


def test_of_what_was_taken_at_the_same_time_the_later_action_and_the_later_target_goes_first() -> None:
    taken = [
        Owed(target=target("a"), taken_at=NOW - 9, order=0),
        Owed(target=target("d"), taken_at=NOW - 9, order=2),
        Owed(target=target("b"), taken_at=NOW - 9, order=1),
        Owed(target=target("c"), taken_at=NOW - 9, order=1),
    ]
    assert names(next_wave(taken, None, lambda _: True, 9, NOW).now) == "dcba"


def test_a_target_with_several_fields_counts_once() -> None:
    taken = [Owed(target=target(name), taken_at=NOW - 9, order=0) for name in "abba"]
    assert names(next_wave(taken, None, lambda _: True, 9, NOW).now) == "ab"


def test_a_wave_that_began_in_the_future_waits_two_minutes_from_now() -> None:
    first = next_wave(owed("a"), wave("b", since=NOW + 3600), lambda _: False, 1, NOW)
    assert first.now == ()
    assert names(next_wave(owed("a"), first.wave, lambda _: False, 1, NOW + 120).now) == "a"


@given(
    st.integers(1, 25),
    st.integers(1, 7),
    st.sets(st.integers(0, 24)),
    st.sets(st.integers(0, 24)),
)
def test_everything_that_can_be_given_back_is_in_waves_of_that_size_and_in_reverse(
    count: int, size: int, stuck: set[int], sick: set[int]
) -> None:
    held = owed(*(f"t{n:02}" for n in range(count)))
    cannot, unwell = ({f"t{n:02}" for n in each} for each in (stuck, sick))
    last: Wave | None = None
    given_back: list[str] = []
    fresh: list[str] = []
    now = NOW
    for _ in range(200):
        waves = next_wave(held, last, lambda each: each.name not in unwell, size, now)
        if waves.wave != last and waves.wave is not None:
            assert len(waves.wave.targets) <= size
            fresh += [each.name for each in waves.wave.targets]
        last = waves.wave
        back = {each.name for each in waves.now} - cannot
        given_back += sorted(back, reverse=True)
        held = [each for each in held if each.target.name not in back]
        if waves.ended:
            break
        now += 30
    assert fresh == sorted(fresh, reverse=True)
    assert given_back == [name for name in fresh if name not in cannot]
    assert {each.target.name for each in held} == cannot & set(fresh)
    assert len(fresh) == count
