"""Wires the operator and runs it: from settings to an exit code."""

import asyncio
import base64
import binascii
import contextlib
import logging
import signal

from prometheus_client import disable_created_metrics

from brownout.clock import Clock, SystemClock
from brownout.cluster.access import Unusable
from brownout.cluster.inbox import Inbox
from brownout.cluster.kinds import POLICY, SECRET, SOURCE, Kind
from brownout.cluster.kubernetes import Kubernetes
from brownout.observe.access import Unreadable
from brownout.observe.sources import Sources
from brownout.reconcile.engine import Engine
from brownout.reconcile.probes import Probes
from brownout.report.metrics import Metrics
from brownout.report.recorder import Recorder
from brownout.settings import Settings
from brownout.watch import Watch

log = logging.getLogger(__name__)

DRAIN = 8.0
"""Seconds for steps in flight after SIGTERM; the whole stop takes less than 10."""
RETRY = 2.0
"""Seconds between two tries to reach the API server at the start."""
FINE, DEFECT, CANNOT = 0, 1, 2


class Operator:
    """The parts of one running operator, each knowing only what it was given here."""

    def __init__(self, settings: Settings, cluster: Kubernetes, clock: Clock) -> None:
        self._settings, self._cluster, self._clock = settings, cluster, clock
        self._problem = "starting"
        self.metrics = Metrics()
        self.inbox = Inbox()
        self.recorder = Recorder(cluster, clock, self.metrics, instance=settings.instance)
        self.sources = Sources(clock, self._read_secret, lambda name, seconds, _: self.metrics.queried(name, seconds))
        self.engine = Engine(
            cluster=cluster,
            clock=clock,
            sources=self.sources,
            source=self.sources.source,
            metrics=self.metrics,
            recorder=self.recorder,
            give_back_per_minute=settings.give_back_per_minute,
            namespaces=settings.namespaces,
        )
        self.watch = Watch(
            cluster.access, self.inbox, clock, namespaces=settings.namespaces, on_synced=self.engine.odd.set
        )
        self.probes = Probes(self.engine.store, self.metrics, clock, self.unready)

    def unready(self) -> str:
        """Why `/readyz` says no; a source that is down is not among the reasons."""
        if self._problem:
            return self._problem
        return "the watch is catching up with the API server" if self.watch.stale else ""

    async def run(self, stop: asyncio.Event) -> int:
        """Until `stop`; the exit code."""
        host, port = await self.probes.start(self._settings.metrics_host, self._settings.metrics_port)
        log.info("serving http://%s:%d/metrics, /livez, /readyz, /policies/NAMESPACE/NAME", host, port)
        try:
            missing = await self._until_reachable(stop)
            if missing:
                log.error("%s", missing)
                return CANNOT
            return FINE if stop.is_set() else await self._serve(stop)
        finally:
            await self.probes.stop()
            await self._cluster.close()

    async def _until_reachable(self, stop: asyncio.Event) -> str:
        """Waits for the API server, however long; why it cannot be worked with, "" if it can."""
        said = ""
        while not stop.is_set():
            answer = await self._cluster.version()
            if answer.ok:
                return await self._missing_kinds()
            self._problem = f"cannot use the API server yet: {answer.message or answer.reason}"
            if self._problem != said:
                log.warning("%s; trying on", self._problem)
                said = self._problem
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY)
        return ""

    async def _missing_kinds(self) -> str:
        missing = [kind for kind in (POLICY, SOURCE) if await self._cluster.served(kind) is False]
        return f"the API server does not serve {_names(missing)}: apply crds/ first" if missing else ""

    async def _serve(self, stop: asyncio.Event) -> int:
        self._problem = "waiting for the first listing"
        tasks = [
            asyncio.create_task(part, name=name)
            for name, part in {
                "watch": self.watch.run(),
                "inbox": self._take_in(),
                "sweep": self.engine.sweep.run(),
                "sources": self.engine.reports.run(),
                "events": self.recorder.run(),
                "health": self._watch_health(),
            }.items()
        ]
        stopped = asyncio.create_task(stop.wait(), name="stop")
        try:
            done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._stop(tasks)
        for task in done - {stopped}:
            log.critical("%s has ended, this is a defect of Brownout", task.get_name(), exc_info=task.exception())
        return FINE if stopped in done else DEFECT

    async def _take_in(self) -> None:
        while True:
            for change in await self.inbox.get_batch():
                self.engine.intake.take(change)

    async def _watch_health(self) -> None:
        """Begins once the first listing has been taken in; a cohort that ended is a defect that must show."""
        while True:
            if self.watch.synced and not self.engine.intake.begun and self.inbox.empty:
                self.engine.intake.begin()
                self._problem = ""
                log.info(
                    "ready: %d policies, %d held objects", len(self.engine.store.records), len(self.engine.store.index)
                )
            self.metrics.watch_stale(self.watch.stale)
            for error in self.engine.cohorts.failures():
                raise error
            await self._clock.sleep(0.1 if not self.engine.intake.begun else 1.0)

    async def _stop(self, tasks: list[asyncio.Task[None]]) -> None:
        log.info("stopping: steps in flight finish, nothing new is started")
        self._problem = "stopping"
        self.engine.cohorts.close()
        if left := await self.engine.reconciler.drain(DRAIN):
            log.warning("%d passes were still under way after %g s", left, DRAIN)
        await self.recorder.flush(0.5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.sources.close()
        log.info("stopped")

    async def _read_secret(self, name: str, key: str) -> bytes | Unreadable:
        where = f"Secret {self._settings.operator_namespace}/{name}"
        answer = await self._cluster.get(SECRET, self._settings.operator_namespace, name)
        if not answer.ok:
            return Unreadable(f"{where} cannot be read: {answer.status or 'no answer'} {answer.message}")
        data = answer.body.get("data") or {}
        if key not in data:
            return Unreadable(f"{where} has no key {key}: it has {', '.join(sorted(data)) or 'none'}")
        try:
            return base64.b64decode(data[key], validate=True)
        except (binascii.Error, ValueError):
            return Unreadable(f"{where}, key {key}, is not base64")


def _names(kinds: list[Kind]) -> str:
    return " and ".join(f"{kind.kind} ({kind.api_version})" for kind in kinds)


async def serve(settings: Settings) -> int:
    """Runs an operator until SIGTERM or SIGINT; the exit code."""
    # A `_created` series beside each counter: twice the series, and nobody reads them.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    clock = SystemClock()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        cluster = await Kubernetes.connect(clock, kubeconfig=settings.kubeconfig, context=settings.context)
    except Unusable as error:
        log.error("%s", error)
        return CANNOT
    log.info("API server %s, namespaces %s", cluster.access.host, ", ".join(settings.namespaces) or "all")
    try:
        return await Operator(settings, cluster, clock).run(stop)
    except OSError as error:
        log.error("cannot serve on %s:%d: %s", settings.metrics_host, settings.metrics_port, error)
        return CANNOT
