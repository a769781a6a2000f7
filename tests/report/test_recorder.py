"""The recorder: events reach the API server, or are counted, and nobody waits for either."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from brownout.api.reasons import BlockedReason
from brownout.api.refs import Target
from brownout.cluster.port import Answer
from brownout.report import events
from brownout.report.events import Event
from brownout.report.facts import BlockedAction
from brownout.report.metrics import Metrics
from brownout.report.recorder import WAITING, Recorder
from brownout.report.series import MOST_REMEMBERED, Buckets, SeriesBook
from brownout.testing.clock import VirtualClock
from tests.report.api_server import SmallServer, refused, unanswered
from tests.report.evaluations import REF, blocked, held, target


class Bench:
    """A recorder at work on a small server."""

    def __init__(self, *script: Answer) -> None:
        self.server = SmallServer(*script)
        self.clock = VirtualClock()
        self.metrics = Metrics()
        self.recorder = Recorder(self.server, self.clock, self.metrics, instance="brownout-0")

    def dropped(self, reason: str) -> float:
        return self.metrics.registry.get_sample_value("brownout_events_dropped_total", {"reason": reason}) or 0

    def written(self) -> float:
        return self.metrics.registry.get_sample_value("brownout_events_written_total") or 0

    async def say(self, *said: Event) -> None:
        self.recorder.record(*said)
        assert await self.recorder.flush(5) == 0


def at_work(bench: Bench, story: Callable[[Bench], Awaitable[None]]) -> None:
    async def play() -> None:
        task = asyncio.create_task(bench.recorder.run())
        try:
            await story(bench)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(play())


def lost(name: str = "checkout") -> Event:
    return events.signals_lost(replace(REF, name=name, uid=f"uid-{name}"), "p99: NoData")


def test_an_event_is_written_as_the_api_demands() -> None:
    bench = Bench()
    at_work(bench, lambda it: it.say(events.taken(held(), "p99 2.31 > 2")))

    (body,) = bench.server.events.values()
    assert body["metadata"]["name"].startswith("thumbnailer.")
    assert body["regarding"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "thumbnailer",
        "namespace": "shop",
        "uid": "uid-thumbnailer",
    }
    assert body["related"]["kind"] == "DegradationPolicy"
    assert (body["reason"], body["action"], body["type"]) == ("Taken", "Take", "Normal")
    assert body["reportingController"] == "brownout.dev/operator"
    assert "series" not in body
    assert bench.written() == 1


def test_what_repeats_becomes_a_series_that_is_written_ever_more_rarely() -> None:
    bench = Bench()

    async def story(it: Bench) -> None:
        for _ in range(20):
            await it.say(lost())
            await it.clock.advance(10)

    at_work(bench, story)

    (body,) = bench.server.events.values()
    assert body["series"]["count"] == 16
    assert body["series"]["lastObservedTime"] == "2027-01-15T08:02:30.000000Z"
    assert len(bench.server.sent) == 5


def test_the_same_after_a_long_silence_is_a_new_event() -> None:
    bench = Bench()

    async def story(it: Bench) -> None:
        await it.say(lost())
        await it.clock.advance(361)
        await it.say(lost())

    at_work(bench, story)

    assert len(bench.server.events) == 2


@pytest.mark.parametrize(
    ("first", "second", "written"),
    [
        pytest.param(lost(), lost("ledger"), 2, id="two policies"),
        pytest.param(
            events.escalated(REF, "Normal", "trimmed", "p99 0.9 > 0.8"),
            events.escalated(REF, "trimmed", "core-only", "p99 2.1 > 2"),
            2,
            id="two levels: the note cannot be changed, so it must not hide the second",
        ),
        pytest.param(
            events.escalated(REF, "Normal", "trimmed", "p99 0.9 > 0.8"),
            events.escalated(REF, "Normal", "trimmed", "p99 1.1 > 0.8"),
            1,
            id="the same level with other numbers is a repetition",
        ),
        pytest.param(
            events.taken(held("a"), "why").mirrored(), events.taken(held("b"), "why").mirrored(), 2, id="two targets"
        ),
        pytest.param(events.taken(held(applied=1), "why"), events.taken(held(applied=0), "why"), 2, id="two values"),
    ],
)
def test_what_counts_as_a_repetition(first: Event, second: Event, written: int) -> None:
    bench = Bench()
    at_work(bench, lambda it: it.say(first, second))

    assert len(bench.server.events) == written


def test_repetitions_that_come_before_the_first_is_written_are_created_as_a_series() -> None:
    bench = Bench()
    at_work(bench, lambda it: it.say(lost(), lost(), lost()))

    (body,) = bench.server.events.values()
    assert body["series"]["count"] == 3


def test_what_repeats_while_it_waits_is_sent_once() -> None:
    bench = Bench()
    at_work(bench, lambda it: it.say(*[lost()] * 16))

    assert len(bench.server.sent) == 1


def test_a_repetition_that_does_not_fit_takes_nothing_away_from_what_waits_and_a_first_one_is_tried_again() -> None:
    bench = Bench()

    async def story(it: Bench) -> None:
        it.server.hang = asyncio.Event()
        it.recorder.record(*[lost(f"policy-{index}") for index in range(WAITING)])
        it.recorder.record(lost("late"), lost(f"policy-{WAITING - 1}"))
        it.server.hang.set()
        await it.recorder.flush(5)
        it.recorder.record(lost("late"))
        await it.recorder.flush(5)

    at_work(bench, story)

    written = {each["regarding"]["name"]: each for each in bench.server.events.values()}
    assert len(written) == WAITING + 1
    assert written[f"policy-{WAITING - 1}"]["series"]["count"] == 2
    assert "series" not in written["late"]
    assert bench.dropped("QueueFull") == 1


def test_one_object_cannot_flood_and_another_is_not_held_up_by_it() -> None:
    bench = Bench()
    many = [events.blocked(REF, action) for action in _obstacles(40)]

    async def story(it: Bench) -> None:
        await it.say(*many, lost("ledger"))
        await it.clock.advance(60)
        await it.say(events.all_given_back(REF))

    at_work(bench, story)

    assert len(bench.server.events) == 25 + 1 + 1
    assert bench.dropped("RateLimited") == 15


def test_a_server_that_hangs_holds_up_nobody_and_what_does_not_fit_is_counted() -> None:
    bench = Bench()

    async def story(it: Bench) -> None:
        it.server.hang = asyncio.Event()
        for index in range(WAITING + 51):
            it.recorder.record(lost(f"policy-{index}"))
            await asyncio.sleep(0)
        assert await it.recorder.flush(0.01) > 0
        it.server.hang.set()
        it.server.hang = None
        await it.recorder.flush(5)

    at_work(bench, story)

    assert bench.dropped("QueueFull") == 50
    assert len(bench.server.events) == WAITING + 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(refused(403, "namespace is being terminated"), "Forbidden", id="a terminating namespace"),
        pytest.param(unanswered(), "Unanswered", id="no answer"),
        pytest.param(refused(500), "Refused", id="a failing server"),
    ],
)
def test_a_failure_is_counted_not_retried_and_the_next_occurrence_is_written(answer: Answer, reason: str) -> None:
    bench = Bench(answer)

    async def story(it: Bench) -> None:
        await it.say(lost())
        assert (it.dropped(reason), len(it.server.events)) == (1, 0)
        await it.say(lost())

    at_work(bench, story)

    (body,) = bench.server.events.values()
    assert "series" not in body


def test_a_series_whose_event_has_expired_starts_again() -> None:
    bench = Bench()

    async def story(it: Bench) -> None:
        await it.say(lost())
        it.server.events.clear()
        await it.say(lost())
        await it.say(lost())

    at_work(bench, story)

    assert len(bench.server.events) == 1
    assert bench.dropped("Refused") == 1


def test_long_notes_and_names_are_cut_to_bytes_and_cluster_scoped_objects_go_to_default() -> None:
    bench = Bench()
    source = Target(api_version="brownout.dev/v1alpha1", kind="PrometheusSource", namespace="", name="s" * 253, uid="u")
    at_work(bench, lambda it: it.say(events.stale_ledger_removed(source, "é" * 5000)))

    (body,) = bench.server.events.values()
    assert body["metadata"]["namespace"] == "default"
    assert 1000 < len(body["note"].encode()) <= 1024


def test_what_is_remembered_is_bounded() -> None:
    book, buckets = SeriesBook(), Buckets()
    for index in range(MOST_REMEMBERED + 10):
        event = replace(lost(), regarding=target(f"web-{index}"))
        book.start(event, "name", float(index))
        assert buckets.take(f"uid-{index}", float(index))

    assert (len(book), len(buckets)) == (MOST_REMEMBERED, MOST_REMEMBERED)


def _obstacles(count: int) -> list[BlockedAction]:
    return [blocked(BlockedReason.CONTROLLED, on=f"Deployment web-{at}") for at in range(count)]
