"""What every lever must keep to, as a list of broken rules: empty for a sound lever."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from brownout.api.reasons import BlockedReason
from brownout.ledger.entries import Blocked, Entry, Found, Ledger, Order
from brownout.ledger.pointer import ABSENT, Json, Pointer, Value, look, parts_of, pointer
from brownout.levers.lever import Lever, Wanted

Body: TypeAlias = Mapping[str, Json]
Wants: TypeAlias = Mapping[Pointer, Wanted]

FORBIDDEN: Final = (
    Pointer(""),
    Pointer("/"),
    Pointer("/spec"),
    Pointer("/data"),
    Pointer("/spec/template"),
    Pointer("/metadata/labels/brownout.dev~1held"),
    Pointer("/metadata/annotations/brownout.dev~1ledger"),
    Pointer("/metadata/finalizers"),
    Pointer("/metadata/ownerReferences"),
    Pointer("/status/replicas"),
)
"""Pointers that no lever may change, of no kind."""

KINDS: Final = ("Deployment", "StatefulSet", "CronJob", "Job", "ConfigMap", "FeatureFlag", "Secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    lever: Lever[Any]
    arguments: Any
    found: Found

    def wants(self, found: Found) -> Wants | Blocked:
        return self.lever.wants(self.arguments, found)


def violations(lever: Lever[Any], arguments: Any, found: Found) -> tuple[str, ...]:
    """The rules that the lever breaks on one object, in words; `found` is not held and of a kind the lever seeks."""
    before = copy.deepcopy(found.body)
    trial = _Trial(lever=lever, arguments=arguments, found=found)
    wants = trial.wants(found)
    if isinstance(wants, Blocked):
        broken = [*_asking(trial, wants), *_blocking(wants)]
    else:
        broken = [*_asking(trial, wants), *(each for rule in _RULES for each in rule(trial, wants))]
    if found.body != before:
        broken.append("it changed the object it was shown")
    return tuple(broken)


def _asking(trial: _Trial, wants: Wants | Blocked) -> Iterator[str]:
    """Rules that hold whatever comes out."""
    found = trial.found
    query = trial.lever.seeks(trial.arguments, found.target.namespace)
    if trial.wants(found) != wants or trial.lever.seeks(trial.arguments, found.target.namespace) != query:
        yield "it answers twice differently"
    if query.namespace != found.target.namespace:
        yield "it looks outside the policy's namespace"
    if found.target.kind not in query.kinds:
        yield f"it does not seek {found.target.kind}"
    if (query.name is None) == (not query.selectors):
        yield "it seeks neither one name nor by selectors, or both"
    for where in trial.lever.fields(trial.arguments, found):
        if not trial.lever.may_change(found.target.kind, where):
            yield f"it speaks for {where}, which is not on its own list"
    for where in FORBIDDEN:
        if any(trial.lever.may_change(kind, where) for kind in KINDS):
            yield f"its list holds {where or 'the whole object'}"


def _blocking(blocked: Blocked) -> Iterator[str]:
    if blocked.reason not in set(BlockedReason):
        yield f"{blocked.reason} is not a reason of the API"
    if not blocked.message or len(blocked.message) > 1024:
        yield "its sentence is empty, or longer than the status can hold"


def _all_or_none(trial: _Trial, wants: Wants) -> Iterator[str]:
    if wants and set(wants) != set(trial.lever.fields(trial.arguments, trial.found)):
        yield "it wants some of the fields it speaks for, neither all nor none"
    if wants and all(trial.found.original(where) == wanted.value for where, wanted in wants.items()):
        yield "it wants what is there already"


def _direction(trial: _Trial, wants: Wants) -> Iterator[str]:
    for where, wanted in wants.items():
        original = trial.found.original(where)
        if not _AS_DEGRADED[wanted.order](original, wanted.value):
            yield f"it moves {where} from {original!r} to {wanted.value!r} although its order is {wanted.order}"


def _idempotent(trial: _Trial, wants: Wants) -> Iterator[str]:
    taken = take(trial.found, wants)
    if trial.wants(taken) != wants:
        yield "once taken it wants something else"
    if take(taken, wants).body != taken.body:
        yield "taking twice is not taking once"


def _restores(trial: _Trial, wants: Wants) -> Iterator[str]:
    back = give_back(take(trial.found, wants))
    if back.body != trial.found.body:
        yield "what is given back is not what was taken"
    if trial.wants(back) != wants:
        yield "after giving back it wants something else"


_RULES: Final[tuple[Callable[[_Trial, Wants], Iterator[str]], ...]] = (
    _all_or_none,
    _direction,
    _idempotent,
    _restores,
)


def _number(value: Value) -> int:
    """Replicas: 1 where the field is absent, the API server's default."""
    return value if isinstance(value, int) else 1


_AS_DEGRADED: Final[Mapping[Order, Callable[[Value, Value], bool]]] = {
    Order.LOWEST: lambda original, value: _number(value) < _number(original),
    Order.HIGHEST: lambda original, value: _number(value) > _number(original),
    Order.SUSPENDED: lambda original, value: original is not True and value is True,
    Order.NONE: lambda original, value: True,
}


def take(found: Found, wants: Wants) -> Found:
    """The object with the wanted fields set and their originals in its ledger."""
    entries = dict(found.held)
    body = found.body
    for where, wanted in wants.items():
        parent = entries[where].parent if where in entries else _first_missing(body, where)
        original = found.original(where)
        value = wanted.value
        entries[where] = Entry(pointer=where, original=original, applied=value, wanted=value, parent=parent)
        body = with_value(body, where, value)
    return replace(found, body=body, ledger=Ledger(take="t", uid=found.target.uid, entries=entries))


def give_back(found: Found) -> Found:
    """The object with all originals back, parents that were made gone, and no ledger."""
    body = found.body
    for where, entry in reversed(tuple(found.held.items())):
        body = with_value(body, where, entry.original)
        if entry.parent is not None:
            body = with_value(body, entry.parent, ABSENT)
    return replace(found, body=body, ledger=None)


def with_value(body: Body, where: Pointer, value: Value) -> Body:
    """A copy with one field set (parents are made for it) or, for ABSENT, removed."""
    return _placed(body, parts_of(where), value)


def _placed(body: Body, parts: tuple[str, ...], value: Value) -> Body:
    first, rest = parts[0], parts[1:]
    child = body.get(first)
    if value is ABSENT and (first not in body or not rest):
        return {key: each for key, each in body.items() if key != first}
    if not rest:
        return {**body, first: value} if value is not ABSENT else body
    return {**body, first: _placed(child if isinstance(child, Mapping) else {}, rest, value)}


def _first_missing(body: Body, where: Pointer) -> Pointer | None:
    """The topmost parent that setting the field has to make."""
    parts = parts_of(where)
    parents = (pointer(*parts[:depth]) for depth in range(1, len(parts)))
    return next((each for each in parents if look(body, each) is ABSENT), None)
