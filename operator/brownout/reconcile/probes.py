"""What the operator answers over HTTP: is it alive, is it ready, its metrics, and each policy's last decision."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from brownout.api.load import dump
from brownout.clock import Clock
from brownout.decide.message import why
from brownout.decide.model import Missing
from brownout.decide.zones import evidence_of
from brownout.ledger.why import show
from brownout.reconcile.record import Record
from brownout.reconcile.store import Store
from brownout.report.metrics import CONTENT_TYPE, Metrics


class Probes:
    """Serves on one address. Nothing here changes anything."""

    def __init__(self, store: Store, metrics: Metrics, clock: Clock, unready: Callable[[], str]) -> None:
        """`unready` says why the operator is not ready, "" when it is."""
        self._store, self._metrics, self._clock, self._unready = store, metrics, clock, unready
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Where it listens; OSError if it cannot."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/livez", self._livez),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics_page),
                web.get("/policies/{namespace}/{name}", self._policy),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        bound = self._runner.addresses[0]
        return str(bound[0]), int(bound[1])

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _livez(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        why_not = self._unready()
        return web.Response(text=f"{why_not or 'ok'}\n", status=503 if why_not else 200)

    async def _metrics_page(self, _: web.Request) -> web.Response:
        text = await asyncio.to_thread(self._metrics.text)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})

    async def _policy(self, request: web.Request) -> web.Response:
        namespace, name = request.match_info["namespace"], request.match_info["name"]
        record = self._store.records.get((namespace, name))
        if record is None:
            text = f"no policy {namespace}/{name} is known here: is the name right, and the namespace watched?\n"
            return web.json_response({"error": text.strip()}, status=404)
        return web.json_response(shown(record, self._clock.now()))


def shown(record: Record, now: float) -> dict[str, Any]:
    """A policy's last decision with its evidence, as JSON."""
    page: dict[str, Any] = {
        "namespace": record.about.namespace,
        "name": record.about.name,
        "generation": record.about.generation,
        "refusal": record.refusal,
        "status": dump(record.status),
    }
    page["wouldTake"] = [
        {
            "target": f"{target.kind} {target.name}",
            "pointer": entry.pointer,
            "from": show(entry.original),
            "to": show(entry.wanted),
        }
        for target, entry in record.planned.values()
    ]
    decision, spec = record.decision, record.spec
    if decision is None or spec is None:
        return page
    page["decision"] = {
        "move": decision.move,
        "level": decision.level,
        "reason": decision.reason,
        "why": why(spec, decision, now, owed=record.left),
        "zones": dict(decision.zones),
        "evidence": [
            {
                "level": each.level,
                "signal": each.signal,
                "value": None if isinstance(each.seen, Missing) else each.seen.value,
                "missing": f"{each.seen.reason}: {each.seen.message}" if isinstance(each.seen, Missing) else "",
                "zone": each.zone,
                "enter": each.enter,
                "exit": each.exit,
                "above": each.above,
            }
            for each in evidence_of(spec, decision.seen)
        ],
    }
    return page
