"""Instants (UTC seconds since the epoch) as text, and back. Pure: nothing here reads a clock."""

from datetime import UTC, datetime

_DAY = 86400.0


def show_instant(at: float) -> str:
    """RFC 3339 in UTC, to the millisecond where it is not a whole second; ValueError or OverflowError out of range."""
    moment = datetime.fromtimestamp(round(at, 3), UTC)
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def parse_instant(text: str | None) -> float | None:
    """The instant of an RFC 3339 text; None for no text, a broken one, one without an offset, or one before 1970."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.timestamp() if moment.tzinfo is not None and moment.timestamp() >= 0 else None
    except (ValueError, OverflowError):
        return None


def show_minute(at: float, now: float) -> str:
    """`02:10` (UTC), with the date where it is not within a day of `now`."""
    far = abs(now - at) >= _DAY
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M" if far else "%H:%M")


def show_second(at: float) -> str:
    """`02:11:30` (UTC)."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")
