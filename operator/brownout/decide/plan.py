"""From what a policy wants and what an object shows to the next step, or to nothing when they agree.

One step at a time: after each the object is looked at again, so that a crash between two steps leaves nothing that the
next look would not finish. Order matters: fields whose give-back is half done come first, then those that somebody
took over, then what is no longer wanted, then what is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from brownout.api.refs import PolicyRef
from brownout.ledger.claims import winner
from brownout.ledger.entries import (
    HELD_LABEL,
    LEDGER_ANNOTATION,
    TAKING_MANAGER,
    WHY_ANNOTATION,
    Claim,
    Entry,
    Found,
    Held,
    Illegible,
    Ledger,
)
from brownout.ledger.ownership import owners_of, owns
from brownout.ledger.pointer import Pointer, look, same
from brownout.ledger.steps import Apply, HandBack, Release, Repair, Restore, Step, Strip, Stuck
from brownout.ledger.why import show


def next_step(
    found: Found,
    wants: Mapping[Pointer, Claim],
    policy: PolicyRef,
    *,
    remembered: Iterable[Held] = (),
    orphans: frozenset[PolicyRef] = frozenset(),
) -> Step | Stuck | None:
    """The next step on one object for one policy.

    `wants` is all that the policy wants of this object from now on: what it holds and does not want goes back. Other
    policies' claims stand as the ledger has them, less `orphans`. `remembered` is what any policy's status says it
    holds here: a lost ledger is rebuilt from nothing else.
    """
    if (repair := _repaired(found, remembered)) is not None:
        return repair
    held = found.held
    if restored := tuple(where for where, entry in held.items() if entry.restored):
        return HandBack(found=found, pointers=restored)
    if off := tuple(where for where, entry in held.items() if not same(look(found.body, where), entry.applied)):
        return _changed(found, off)
    claims = {where: _claims(held.get(where), wants.get(where), policy, orphans) for where in {**held, **wants}}
    if unclaimed := tuple(where for where in held if not claims[where]):
        return Restore(found=found, pointers=unclaimed)
    changed = {where: entry for where, each in claims.items() if (entry := _entry(found, where, each, policy))}
    return Apply(found=found, entries=changed) if changed else None


def mended(found: Found, remembered: Iterable[Held]) -> Found:
    """The object with the ledger that it will have once a lost one is written again: what its fields were is known from
    there, and not from what they are now."""
    repair = _repaired(found, remembered)
    return replace(found, ledger=repair.ledger) if isinstance(repair, Repair) else found


def is_lost(found: Found, held: Held) -> bool:
    """Whether a status remembers a field whose value is still ours, and the ledger does not know it, or knows only an
    earlier value of the same take: a rollback brings back the ledger as it was at an old revision.

    One that we found as we wanted it has no original to lose."""
    entry, live = held.entry, look(found.body, held.entry.pointer)
    if same(entry.original, entry.applied) or not same(live, entry.applied):
        return False
    known = found.held.get(entry.pointer)
    return known is None or (not known.restored and not same(live, known.applied))


def _repaired(found: Found, remembered: Iterable[Held]) -> Step | Stuck | None:
    """The step that the ledger itself needs; None when it can be used as it is."""
    known = tuple(each for each in remembered if each.target.uid == found.target.uid)
    if isinstance(found.ledger, Illegible):
        return _without_ledger(found, found.ledger, known)
    lost = tuple(each for each in known if is_lost(found, each))
    return _rebuilt(found, lost) if lost else None


def _claims(
    entry: Entry | None, want: Claim | None, policy: PolicyRef, orphans: frozenset[PolicyRef]
) -> Mapping[PolicyRef, Claim]:
    others = dict(entry.claims) if entry else {}
    claims = {ref: claim for ref, claim in others.items() if ref != policy and ref not in orphans}
    return claims | ({policy: want} if want else {})


def _entry(found: Found, where: Pointer, claims: Mapping[PolicyRef, Claim], policy: PolicyRef) -> Entry | None:
    """The entry as it should be, or None when it is so already."""
    value, live, entry = winner(claims).value, look(found.body, where), found.held.get(where)
    if entry is not None:
        wanted = replace(entry, wanted=value, claims=claims)
        return None if wanted == entry else wanted
    metadata = found.body["metadata"]
    owners = owners_of(metadata if isinstance(metadata, Mapping) else {}, where)
    return Entry(pointer=where, original=live, applied=live, wanted=value, owners=owners, claims=claims)


def _changed(found: Found, pointers: tuple[Pointer, ...]) -> Step:
    """A value that is not the one we set, while we still own the field, is what admission made of our own request:
    recorded as applied, or let go if that is the original. Any other is somebody's decision: let go."""
    held = found.held
    metadata = found.body["metadata"]
    adjusted = {
        where: replace(held[where], applied=look(found.body, where))
        for where in pointers
        if isinstance(metadata, Mapping)
        and owns(metadata, where, TAKING_MANAGER)
        and not same(look(found.body, where), held[where].original)
    }
    if adjusted and isinstance(found.ledger, Ledger):
        return Repair(found=found, ledger=replace(found.ledger, entries={**held, **adjusted}))
    return Release(found=found, pointers=pointers)


def _without_ledger(found: Found, ledger: Illegible, known: tuple[Held, ...]) -> Step | Stuck | None:
    """Rule 5: rewritten from what the statuses remember if it fits; never guessed."""
    ours = tuple(each for each in known if each.take in ledger.takes and is_lost(found, each))
    if ours:
        return _rebuilt(found, ours)
    if any(is_lost(found, each) for each in known) or not ledger.stale:
        return _stuck(found, known)
    return Strip(found=found)


def _rebuilt(found: Found, lost: tuple[Held, ...]) -> Repair | Stuck:
    """The ledger with the lost entries in it again, under the take-id the object still shows; or Stuck if it shows
    none that fits."""
    ledger = found.ledger
    takes = {ledger.take} if isinstance(ledger, Ledger) else ledger.takes if ledger else frozenset[str]()
    fitting = [each for each in lost if each.take in takes]
    if not fitting:
        return _stuck(found, lost)
    entries = dict(found.held)
    for each in fitting:
        where = each.entry.pointer
        claims = dict(entries[where].claims) if where in entries else {}
        entries[where] = replace(each.entry, claims=claims | dict(each.entry.claims))
    return Repair(found=found, ledger=Ledger(take=fitting[0].take, uid=found.target.uid, entries=entries))


def _stuck(found: Found, known: tuple[Held, ...]) -> Stuck:
    state = found.ledger.message if isinstance(found.ledger, Illegible) else "the ledger is gone"
    pointers = tuple(sorted({each.entry.pointer for each in known}))
    originals = "; ".join(f"{each.entry.pointer} was {show(each.entry.original)}" for each in known)
    message = (
        f"{found.target}: {state}{', ' if originals else ''}{originals}: set the field as you want it, then remove the"
        f" label {HELD_LABEL} and the annotations {LEDGER_ANNOTATION} and {WHY_ANNOTATION}"
    )
    return Stuck(found=found, pointers=pointers, message=message)
