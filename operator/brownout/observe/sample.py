"""From Prometheus' samples to readings: strict, pure, and never a guess."""

import re
from collections.abc import Mapping
from typing import Any

from brownout.api.reasons import MissingReason
from brownout.decide.model import Missing, Reading, Seen

CROWD = 20
"""Series of one expression that are still counted; beyond, it would bloat its batch's answer."""

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")

NO_DATA = Missing(reason=MissingReason.NO_DATA, message="the query gives no series")
NO_TRAFFIC = Missing(reason=MissingReason.NO_TRAFFIC, message="the query gives NaN: nothing was counted")
HISTOGRAM = Missing(
    reason=MissingReason.NOT_A_NUMBER,
    message="the query gives a native histogram: take one number out of it, such as histogram_quantile(0.99, ...)",
)
_BAD_SAMPLE = Missing(reason=MissingReason.BAD_ANSWER, message="the source sent a sample that is not [time, number]")


def several(count: int) -> Missing:
    """The answer for a query with more than one series."""
    many = str(count) if count <= CROWD else f"more than {CROWD}"
    message = f"the query gives {many} series where one is needed: aggregate it, such as sum(...) or max(...)"
    return Missing(reason=MissingReason.SEVERAL_SERIES, message=message)


def seen_sample(sample: Mapping[str, Any]) -> Seen:
    """One element of an instant vector."""
    if "histogram" in sample:
        return HISTOGRAM
    return seen_pair(sample.get("value"))


def seen_pair(pair: object) -> Seen:
    """`[seconds, "number"]`, as Prometheus writes a sample's value."""
    if not isinstance(pair, list) or len(pair) != 2:
        return _BAD_SAMPLE
    at, text = pair
    if isinstance(at, bool) or not isinstance(at, int | float) or not isinstance(text, str):
        return _BAD_SAMPLE
    return _seen(text, float(at))


def _seen(text: str, at: float) -> Seen:
    if _NUMBER.fullmatch(text):
        value = float(text)
        return Reading(value=value, at=at) if abs(value) != float("inf") else _infinite(text)
    if text == "NaN":
        return NO_TRAFFIC
    if text in ("+Inf", "-Inf", "Inf"):
        return _infinite(text)
    return _BAD_SAMPLE


def _infinite(text: str) -> Missing:
    return Missing(reason=MissingReason.INFINITE, message=f"the query gives {text[:20]}: a division by zero?")
