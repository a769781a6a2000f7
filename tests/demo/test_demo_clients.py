"""Who comes to the shops, and when."""

from __future__ import annotations

from itertools import takewhile

from demo import sizes
from demo.clients import Arrival, arrivals


def in_the_first(seconds: float, seed: int) -> list[Arrival]:
    return list(takewhile(lambda a: a.at < seconds, arrivals(seed, sizes.ARRIVALS_PER_SECOND)))


def test_both_shops_get_the_same_customers() -> None:
    assert in_the_first(60, 7) == in_the_first(60, 7)
    assert in_the_first(60, 7) != in_the_first(60, 8)


def test_customers_come_at_the_rate_that_was_asked_for() -> None:
    count = len(in_the_first(600, 7))
    assert abs(count / 600 - sizes.ARRIVALS_PER_SECOND) < 0.7


def test_some_customers_use_the_app() -> None:
    came = in_the_first(600, 7)
    assert 0.05 < sum(a.client == "app" for a in came) / len(came) < 0.15
