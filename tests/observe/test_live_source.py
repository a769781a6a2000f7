"""A whole tick against a server: each query its own answer, bad ones found and put aside, requests bounded."""

import asyncio
import time
from collections.abc import Sequence

from brownout.api.reasons import MissingReason
from brownout.api.source import SourceSpec
from brownout.decide.model import Missing, Reading, Seen
from brownout.observe.access import Access
from brownout.observe.live import LiveSource, SourceHealth
from brownout.observe.register import Register
from tests.observe.misbehaving import AT, Behaviour, Exchange, Numbers, ShiftedClock, serving, spec

Ticks = Sequence[Sequence[Seen]]


class Rig:
    """One source over several ticks; the clock may be put forward between them."""

    def __init__(self, source: SourceSpec, *, still: bool = False) -> None:
        self.clock = ShiftedClock(still=still)
        self.live = LiveSource("main", source, Access(), self.clock, Register())

    async def tick(self, queries: Sequence[str]) -> Sequence[Seen]:
        return await self.live.evaluate(queries)


def reasons(seen: Sequence[Seen]) -> list[MissingReason | None]:
    return [one.reason if isinstance(one, Missing) else None for one in seen]


def blind(seen: Sequence[Seen]) -> list[int]:
    """The places that got no number."""
    return [nr for nr, one in enumerate(seen) if isinstance(one, Missing)]


def names(count: int) -> list[str]:
    return [f"m{nr}" for nr in range(count)]


def valued(count: int) -> dict[str, str]:
    return {name: str(nr) for nr, name in enumerate(names(count))}


def run(numbers: Behaviour, queries: Sequence[str], ticks: int, timeout: float = 5.0) -> Ticks:
    async def all_ticks(url: str) -> Ticks:
        rig = Rig(spec(url, timeout), still=True)
        seen = [await rig.tick(queries) for _ in range(ticks)]
        rig.live.close()
        return seen

    with serving(numbers) as server:
        return asyncio.run(all_ticks(server.url))


def test_the_first_tick_asks_bare_and_the_next_in_batches() -> None:
    numbers = Numbers(values=valued(150))
    first, second = run(numbers, names(150), ticks=2)
    expected = [Reading(value=float(nr), at=AT) for nr in range(150)]
    assert list(first) == expected
    assert list(second) == expected
    assert [len(asked) for asked in numbers.asked] == [1] * 150 + [75, 75]


def test_equal_expressions_are_asked_once_and_answered_each() -> None:
    numbers = Numbers(values={"a": "1", "b": "2"})
    (seen,) = run(numbers, ["a", "b", "a"], ticks=1)
    assert [one.value for one in seen if isinstance(one, Reading)] == [1, 2, 1]
    assert len(numbers.asked) == 2


def test_nothing_to_ask_asks_nothing() -> None:
    numbers = Numbers()
    assert list(run(numbers, [], ticks=1)[0]) == []
    assert numbers.asked == []


def test_a_scalar_shares_a_batch() -> None:
    numbers = Numbers(values={"a": "1", "time()": "9"}, scalars={"time()"})
    _, seen = run(numbers, ["a", "time()"], ticks=2)
    assert seen == [Reading(value=1, at=AT), Reading(value=9, at=AT)]
    assert numbers.asked[-1] == ["a", "time()"]


def test_a_bad_new_query_is_its_own_fault_and_then_costs_nothing() -> None:
    numbers = Numbers(values=valued(99), bad={"bad"})
    queries = [*names(99), "bad"]
    first, second = run(numbers, queries, ticks=2)
    assert reasons(first) == [None] * 99 + [MissingReason.BAD_QUERY]
    assert second == first
    assert [len(asked) for asked in numbers.asked[100:]] == [99]


