"""What an object owes, field by field, what break glass does about each field, and what came of it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from brownout.api.refs import PolicyRef
from brownout.decide.plan import next_step
from brownout.ledger.codec import legible
from brownout.ledger.entries import TAKING_MANAGER, Claim, Entry, Found, Illegible, Instant, Ledger
from brownout.ledger.ownership import manager_of, owns
from brownout.ledger.pointer import Pointer, Value, look, same
from brownout.ledger.steps import Repair, Step, Strip, Stuck
from brownout.ledger.why import show
from brownout.levers.registry import may_change

NOBODY = PolicyRef(namespace="", name="", uid="")
"""Stands for whoever breaks the glass: no policy wants anything of the object any more."""
LOST = "no ledger knows this field any more, only the status of its policy does: set it by hand"
FORGED = "no lever changes a field that its ledger names: that entry is forged"
LATEST: Instant = 253402300800.0
"""The year 10000: a time beyond it is forged, and no clock can show it."""


class Fate(StrEnum):
    """What will be done about a field."""

    GIVE_BACK = "GiveBack"
    """The original is written, and its owners own it again."""
    HAND_BACK = "HandBack"
    """It is back already: its owners own it again."""
    LEAVE = "Leave"
    """Somebody has changed it since we set it: it is theirs, and only our entry goes."""
    REFUSE = "Refuse"
    """No lever changes such a field: the entry is forged."""
    NOT_FOLLOWED = "NotFollowed"
    """The ledger must not be used."""


class Ending(StrEnum):
    """What came of a field."""

    GIVEN_BACK = "GivenBack"
    LEFT = "Left"
    GONE = "Gone"
    HELD = "Held"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldField:
    """One field as the ledger and the object show it."""

    pointer: Pointer
    now: Value
    original: Value
    since: Instant | None
    """When it was taken; None where the ledger does not say it."""
    claims: tuple[Claim, ...]
    fate: Fate
    ours: bool
    """Its value is the one that we set, and not the original."""
    manager: str = ""
    """Who owns the field by now, not we; "" where nobody is known to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What the status of a policy says of a field: shown to a person, never written from."""

    claim: Claim
    pointer: Pointer
    original: Value

    def __str__(self) -> str:
        return f"the status of policy {self.claim.policy} says {self.pointer} was {show(self.original)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One object that bears something of ours."""

    found: Found
    fields: tuple[HeldField, ...]
    problem: str = ""
    """Why its ledger is not followed; empty when it is."""
    remembered: tuple[Remembered, ...] = ()
    """Of fields that no usable ledger knows."""

    @property
    def may_be_held(self) -> bool:
        """Of an object whose ledger is not followed: False only when no field it names is as we set it."""
        return bool(self.problem) and (not self.fields or any(field.ours for field in self.fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldEnded:
    field: HeldField
    ending: Ending
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What came of an object."""

    holding: Holding
    fields: tuple[FieldEnded, ...]

    @property
    def held(self) -> bool:
        return any(field.ending is Ending.HELD for field in self.fields)


def holding_of(found: Found, remembered: Sequence[Remembered] = ()) -> Holding | None:
    """What an object owes; None when it bears nothing of ours, and no field that a status remembers is as we set it."""
    ledger, metadata = found.ledger, found.body["metadata"]
    if isinstance(ledger, Illegible):
        told = legible(metadata) if isinstance(metadata, Mapping) else None
        entries = told.entries if told is not None else {}
        unknown = tuple(each for each in remembered if each.pointer not in entries)
        return Holding(
            found=found,
            fields=(
                *(_field(found, entries[each], Fate.NOT_FOLLOWED) for each in sorted(entries)),
                *_lost(found, unknown),
            ),
            problem=ledger.message,
            remembered=tuple(remembered),
        )
    entries = found.held
    lost = tuple(each for each in remembered if each.pointer not in entries and _is_ours(found, each))
    if ledger is None and not lost:
        return None
    fields = tuple(_field(found, entries[where], _fate(found, entries[where])) for where in sorted(entries))
    problem = "its label and ledger are gone" if ledger is None else ""
    return Holding(found=found, fields=(*fields, *_lost(found, lost)), problem=problem, remembered=lost)


def next_give_back(found: Found) -> Step | None:
    """The next step by which an object gets back all that its ledger may give; None when there is no more.

    Every claim counts as an orphan's. Fields that no lever changes are left out, and stay in the ledger as they are.
    """
    ledger = found.ledger
    if not isinstance(ledger, Ledger):
        return None
    if not ledger.entries:
        return Strip(found=found)
    mine = {where: entry for where, entry in ledger.entries.items() if may_change(found.target.kind, where)}
    orphans = frozenset(policy for entry in mine.values() for policy in entry.claims)
    step = next_step(replace(found, ledger=replace(ledger, entries=mine)), {}, NOBODY, orphans=orphans)
    if step is None or isinstance(step, Stuck):
        return None
    if isinstance(step, Repair):
        whole = replace(ledger, entries={**ledger.entries, **step.ledger.entries})
        return replace(step, found=found, ledger=whole)
    return replace(step, found=found)


def ended(holding: Holding, found: Found | None, trouble: str, adjusted: Mapping[Pointer, Value]) -> Ended:
    """What came of an object, by what it shows now. None: it is gone.

    `trouble` is why no more was done; `adjusted` what was stored where another original was written.
    """
    if found is None:
        return Ended(holding=holding, fields=tuple(_gone(field) for field in holding.fields))
    return Ended(holding=holding, fields=tuple(_ended(field, found, trouble, adjusted) for field in holding.fields))


def untouched(holding: Holding, why: str) -> Ended:
    """An object that nothing was done about."""
    fields = tuple(FieldEnded(field=field, ending=Ending.HELD, why=why) for field in holding.fields)
    return Ended(holding=holding, fields=fields)


def _fate(found: Found, entry: Entry) -> Fate:
    live = look(found.body, entry.pointer)
    if not may_change(found.target.kind, entry.pointer):
        return Fate.REFUSE
    if entry.restored:
        return Fate.HAND_BACK
    if same(live, entry.applied):
        return Fate.GIVE_BACK
    metadata = found.body["metadata"]
    # A value of admission's in our own request is still ours to take back: see decide.plan.
    ours = isinstance(metadata, Mapping) and owns(metadata, entry.pointer, TAKING_MANAGER)
    return Fate.GIVE_BACK if ours and not same(live, entry.original) else Fate.LEAVE


def _field(found: Found, entry: Entry, fate: Fate) -> HeldField:
    live, metadata = look(found.body, entry.pointer), found.body["metadata"]
    times = [claim.at for claim in entry.claims.values() if 0 <= claim.at < LATEST]
    return HeldField(
        pointer=entry.pointer,
        now=live,
        original=entry.original,
        since=min(times, default=None),
        claims=tuple(entry.claims[policy] for policy in sorted(entry.claims)),
        fate=fate,
        ours=same(live, entry.applied) and not same(live, entry.original),
        manager=manager_of(metadata, entry.pointer) if isinstance(metadata, Mapping) else "",
    )


def _lost(found: Found, remembered: Sequence[Remembered]) -> Iterator[HeldField]:
    for each in remembered:
        yield HeldField(
            pointer=each.pointer,
            now=look(found.body, each.pointer),
            original=each.original,
            since=each.claim.at if 0 < each.claim.at < LATEST else None,
            claims=(each.claim,),
            fate=Fate.NOT_FOLLOWED,
            ours=_is_ours(found, each),
        )


def _is_ours(found: Found, remembered: Remembered) -> bool:
    live = look(found.body, remembered.pointer)
    return same(live, remembered.claim.value) and not same(live, remembered.original)


def _gone(field: HeldField) -> FieldEnded:
    return FieldEnded(field=field, ending=Ending.GONE, why="the object is gone: nothing is owed to it")


def _ended(field: HeldField, found: Found, trouble: str, adjusted: Mapping[Pointer, Value]) -> FieldEnded:
    if field.fate is Fate.REFUSE:
        return FieldEnded(field=field, ending=Ending.HELD, why=FORGED)
    if field.fate is Fate.NOT_FOLLOWED:
        return FieldEnded(field=field, ending=Ending.HELD, why=LOST)
    if isinstance(found.ledger, Illegible):
        return FieldEnded(field=field, ending=Ending.HELD, why=found.ledger.message)
    if field.pointer in found.held:
        return FieldEnded(field=field, ending=Ending.HELD, why=trouble)
    if field.pointer in adjusted:
        stored = f"admission stored {show(adjusted[field.pointer])} where {show(field.original)} was written"
        return FieldEnded(field=field, ending=Ending.LEFT, why=stored)
    live = look(found.body, field.pointer)
    if same(live, field.original):
        return FieldEnded(field=field, ending=Ending.GIVEN_BACK)
    metadata = found.body["metadata"]
    manager = manager_of(metadata, field.pointer) if isinstance(metadata, Mapping) else ""
    return FieldEnded(field=field, ending=Ending.LEFT, why=f"{manager or 'somebody'} set it to {show(live)}")
