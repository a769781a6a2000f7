"""From a model to the structural schema that the API server takes: no library does it.

The API server refuses much of what pydantic writes. Each keyword is kept, translated or dropped by name; one that is
not named here is an error, so that no constraint of a model is lost in silence.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from brownout.api.base import show_duration

_KEPT = frozenset({
    "type", "format", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
    "minProperties", "maxProperties", "required",
    "x-kubernetes-validations", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
})  # fmt: skip
_DROPPED = frozenset({"title", "$defs", "examples", "uniqueItems", "propertyNames"})
_ORDER = ("description", "type", "format", "default", "enum")


def structural(model: type, *, defaults: bool) -> dict[str, Any]:
    """The structural schema of a model.

    With `defaults` the API server fills in what is not written, except inside lists: there GitOps tools compare whole
    items and would stay out of sync for ever.
    """
    schema = TypeAdapter(model).json_schema(by_alias=True, mode="validation")
    return _Walk(schema.get("$defs", {})).of(schema, defaults)


class _Walk:
    """One walk through a JSON schema and its definitions."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions

    def of(self, schema: Mapping[str, Any], defaults: bool) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for keyword, value in self._plain(schema).items():
            out.update(self._translated(keyword, value, defaults))
        if not defaults:
            out.pop("default", None)
        elif isinstance(out.get("default"), float) and out["type"] == "string":
            out["default"] = show_duration(out["default"])
        first = [keyword for keyword in _ORDER if keyword in out]
        return {keyword: out[keyword] for keyword in [*first, *sorted(out.keys() - set(_ORDER))]}

    def _plain(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """With its reference put in place and null unwrapped; what stands beside either wins."""
        beside = {keyword: value for keyword, value in schema.items() if keyword not in ("$ref", "anyOf")}
        if "$ref" in schema:
            return {**self._plain(self._definitions[schema["$ref"].rpartition("/")[2]]), **beside}
        if "anyOf" in schema:
            one = [member for member in schema["anyOf"] if member != {"type": "null"}]
            if len(one) != 1:
                raise ValueError(f"a union has no structural schema: make each member a field of its own: {schema}")
            return {**self._plain(one[0]), **beside}
        return beside

    def _translated(self, keyword: str, value: Any, defaults: bool) -> dict[str, Any]:
        match keyword:
            case "properties":
                return {"properties": {name: self._property(value[name], defaults) for name in sorted(value)}}
            case "items":
                return {"items": self.of(value, False)}
            case "additionalProperties":
                return {"additionalProperties": self.of(value, False)} if value else {}
            case "patternProperties":  # what a map's keys look like, only a rule can say
                (values,) = value.values()
                return {"additionalProperties": self.of(values, False)}
            case "description":
                return {"description": _flowing(value)}
            case "default":
                return {"default": value} if value not in (None, [], "") else {}
            case "const":
                return {"enum": [value]}
            case "exclusiveMinimum" | "exclusiveMaximum":
                return {keyword.removeprefix("exclusive").lower(): value, keyword: True}
        if keyword in _KEPT:
            return {keyword: value}
        if keyword in _DROPPED:
            return {}
        raise ValueError(f"{keyword} has no known place in a structural schema")

    def _property(self, schema: Mapping[str, Any], defaults: bool) -> dict[str, Any]:
        """A member of an object; one that is an object itself, and never null, is filled in with its own defaults."""
        out = self.of(schema, defaults)
        if defaults and "$ref" in schema and any("default" in each for each in out.get("properties", {}).values()):
            out.setdefault("default", {})
        return out


def _flowing(text: str) -> str:
    """A docstring with the line breaks of its paragraphs taken out."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