def test_members_that_turn_bad_are_found_at_once_and_spare_the_others() -> None:
    numbers = Numbers(values=valued(100))

    async def story(url: str) -> tuple[Sequence[Seen], int, int]:
        rig = Rig(spec(url, 5.0), still=True)
        await rig.tick(names(100))
        await rig.tick(names(100))
        before = len(numbers.asked)
        numbers.bad = {"m17", "m62"}
        seen = await rig.tick(names(100))
        searching = len(numbers.asked) - before
        await rig.tick(names(100))
        quiet = len(numbers.asked) - before - searching
        rig.live.close()
        return seen, searching, quiet

    with serving(numbers) as server:
        seen, searching, quiet = asyncio.run(story(server.url))
    assert blind(seen) == [17, 62]
    assert searching <= 1 + 2 * 2 * 7
    assert quiet == 1


def test_a_mended_query_comes_back_by_itself() -> None:
    numbers = Numbers(values={"a": "1", "b": "2"}, bad={"b"})

    async def story(url: str) -> Ticks:
        rig = Rig(spec(url, 5.0), still=True)
        seen = [await rig.tick(["a", "b"])]
        numbers.bad = set()
        seen.append(await rig.tick(["a", "b"]))
        rig.clock.ahead += 5.1
        seen += [await rig.tick(["a", "b"]), await rig.tick(["a", "b"])]
        rig.live.close()
        return seen

    with serving(numbers) as server:
        before, paused, mended, batched = asyncio.run(story(server.url))
    assert reasons(before) == reasons(paused) == [None, MissingReason.BAD_QUERY]
    assert reasons(mended) == reasons(batched) == [None, None]
    assert numbers.asked[-1] == ["a", "b"]


def test_when_all_turn_bad_the_search_is_bounded_and_ends() -> None:
    numbers = Numbers(values=valued(80))

    async def story(url: str) -> tuple[list[int], Sequence[Seen]]:
        rig = Rig(spec(url, 20.0), still=True)
        await rig.tick(names(80))
        numbers.bad = set(names(80))
        costs = []
        for _ in range(4):
            before = len(numbers.asked)
            seen = await rig.tick(names(80))
            costs.append(len(numbers.asked) - before)
        rig.live.close()
        return costs, seen

    with serving(numbers) as server:
        costs, seen = asyncio.run(story(server.url))
    assert max(costs) <= 102
    assert costs[-1] == 0
    assert set(reasons(seen)) == {MissingReason.BAD_QUERY}


def test_a_source_that_takes_no_large_batches_gets_smaller_ones() -> None:
    numbers = Numbers(values=valued(100), largest=30)
    *_, last = run(numbers, names(100), ticks=4)
    assert set(reasons(last)) == {None}
    assert max(len(asked) for asked in numbers.asked[-4:]) <= 30


def test_a_slow_member_is_isolated_over_ticks_and_the_others_come_back() -> None:
    numbers = Numbers(values=valued(20))

    async def story(url: str) -> tuple[Ticks, list[int]]:
        rig = Rig(spec(url, 0.4), still=True)
        await rig.live.answer(names(20), 20.0)
        numbers.slow = {"m5"}
        seen: list[Sequence[Seen]] = []
        costs: list[int] = []
        while len(seen) < 20 and (not seen or blind(seen[-1]) != [5]):
            before = len(numbers.asked)
            seen.append(await rig.tick(names(20)))
            costs.append(len(numbers.asked) - before)
        rig.live.close()
        return seen, costs

    with serving(numbers) as server:
        seen, costs = asyncio.run(story(server.url))
    assert blind(seen[0]) == list(range(20))
    assert blind(seen[-1]) == [5]
    assert reasons(seen[-1])[5] is MissingReason.TIMED_OUT
    assert max(costs) <= 18


def test_a_member_that_breaks_the_server_is_isolated_too() -> None:
    numbers = Numbers(values=valued(50))

    async def story(url: str) -> Sequence[Seen]:
        rig = Rig(spec(url, 5.0), still=True)
        await rig.tick(names(50))
        numbers.fatal = {"m7"}
        for _ in range(9):
            seen = await rig.tick(names(50))
        rig.live.close()
        return seen

    with serving(numbers) as server:
        seen = asyncio.run(story(server.url))
    assert blind(seen) == [7]
    assert reasons(seen)[7] is MissingReason.SOURCE_DOWN


