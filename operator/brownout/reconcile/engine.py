"""All parts between what is watched and read and what is written, wired once: for the operator and for simulations."""

import asyncio
from collections.abc import Callable, Sequence

from brownout.act.executor import ClusterExecutor
from brownout.clock import Clock
from brownout.cluster.port import Cluster
from brownout.observe.source import Source
from brownout.observe.sources import Sources
from brownout.reconcile.cohorts import Cohorts
from brownout.reconcile.intake import Intake
from brownout.reconcile.pace import GiveBackPace
from brownout.reconcile.reconciler import Reconciler
from brownout.reconcile.reporter import Reporter
from brownout.reconcile.source_reports import SourceReports
from brownout.reconcile.store import Store
from brownout.reconcile.sweep import Sweep
from brownout.report.metrics import Metrics
from brownout.report.recorder import Recorder


class Engine:
    """The parts, each knowing only what it was given here. Nothing runs yet: `intake.begin`, `sweep.run` and
    `reports.run` are the caller's."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        clock: Clock,
        sources: Sources,
        source: Callable[[str], Source],
        metrics: Metrics,
        recorder: Recorder,
        give_back_per_minute: int,
        namespaces: Sequence[str],
    ) -> None:
        """`source` gives the one that a policy names, `sources` is where they are declared; `namespaces`: the only ones
        to act in, all if empty."""
        self.odd = asyncio.Event()
        """Set when something was seen that does not fit: a sweep looks at it soon."""
        self.store = Store()
        self.reports = SourceReports(cluster, clock, sources, metrics)
        pace, executor = GiveBackPace(give_back_per_minute), ClusterExecutor(cluster, clock)
        reporter = Reporter(cluster, clock, metrics, recorder)
        self.reconciler = Reconciler(
            cluster=cluster, clock=clock, executor=executor, store=self.store, pace=pace, reporter=reporter,
            metrics=metrics,
        )  # fmt: skip
        self.cohorts = Cohorts(clock, source, self.reconciler.tick, metrics)
        self.intake = Intake(
            clock=clock, store=self.store, reconciler=self.reconciler, cohorts=self.cohorts, sources=sources,
            reports=self.reports, metrics=metrics, odd=self.odd.set,
        )  # fmt: skip
        self.sweep = Sweep(
            cluster=cluster, clock=clock, store=self.store, intake=self.intake, executor=executor, recorder=recorder,
            pace=pace, namespaces=namespaces, odd=self.odd,
        )  # fmt: skip
