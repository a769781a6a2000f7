"""JSON pointers (RFC 6901) into objects, and the value that stands for a field that is not there."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, Literal, NewType, TypeAlias

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
Pointer = NewType("Pointer", str)


class _Absent(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent.ABSENT
Absent: TypeAlias = Literal[_Absent.ABSENT]
Value: TypeAlias = Json | Absent
"""A field's value; ABSENT is not null."""


def pointer(*parts: str) -> Pointer:
    """The pointer to a path of map keys: `("metadata", "a/b")` -> `/metadata/a~1b`."""
    return Pointer("".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts))


def parts_of(where: Pointer) -> tuple[str, ...]:
    """The inverse of `pointer`."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in where.split("/")[1:])


def look(body: Mapping[str, Json], where: Pointer) -> Value:
    """The value at a pointer, or ABSENT when it or a parent is not there (or a parent is no map)."""
    here: Json = body
    for part in parts_of(where):
        if not isinstance(here, Mapping) or part not in here:
            return ABSENT
        here = here[part]
    return here


def same(one: Value, other: Value) -> bool:
    """Equality as JSON has it: true is not 1, 18.0 is 18, absent is not null."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other
