"""Texts as the API takes them: cut to a bound, in whole Unicode."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from brownout.ledger import gojson
from brownout.ledger.entries import Instant
from brownout.ledger.pointer import ABSENT, Value

NOTE = 1024
WORD = 317


def cut(text: str, longest: int = NOTE) -> str:
    """At most `longest` characters, the last one `…` where something is missing; lone surrogates become `?`."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return whole if len(whole) <= longest else whole[: longest - 1] + "…"


def cut_bytes(text: str, longest: int = NOTE) -> str:
    """As `cut`, but counted in bytes of UTF-8: the API server counts an event's note so."""
    data = text.encode("utf-8", "replace")
    if len(data) <= longest:
        return data.decode("utf-8")
    return data[: longest - len("…".encode())].decode("utf-8", "ignore") + "…"


def show_micro_time(at: Instant) -> str:
    """RFC 3339 in UTC with six digits of a second: events.k8s.io takes nothing else."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def json_text(value: Value) -> str | None:
    """A field's value as JSON text; None where the field is absent."""
    return None if value is ABSENT else gojson.encode(value)


def cut_json(value: Value, longest: int) -> str | None:
    """As `json_text`; a longer value becomes a JSON string of its beginning, so that it always parses."""
    text = json_text(value)
    return text if text is None or len(text) <= longest else gojson.encode(cut(text, longest))


def finite(number: float) -> float | None:
    """The number, or None where JSON has none for it."""
    return number if math.isfinite(number) else None


def listed(parts: list[str], most: int = 3) -> str:
    """`a; b; c; and 2 more`."""
    more = len(parts) - most
    return "; ".join(parts[:most] + ([f"and {more} more"] if more > 0 else []))
