"""Lists of the status, cut to what an object may hold: etcd refuses beyond 1.5 MiB, and a lost status helps nobody.

An original is never cut: a field too large to be recorded is left out, and said.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from brownout.api.instants import show_instant
from brownout.api.reasons import BlockedReason
from brownout.api.refs import Target
from brownout.api.status import AppliedStatus, BlockedStatus, OwnerStatus, ReleasedStatus, TargetStatus
from brownout.ledger.entries import Held, Owner
from brownout.report.facts import BlockedAction, ReleasedField
from brownout.report.text import NOTE, WORD, cut, cut_json, json_text

MOST_APPLIED = 1000
MOST_BLOCKED = 256
MOST_RELEASED = 256
APPLIED_BYTES = 512 * 1024
"""For all of `applied`, as UTF-8; the smallest entries are kept."""
RELEASED_CHARACTERS = 30_000
"""For each of the three values of `released`, shared by all entries."""
BLOCKED_CHARACTERS = 65_536
"""For the messages of `blocked`, shared by all entries."""

MORE = "More"
"""Stands instead of a reason in the last line of `blocked`, which says how many more there are."""

_ATTENTION = (
    BlockedReason.LOST_LEDGER,
    BlockedReason.ILLEGIBLE_LEDGER,
    BlockedReason.FORBIDDEN,
    BlockedReason.FAILED,
    BlockedReason.ADMISSION,
    BlockedReason.MAX_TARGETS,
    BlockedReason.NOT_FOUND,
    BlockedReason.KEY_NOT_FOUND,
    BlockedReason.VARIANT_NOT_FOUND,
    BlockedReason.TOO_LARGE,
    BlockedReason.IMMUTABLE,
    BlockedReason.HELD_BY_OTHER,
    BlockedReason.AUTOSCALER,
    BlockedReason.VOLUMES,
    BlockedReason.CONTROLLED,
)
_RANK = {reason: rank for rank, reason in enumerate(_ATTENTION)}


def applied(held: Sequence[Held]) -> tuple[tuple[AppliedStatus, ...], int]:
    """What is held, as the status records it, in a stable order; and how many fields did not fit."""
    entries = [entry for each in held if (entry := _recorded(each)) is not None]
    entries.sort(key=_size)
    kept, room = [], APPLIED_BYTES
    for entry in entries[:MOST_APPLIED]:
        room -= _size(entry)
        if room < 0:
            break
        kept.append(entry)
    kept.sort(key=lambda each: (each.target.kind, each.target.name, each.target.uid, each.pointer))
    return tuple(kept), len(held) - len(kept)


def blocked(
    unrestored: Sequence[BlockedAction], others: Sequence[BlockedAction], unrecorded: int
) -> tuple[BlockedStatus, ...]:
    """What needs attention first, and in the last line how many are not listed."""
    lines = sorted(set(unrestored), key=_attention)
    lines += sorted(set(others) - set(unrestored), key=_attention)
    first = [_unrecorded(unrecorded)] if unrecorded else []
    room = MOST_BLOCKED - len(first)
    shown = lines if len(lines) <= room else lines[: room - 1]
    longest = min(NOTE, BLOCKED_CHARACTERS // max(len(shown), 1))
    more = len(lines) - len(shown)
    last = [BlockedStatus(action="", reason=MORE, message=f"{more} more are not listed")] if more else []
    return (*first, *(_line(each, longest) for each in shown), *last)


def released(fields: Sequence[ReleasedField]) -> tuple[ReleasedStatus, ...]:
    """The newest, oldest first; long values are cut, for they are read by people and never written back."""
    newest = sorted(fields, key=lambda each: (each.at, str(each.target), each.pointer))[-MOST_RELEASED:]
    longest = RELEASED_CHARACTERS // max(len(newest), 1)
    return tuple(
        ReleasedStatus(
            target=_target(each.target),
            pointer=cut(each.pointer),
            original=cut_json(each.original, longest),
            applied=cut_json(each.applied, longest),
            found=cut_json(each.found, longest),
            manager=cut(each.manager, WORD),
            at=show_instant(each.at),
        )
        for each in newest
    )


def _recorded(held: Held) -> AppliedStatus | None:
    """None where the model's bounds refuse it: a rebuilt ledger must be whole or not be."""
    entry, claim = held.entry, held.claim
    try:
        return AppliedStatus(
            action=claim.action,
            level=claim.level,
            target=_target(held.target),
            take=held.take,
            pointer=entry.pointer,
            original=json_text(entry.original),
            applied=json_text(entry.applied),
            owners=tuple(_owner(each) for each in entry.owners),
            at=show_instant(claim.at),
        )
    except ValidationError:
        return None


def _target(target: Target) -> TargetStatus:
    return TargetStatus(
        api_version=cut(target.api_version, WORD),
        kind=cut(target.kind, WORD),
        name=cut(target.name, WORD),
        uid=cut(target.uid, WORD),
    )


def _owner(owner: Owner) -> OwnerStatus:
    return OwnerStatus(manager=owner.manager, operation=owner.operation, subresource=owner.subresource)


def _size(entry: AppliedStatus) -> int:
    """Bytes of what can be long, plus what the rest takes at most in practice."""
    texts = (entry.original or "", entry.applied or "", entry.pointer, entry.target.name)
    return 512 + sum(len(text.encode()) for text in texts)


def _attention(each: BlockedAction) -> tuple[int, str, str, str, str]:
    return _RANK.get(each.reason, len(_RANK)), each.reason, each.action, each.target_shown, each.message


def _line(each: BlockedAction, longest: int) -> BlockedStatus:
    return BlockedStatus(
        action=cut(each.action, WORD),
        target=cut(each.target_shown, WORD),
        reason=each.reason,
        message=cut(each.message, longest),
    )


def _unrecorded(count: int) -> BlockedStatus:
    fields = "field is" if count == 1 else "fields are"
    message = f"{count} {fields} held but too large to be repeated in this status; the ledgers on the targets have them"
    return BlockedStatus(action="", reason=BlockedReason.TOO_LARGE, message=message)
