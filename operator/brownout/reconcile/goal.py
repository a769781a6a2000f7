"""From what a policy wants and what it holds to what to do in this pass. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from brownout.api.reasons import BlockedReason
from brownout.api.refs import Target
from brownout.decide.waves import Owed, Wave, next_wave
from brownout.ledger.entries import Claim, Held, Instant
from brownout.ledger.pointer import Pointer
from brownout.levers.selection import Selection
from brownout.reconcile.record import FieldId

NEVER_TAKEABLE = frozenset(
    {
        BlockedReason.CRITICALITY,
        BlockedReason.PROTECTED,
        BlockedReason.OPERATOR,
        BlockedReason.CONTROLLED,
        BlockedReason.AUTOSCALER,
    }
)
"""Reasons that, once true of a held target, give it back at once and not in a wave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What each target should carry of this policy after the pass, in the order to go about it."""

    wants: Mapping[Target, Mapping[Pointer, Claim]]
    """An empty map: all that is held there goes back now."""
    wave: Wave | None
    left: tuple[Target, ...]
    """What is owed and must wait for a later wave or for the common pace."""

    def takes(self, held: Mapping[FieldId, Held]) -> bool:
        """Whether anything is wanted that is not held yet."""
        return any((target.uid, where) not in held for target, claims in self.wants.items() for where in claims)

    def only(self, held: Mapping[FieldId, Held]) -> "Goal":
        """The same without anything new."""
        wants = {
            target: {where: claim for where, claim in claims.items() if (target.uid, where) in held}
            for target, claims in self.wants.items()
            if any(uid == target.uid for uid, _ in held)
        }
        return replace(self, wants=wants)


def goal_of(
    *,
    selection: Selection,
    held: Mapping[FieldId, Held],
    gives_all_back: bool,
    places: Mapping[str, int],
    wave_size: int,
    wave: Wave | None,
    available: Callable[[Target], bool],
    grant: Callable[[int], int],
    now: Instant,
) -> Goal:
    """`selection` is what the level asks for; `gives_all_back`: the policy is being deleted or in DryRun, so that
    what is selected is for show, and whatever is held goes back.

    `places` gives an action's place in the spec. `grant` gives out the common budget for giving back: asked for a
    number of targets, it answers how many may go now.
    """
    holding = {uid for uid, _ in held}
    wants = {
        target: dict(claims)
        for target, claims in selection.wants.items()
        if not (gives_all_back and target.uid in holding)
    }
    owed = {each for each, one in held.items() if gives_all_back or not _wanted(one, wants, selection)}
    urgent = {held[each].target for each in owed} & _never_takeable(selection)
    waiting = [_owed(held[each], places) for each in held if each in owed and held[each].target not in urgent]
    waves = next_wave(waiting, wave, available, wave_size, now)
    granted = waves.now[: grant(len(waves.now))]
    now_back = {*granted, *urgent}
    for each, one in held.items():
        if each not in owed or one.target not in now_back:
            wants.setdefault(one.target, {}).setdefault(one.entry.pointer, one.claim)
    for target in (*urgent, *granted):
        wants.setdefault(target, {})
    left = tuple(
        dict.fromkeys(held[each].target for each in held if each in owed and held[each].target not in now_back)
    )
    return Goal(wants=wants, wave=waves.wave, left=left)


def _wanted(held: Held, wants: Mapping[Target, Mapping[Pointer, Claim]], selection: Selection) -> bool:
    """Wanted still, or not known because its action's targets could not be read: no data is not good news."""
    return held.entry.pointer in wants.get(held.target, {}) or held.claim.action in selection.unread


def _never_takeable(selection: Selection) -> set[Target]:
    return {
        each.target for each in selection.blocked if each.target is not None and each.blocked.reason in NEVER_TAKEABLE
    }


def _owed(held: Held, places: Mapping[str, int]) -> Owed:
    return Owed(target=held.target, taken_at=held.claim.at, order=places.get(held.claim.action, len(places)))
