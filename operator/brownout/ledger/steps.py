"""The steps by which one object comes to what its claims ask: each is one request, and each can be resumed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from brownout.api.reasons import BlockedReason, Result
from brownout.ledger.entries import Entry, Found, Ledger
from brownout.ledger.pointer import Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """Take fields, or change what we set on them, or who claims them."""

    found: Found
    entries: Mapping[Pointer, Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """Put originals back: the first of the two patches of giving back."""

    found: Found
    pointers: tuple[Pointer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandBack:
    """Give restored fields back to their owners and drop their entries: the second patch."""

    found: Found
    pointers: tuple[Pointer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Leave fields to whoever set them to another value: only our entries go."""

    found: Found
    pointers: tuple[Pointer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Write a ledger again that was lost, or that must say what admission made of our value."""

    found: Found
    ledger: Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """Remove our metadata, and nothing else, from an object that owes us nothing (a clone, an old revision)."""

    found: Found


Step: TypeAlias = Apply | Restore | HandBack | Release | Repair | Strip


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A field that we changed and whose original is not known any more: a person has to look. Never guessed."""

    found: Found
    pointers: tuple[Pointer, ...]
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a step; `found` is the object afterwards, None when it is gone or unknown."""

    step: Step
    result: Result
    found: Found | None = None
    reason: BlockedReason | None = None
    message: str = ""
    retry_after: float | None = None
    gone: bool = False

    @property
    def settled(self) -> bool:
        """Whether planning may go on from `found` at once."""
        return self.result in (Result.DONE, Result.ADJUSTED, Result.RELEASED, Result.UNCHANGED)
