"""The table of rules (tests/rules.yaml) as objects; the unit tests and the end-to-end tests read it alike."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).parents[1] / "rules.yaml"
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One object, and what becomes of it at either door."""

    id: str
    kind: str
    body: dict[str, Any]
    says: str | None
    """The sentence when it is loaded; None: it is good."""
    admission_says: str | None
    """The API server's sentence; None: it takes the object."""
    at: str | None
    """The place that both name."""


def cases() -> Iterator[Case]:
    """All cases, in the order of the table."""
    for row in _table()["cases"]:
        yield _case(**row)


def good(kind: str) -> dict[str, Any]:
    """The good object that the cases of a kind start from."""
    body: dict[str, Any] = copy.deepcopy(_table()["good"][kind])
    return body


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return table


def _case(
    *,
    id: str,  # noqa: A002 - the table's word
    kind: str = "DegradationPolicy",
    set: dict[str, Any] | None = None,  # noqa: A002 - the table's word
    drop: tuple[str, ...] = (),
    says: str | None = None,
    at: str | None = None,
    admission: Any = None,
) -> Case:
    body = good(kind)
    for path, value in (set or {}).items():
        _put(body, path, copy.deepcopy(value))
    for path in drop:
        here, last = _parent(body, path)
        del here[last]
    own = None if admission == "accepts" else admission["says"] if admission else says
    return Case(id=id, kind=kind, body=body, says=says, admission_says=own, at=at)


def _put(body: Any, path: str, value: Any) -> None:
    """Sets a member, or the item just past a list's end."""
    here, last = _parent(body, path)
    if isinstance(here, list) and last == len(here):
        here.append(value)
    else:
        here[last] = value


def _parent(body: Any, path: str) -> tuple[Any, Any]:
    steps = [int(index) if index else name for name, index in _STEP.findall(path)]
    for step in steps[:-1]:
        body = body[step]
    return body, steps[-1]
