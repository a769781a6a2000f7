"""What a Cluster must answer: one table of cases, run against the real API server and against the one in memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from brownout.cluster.kinds import Kind
from brownout.cluster.port import Answer, Cluster, Content
from brownout.ledger import gojson
from brownout.ledger.pointer import ABSENT, Pointer, look, parts_of
from brownout.testing.managed_fields import owners_of

Body: TypeAlias = Mapping[str, Any]
Patch: TypeAlias = str | Callable[[Body], str]
"""A body as it is sent, or what makes it from the object as it is."""


class Subject(Protocol):
    """A cluster to try, a namespace in it that holds nothing else, and an administrator's hands."""

    @property
    def cluster(self) -> Cluster: ...

    @property
    def namespace(self) -> str: ...

    async def delete(self, kind: Kind, name: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an answer must be. `moved`: whether the resourceVersion is another than before the request."""

    status: int
    reason: str = ""
    missing: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)
    owners: Mapping[str, Sequence[str]] = field(default_factory=dict)
    moved: bool | None = None
    names: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    kind: Kind
    body: Body
    manager: str = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Get:
    kind: Kind
    name: str = "it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    kind: Kind
    selector: str = ""
    metadata_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Patched:
    kind: Kind
    patch: Patch
    content: Content = Content.JSON_PATCH
    name: str = "it"
    manager: str = "other"
    subresource: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    kind: Kind
    name: str = "it"


Request: TypeAlias = Create | Get | Listed | Patched | Deleted
Case: TypeAlias = Sequence[tuple[Request, Expected]]


def ops(*operations: tuple[str, str] | tuple[str, str, Any]) -> Callable[[Body], str]:
    """A JSON Patch from (op, path, value); a callable value is given the object as it is."""

    def make(body: Body) -> str:
        return gojson.encode([_operation(body, *each) for each in operations])

    return make


def _operation(body: Body, op: str, path: str, *value: Any) -> dict[str, Any]:
    made = {"value": value[0](body) if callable(value[0]) else value[0]} if value else {}
    return {"op": op, "path": path, **made}


async def play(subject: Subject, case: Case) -> list[str]:
    """The differences between what was expected and what came, in words; none if the cluster conforms."""
    differences: list[str] = []
    for number, (request, expected) in enumerate(case, 1):
        before = await _current(subject, request)
        answer = await _send(subject, request, before)
        differences += [
            f"request {number} ({type(request).__name__}): {text}" for text in _compare(answer, expected, before)
        ]
    return differences


async def _current(subject: Subject, request: Request) -> Body:
    if not isinstance(request, Patched | Deleted):
        return {}
    answer = await subject.cluster.get(request.kind, subject.namespace, request.name)
    return answer.body if answer.ok else {}


async def _send(subject: Subject, request: Request, before: Body) -> Answer:
    cluster, namespace = subject.cluster, subject.namespace
    match request:
        case Create():
            return await cluster.create(request.kind, namespace, request.body, manager=request.manager)
        case Get():
            return await cluster.get(request.kind, namespace, request.name)
        case Listed():
            selector, only = request.selector, request.metadata_only
            return await cluster.list(request.kind, namespace, selector=selector, metadata_only=only)
        case Deleted():
            await subject.delete(request.kind, request.name)
            return await cluster.get(request.kind, namespace, request.name)
    text = request.patch if isinstance(request.patch, str) else request.patch(before)
    return await cluster.patch(
        request.kind,
        namespace,
        request.name,
        text,
        request.content,
        manager=request.manager,
        subresource=request.subresource,
    )


def _compare(answer: Answer, expected: Expected, before: Body) -> Iterator[str]:
    said = f"{answer.status} {answer.reason} {answer.message}"
    if answer.status != expected.status or answer.reason != expected.reason:
        yield f"expected {expected.status} {expected.reason}, got {said}"
        return
    if answer.missing != expected.missing:
        yield f"expected missing to be {expected.missing}, got {said}"
    for where, value in expected.fields.items():
        live = look(answer.body, Pointer(where))
        if live != value:
            yield f"expected {where} to be {value!r}, got {live!r}"
    for where, owners in expected.owners.items():
        found = [owner for owner, _, _ in owners_of(answer.body, *parts_of(Pointer(where)))]
        if found != list(owners):
            yield f"expected {where} to be owned by {owners}, got {found}"
    if expected.moved is not None and (_version(answer.body) != _version(before)) != expected.moved:
        yield f"expected the resourceVersion to {'move' if expected.moved else 'stay'}"
    if expected.names is not None and [item["metadata"]["name"] for item in answer.items] != list(expected.names):
        yield f"expected the items {expected.names}, got {[item['metadata']['name'] for item in answer.items]}"


def _version(body: Body) -> object:
    return look(body, Pointer("/metadata/resourceVersion"))


__all__ = ["ABSENT", "Case", "Create", "Deleted", "Expected", "Get", "Listed", "Patched", "Subject", "ops", "play"]
