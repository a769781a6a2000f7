"""Each step as one JSON Patch. The resourceVersion as read makes a late write a clean 409; the tests make it a 422."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from brownout.ledger import codec, gojson, ownership
from brownout.ledger.entries import (
    GIVING_MANAGER,
    HELD_LABEL,
    LEDGER_ANNOTATION,
    TAKING_MANAGER,
    WHY_ANNOTATION,
    Entry,
    Found,
    Ledger,
)
from brownout.ledger.pointer import ABSENT, Pointer, Value, look, parts_of, pointer, same
from brownout.ledger.steps import Apply, HandBack, Release, Repair, Restore, Step, Strip
from brownout.ledger.why import why

JsonPatch: TypeAlias = list[dict[str, Any]]

_LABELS = pointer("metadata", "labels")
_ANNOTATIONS = pointer("metadata", "annotations")


def manager_of(step: Step) -> str:
    """The field manager of a step's request: one for taking, another for giving back, so that the first owns nothing
    afterwards and GitOps tools can trust exactly it."""
    return TAKING_MANAGER if isinstance(step, Apply | Repair) else GIVING_MANAGER


def patch_of(step: Step, new_take: str) -> JsonPatch:
    """The operations of a step; `new_take` names the take if this is the object's first field."""
    match step:
        case Apply():
            return _apply(step, new_take)
        case Restore():
            return _restore(step)
        case HandBack():
            return _hand_back(step)
        case Release():
            return _guards(step.found) + _metadata(step.found, _without(step.found, step.pointers))
        case Repair():
            return _guards(step.found) + _tests(step.found, step.ledger.entries) + _metadata(step.found, step.ledger)
        case Strip():
            return _guards(step.found) + _metadata(step.found, None)


def encode(patch: JsonPatch) -> str:
    """The request's body, in the API server's own spelling."""
    return gojson.encode(patch)


def _apply(step: Apply, new_take: str) -> JsonPatch:
    found, body = step.found, step.found.body
    ledger = (
        found.ledger if isinstance(found.ledger, Ledger) else Ledger(take=new_take, uid=found.target.uid, entries={})
    )
    operations, made, entries = _guards(found), set[Pointer](), dict(ledger.entries)
    for where, entry in step.entries.items():
        live = look(body, where)
        if not same(live, entry.wanted):
            operations.append({"op": "test", "path": where, "value": None if live is ABSENT else live})
            parents, parent = _parents(body, where, made) if live is ABSENT else ([], None)
            operations[-1:-1] = parents
            operations += _set(where, live, entry.wanted)
            entry = replace(entry, applied=entry.wanted, parent=entry.parent or parent)
        entries[where] = entry
    return operations + _metadata(found, replace(ledger, entries=entries))


def _restore(step: Restore) -> JsonPatch:
    found, body = step.found, step.found.body
    operations, entries = _guards(found), dict(found.held)
    for where in step.pointers:
        entry, live = entries[where], look(body, where)
        operations.append({"op": "test", "path": where, "value": None if live is ABSENT else live})
        operations += _set(where, live, entry.original, parent=_emptied(body, entry))
        entries[where] = replace(entry, restored=True)
    ledger = found.ledger
    assert isinstance(ledger, Ledger)
    return operations + _metadata(found, replace(ledger, entries=entries))


def _hand_back(step: HandBack) -> JsonPatch:
    found = step.found
    metadata: Any = found.body["metadata"]
    entries = [found.held[where] for where in step.pointers]
    rest = _without(found, step.pointers)
    managed = ownership.handed_back(metadata, entries)
    if rest is None:
        # A labels map that we made, and that somebody has used since, would stay ours for ever.
        managed = [each for each in managed if each.get("manager") not in ownership.OURS]
    owned = {"op": "replace", "path": "/metadata/managedFields", "value": managed}
    return [*_guards(found), *([owned] if metadata.get("managedFields") else []), *_metadata(found, rest)]


def _guards(found: Found) -> JsonPatch:
    metadata: Any = found.body["metadata"]
    return [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        {"op": "test", "path": "/metadata/uid", "value": found.target.uid},
    ]


def _tests(found: Found, entries: Mapping[Pointer, Entry]) -> JsonPatch:
    present = {where: look(found.body, where) for where in entries}
    return [{"op": "test", "path": where, "value": live} for where, live in present.items() if live is not ABSENT]


def _set(where: Pointer, live: Value, value: Value, parent: Pointer | None = None) -> JsonPatch:
    if value is ABSENT:
        return [] if live is ABSENT else [{"op": "remove", "path": parent or where}]
    return [{"op": "add" if live is ABSENT else "replace", "path": where, "value": value}]


def _parents(body: Mapping[str, Any], where: Pointer, made: set[Pointer]) -> tuple[JsonPatch, Pointer | None]:
    """The operations that make missing parents, and the topmost of them: each only where nobody made it meanwhile."""
    operations: JsonPatch = []
    parts, topmost = parts_of(where), None
    for depth in range(1, len(parts)):
        parent = pointer(*parts[:depth])
        if parent not in made and look(body, parent) in (ABSENT, None):
            operations += [{"op": "test", "path": parent, "value": None}, {"op": "add", "path": parent, "value": {}}]
            made.add(parent)
            topmost = topmost or parent
    return operations, topmost


def _emptied(body: Mapping[str, Any], entry: Entry) -> Pointer | None:
    """The parent that we made and that would be left empty, to be removed instead of the field alone."""
    if entry.parent is None or entry.original is not ABSENT:
        return None
    path, above = parts_of(entry.pointer), parts_of(entry.parent)
    if path[: len(above)] != above:
        # A forged ledger: what does not stand above the field is not ours to remove.
        return None
    for depth in range(len(above), len(path)):
        children = look(body, pointer(*path[:depth]))
        if not isinstance(children, Mapping) or set(children) != {path[depth]}:
            return None
    return entry.parent


def _without(found: Found, pointers: Sequence[Pointer]) -> Ledger | None:
    rest = {where: entry for where, entry in found.held.items() if where not in pointers}
    return replace(found.ledger, entries=rest) if rest and isinstance(found.ledger, Ledger) else None


def _metadata(found: Found, ledger: Ledger | None) -> JsonPatch:
    """Writes label, ledger and why; or removes all three with the last entry."""
    metadata: Any = found.body["metadata"]
    if ledger is None:
        wanted: dict[str, str | None] = {LEDGER_ANNOTATION: None, WHY_ANNOTATION: None}
        return _map(metadata, _ANNOTATIONS, wanted) + _map(metadata, _LABELS, {HELD_LABEL: None})
    texts = {LEDGER_ANNOTATION: codec.encode(ledger), WHY_ANNOTATION: why(ledger)}
    return _map(metadata, _ANNOTATIONS, texts) + _map(metadata, _LABELS, {HELD_LABEL: ledger.take})


def _map(metadata: Mapping[str, Any], where: Pointer, wanted: Mapping[str, str | None]) -> JsonPatch:
    here = metadata.get(parts_of(where)[-1]) or {}
    operations: JsonPatch = []
    if not here and any(text is not None for text in wanted.values()):
        operations += [{"op": "test", "path": where, "value": None}, {"op": "add", "path": where, "value": {}}]
    for key, text in wanted.items():
        path = pointer(*parts_of(where), key)
        if text is not None and here.get(key) != text:
            operations.append({"op": "add", "path": path, "value": text})
        elif text is None and key in here:
            operations.append({"op": "remove", "path": path})
    return operations
