"""What the watch has seen, on its way to the operator's loop."""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from brownout.cluster.kinds import TARGETS, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An object as it is now; `body` is None once it is gone, or no longer bears the label we watch."""

    kind: str
    namespace: str
    name: str
    body: Mapping[str, Any] | None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.namespace, self.name


def change_of(kind: Kind, body: Mapping[str, Any], *, gone: bool = False) -> Change:
    """The change an event tells of. Of a target only the metadata is kept, of nothing the managedFields."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    kept: Mapping[str, Any] | None = None
    if not gone:
        rest = {} if kind.kind in TARGETS else body
        kept = {**rest, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
    return Change(kind=kind.kind, namespace=metadata.get("namespace", ""), name=metadata["name"], body=kept)


class Inbox:
    """Changes that wait for the loop it was made in, the latest of each object.

    Memory: at most one change for each object that exists or was deleted since the last `get_batch`. A reader that
    stands still for an hour costs no more than one body of each object; nothing queues up behind it.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str, str], Change] = {}

    def put(self, change: Change) -> None:
        """From any thread; never blocks. An object that waits already keeps its place with the newer body."""
        with self._lock:
            first = not self._waiting
            self._waiting[change.key] = change
        if first:
            # A closed loop has no reader left: the operator is ending.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._arrived.set)

    @property
    def empty(self) -> bool:
        """Whether everything that was put has been handed out."""
        with self._lock:
            return not self._waiting

    async def get_batch(self) -> list[Change]:
        """All that waits, oldest first, at least one; waits for it."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            with self._lock:
                batch, self._waiting = list(self._waiting.values()), {}
            if batch:
                return batch
