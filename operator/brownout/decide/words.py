"""Numbers, readings and lengths of time as people read them."""

import math
from collections.abc import Iterable

from brownout.api.base import show_duration
from brownout.api.reasons import MissingReason
from brownout.decide.model import Evidence, Reading, Zone
from brownout.decide.zones import why_missing

_DIGITS = (3, 4, 6, 9, 15, 17)
_MOST = 3

_MISSING = {
    MissingReason.NO_DATA: "{signal} has no data",
    MissingReason.NO_TRAFFIC: "{signal} has no traffic",
    MissingReason.INFINITE: "{signal} is infinite",
    MissingReason.SEVERAL_SERIES: "{signal} gives several series",
    MissingReason.NOT_A_NUMBER: "{signal} is not a number",
    MissingReason.STALE: "{signal} is stale",
    MissingReason.BAD_QUERY: "{signal} has a bad query",
    MissingReason.SOURCE_DOWN: "source {source} down",
    MissingReason.SOURCE_MISSING: "source {source} missing",
    MissingReason.TIMED_OUT: "{signal} timed out",
    MissingReason.TOO_LARGE: "{signal} gives too large an answer",
    MissingReason.BAD_ANSWER: "{signal} gives a broken answer",
}


def show_number(number: float, against: float = math.nan) -> str:
    """Three digits, or as many more as it takes to tell it from the number it was compared with."""
    other = show_threshold(against)
    return next((shown for digits in _DIGITS if (shown := _shown(number, digits)) != other), other)


def show_threshold(number: float) -> str:
    """As it was written in the spec, as far as it can be known."""
    return f"{number:.15g}"


def show_length(seconds: float) -> str:
    """Whole seconds, where there is at least one: 90.4 -> `1m30s`."""
    return show_duration(seconds if seconds < 1 else math.floor(seconds))


def show_missing(signal: str, reason: MissingReason, source: str) -> str:
    """Why a signal has no number."""
    return _MISSING[reason].format(signal=signal, source=source)


def show_evidence(evidence: Evidence, source: str) -> str:
    """A condition with its number and the threshold that put it into its zone: `p99 2.31 > 2`."""
    missing = why_missing(evidence.seen)
    if missing is not None or not isinstance(evidence.seen, Reading):
        return show_missing(evidence.signal, missing or MissingReason.NO_DATA, source)
    if evidence.zone is Zone.BETWEEN:
        low, high = sorted((evidence.enter, evidence.exit))
        number = show_number(evidence.seen.value)
        return f"{evidence.signal} {number} between {show_threshold(low)} and {show_threshold(high)}"
    over = evidence.zone is Zone.OVER
    threshold = evidence.enter if over else evidence.exit
    number = show_number(evidence.seen.value, threshold)
    return f"{evidence.signal} {number} {'>' if over is evidence.above else '<'} {show_threshold(threshold)}"


def joined(phrases: Iterable[str]) -> str:
    """`a and b`, each once, and no more than three of them."""
    each = list(dict.fromkeys(phrases))
    more = [f"{len(each) - _MOST} more"] if len(each) > _MOST else []
    return " and ".join(each[:_MOST] + more)


def _shown(number: float, digits: int) -> str:
    size = abs(number)
    if not 1e-4 <= size < 1e15:
        return f"{number:.{digits}g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
