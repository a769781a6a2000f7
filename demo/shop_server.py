"""One shop as a process: `python -m demo.shop_server FD FLAG_FILE`, FD being an inherited listening socket."""

from __future__ import annotations

import asyncio
import socket
import sys

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from demo import sizes
from demo.flags import recommendations_from
from demo.lifeline import until_parent_gone
from demo.pool import Pool
from demo.shop import Shop


def application(shop: Shop, registry: CollectorRegistry) -> web.Application:
    """/checkout for customers, /slot for the shop's batch workers, /admin/slow for the incident, /metrics."""

    async def checkout(request: web.Request) -> web.Response:
        return web.Response(status=await shop.checkout(request.query.get("client", "web")))

    async def slot(request: web.Request) -> web.Response:
        return web.Response(status=await shop.batch(request.query["workload"], float(request.query["seconds"])))

    async def slow(request: web.Request) -> web.Response:
        shop.pool.slow = float(request.query["factor"])
        return web.Response()

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), content_type="text/plain")

    app = web.Application()
    app.add_routes([web.get("/checkout", checkout), web.post("/slot", slot)])
    app.add_routes([web.post("/admin/slow", slow), web.get("/metrics", metrics)])
    return app


async def serve(listener: socket.socket, flag_file: str) -> None:
    """Serve until the parent process is gone."""
    registry = CollectorRegistry()
    pool = Pool(sizes.POOL_SIZE, sizes.MAX_WAITING)
    shop = Shop(pool, recommendations_from(flag_file), registry)
    # A handler goes on when its client has gone: like most servers, this shop does not notice. access_log costs CPU.
    runner = web.AppRunner(application(shop, registry), access_log=None, handler_cancellation=False)
    await runner.setup()
    await web.SockSite(runner, listener, backlog=1024).start()
    await until_parent_gone()


if __name__ == "__main__":
    asyncio.run(serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2]))
