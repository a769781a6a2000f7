"""Durations: Prometheus' notation and seconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brownout.api.base import LONGEST, parse_duration, show_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("0s", 0), ("500ms", 0.5), ("30s", 30), ("1m30s", 90), ("1h", 3600), ("1d", 86400), ("2w", 1209600)],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "1.5s", "-1s", " 1s", "1s\n", "1y", "s", "1S", "1s ", "٣s", "1m 30s"])
def test_what_is_no_duration_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration: write a number and a unit, such as 30s"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["367d", "999999999w999999999w"])
def test_a_duration_beyond_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write at most 366d"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=round(LONGEST * 1000)))
def test_what_is_shown_is_read_as_the_same_time(milliseconds: int) -> None:
    assert parse_duration(show_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000, abs=1e-6)


@given(st.integers(min_value=0, max_value=round(LONGEST * 1000)))
def test_what_was_read_is_shown_the_same_way_for_ever(milliseconds: int) -> None:
    shown = show_duration(milliseconds / 1000)
    assert show_duration(parse_duration(shown)) == shown
