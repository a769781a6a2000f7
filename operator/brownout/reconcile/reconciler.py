"""The straight line of one policy: readings in, decision, targets looked at, steps taken, status written."""

import asyncio
import logging
from collections.abc import Mapping

from brownout.act.executor import Executor
from brownout.api.policy import NORMAL, PolicySpec
from brownout.api.reasons import DecisionReason, MissingReason
from brownout.clock import Clock
from brownout.cluster.port import Cluster
from brownout.decide.engine import decide
from brownout.decide.model import Missing, Seen
from brownout.ledger.entries import FINALIZER, Instant
from brownout.reconcile.one_pass import Pass, survey_due
from brownout.reconcile.pace import GiveBackPace
from brownout.reconcile.record import Record
from brownout.reconcile.reporter import Reporter
from brownout.reconcile.store import Store
from brownout.report.facts import counts, still_unproven
from brownout.report.metrics import Metrics

log = logging.getLogger(__name__)

_UNREAD = Missing(reason=MissingReason.NO_DATA, message="not read")


class Reconciler:
    """Ticks are synchronous and cheap; a policy that has something to do gets a task that passes until it is done."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        clock: Clock,
        executor: Executor,
        store: Store,
        pace: GiveBackPace,
        reporter: Reporter,
        metrics: Metrics,
    ) -> None:
        self._clock, self._store = clock, store
        self._reporter, self._metrics = reporter, metrics
        self._pass = Pass(
            cluster=cluster,
            clock=clock,
            executor=executor,
            store=store,
            pace=pace,
            reporter=reporter,
            metrics=metrics,
            poke=self.poke,
        )
        self._work: set[asyncio.Task[None]] = set()
        self._stopping = False

    def tick(self, record: Record, seen: Mapping[str, Seen], source_down: str, now: Instant) -> None:
        """Decides on what was read at `now`, and starts a pass if there is anything to do."""
        if record.spec is not None and not record.refusal and not record.deleting:
            self._decide(record, record.spec, seen, source_down, now)
        if not self._is_quiet(record, now):
            self.poke(record)

    def poke(self, record: Record) -> None:
        """Something about a policy changed: a pass is due."""
        record.poked.set()
        if record.work is None and not self._stopping and not record.gone:
            record.work = asyncio.create_task(self._passes(record), name=f"policy {record.ref}")
            self._work.add(record.work)
            record.work.add_done_callback(lambda task: self._done(record, task))

    def leave(self, record: Record) -> None:
        """A policy is gone: the pass under way is its last."""
        record.gone = True
        record.poked.set()

    async def drain(self, seconds: float) -> int:
        """Lets steps in flight finish and starts no more; how many passes were still under way after `seconds`."""
        self._stopping = self._pass.stopping = True
        for record in self._store.records.values():
            record.poked.set()
        if not self._work:
            return 0
        _, pending = await asyncio.wait(self._work, timeout=seconds)
        return len(pending)

    def _decide(
        self, record: Record, spec: PolicySpec, seen: Mapping[str, Seen], source_down: str, now: Instant
    ) -> None:
        started = self._clock.monotonic()
        decision = decide(spec, record.state, [seen.get(signal.name, _UNREAD) for signal in spec.signals], now)
        self._metrics.decided(self._clock.monotonic() - started)
        record.decision, record.state = decision, decision.state
        told = all(counts(signal, seen.get(signal.name)) for signal in spec.signals)
        record.source_down = "" if told else source_down
        record.unproven = still_unproven(record.unproven, spec, seen)
        if decision.level != decision.before:
            record.changing, record.wrote_at, record.transition = True, None, decision
            self._metrics.moved(record.ref, decision.move)
            log.info("%s: %s -> %s (%s)", record.ref, decision.before, decision.level, decision.reason)
        if decision.level != NORMAL and decision.before == NORMAL:
            record.released = ()
        if decision.reason is DecisionReason.ESCALATED:
            record.wave = None

    def _is_quiet(self, record: Record, now: Instant) -> bool:
        if record.spec is None or record.refusal or record.deleting or record.held or record.wave or record.left:
            return False
        if record.state.level != NORMAL or record.state.giving_back or FINALIZER in record.about.finalizers:
            return False
        if survey_due(record, now):
            return False
        return self._reporter.nothing_to_say(record)

    async def _passes(self, record: Record) -> None:
        while not self._stopping and not record.gone:
            record.poked.clear()
            again = await self._pass.run(record)
            if record.poked.is_set():
                continue
            if again is None:
                return
            await self._poked_within(record, again)

    async def _poked_within(self, record: Record, seconds: float) -> None:
        waits = {asyncio.ensure_future(record.poked.wait()), asyncio.ensure_future(self._clock.sleep(seconds))}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _done(self, record: Record, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        record.work = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._metrics.pass_failed()
            log.error(
                "%s: a pass failed, this is a defect of Brownout; the next tick tries again", record.ref, exc_info=error
            )
        elif record.poked.is_set():
            self.poke(record)
