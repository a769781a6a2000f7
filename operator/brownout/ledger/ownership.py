"""Server-side apply's ownership of single fields: who owned one before us, and how it is handed back.

Without this the previous owner's next unforced apply is refused for ever, with a conflict against us. The format is
FieldsV1 of metadata.managedFields: nested maps whose keys are `f:<name>`, with `.` for the map itself.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from brownout.ledger.entries import GIVING_MANAGER, TAKING_MANAGER, Entry, Owner
from brownout.ledger.pointer import Pointer, parts_of

OURS = (TAKING_MANAGER, GIVING_MANAGER)


def owners_of(metadata: Mapping[str, Any], where: Pointer) -> tuple[Owner, ...]:
    """Every manager but us that owns the field at `where`."""
    found = []
    for each in metadata.get("managedFields") or ():
        fields = _subtree(each.get("fieldsV1") or {}, where)
        if fields is not None and each.get("manager") not in OURS:
            found.append(
                Owner(
                    manager=each.get("manager", ""),
                    operation=each.get("operation", ""),
                    subresource=each.get("subresource", ""),
                    api_version=each.get("apiVersion", ""),
                    time=each.get("time", ""),
                    fields=fields,
                )
            )
    return tuple(found)


def manager_of(metadata: Mapping[str, Any], where: Pointer) -> str:
    """The manager, not us, that owns the field at `where` and wrote last; "" when nobody is known to."""
    owners = owners_of(metadata, where)
    return max(owners, key=lambda owner: owner.time).manager if owners else ""


def owns(metadata: Mapping[str, Any], where: Pointer, manager: str) -> bool:
    """Whether a manager owns the field at `where`."""
    managed = metadata.get("managedFields") or ()
    return any(each.get("manager") == manager and _owns(each, where) for each in managed)


def handed_back(metadata: Mapping[str, Any], entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """managedFields after the entries' fields went back to their recorded owners; only what is still ours moves."""
    managed: list[dict[str, Any]] = copy.deepcopy(list(metadata.get("managedFields") or ()))
    for entry in entries:
        mine = [each for each in managed if each.get("manager") in OURS and _owns(each, entry.pointer)]
        for each in mine:
            _drop(each["fieldsV1"], parts_of(entry.pointer))
        if mine:
            for owner in entry.owners:
                _give(managed, owner, entry.pointer)
    return [each for each in managed if each.get("fieldsV1")]


def _owns(each: Mapping[str, Any], where: Pointer) -> bool:
    return _subtree(each.get("fieldsV1") or {}, where) is not None


def _subtree(fields: Mapping[str, Any], where: Pointer) -> Mapping[str, Any] | None:
    here: Any = fields
    for part in parts_of(where):
        if not isinstance(here, Mapping) or f"f:{part}" not in here:
            return None
        here = here[f"f:{part}"]
    return here if isinstance(here, Mapping) else None


def _drop(fields: dict[str, Any], parts: Sequence[str]) -> None:
    key = f"f:{parts[0]}"
    if key not in fields:
        return
    if len(parts) > 1:
        _drop(fields[key], parts[1:])
    if len(parts) == 1 or not fields[key]:
        del fields[key]


def _give(managed: list[dict[str, Any]], owner: Owner, where: Pointer) -> None:
    entry = next((each for each in managed if _is(each, owner)), None)
    if entry is None:
        entry = {"manager": owner.manager, "operation": owner.operation, "fieldsType": "FieldsV1", "fieldsV1": {}}
        for key, value in (("apiVersion", owner.api_version), ("subresource", owner.subresource), ("time", owner.time)):
            if value:
                entry[key] = value
        managed.append(entry)
    here = entry.setdefault("fieldsV1", {})
    for part in parts_of(where):
        here = here.setdefault(f"f:{part}", {})
    here.update(copy.deepcopy(dict(owner.fields)))


def _is(each: Mapping[str, Any], owner: Owner) -> bool:
    return (each.get("manager"), each.get("operation"), each.get("subresource", "")) == (
        owner.manager,
        owner.operation,
        owner.subresource,
    )
