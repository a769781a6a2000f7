"""The HTTP session that the watch is given: it reads, and cannot write."""

from collections.abc import Callable

import aiohttp

from brownout.cluster.access import Access
from brownout.cluster.freshness import Freshness


def reading_session(access: Access, freshness: Freshness, on_watched: Callable[[str], None]) -> aiohttp.ClientSession:
    """A session whose requests bear a fresh token and tell `freshness` how they went.

    `on_watched` is called with a collection's path when a watch of it is answered. Anything but a GET is a
    RuntimeError, and so is a request after the session was closed.
    """

    async def gate(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        if request.method != "GET":
            raise RuntimeError(f"the watch writes nothing, but was to {request.method} {request.url}")
        token = await access.authorization()
        if session.closed:
            raise RuntimeError("Session is closed")
        if token:
            request.headers["Authorization"] = token
        request.server_hostname = access.configuration.tls_server_name
        path = request.url.path.removeprefix(access.root)
        if freshness.kind_of(path) is None:
            return await handler(request)
        return await _followed(request, handler, path, freshness, on_watched)

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=access.make_tls()),
        middlewares=(gate,),
        proxy=access.configuration.proxy,
        trust_env=True,
    )
    return session


async def _followed(
    request: aiohttp.ClientRequest,
    handler: aiohttp.ClientHandlerType,
    path: str,
    freshness: Freshness,
    on_watched: Callable[[str], None],
) -> aiohttp.ClientResponse:
    watches = "watch" in request.url.query
    if not watches:
        freshness.asked(path)
    try:
        response = await handler(request)
    except (aiohttp.ClientError, OSError):
        freshness.lost(path)
        raise
    if response.status >= 400:
        freshness.lost(path, response.status)
    elif watches:
        freshness.watching(path)
        on_watched(path)
    return response
