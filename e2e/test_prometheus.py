"""The source against the real Prometheus: every query its own number or its own reason, whatever its neighbours are."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable, Sequence

import pytest

from brownout.api.reasons import MissingReason
from brownout.api.source import SourceSpec
from brownout.clock import SystemClock
from brownout.decide.model import Missing, Reading, Seen
from brownout.observe.access import Access
from brownout.observe.live import LiveSource, SourceHealth
from brownout.observe.register import Register
from e2e.controlplane.handle import Controlplane
from e2e.fixtures.relay import Relay
from e2e.gauge import Gauges


class Requests:
    """Counts requests by outcome."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def __call__(self, seconds: float, outcome: str) -> None:
        self.outcomes.append(outcome)


def ticks(url: str, queries: Sequence[str], count: int = 2, told: Requests | None = None) -> list[Sequence[Seen]]:
    async def story() -> list[Sequence[Seen]]:
        source = SourceSpec(url=url, timeout=20.0)
        live = LiveSource("main", source, Access(), SystemClock(), Register(), told or Requests())
        try:
            return [await live.evaluate(queries) for _ in range(count)]
        finally:
            live.close()

    return asyncio.run(story())


def shown(seen: Seen) -> float | str:
    return seen.value if isinstance(seen, Reading) else seen.reason.value


TWO = 'label_replace(vector(1), "a", "x", "", "") or label_replace(vector(1), "a", "y", "", "")'

EACH = [
    pytest.param("vector(5)", 5.0, id="a vector of one is a number"),
    pytest.param("5", 5.0, id="a scalar is a number"),
    pytest.param("0 * time() + 7", 7.0, id="a computed scalar is a number"),
    pytest.param("1 / 0", "Infinite", id="a scalar infinity is Infinite"),
    pytest.param("NaN", "NoTraffic", id="a scalar NaN is no traffic"),
    pytest.param('"five"', "NotANumber", id="a string is no number"),
    pytest.param("vector(0) / 0", "NoTraffic", id="NaN is no traffic"),
    pytest.param("vector(1) / 0", "Infinite", id="plus infinity is Infinite"),
    pytest.param("vector(-1) / 0", "Infinite", id="minus infinity is Infinite"),
    pytest.param("nothing_has_this_name", "NoData", id="an empty vector is no data"),
    pytest.param("vector(1) > 2", "NoData", id="a comparison that drops all is no data"),
    pytest.param(TWO, "SeveralSeries", id="two series are several"),
    pytest.param("up[5m]", "NotANumber", id="a range is no number"),
    pytest.param("sum(", "BadQuery", id="half a query is bad"),
    pytest.param("", "BadQuery", id="no query is bad"),
    pytest.param("# nothing but this", "BadQuery", id="a comment alone is bad"),
    pytest.param("vector(3) # three", 3.0, id="a comment at the end is ended with the query"),
    pytest.param("# before\nvector(3) # in\n + 1 # after", 4.0, id="comments everywhere"),
    pytest.param("sum(vector(1) offset 5m)", "BadQuery", id="an offset where the grammar has none"),
    pytest.param("vector(2) @ start()", "BadQuery", id="a modifier where the grammar has none"),
    pytest.param('vector(1),"__sig__","0","","") or (vector(9)', "BadQuery", id="closing the parenthesis to forge"),
    pytest.param('up),"__sig__","0","","") or label_replace((vector(9)', "BadQuery", id="forging a whole member"),
    pytest.param('vector(1)\n),"__sig__","0","","") # ', "BadQuery", id="forging with a comment to hide the rest"),
    pytest.param(
        'label_replace(vector(8), "__sig__", "0", "", "")', 8.0, id="our own label in a query changes nothing"
    ),
    pytest.param('label_replace(vector(1), "b", ")\\"#(", "", "")', 1.0, id="brackets and quotes in a string"),
    pytest.param("vector(1) + on() vector(2)", 3.0, id="matching"),
    pytest.param("-vector(2) ^ 2", -4.0, id="a sign keeps its binding"),
    pytest.param("vector(1) or vector(2)", 1.0, id="an or inside stays inside"),
    pytest.param("vector(0) == bool 0 unless vector(1) > 2", 1.0, id="loose operators stay inside"),
    pytest.param("1 > bool 0", 1.0, id="a scalar comparison"),
]


@pytest.mark.parametrize(("query", "expected"), EACH)
def test_alone_and_amid_others_it_says_the_same(controlplane: Controlplane, query: str, expected: float | str) -> None:
    others = [f"vector({nr})" for nr in range(20)]
    queries = [*others[:10], query, *others[10:]]
    for seen in ticks(controlplane.prometheus_url, queries):
        assert [shown(one) for one in [*seen[:10], *seen[11:]]] == [float(nr) for nr in range(20)]
        assert shown(seen[10]) == expected


def test_all_of_them_together(controlplane: Controlplane) -> None:
    queries = [str(case.values[0]) for case in EACH]
    for seen in ticks(controlplane.prometheus_url, queries, count=3):
        assert [shown(one) for one in seen] == [case.values[1] for case in EACH]


def test_a_bad_query_amid_99_good_ones_has_the_servers_words(controlplane: Controlplane) -> None:
    told = Requests()
    queries = [*(f"vector({nr})" for nr in range(99)), "rate(up)"]
    first, second = ticks(controlplane.prometheus_url, queries, told=told)
    for seen in (first, second):
        assert [shown(one) for one in seen[:99]] == [float(nr) for nr in range(99)]
        bad = seen[99]
        assert isinstance(bad, Missing)
        assert bad.reason is MissingReason.BAD_QUERY
        assert "expected type range vector" in bad.message
    assert len(told.outcomes) == 101


