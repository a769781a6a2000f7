"""The sentence on a held object, for whoever finds it at 3 a.m. and has never heard of Brownout."""

from brownout.ledger import gojson
from brownout.ledger.claims import winner
from brownout.ledger.entries import Entry, Ledger
from brownout.ledger.pointer import ABSENT, Pointer, Value, parts_of

LONGEST_VALUE = 60


def why(ledger: Ledger) -> str:
    """Which fields are held, what they were, who holds them, and how to get them back."""
    fields = "; ".join(_field(where, ledger.entries[where]) for where in sorted(ledger.entries))
    return f"Held by Brownout and given back when the service is well: {fields}."


def _field(where: Pointer, entry: Entry) -> str:
    name = ".".join(parts_of(where))
    if entry.restored:
        return f"{name} is back at {show(entry.original)}"
    claim = winner(entry.claims) if entry.claims else None
    holder = f" by policy {claim.policy} at level {claim.level}" if claim else ""
    return f"{name} {show(entry.original)} -> {show(entry.applied)}{holder}"


def show(value: Value) -> str:
    """A value in a sentence: JSON text, cut when long; `(not set)` where the field is absent."""
    if value is ABSENT:
        return "(not set)"
    text = value if isinstance(value, str) else gojson.encode(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
