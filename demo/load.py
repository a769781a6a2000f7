"""The customers of one shop as a process: `python -m demo.load FD SHOP_URL START`.

FD is an inherited listening socket for /metrics; START is when the first customer may come, in seconds of the
monotonic clock, so that the customers of both shops come at the same moments.
"""

from __future__ import annotations

import asyncio
import socket
import sys

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from demo import sizes
from demo.clients import Clients, Send, arrivals
from demo.lifeline import until_parent_gone


def sender(session: aiohttp.ClientSession, url: str) -> Send:
    """One real HTTP request per attempt; a client that has waited long enough hangs up."""

    async def send(client: str, timeout: float) -> bool:
        try:
            async with session.get(
                f"{url}/checkout",
                params={"client": client},
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as answer:
                return answer.status == 200
        except (TimeoutError, aiohttp.ClientError):
            return False

    return send


async def serve_metrics(listener: socket.socket, registry: CollectorRegistry) -> None:
    """Serve /metrics on `listener`."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), content_type="text/plain")

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener).start()


async def load(listener: socket.socket, url: str, start: float) -> None:
    """Send customers until the parent process is gone."""
    registry = CollectorRegistry()
    await serve_metrics(listener, registry)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        clients = Clients(sender(session, url), registry)
        coming = asyncio.create_task(clients.run(arrivals(sizes.SEED, sizes.ARRIVALS_PER_SECOND), start))
        await until_parent_gone()
        coming.cancel()


if __name__ == "__main__":
    asyncio.run(load(socket.socket(fileno=int(sys.argv[1])), sys.argv[2], float(sys.argv[3])))
