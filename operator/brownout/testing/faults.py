"""A cluster that fails as it is told: refuses, answers nothing, or ends the operator between two requests."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn, TypeAlias

from brownout.clock import Clock
from brownout.cluster.kinds import Kind
from brownout.cluster.port import UNANSWERED, Answer, Cluster, Content


class Fault(StrEnum):
    """What becomes of a request."""

    NEVER_SENT = "never sent"
    """No answer, and it was not carried out."""
    ANSWER_LOST = "answer lost"
    """No answer, and it was carried out."""
    CRASH_BEFORE = "crash before"
    """The operator ends before it is sent: neither this nor any later call returns."""
    CRASH_AFTER = "crash after"
    """The operator ends once it was carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A request that changes something; `number` counts them from 1."""

    number: int
    at: float
    verb: str
    kind: str
    namespace: str
    name: str
    manager: str
    subresource: str
    body: Any
    """Parsed."""

    @property
    def paths(self) -> tuple[str, ...]:
        """What a JSON Patch sets or removes, tests and resourceVersion left out."""
        operations = self.body if isinstance(self.body, list) else []
        changes = (each["path"] for each in operations if each["op"] != "test")
        return tuple(path for path in changes if path != "/metadata/resourceVersion")


OnWrite: TypeAlias = Callable[[Write], Answer | Fault | float | None]
"""An answer in the cluster's place, a fault, or seconds until it is carried out; None: it goes on."""
OnRead: TypeAlias = Callable[[str, Kind, str], Answer | None]
"""(verb, kind, name or selector)."""


class FaultyCluster(Cluster):
    """Passes on what the hooks let pass, and keeps a list of all writes, refused ones included.

    `on_write` and `on_read` answer in the cluster's place; None: the request goes on.
    """

    def __init__(self, inner: Cluster, clock: Clock) -> None:
        self._inner, self._clock = inner, clock
        self.on_write: OnWrite = lambda _: None
        self.on_read: OnRead = lambda *_: None
        self.writes: list[Write] = []
        self.ended = asyncio.Event()

    async def get(self, kind: Kind, namespace: str, name: str, *, timeout: float = 10.0) -> Answer:
        await self._alive()
        return self.on_read("get", kind, name) or await self._inner.get(kind, namespace, name, timeout=timeout)

    async def list(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        selector: str = "",
        metadata_only: bool = False,
        timeout: float = 30.0,
    ) -> Answer:
        await self._alive()
        return self.on_read("list", kind, selector) or await self._inner.list(
            kind, namespace, selector=selector, metadata_only=metadata_only, timeout=timeout
        )

    async def create(
        self, kind: Kind, namespace: str, body: Mapping[str, Any], *, manager: str, timeout: float = 10.0
    ) -> Answer:
        write = self._write("create", kind, namespace, body["metadata"]["name"], manager, "", body)
        return await self._sent(write, lambda: self._inner.create(kind, namespace, body, manager=manager))

    async def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        body: str,
        content: Content,
        *,
        manager: str,
        subresource: str = "",
        timeout: float = 10.0,
    ) -> Answer:
        write = self._write("patch", kind, namespace, name, manager, subresource, json.loads(body))
        return await self._sent(
            write,
            lambda: self._inner.patch(
                kind, namespace, name, body, content, manager=manager, subresource=subresource, timeout=timeout
            ),
        )

    def _write(
        self, verb: str, kind: Kind, namespace: str, name: str, manager: str, subresource: str, body: Any
    ) -> Write:
        return Write(
            number=len(self.writes) + 1,
            at=self._clock.now(),
            verb=verb,
            kind=kind.kind,
            namespace=namespace,
            name=name,
            manager=manager,
            subresource=subresource,
            body=body,
        )

    async def _sent(self, write: Write, send: Callable[[], Any]) -> Answer:
        await self._alive()
        self.writes.append(write)
        what = self.on_write(write)
        if isinstance(what, Answer):
            return what
        if isinstance(what, float):
            await self._clock.sleep(what)
        if what is Fault.CRASH_BEFORE:
            await self._end()
        answer: Answer = Answer(status=UNANSWERED) if what is Fault.NEVER_SENT else await send()
        if what is Fault.CRASH_AFTER:
            await self._end()
        return Answer(status=UNANSWERED, message="the answer was lost") if what is Fault.ANSWER_LOST else answer

    async def _alive(self) -> None:
        if self.ended.is_set():
            await self._end()

    async def _end(self) -> NoReturn:
        self.ended.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets that event")
