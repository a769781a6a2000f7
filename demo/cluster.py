"""The API server as the demo sees it: read an object, follow a collection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeAlias

import aiohttp

from e2e.controlplane.api import trusting
from e2e.controlplane.handle import Controlplane

Object: TypeAlias = Mapping[str, Any]

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_WATCH_SECONDS = 300
_LONGEST_LINE = 4 * 1024 * 1024


class Cluster:
    """Use it as `async with`: one HTTP session as the administrator of a local control plane."""

    def __init__(self, plane: Controlplane) -> None:
        self._server = plane.server
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trusting(plane.ca), limit=0),
            headers={"Authorization": f"Bearer {plane.admin_token()}"},
            read_bufsize=_LONGEST_LINE,
        )

    async def __aenter__(self) -> Cluster:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def get(self, path: str) -> dict[str, Any]:
        """The object at `path`; raises aiohttp.ClientError or TimeoutError."""
        async with self._session.get(self._server + path, timeout=_TIMEOUT) as answer:
            answer.raise_for_status()
            body: dict[str, Any] = await answer.json()
            return body

    async def follow(self, path: str) -> AsyncIterator[list[Object]]:
        """All objects of a collection, at first and after every change, for ever: a watch that ends is begun anew."""
        while True:
            try:
                listed = await self.get(path)
                objects: dict[str, Object] = {each["metadata"]["uid"]: each for each in listed["items"]}
                yield list(objects.values())
                async for event in self._events(path, listed["metadata"]["resourceVersion"]):
                    _note(objects, event)
                    yield list(objects.values())
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.5)

    async def _events(self, path: str, version: str) -> AsyncIterator[Object]:
        query = {"watch": "1", "resourceVersion": version, "timeoutSeconds": str(_WATCH_SECONDS)}
        timeout = aiohttp.ClientTimeout(total=_WATCH_SECONDS + 10)
        async with self._session.get(self._server + path, params=query, timeout=timeout) as answer:
            answer.raise_for_status()
            async for line in answer.content:
                event: Object = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event


def _note(objects: dict[str, Object], event: Object) -> None:
    uid = event["object"]["metadata"]["uid"]
    if event["type"] == "DELETED":
        objects.pop(uid, None)
    else:
        objects[uid] = event["object"]
