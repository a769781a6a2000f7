"""From a policy's actions at a level, and what was found for each, to the fields the policy claims."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TypeAlias

from brownout.api.actions import Action
from brownout.api.policy import Level, PolicySpec
from brownout.api.reasons import BlockedReason
from brownout.api.refs import PolicyRef, Target
from brownout.ledger.claims import compatible
from brownout.ledger.entries import Blocked, Claim, Found, Instant
from brownout.ledger.pointer import Pointer
from brownout.levers.guards import guard
from brownout.levers.lever import Wanted
from brownout.levers.registry import lever_of
from brownout.levers.replicas import SCALABLE
from brownout.levers.surroundings import Surroundings

FieldId: TypeAlias = tuple[str, Pointer]
"""A field of one object: the object's uid and the pointer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedTarget:
    """An action that does nothing on one target, or nothing new at all (`target` is None)."""

    action: str
    target: Target | None
    blocked: Blocked


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a policy claims, what it cannot have, and in which order to take."""

    wants: Mapping[Target, Mapping[Pointer, Claim]]
    blocked: tuple[BlockedTarget, ...]
    order: tuple[Target, ...]
    unread: frozenset[str]
    """Actions whose targets could not be read: what they hold stays as it is. No data is not good news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What an action asks of one object: the fields it speaks for, and its claims on all of them or on none."""

    found: Found
    fields: tuple[Pointer, ...]
    claims: Mapping[Pointer, Claim]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Building:
    """A selection being made for one policy."""

    spec: PolicySpec
    policy: PolicyRef
    surroundings: Surroundings
    released: Set[FieldId]
    now: Instant
    wants: dict[Target, dict[Pointer, Claim]] = field(default_factory=dict)
    blocked: list[BlockedTarget] = field(default_factory=list)

    def block(self, action: Action, target: Target | None, blocked: Blocked) -> None:
        self.blocked.append(BlockedTarget(action=action.name, target=target, blocked=blocked))


def claims(
    *,
    spec: PolicySpec,
    level: str,
    found_by_action: Mapping[str, Sequence[Found] | Blocked],
    policy: PolicyRef,
    surroundings: Surroundings,
    released: Set[FieldId],
    now: Instant,
) -> Selection:
    """The policy's claims at `level`.

    `found_by_action` holds each action up to the level: what was found, in the order to take it, or why it could not
    be read. Of two actions on one field the later holds: the higher level's, and within a level the one written later.
    """
    building = _Building(spec=spec, policy=policy, surroundings=surroundings, released=released, now=now)
    unread: set[str] = set()
    for each in spec.up_to(level):
        for action in each.actions:
            found = _seen(building, action, found_by_action)
            if isinstance(found, Blocked):
                unread.add(action.name)
                building.block(action, None, found)
            else:
                _claim_all(building, each, action, found)
    return Selection(
        wants=building.wants,
        blocked=tuple(building.blocked),
        order=tuple(building.wants),
        unread=frozenset(unread),
    )


def _seen(
    building: _Building, action: Action, found_by_action: Mapping[str, Sequence[Found] | Blocked]
) -> Sequence[Found] | Blocked:
    """What was found for an action, or what could not be read and would be needed to judge it."""
    lever, arguments = lever_of(action)
    kinds = lever.seeks(arguments, building.policy.namespace).kinds
    unread = building.surroundings.unread
    return unread if unread and not SCALABLE.isdisjoint(kinds) else found_by_action[action.name]


def _claim_all(building: _Building, level: Level, action: Action, found: Sequence[Found]) -> None:
    if not found:
        _say_missing(building, action)
    asked = [each for each in (_ask(building, level, action, one) for one in found) if each is not None]
    for each in _within_budget(building, action, asked):
        _claim(building, each)


def _say_missing(building: _Building, action: Action) -> None:
    """A named target is missed; a selector that matches nothing is fine."""
    lever, arguments = lever_of(action)
    query = lever.seeks(arguments, building.policy.namespace)
    if query.name is not None:
        what = f"{' or '.join(query.kinds)} {query.namespace}/{query.name}"
        message = f"{what} does not exist yet; taken when it appears"
        building.block(action, None, Blocked(reason=BlockedReason.NOT_FOUND, message=message))


def _ask(building: _Building, level: Level, action: Action, found: Found) -> _Asked | None:
    """None: nothing to do here, because it was released to somebody or is blocked (which is then noted)."""
    lever, arguments = lever_of(action)
    fields = lever.fields(arguments, found)
    if any((found.target.uid, where) in building.released for where in fields):
        return _rest(building, action, found, fields)
    wants = guard(found, building.spec, action, building.surroundings) or lever.wants(arguments, found)
    if isinstance(wants, Blocked):
        building.block(action, found.target, wants)
        return None
    claims = _claims_on(building, level, action, found, wants)
    if blocked := _held_by_other(found, claims):
        building.block(action, found.target, blocked)
        return None
    return _Asked(found=found, fields=fields, claims=claims)


def _rest(building: _Building, action: Action, found: Found, fields: Sequence[Pointer]) -> _Asked | None:
    """One of the action's fields was let go to somebody: nothing new is taken here, and what the action holds beside it
    stays held. Giving a flag's targeting back at once would undo the variant that a person has just chosen."""
    before = found.claims_of(building.policy)
    claims = {
        where: before[where]
        for where in fields
        if where in before
        and before[where].action == action.name
        and (found.target.uid, where) not in building.released
    }
    return _Asked(found=found, fields=tuple(claims), claims=claims) if claims else None


