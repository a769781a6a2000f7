"""What every API model is made of: one decorator, and the Duration type.

A model is a frozen pydantic dataclass: contract, schema and core input are one type. Field names are snake_case in
Python and camelCase on the wire; a field's docstring is its description in the CRD.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, dataclass_transform

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

GROUP = "brownout.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

T = TypeVar("T")

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d{1,9})(ms|[smhdw])")
DURATION_PATTERN = r"^(0|([0-9]{1,9}(ms|[smhdw])){1,6})$"
_WHOLE = re.compile(DURATION_PATTERN)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
def model(*, schema: dict[str, Any] | None = None) -> Callable[[type[T]], type[T]]:
    """Makes a class an API model.

    `schema` is added to the model's JSON schema as it stands: CEL rules and list types that only Kubernetes knows.
    """
    config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra=schema,
    )
    return dataclass(frozen=True, slots=True, kw_only=True, config=config)  # type: ignore[return-value]


def parse_duration(text: object) -> float:
    """Seconds from Prometheus' notation (`30s`, `1m30s`, `500ms`, `0`); ValueError says what to write instead."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    if not isinstance(text, str) or not _WHOLE.match(text):
        raise ValueError(f"{text!r} is not a duration: write a number and a unit, such as 30s, 1m30s or 500ms")
    return sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))


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


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(show_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "maxLength": 64}),
]
"""Seconds in Python; Prometheus' notation on the wire."""
