"""What every API model is made of: one decorator, and the Duration type.

A model is a frozen pydantic dataclass: contract, schema and core input are one type. Field names are snake_case in
Python and camelCase on the wire; a field's docstring is its description in the CRD, and so what `kubectl explain` says.
"""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, TypeVar, dataclass_transform

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

from brownout.api.rules import Rule, obey, validations

GROUP = "brownout.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

WIRE: Final = object()
"""The validation context of what comes from the wire, where a duration is never a bare number."""

T = TypeVar("T")

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"([0-9]{1,9})(ms|[smhdw])")
DURATION_PATTERN = r"^(0|([0-9]{1,9}(ms|[smhdw])){1,6})$"
_WHOLE = re.compile(DURATION_PATTERN)
LONGEST = 366 * 86400.0
"""Seconds; a longer duration is a slip of the pen, and sums with it would leave the calendar."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
def model(*, rules: Sequence[Rule] = (), schema: dict[str, Any] | None = None) -> Callable[[type[T]], type[T]]:
    """Makes a class an API model.

    `rules` are checked whenever one is made, and go into its schema as CEL. `schema` is added to its JSON schema as it
    stands: what only Kubernetes knows.
    """
    config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={**validations(rules), **(schema or {})},
    )

    def make(cls: type[T]) -> type[T]:
        if rules:
            cls.__post_init__ = obey(rules)  # type: ignore[attr-defined]
        return dataclass(frozen=True, slots=True, kw_only=True, config=config)(cls)  # type: ignore[return-value]

    return make


def parse_duration(text: str) -> float:
    """Seconds from Prometheus' notation (`30s`, `1m30s`, `500ms`, `0`); ValueError says what to write instead."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text[:64]!r} is not a duration: write a number and a unit, such as 30s, 1m30s or 500ms")
    seconds = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if seconds > LONGEST:
        raise ValueError(f"{text!r} is too long: write at most 366d")
    return seconds


def show_duration(seconds: float) -> str:
    """The shortest Prometheus notation of a number of seconds, down to milliseconds: 90 -> `1m30s`."""
    rest = round(seconds * 1000)
    if rest <= 0:
        return "0s"
    parts = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts)


def _seconds(value: object, told: ValidationInfo) -> float:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, int | float) and told.context is not WIRE:
        return float(value)
    raise ValueError("write a duration as text: a number and a unit, such as 30s, 1m30s or 500ms")


Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    PlainSerializer(show_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "maxLength": 64}),
]
"""Seconds in Python; Prometheus' notation on the wire."""


def lasts(field: str, shortest: str, longest: str) -> Rule:
    """The rule that a duration of a model lies between two, both allowed. CEL cannot say it inside a list."""
    least, most = parse_duration(shortest), parse_duration(longest)
    sizes = "".join(
        f" part.endsWith('{unit}') ? int(part.replace('{unit}', '')) * {round(size * 1000)} :"
        for unit, size in _UNITS.items()
    )
    sum_of_parts = f"self.{field}.findAll('[0-9]+(ms|[smhdw])').map(part,{sizes} 0).sum()"
    return Rule(
        says=f"write a duration from {shortest} to {longest}",
        cel=f"!has(self.{field})"
        f" || [{sum_of_parts}].all(sum, {round(least * 1000)} <= sum && sum <= {round(most * 1000)})",
        holds=lambda it: least <= getattr(it, field) <= most,
        at=field,
    )
