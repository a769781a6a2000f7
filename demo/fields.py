"""Every field of a set of objects, and what became of each: the proof that all was given back. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

Object: TypeAlias = Mapping[str, Any]
Fields: TypeAlias = Mapping[tuple[str, str], str]
"""By object ("Deployment/thumbnailer") and JSON pointer: the value as JSON text."""

NOT_OURS = ("/metadata/annotations/deployment.kubernetes.io~1revision",)
"""Written by Kubernetes' own controllers."""


class Verdict(StrEnum):
    GIVEN_BACK = "given back"
    LEFT_ALONE = "left to the person who took it"
    LOST = "NOT GIVEN BACK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One field that was changed: its value before, while degraded, and at the end; "" when it is not there."""

    target: str
    pointer: str
    before: str
    during: str
    after: str
    verdict: Verdict


def fields_of(objects: Iterable[Object]) -> Fields:
    """What people and tools can set: the spec, labels and annotations, down to the last scalar."""
    return {
        (f"{each['kind']}/{each['metadata']['name']}", pointer): value
        for each in objects
        for pointer, value in _leaves("", _settable(each))
        if pointer not in NOT_OURS
    }


def generations(objects: Iterable[Object]) -> dict[str, int]:
    """By object, how often its spec was ever changed: equal before and after means that nothing moved between."""
    return {f"{each['kind']}/{each['metadata']['name']}": each["metadata"]["generation"] for each in objects}


def compare(before: Fields, during: Fields, after: Fields, released: set[tuple[str, str]]) -> list[Row]:
    """A row for each field that was ever different; `released` are those that a person has taken over."""
    return [
        _row(key, before.get(key, ""), during.get(key, ""), after.get(key, ""), key in released)
        for key in sorted(before.keys() | during.keys() | after.keys())
        if not before.get(key) == during.get(key) == after.get(key)
    ]


def noted(row: Row) -> bool:
    """Whether this is a label or an annotation, such as the operator's ledger, and not a field of the spec."""
    return row.pointer.startswith("/metadata")


def _row(key: tuple[str, str], before: str, during: str, after: str, released: bool) -> Row:
    verdict = Verdict.LEFT_ALONE if released else Verdict.GIVEN_BACK if before == after else Verdict.LOST
    return Row(target=key[0], pointer=key[1], before=before, during=during, after=after, verdict=verdict)


def _settable(each: Object) -> Object:
    metadata = {name: each["metadata"][name] for name in ("labels", "annotations") if name in each["metadata"]}
    return {**({"metadata": metadata} if metadata else {}), "spec": each["spec"]}


def _leaves(pointer: str, value: Any) -> Iterator[tuple[str, str]]:
    children: Iterable[tuple[str, Any]] = ()
    if isinstance(value, Mapping):
        children = value.items()
    elif isinstance(value, list):
        children = ((str(index), each) for index, each in enumerate(value))
    empty = True
    for name, each in children:
        empty = False
        yield from _leaves(f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", each)
    if empty:
        yield pointer, json.dumps(value, sort_keys=True)