def _claims_on(
    building: _Building, level: Level, action: Action, found: Found, wants: Mapping[Pointer, Wanted]
) -> Mapping[Pointer, Claim]:
    """A claim that stands keeps its time, so that nothing is rewritten at each tick."""
    before = found.claims_of(building.policy)
    return {
        where: Claim(
            policy=building.policy,
            level=level.name,
            action=action.name,
            value=wanted.value,
            order=wanted.order,
            at=before[where].at if where in before else building.now,
        )
        for where, wanted in wants.items()
    }


def _held_by_other(found: Found, claims: Mapping[Pointer, Claim]) -> Blocked | None:
    """Whether another policy holds one of the fields with a value that has no order against ours: the first holds."""
    for where, claim in claims.items():
        entry = found.held.get(where)
        standing = entry.claims if entry is not None and not entry.restored else {}
        for other in sorted(standing.values(), key=lambda each: (each.at, each.policy)):
            if other.policy == claim.policy and other.value == claim.value:
                break
            if other.policy != claim.policy and not compatible(claim, other):
                message = f"{found.target} is held by policy {other.policy} at level {other.level}, and it came first"
                return Blocked(reason=BlockedReason.HELD_BY_OTHER, message=message)
    return None


def _within_budget(building: _Building, action: Action, asked: Sequence[_Asked]) -> Sequence[_Asked]:
    """All of what is asked, or when that is beyond maxTargets only what the action holds already.

    A workload that appears in an incident must not make the action give everything back.
    """
    total = len({*building.wants, *(each.found.target for each in asked if each.claims)})
    limit = building.spec.safety.max_targets
    held = [each for each in asked if _holds(building.policy, action, each.found)]
    known = {*building.wants, *(each.found.target for each in held)}
    if total <= limit or not any(each.claims and each.found.target not in known for each in asked):
        return asked
    message = (
        f"would make {total} targets, beyond safety.maxTargets {limit}: takes nothing"
        f"{' more' if held else ''}; raise maxTargets or narrow the action"
    )
    building.block(action, None, Blocked(reason=BlockedReason.MAX_TARGETS, message=message))
    return held


def _holds(policy: PolicyRef, action: Action, found: Found) -> bool:
    return any(claim.action == action.name for claim in found.claims_of(policy).values())


def _claim(building: _Building, asked: _Asked) -> None:
    """An action that wants nothing changed still speaks for its fields: a lower level's claims on them go."""
    target = asked.found.target
    mine = building.wants.setdefault(target, {})
    for where in asked.fields:
        mine.pop(where, None)
    mine.update(asked.claims)
    if not mine:
        del building.wants[target]
