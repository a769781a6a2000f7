"""The operator's metrics, in a registry of their own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from brownout.api.reasons import Result
from brownout.api.refs import PolicyRef
from brownout.api.status import PolicyStatus
from brownout.decide.model import Move
from brownout.report import catalogue
from brownout.report.catalogue import Declared
from brownout.report.facts import Evaluation
from brownout.report.gauges import PolicyGauges

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
RESTORE = "restore"
"""Stands for the lever in steps that give back."""


class Metrics:
    """One verb for each thing that is counted. Labels hold only names from specs and words from closed sets."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._gauges = PolicyGauges()
        self.registry.register(self._gauges)
        ProcessCollector(registry=self.registry)
        self._transitions = self._counter(catalogue.TRANSITIONS)
        self._steps = self._counter(catalogue.STEPS)
        self._pass_failures = self._counter(catalogue.PASS_FAILURES)
        self._status_writes = self._counter(catalogue.STATUS_WRITES)
        self._events_written = self._counter(catalogue.EVENTS_WRITTEN)
        self._events_dropped = self._counter(catalogue.EVENTS_DROPPED)
        self._query_seconds = self._histogram(catalogue.QUERY_SECONDS)
        self._decision_seconds = self._histogram(catalogue.DECISION_SECONDS)
        self._lateness_seconds = self._histogram(catalogue.TICK_LATENESS_SECONDS)
        self._source_up = self._gauge(catalogue.SOURCE_UP)
        self._watch_stale = self._gauge(catalogue.WATCH_STALE)

    def text(self) -> bytes:
        """All of them as /metrics answers, of CONTENT_TYPE. Takes about 10 us a series: with thousands of policies
        call it in a thread."""
        return generate_latest(self.registry)

    def show(self, policy: PolicyRef, status: PolicyStatus, facts: Evaluation | None = None) -> None:
        """What is true of a policy from now on; without `facts`, for one that could never be evaluated."""
        self._gauges.show(policy, status, facts)

    def forget(self, policy: PolicyRef) -> None:
        """Removes all series of a policy that is gone."""
        if self._gauges.forget(policy):
            self._transitions.remove_by_labels({"namespace": policy.namespace, "policy": policy.name})

    def moved(self, policy: PolicyRef, move: Move) -> None:
        """A change of level."""
        self._transitions.labels(policy.namespace, policy.name, move.value).inc()

    def stepped(self, lever: str, result: Result) -> None:
        """A step on a target; `lever` is flag, scale, shed or RESTORE."""
        self._steps.labels(lever, result.value).inc()

    def pass_failed(self) -> None:
        """A pass over a policy ended in a defect."""
        self._pass_failures.inc()

    def status_written(self, result: str) -> None:
        """A status patch; `result` is `Written` or an Unwritten reason."""
        self._status_writes.labels(result).inc()

    def event_written(self) -> None:
        self._events_written.inc()

    def event_dropped(self, reason: str) -> None:
        self._events_dropped.labels(reason).inc()

    def queried(self, source: str, seconds: float) -> None:
        """One request to a source."""
        self._query_seconds.labels(source).observe(seconds)

    def decided(self, seconds: float) -> None:
        self._decision_seconds.observe(seconds)

    def late(self, seconds: float) -> None:
        """How much later than due a tick started."""
        self._lateness_seconds.observe(max(0.0, seconds))

    def source_up(self, source: str, up: bool) -> None:
        self._source_up.labels(source).set(up)

    def forget_source(self, source: str) -> None:
        """Removes all series of a source that is gone."""
        self._source_up.remove_by_labels({"source": source})
        self._query_seconds.remove_by_labels({"source": source})

    def watch_stale(self, stale: bool) -> None:
        self._watch_stale.set(stale)

    def _counter(self, declared: Declared) -> Counter:
        return Counter(declared.name, declared.text, declared.labels, registry=self.registry)

    def _gauge(self, declared: Declared) -> Gauge:
        return Gauge(declared.name, declared.text, declared.labels, registry=self.registry)

    def _histogram(self, declared: Declared) -> Histogram:
        return Histogram(
            declared.name, declared.text, declared.labels, buckets=declared.buckets, registry=self.registry
        )
