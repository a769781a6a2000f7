"""Whether each source answers, checked once a minute and written to its status when that changes."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from brownout.api.instants import show_instant
from brownout.api.load import dump, load_metadata, load_source_status
from brownout.api.source import SourceStatus
from brownout.api.status import Condition
from brownout.clock import Clock
from brownout.cluster.kinds import SOURCE
from brownout.cluster.port import Cluster, Content
from brownout.ledger import gojson
from brownout.ledger.entries import TAKING_MANAGER
from brownout.observe.sources import SourceReadiness, Sources
from brownout.report.metrics import Metrics

log = logging.getLogger(__name__)

EVERY = 60.0
"""Seconds between two checks."""


class SourceReports:
    """Writes `Ready` of each PrometheusSource; one that does not answer never makes the operator unready."""

    def __init__(self, cluster: Cluster, clock: Clock, sources: Sources, metrics: Metrics) -> None:
        self._cluster, self._clock, self._sources, self._metrics = cluster, clock, sources, metrics
        self._bodies: dict[str, Mapping[str, Any]] = {}
        self._refused: dict[str, str] = {}
        self._changed = asyncio.Event()

    def hear(self, name: str, body: Mapping[str, Any] | None, refusal: str) -> None:
        """A source as it is now; None: it is gone."""
        known = self._bodies.get(name)
        if body is None:
            self._bodies.pop(name, None)
            self._refused.pop(name, None)
            self._metrics.forget_source(name)
            return
        self._bodies[name], self._refused[name] = body, refusal
        if known is None or load_metadata(known).generation != load_metadata(body).generation:
            self._changed.set()

    async def run(self) -> None:
        """Checks until cancelled."""
        while True:
            self._changed.clear()
            await self._check()
            changed = asyncio.ensure_future(self._changed.wait())
            slept = asyncio.ensure_future(self._clock.sleep(EVERY))
            try:
                await asyncio.wait({changed, slept}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                changed.cancel()
                slept.cancel()

    async def _check(self) -> None:
        ready = {each.name: each for each in await self._sources.check_all()}
        for name, refusal in list(self._refused.items()):
            if refusal and name not in ready:
                ready[name] = self._unusable(name, refusal)
        for each in ready.values():
            self._metrics.source_up(each.name, each.ready)
            await self._write(each)

    def _unusable(self, name: str, refusal: str) -> SourceReadiness:
        return SourceReadiness(
            name=name,
            generation=load_metadata(self._bodies[name]).generation,
            ready=False,
            reason="Invalid",
            message=refusal,
            version="",
            at=self._clock.now(),
        )

    async def _write(self, ready: SourceReadiness) -> None:
        body = self._bodies.get(ready.name)
        if body is None:
            return
        old = load_source_status(body)
        new = status_of(old, ready)
        if replace(new, checked_at=old.checked_at) == old:
            return
        patch = {"metadata": {"resourceVersion": load_metadata(body).resource_version}, "status": dump(new)}
        answer = await self._cluster.patch(
            SOURCE, "", ready.name, gojson.encode(patch), Content.MERGE_PATCH, manager=TAKING_MANAGER,
            subresource="status",
        )  # fmt: skip
        if answer.ok:
            self._bodies[ready.name] = answer.body
            log.info("source %s: %s (%s)", ready.name, ready.message, ready.reason)
        elif answer.status != 409 and not answer.missing:
            log.warning("source %s: status not written: %s %s", ready.name, answer.status, answer.message)


def status_of(old: SourceStatus, ready: SourceReadiness) -> SourceStatus:
    """The status that says what the check found. Pure."""
    word = "True" if ready.ready else "False"
    before = next((each for each in old.conditions if each.type == "Ready"), None)
    same = before is not None and before.status == word
    condition = Condition(
        type="Ready",
        status=word,
        reason=ready.reason,
        message=ready.message[:1024],
        last_transition_time=before.last_transition_time if before and same else show_instant(ready.at),
        observed_generation=ready.generation,
    )
    return SourceStatus(
        observed_generation=ready.generation,
        version=ready.version,
        checked_at=show_instant(ready.at),
        conditions=(condition,),
    )
