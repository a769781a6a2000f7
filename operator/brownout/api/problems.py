"""What is wrong with an object, in sentences: the place, and what to write instead."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from brownout.api.base import DURATION_PATTERN
from brownout.api.rules import Broken
from brownout.api.texts import WRITE_INSTEAD

MOST_SHOWN = 8
"""Problems told at a time; the rest is counted."""

_LIST, _MAP = "write a list", "write a map of fields"
_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "is missing: write it",
    "string_type": "write text (in quotes if it looks like a number, a date or true and false)",
    "string_unicode": "write text",
    "int_type": "write a whole number, without quotes",
    "int_parsing_size": "write a smaller number",
    "float_type": "write a number, without quotes",
    "finite_number": "write a finite number",
    "bool_type": "write true or false, without quotes",
    "tuple_type": _LIST,
    "list_type": _LIST,
    "dict_type": _MAP,
    "dataclass_type": _MAP,
    "enum": "write {expected}",
    "greater_than_equal": "write {ge} or more",
    "less_than_equal": "write {le} or less",
    "too_short": "write at least {min_length} of them",
    "too_long": "write at most {max_length} of them",
    "string_too_short": "write at least {min_length} character",
    "string_too_long": "write at most {max_length} characters",
}
_PATTERNS: Final[Mapping[str, str]] = {**WRITE_INSTEAD, DURATION_PATTERN: "write a duration, such as 30s"}
_INDEX = re.compile(r"\.\[")


def sentences(error: ValidationError, root: str) -> tuple[str, ...]:
    """One sentence for each problem, each with its place below `root`, in the order of the object."""
    told = error.errors(include_url=False)
    places = [each["loc"] for each in told]
    return tuple(
        f"{place}: {says}" if says else place
        for each in told
        if not _is_consequence(each, places)
        for place, says in _problems(each, root)
    )


def joined(problems: Sequence[str]) -> str:
    """One text of all of them, short enough to be read."""
    more = len(problems) - MOST_SHOWN
    return "; ".join(problems[:MOST_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def place_of(root: str, parts: Sequence[str | int], within: str = "") -> str:
    """A path as Kubernetes writes it: `spec.levels[0].name`."""
    steps = [root, *(f"[{part}]" if isinstance(part, int) else part for part in parts), *([within] if within else [])]
    return _INDEX.sub("[", ".".join(steps))


def _is_consequence(problem: Mapping[str, Any], places: Sequence[tuple[str | int, ...]]) -> bool:
    """A list that is too short only because its members were refused."""
    here = problem["loc"]
    return problem["type"] == "too_short" and any(len(it) > len(here) and it[: len(here)] == here for it in places)


def _problems(problem: Mapping[str, Any], root: str) -> Iterator[tuple[str, str]]:
    place = place_of(root, [part for part in problem["loc"] if part != "[key]"])
    context = problem.get("ctx", {})
    match problem["type"], context.get("error"):
        case _, Broken() as broken:
            for within, says in broken.problems:
                yield place_of(root, problem["loc"], within), says
        case "value_error", error:
            yield place, str(error)
        case "unexpected_keyword_argument", _:
            yield f'unknown field "{place}": remove it, or write the name as `kubectl explain` shows it', ""
        case "string_pattern_mismatch", _:
            yield place, _PATTERNS.get(context["pattern"], f"write something that matches {context['pattern']}")
        case kind, _:
            yield place, _SENTENCES.get(kind, "cannot be read: see `kubectl explain`").format(**context)
