"""From an object of the API to a frozen value, and back. Pure; nothing here raises for what an object holds."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Final, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticUndefined

from brownout.api.base import WIRE
from brownout.api.policy import Policy, PolicySpec
from brownout.api.problems import joined, sentences
from brownout.api.refs import PolicyRef
from brownout.api.source import SourceObject, SourceSpec, SourceStatus
from brownout.api.status import PolicyStatus

T = TypeVar("T")

_POLICY_SPEC: Final = TypeAdapter(PolicySpec)
_POLICY_STATUS: Final = TypeAdapter(PolicyStatus)
_SOURCE_SPEC: Final = TypeAdapter(SourceSpec)
_SOURCE_STATUS: Final = TypeAdapter(SourceStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What Kubernetes knows an object by; what is not there is empty."""

    namespace: str
    name: str
    uid: str
    generation: int
    deleting: bool
    finalizers: tuple[str, ...]
    resource_version: str

    @property
    def ref(self) -> PolicyRef:
        return PolicyRef(namespace=self.namespace, name=self.name, uid=self.uid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An object that breaks the API's rules. It still has a name, and may still be on its way out."""

    message: str
    """Each problem with its place and what to write instead, in one text."""
    metadata: Metadata


def load_policy(body: Mapping[str, Any]) -> Policy | Refused:
    """The policy in a DegradationPolicy object, or what is wrong with it."""
    about = load_metadata(body)
    spec = _load(_POLICY_SPEC, body)
    if isinstance(spec, str):
        return Refused(message=spec, metadata=about)
    return Policy(
        ref=about.ref,
        generation=about.generation,
        spec=spec,
        deleting=about.deleting,
        finalizers=about.finalizers,
        resource_version=about.resource_version,
    )


def load_source(body: Mapping[str, Any]) -> SourceObject | Refused:
    """The source in a PrometheusSource object, or what is wrong with it."""
    about = load_metadata(body)
    spec = _load(_SOURCE_SPEC, body)
    if isinstance(spec, str):
        return Refused(message=spec, metadata=about)
    return SourceObject(name=about.name, uid=about.uid, generation=about.generation, spec=spec)


def load_metadata(body: Mapping[str, Any]) -> Metadata:
    """An object's metadata; anything that is not of its type counts as not there."""
    meta = body.get("metadata")
    meta = meta if isinstance(meta, Mapping) else {}

    def text(key: str) -> str:
        value = meta.get(key)
        return value if isinstance(value, str) else ""

    generation, finalizers = meta.get("generation"), meta.get("finalizers")
    return Metadata(
        namespace=text("namespace"),
        name=text("name"),
        uid=text("uid"),
        generation=generation if type(generation) is int else 0,
        deleting=bool(meta.get("deletionTimestamp")),
        finalizers=tuple(it for it in finalizers if isinstance(it, str)) if isinstance(finalizers, list) else (),
        resource_version=text("resourceVersion"),
    )


def load_status(body: Mapping[str, Any]) -> PolicyStatus:
    """What a DegradationPolicy's status still says; a part that is broken or unknown counts as not there."""
    return _salvage(_POLICY_STATUS, body.get("status"), PolicyStatus())


def load_source_status(body: Mapping[str, Any]) -> SourceStatus:
    """The same for a PrometheusSource."""
    return _salvage(_SOURCE_STATUS, body.get("status"), SourceStatus())


def dump(model: Any) -> dict[str, Any]:
    """A model as it goes over the wire: camelCase, plain JSON values, without what is not set and what is empty by
    default. A 0, a false and a word stay, because a person reads them."""
    out = cast("dict[str, Any]", _adapter(model.__class__).dump_python(model, mode="json", by_alias=True))
    _drop_empty(model, out)
    return out


def _load(adapter: TypeAdapter[T], body: Mapping[str, Any]) -> T | str:
    if "spec" not in body:
        return "spec is missing: write it"
    try:
        return adapter.validate_python(body["spec"], by_alias=True, by_name=False, context=WIRE)
    except ValidationError as error:
        return joined(sentences(error, "spec"))


def _salvage(adapter: TypeAdapter[T], raw: Any, nothing: T) -> T:
    """Each round takes out what the last one stumbled over, so it ends."""
    if not isinstance(raw, Mapping):
        return nothing
    rest: Any = raw
    while True:
        try:
            return adapter.validate_python(rest, by_alias=True, by_name=False)
        except ValidationError as error:
            rest = copy.deepcopy(raw) if rest is raw else rest
            cuts = _cuts(error)
            if () in cuts:
                return nothing
            for where in sorted(cuts, reverse=True):  # later items first, and what is inside before what is around
                _take_out(rest, where, cuts[where])


def _cuts(error: ValidationError) -> dict[tuple[int | str, ...], int]:
    """By place: how much of it may stay. That is the head of a list that is too long, else nothing."""
    cuts = {}
    for problem in error.errors(include_url=False, include_input=False):
        where = problem["loc"][:-1] if problem["type"] == "missing" else problem["loc"]
        cuts[where] = problem["ctx"]["max_length"] if problem["type"] == "too_long" else 0
    return cuts


def _take_out(rest: Any, where: tuple[int | str, ...], length: int) -> None:
    *around, last = where
    for part in around:
        rest = rest[part]
    if length:
        del rest[last][length:]
    else:
        del rest[last]


@cache
def _adapter(cls: type) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


@cache
def _members(cls: type) -> tuple[tuple[str, str, Any], ...]:
    """Of each field: its name, its name on the wire, and its default."""
    known = cls.__pydantic_fields__  # type: ignore[attr-defined]
    return tuple(
        (it.name, known[it.name].alias or it.name, known[it.name].get_default(call_default_factory=True))
        for it in fields(cls)
    )


def _drop_empty(model: Any, out: dict[str, Any]) -> None:
    for name, alias, default in _members(model.__class__):
        value = getattr(model, name)
        if value is None or (value in ("", (), {}) and value == default and default is not PydanticUndefined):
            del out[alias]
        elif hasattr(value, "__pydantic_fields__"):
            _drop_empty(value, out[alias])
        elif isinstance(value, tuple):
            for each, dumped in zip(value, out[alias], strict=True):
                if hasattr(each, "__pydantic_fields__"):
                    _drop_empty(each, dumped)