def test_a_source_that_hangs_is_not_held_against_its_queries() -> None:
    numbers = Numbers(values={"a": "1"}, slow={"a"})

    async def story(url: str) -> Ticks:
        rig = Rig(spec(url, 0.3))
        seen = [await rig.tick(["a"]) for _ in range(3)]
        numbers.slow = set()
        seen.append(await rig.tick(["a"]))
        rig.live.close()
        return seen

    with serving(numbers) as server:
        *hung, back = asyncio.run(story(server.url))
    assert [reasons(one) for one in hung] == [[MissingReason.TIMED_OUT]] * 3
    assert reasons(back) == [None]


def test_a_crowd_of_series_leaves_its_batch() -> None:
    numbers = Numbers(values=valued(10))

    async def story(url: str) -> tuple[Ticks, int]:
        rig = Rig(spec(url, 5.0), still=True)
        await rig.tick(names(10))
        numbers.crowds = {"m3": 500}
        seen = [await rig.tick(names(10)), await rig.tick(names(10))]
        rig.live.close()
        return seen, len(numbers.asked[-1])

    with serving(numbers) as server:
        seen, size = asyncio.run(story(server.url))
    for tick in seen:
        assert blind(tick) == [3]
        assert reasons(tick)[3] is MissingReason.SEVERAL_SERIES
    assert size == 9


def test_a_source_that_is_down_is_down_for_all_with_few_requests() -> None:
    requests = 0

    def gone(exchange: Exchange) -> None:
        nonlocal requests
        requests += 1
        exchange.send(404, b"404 page not found", "text/plain")

    (seen,) = run(gone, names(300), ticks=1)
    assert set(reasons(seen)) == {MissingReason.SOURCE_DOWN}
    assert len({one.message for one in seen if isinstance(one, Missing)}) == 1
    assert requests <= 8


def test_nothing_takes_longer_than_the_deadline() -> None:
    async def story(url: str) -> tuple[Sequence[Seen], float]:
        rig = Rig(spec(url, 0.3, max_connections=2))
        begun = time.monotonic()
        seen = await rig.tick(names(500))
        took = time.monotonic() - begun
        rig.live.close()
        return seen, took

    with serving(lambda exchange: exchange.hang()) as server:
        seen, took = asyncio.run(story(server.url))
        assert len(server.requests) <= 4
    assert set(reasons(seen)) == {MissingReason.TIMED_OUT}
    assert took < 1.5


def test_an_answer_that_gives_a_foreign_place_is_trusted_for_nobody() -> None:
    numbers = Numbers(values=valued(2))

    def forged(exchange: Exchange) -> None:
        if "__sig__" in exchange.query:
            exchange.result("vector", [{"metric": {"__sig__": "7"}, "value": [AT, "1"]}])
        else:
            numbers(exchange)

    _, seen = run(forged, names(2), ticks=2)
    assert reasons(seen) == [MissingReason.BAD_ANSWER] * 2


def test_text_that_is_no_unicode_harms_nobody() -> None:
    (seen,) = run(Numbers(values={"a": "1"}), ["a", "\ud800"], ticks=1)
    assert reasons(seen) == [None, MissingReason.NO_DATA]


def checked(behave: Behaviour) -> SourceHealth:
    async def story(url: str) -> SourceHealth:
        rig = Rig(spec(url))
        health = await rig.live.check(2.0)
        rig.live.close()
        return health

    with serving(behave) as server:
        return asyncio.run(story(server.url))


def test_the_version_is_told() -> None:
    health = checked(lambda x: x.send_json({"status": "success", "data": {"version": "3.16.0"}}))
    assert health == SourceHealth(ready=True, version="3.16.0", reason="Answering", message="version 3.16.0 answers")


def test_a_source_without_a_version_proves_itself_with_a_query() -> None:
    def mimir(exchange: Exchange) -> None:
        if exchange.command == "GET":
            exchange.send(404, b"404 page not found", "text/plain")
        else:
            exchange.result("vector", [])

    health = checked(mimir)
    assert (health.ready, health.version) == (True, None)


def test_a_web_page_is_no_source() -> None:
    health = checked(lambda x: x.send(200, b"<html>", "text/html"))
    assert (health.ready, health.reason) == (False, MissingReason.BAD_ANSWER)
