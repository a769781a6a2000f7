"""Who owns which field: what the API server keeps in metadata.managedFields (structured-merge-diff, `Update` only)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str, ...]
"""Elements as FieldsV1 writes them: `f:spec`, `f:replicas`; of a set of texts `v:"x"`."""

_SYSTEM = frozenset(
    {"name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion"}
)
_UNOWNED = frozenset({("f:apiVersion",), ("f:kind",), ("f:metadata",)})
_MAPS = frozenset({"labels", "annotations", "matchLabels", "data", "binaryData", "nodeSelector", "limits", "requests"})
"""Fields of the built-in kinds that are maps with free keys; such a map can be owned itself, a struct cannot."""


@dataclass(frozen=True, slots=True)
class Manager:
    """One entry's key."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    fields: frozenset[Path]
    time: str


Managed: TypeAlias = dict[Manager, Entry]


def updated(
    managed: Mapping[Manager, Entry], old: Mapping[str, Any], new: Mapping[str, Any], by: Manager, time: str
) -> Managed:
    """The entries after `by` turned `old` into `new`: what it added or changed is its own and nobody else's."""
    before, after = fields_of(old), fields_of(new)
    taken = {path for path, value in after.items() if path not in before or before[path] != value}
    gone = before.keys() - after.keys()
    result = {
        who: Entry(entry.fields - taken - gone if who != by else entry.fields - gone, entry.time)
        for who, entry in managed.items()
    }
    if taken:
        mine = result.get(by)
        result[by] = Entry((mine.fields if mine else frozenset()) | taken, time)
    return {who: entry for who, entry in result.items() if entry.fields}


def given(old: Sequence[Mapping[str, Any]], new: Any) -> Managed:
    """The entries a write starts from: those it brings, if they can be read; `[]` and `[{}]` reset them."""
    if new in ([], [{}]):
        return {}
    try:
        brought = decode(new or ())
    except (KeyError, TypeError, AttributeError, ValueError):
        brought = {}
    return brought or decode(old)


def decode(entries: Sequence[Mapping[str, Any]]) -> Managed:
    """From metadata.managedFields. KeyError, TypeError, AttributeError or ValueError if it is not such a list."""
    return {
        Manager(entry["manager"], entry["operation"], entry["apiVersion"], entry.get("subresource", "")): Entry(
            frozenset(_paths(entry["fieldsV1"], ())), entry.get("time", "")
        )
        for entry in entries
    }


def encode(managed: Mapping[Manager, Entry]) -> list[dict[str, Any]]:
    """The list as the server sorts it: `Apply` first, then by time, then by name."""
    ordered = sorted(managed.items(), key=lambda item: (item[0].operation, item[1].time, item[0].name))
    return [
        {
            "manager": who.name,
            "operation": who.operation,
            "apiVersion": who.api_version,
            "time": entry.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": _tree(entry.fields),
            **({"subresource": who.subresource} if who.subresource else {}),
        }
        for who, entry in ordered
    ]


def fields_of(body: Mapping[str, Any]) -> dict[Path, Any]:
    """Each field of an object that can be owned, with its value; a map with free keys counts as a field too."""
    own = {key: value for key, value in body.items() if key not in ("apiVersion", "kind")}
    metadata = {key: value for key, value in (body.get("metadata") or {}).items() if key not in _SYSTEM}
    custom = "." in str(body.get("apiVersion", "")).partition("/")[0] and not _built_in(str(body.get("apiVersion")))
    found = dict(_walk({**own, "metadata": metadata}, (), custom))
    return {path: value for path, value in found.items() if path and path not in _UNOWNED}


def owners_of(body: Mapping[str, Any], *keys: str) -> list[tuple[str, str, str]]:
    """(manager, operation, subresource) of each that owns the field at a path of keys."""
    path = tuple(f"f:{key}" for key in keys)
    managed = decode(body["metadata"].get("managedFields") or ())
    return sorted((who.name, who.operation, who.subresource) for who, entry in managed.items() if path in entry.fields)


def _built_in(api_version: str) -> bool:
    return api_version.partition("/")[0].endswith(".k8s.io")


def _walk(value: Any, above: Path, custom: bool) -> Iterator[tuple[Path, Any]]:
    if above[-2:] == ("f:metadata", "f:finalizers"):
        yield above, None
        yield from (((*above, "v:" + json.dumps(item)), item) for item in value)
    elif isinstance(value, Mapping) and value:
        free = above and (above[-1][2:] in _MAPS or (custom and above[0] != "f:metadata"))
        if free:
            yield above, None
        for key, item in value.items():
            yield from _walk(item, (*above, f"f:{key}"), custom)
    else:
        yield above, value


def _paths(tree: Mapping[str, Any], above: Path) -> Iterator[Path]:
    for key, below in tree.items():
        if key == ".":
            yield above
        elif below:
            yield from _paths(below, (*above, key))
        else:
            yield (*above, key)


def _tree(fields: frozenset[Path]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in sorted(fields):
        here = tree
        for element in path:
            here = here.setdefault(element, {})
    for path in fields:
        here = tree
        for element in path:
            here = here[element]
        if here:
            here["."] = {}
    return tree