def test_members_that_fail_at_run_time_are_found_by_bisection(
    controlplane: Controlplane, gauges: Gauges, namespace: str
) -> None:
    """Matching breaks when a second series appears: the query was good, and shares a batch when it turns bad."""
    gauges.set_and_wait("left", 1, test=namespace, a="x")
    gauges.set_and_wait("right", 1, test=namespace, a="x")
    breaking = f'left{{test="{namespace}"}} * on(test) right{{test="{namespace}"}}'
    queries = [*(f"vector({nr})" for nr in range(99)), breaking]
    told = Requests()

    async def story() -> tuple[Sequence[Seen], Sequence[Seen]]:
        source = SourceSpec(url=controlplane.prometheus_url, timeout=20.0)
        live = LiveSource("main", source, Access(), SystemClock(), Register(), told)
        await live.evaluate(queries)
        before = await live.evaluate(queries)
        gauges.set_and_wait("right", 2, test=namespace, a="y")
        told.outcomes.clear()
        after = await live.evaluate(queries)
        live.close()
        return before, after

    before, after = asyncio.run(story())
    assert shown(before[99]) == 1.0
    assert [shown(one) for one in after[:99]] == [float(nr) for nr in range(99)]
    bad = after[99]
    assert isinstance(bad, Missing)
    assert bad.reason is MissingReason.BAD_QUERY
    assert "many-to-many" in bad.message or "duplicate series" in bad.message
    assert len(told.outcomes) <= 1 + 2 * 7


def test_two_series_that_differ_only_in_our_label_spoil_themselves_only(controlplane: Controlplane) -> None:
    clash = 'label_replace(vector(1), "__sig__", "x", "", "") or label_replace(vector(2), "__sig__", "y", "", "")'
    told = Requests()
    for seen in ticks(controlplane.prometheus_url, ["vector(1)", clash, "vector(3)"], count=4, told=told):
        assert (shown(seen[0]), shown(seen[2])) == (1.0, 3.0)
        assert shown(seen[1]) in ("SeveralSeries", "BadQuery")
    assert len(told.outcomes) < 15


def test_a_gauge_with_its_time_offset_and_at(controlplane: Controlplane, gauges: Gauges, namespace: str) -> None:
    gauges.set_and_wait("pressure", 0.25, test=namespace)
    selector = f'pressure{{test="{namespace}"}}'
    queries = [
        selector,
        f"{selector} offset 1w",
        f"{selector} @ 0",
        f"max_over_time({selector}[1m])",
        f"max({selector})",
    ]
    now = time.time()
    for seen in ticks(controlplane.prometheus_url, queries):
        assert [shown(one) for one in seen] == [0.25, "NoData", "NoData", 0.25, 0.25]
        assert isinstance(seen[0], Reading)
        assert abs(seen[0].at - now) < 10


def test_a_source_that_goes_away_and_comes_back(controlplane: Controlplane, relay: Callable[[str], Relay]) -> None:
    between = relay(controlplane.prometheus_url)

    async def story() -> list[Sequence[Seen]]:
        source = SourceSpec(url=between.url, timeout=5.0)
        live = LiveSource("main", source, Access(), SystemClock(), Register())
        seen = [await live.evaluate(["vector(1)"]), await live.evaluate(["vector(1)"])]
        between.cut()
        seen.append(await live.evaluate(["vector(1)"]))
        between.mend()
        seen.append(await live.evaluate(["vector(1)"]))
        live.close()
        return seen

    assert [shown(one) for (one,) in asyncio.run(story())] == [1.0, 1.0, "SourceDown", 1.0]


def test_its_version_is_told(controlplane: Controlplane) -> None:
    async def story() -> SourceHealth:
        source = SourceSpec(url=controlplane.prometheus_url)
        live = LiveSource("main", source, Access(), SystemClock(), Register())
        health = await live.check(10.0)
        live.close()
        return health

    health = asyncio.run(story())
    with urllib.request.urlopen(f"{controlplane.prometheus_url}/api/v1/status/buildinfo", timeout=5) as response:
        version = json.load(response)["data"]["version"]
    assert health.ready
    assert health.version == (version or None)


def test_a_thousand_distinct_expressions(
    controlplane: Controlplane, record_property: Callable[[str, object], None]
) -> None:
    """Ten requests for a thousand expressions, and what they cost this process."""
    queries = [f"sum(up) * 0 + {nr}" for nr in range(1000)]
    told, costs = Requests(), []

    async def story() -> Sequence[Seen]:
        source = SourceSpec(url=controlplane.prometheus_url, timeout=60.0)
        live = LiveSource("main", source, Access(), SystemClock(), Register(), told)
        for _ in range(4):
            cpu, wall = time.process_time(), time.perf_counter()
            seen = await live.evaluate(queries)
            costs.append((time.process_time() - cpu, time.perf_counter() - wall))
        live.close()
        return seen

    seen = asyncio.run(story())
    assert [shown(one) for one in seen] == [float(nr) for nr in range(1000)]
    assert len(told.outcomes) == 1000 + 3 * 10
    first, best = costs[0], min(costs[1:])
    print(f"\nbare {first[0] * 1000:.0f} us CPU an expression, {first[1]:.2f} s for 1000")
    print(f"batched {best[0] * 1000:.1f} us CPU an expression, {best[1] * 1000:.0f} ms for 1000")
    record_property("client_cpu_us_per_expression", best[0] * 1000)
    assert best[0] * 5 < first[0]
