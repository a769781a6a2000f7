"""The only door to Kubernetes."""

import asyncio
import json
import ssl
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Self
from urllib.parse import quote

import aiohttp
from kubernetes.aio.client import ApiClient
from kubernetes.aio.client.rest import RESTClientObject, RESTResponse

from brownout.clock import Clock
from brownout.cluster.access import Access
from brownout.cluster.answers import UNANSWERED_REASON, answer_of, unanswered
from brownout.cluster.kinds import Kind, is_segment
from brownout.cluster.port import UNANSWERED, Answer, Cluster, Content

PAGE = 500
"""Objects a page of a list: 10,000 policies are 29.7 MB, parsed in one piece they block the loop for a second."""
DRAIN = 10.0
"""Seconds that `close` waits for writes in flight."""
_EXPIRED = 410
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_FAILURES = (aiohttp.ClientError, TimeoutError, OSError, ssl.SSLError)


class Kubernetes(Cluster):
    """A real API server. Every answer's status is a value; no answer is status 0 with the reason in words."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._api: Any = ApiClient(access.configuration)
        self._api.rest_client = _Verbatim(access.configuration)
        self._writes: set[asyncio.Task[Answer]] = set()
        self._closed = False

    @classmethod
    async def connect(cls, clock: Clock, *, kubeconfig: str | None = None, context: str | None = None) -> Self:
        """Reads the configuration and sends nothing. Raises access.Unusable."""
        return cls(await Access.load(clock, kubeconfig=kubeconfig, context=context))

    async def get(self, kind: Kind, namespace: str, name: str, *, timeout: float = 10.0) -> Answer:
        if not _is_path(namespace, name):
            return _no_name(namespace, name)
        return await self._send("GET", kind.path(namespace, name), timeout=timeout)

    async def list(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        selector: str = "",
        metadata_only: bool = False,
        timeout: float = 30.0,
    ) -> Answer:
        """All pages as one; every item carries its kind and apiVersion. An expired page starts the list once more."""
        query = [("limit", str(PAGE))] + ([("labelSelector", selector)] if selector else [])
        headers = {"Accept": _METADATA_ONLY} if metadata_only else {}
        try:
            async with asyncio.timeout(timeout):
                answer = await self._pages(kind, namespace, query, headers)
                if answer.status == _EXPIRED:
                    answer = await self._pages(kind, namespace, query, headers)
                return answer
        except TimeoutError as error:
            return unanswered(error, self.access.host, timeout)

    async def create(
        self, kind: Kind, namespace: str, body: Mapping[str, Any], *, manager: str, timeout: float = 10.0
    ) -> Answer:
        headers = {"Content-Type": "application/json"}
        text = json.dumps(body, ensure_ascii=False)
        return await self._write("POST", kind.path(namespace), text, headers, manager, timeout)

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
        if not _is_path(namespace, name):
            return _no_name(namespace, name)
        path = kind.path(namespace, name, subresource)
        return await self._write("PATCH", path, body, {"Content-Type": content}, manager, timeout)

    async def version(self, *, timeout: float = 5.0) -> Answer:
        """GET /version: ok if the server is there and knows us."""
        return await self._send("GET", "/version", timeout=timeout)

    async def served(self, kind: Kind, *, timeout: float = 10.0) -> bool | None:
        """Whether the server knows this kind; None if it could not be asked."""
        answer = await self._send("GET", kind.group_path, timeout=timeout)
        if answer.status == 404:
            return False
        if not answer.ok:
            return None
        return any(resource.get("name") == kind.plural for resource in answer.body.get("resources") or ())

    async def close(self, *, drain: float = DRAIN) -> None:
        """Waits at most `drain` seconds for writes in flight, starts no other, and closes the connections."""
        self._closed = True
        if self._writes:
            await asyncio.wait(self._writes, timeout=drain)
        await self._api.close()

    async def _pages(
        self, kind: Kind, namespace: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str]
    ) -> Answer:
        items: list[dict[str, Any]] = []
        token = ""
        while True:
            more = [*query, ("continue", token)] if token else query
            answer = await self._send("GET", kind.path(namespace), query=more, headers=headers, timeout=None)
            if not answer.ok:
                return answer
            items.extend({**item, "apiVersion": kind.api_version, "kind": kind.kind} for item in answer.items)
            metadata = dict(answer.body.get("metadata") or {})
            token = metadata.pop("continue", "")
            if not token:
                return Answer(status=answer.status, body={**answer.body, "metadata": metadata, "items": items})

    async def _write(
        self, method: str, path: str, body: str, headers: Mapping[str, str], manager: str, timeout: float
    ) -> Answer:
        query = [("fieldManager", manager)]
        return await self._finish(self._send(method, path, query=query, body=body, headers=headers, timeout=timeout))

    async def _finish(self, write: Coroutine[Any, Any, Answer]) -> Answer:
        """Runs a write in a task of its own: whoever asked for it may be cancelled, the write may not."""
        task = asyncio.create_task(write)
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return await asyncio.shield(task)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None,
    ) -> Answer:
        where = self.access.host
        if self._closed:
            return Answer(
                status=UNANSWERED, reason=UNANSWERED_REASON, message=f"{where} is not asked any more: closing"
            )
        try:
            async with asyncio.timeout(timeout):
                await self.access.refresh()
                _, url, sent, _, _ = await self._api.param_serialize(
                    method,
                    quote(path),
                    query_params=list(query),
                    header_params={"Accept": "application/json", **(headers or {})},
                    auth_settings=["BearerToken"],
                )
                response = await self._api.call_api(method, url, sent, body)
                return answer_of(response.status, response.headers, await response.read(), where)
        except _FAILURES as error:
            return unanswered(error, where, timeout)


class _Verbatim(RESTClientObject):
    """Sends a body as it stands, where the generated client would encode it again; follows no redirect."""

    async def request(  # type: ignore[no-untyped-def]
        self, method, url, headers=None, body=None, post_params=None, _request_timeout=None
    ) -> RESTResponse:
        if self.pool_manager is None:
            self.pool_manager = self._create_pool_manager()
        response = await self.pool_manager.request(
            method,
            url,
            headers=headers,
            data=body.encode() if body is not None else None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None),
            proxy=self.proxy,
            proxy_headers=self.proxy_headers,
            server_hostname=self.configuration.tls_server_name,
        )
        return RESTResponse(response)


def _is_path(namespace: str, name: str) -> bool:
    return is_segment(name) and (not namespace or is_segment(namespace))


def _no_name(namespace: str, name: str) -> Answer:
    return Answer(status=400, reason="BadRequest", message=f"{namespace}/{name} cannot be the name of an object")
