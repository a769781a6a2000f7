"""The port to a Kubernetes API server. An answer's status is a value: nothing here raises for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from brownout.cluster.kinds import Kind

UNANSWERED = 0
"""The status of a request that got no answer: it may or may not have been carried out."""


class Content(StrEnum):
    JSON_PATCH = "application/json-patch+json"
    MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the API server said: an HTTP status, the body, and for a failure its reason and message."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    message: str = ""
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def missing(self) -> bool:
        """A NotFound that speaks of the object: a CRD that is gone answers 404 in plain text and is not one."""
        return self.status == 404 and self.reason == "NotFound" and bool(self.body.get("details", {}).get("name"))

    @property
    def items(self) -> Sequence[Mapping[str, Any]]:
        return self.body.get("items") or ()


class Cluster(Protocol):
    """Reads and writes, each with a deadline in seconds."""

    async def get(self, kind: Kind, namespace: str, name: str, *, timeout: float = 10.0) -> Answer: ...

    async def list(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        selector: str = "",
        metadata_only: bool = False,
        timeout: float = 30.0,
    ) -> Answer:
        """All pages in one answer; namespace "" is all of them (or the kind is cluster-scoped)."""
        ...

    async def create(
        self, kind: Kind, namespace: str, body: Mapping[str, Any], *, manager: str, timeout: float = 10.0
    ) -> Answer: ...

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
        """`body` is encoded JSON (see ledger.patches.encode: `test` compares as Go writes). Never cancelled:
        a caller that is cancelled leaves the request running to its end or its deadline."""
        ...
