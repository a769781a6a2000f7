"""Instants as they are: seconds since 1970 in floats, which hold no exact tenth of a second any more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout.decide.dwell import escalation, recovery
from brownout.decide.model import Dwell, Zone

EPOCHS = st.integers(1_700_000_000_000, 2_000_000_000_000).map(lambda milliseconds: milliseconds / 1000)


@given(EPOCHS, st.sampled_from([1.0, 5.0, 10.0, 15.0]), st.integers(1, 40))
def test_n_ticks_an_interval_apart_last_exactly_n_intervals(start: float, interval: float, ticks: int) -> None:
    rising: Dwell | None = None
    falling = Dwell()
    for tick in range(ticks + 1):
        now = round(start + tick * interval, 3)
        rising = escalation(rising, Zone.OVER, lasts=1e9, interval=interval, now=now)
        falling = recovery(falling, Zone.UNDER, interval=interval, now=now)
    assert rising is not None
    assert rising.seconds == ticks * interval
    assert falling.seconds == ticks * interval


@given(EPOCHS)
def test_two_ticks_exactly_two_intervals_apart_still_count(start: float) -> None:
    first = escalation(None, Zone.OVER, lasts=60, interval=0.1 * 3, now=start)
    second = escalation(first, Zone.OVER, lasts=60, interval=0.1 * 3, now=round(start + 0.6, 3))
    assert second is not None
    assert second.seconds == pytest.approx(0.6)
