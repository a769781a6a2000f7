"""What the watch says, taken in: policies become records, sources are declared, held objects are indexed."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from brownout.api.load import Refused, load_metadata, load_policy, load_source, load_status
from brownout.api.policy import Policy
from brownout.api.source import SourceObject
from brownout.clock import Clock
from brownout.cluster.inbox import Change
from brownout.cluster.kinds import POLICY, SOURCE
from brownout.decide.changes import adopt, changed_mode
from brownout.decide.memory import remembered
from brownout.ledger.entries import Found, Illegible
from brownout.observe.sources import Sources
from brownout.reconcile.cohorts import Cohorts
from brownout.reconcile.recall import held_in, released_in
from brownout.reconcile.reconciler import Reconciler
from brownout.reconcile.record import Record
from brownout.reconcile.source_reports import SourceReports
from brownout.reconcile.store import Store
from brownout.report.facts import unproven_at_start
from brownout.report.metrics import Metrics

log = logging.getLogger(__name__)


class Intake:
    """Until `begin` nothing is evaluated: what we hold must be known before anything is decided on it."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: Store,
        reconciler: Reconciler,
        cohorts: Cohorts,
        sources: Sources,
        reports: SourceReports,
        metrics: Metrics,
        odd: Callable[[], None],
    ) -> None:
        """`odd` is told when something does not fit: a sweep should look at it."""
        self._clock, self._store, self._reconciler = clock, store, reconciler
        self._cohorts, self._sources, self._reports, self._metrics = cohorts, sources, reports, metrics
        self._odd = odd
        self._declared: dict[str, SourceObject] = {}
        self.begun = False

    def begin(self) -> None:
        """The first listing is complete: every policy starts, from its status and from what it holds."""
        if self.begun:
            return
        self.begun = True
        for record in self._store.records.values():
            self._start(record)

    def take(self, change: Change) -> None:
        """One change, whatever its kind."""
        if change.kind == POLICY.kind:
            self.policy(change.namespace, change.name, change.body)
        elif change.kind == SOURCE.kind:
            self._source(change.name, change.body)
        else:
            self.target(change.key, change.body)

    def policy(self, namespace: str, name: str, body: Mapping[str, Any] | None) -> None:
        """A policy as it is now; None: it is gone."""
        record = self._store.records.get((namespace, name))
        if record is not None and (body is None or load_metadata(body).uid != record.about.uid):
            self._forget(record)
            record = None
        if body is None:
            return
        if record is None:
            self._new(body)
        else:
            self._update(record, body)

    def target(self, key: tuple[str, str, str], body: Mapping[str, Any] | None) -> None:
        """A held object as it is now; None: it bears our label no more."""
        if body is not None and self._store.is_old(key, body):
            return
        before = self._store.indexed(key, body)
        found = self._store.index.get(key)
        if found is not None and self._store.is_echo(found) and not self._has_unknown_claims(found):
            return
        policies = {held.policy for each in (before, found) if each for held in self._store.remembered(each.target)}
        if found is not None:
            policies |= self._store.policies_on([found])
        if found is not None and not policies:
            self._odd()
        for policy in policies:
            record = self._store.record_of(policy)
            if record is None or (found is not None and isinstance(found.ledger, Illegible)):
                self._odd()
            if self.begun and record is not None:
                self._reconciler.poke(record)

    def _has_unknown_claims(self, found: Found) -> bool:
        """As when a policy went while its last pass was under way."""
        claiming = {policy for entry in found.held.values() for policy in entry.claims}
        return any(self._store.record_of(policy) is None for policy in claiming)

    def _new(self, body: Mapping[str, Any]) -> None:
        record = Record(about=load_metadata(body), status=load_status(body), stored=body.get("status") or {})
        self._store.records[record.about.namespace, record.about.name] = record
        self._store.remember(record, held_in(record.status, record.ref))
        record.released = released_in(record.status, record.ref)
        self._use(record, load_policy(body))
        if self.begun:
            self._start(record)

    def _update(self, record: Record, body: Mapping[str, Any]) -> None:
        generation, deleting = record.about.generation, record.deleting
        if not record.hear(body):
            return
        if record.about.generation != generation:
            log.info("%s: generation %d", record.ref, record.about.generation)
            first = record.spec is None
            self._use(record, load_policy(body))
            if self.begun and first:
                self._start(record)
            elif self.begun:
                self._cohorts.place(record)
        if self.begun and (record.deleting != deleting or record.about.generation != generation):
            self._reconciler.poke(record)

    def _use(self, record: Record, loaded: Policy | Refused) -> None:
        """A new spec; one that cannot be used leaves the last good one in force, the first good one goes on from the
        status."""
        if isinstance(loaded, Refused):
            record.refusal = loaded.message
            return
        if record.spec is None:
            record.state = remembered(record.status, loaded.spec, self._clock.now())
        before = record.spec.mode.value if record.spec is not None else record.status.mode
        if before and before != loaded.spec.mode.value:
            owes = bool(record.held or self._store.targets_of(record.ref))
            record.state = changed_mode(record.state, loaded.spec.mode, self._clock.now(), owes=owes)
            record.wave = None
        if loaded.spec != record.spec:
            # A deletion counts the generation up too, and has nothing new to decide on.
            record.decision = None
        record.spec, record.refusal = loaded.spec, ""
        record.unproven = unproven_at_start(record.status, loaded.spec, record.about.generation)

    def _start(self, record: Record) -> None:
        spec = record.spec
        if spec is not None:
            found = [self._store.index[key] for key in self._store.index]
            claims = [claim for each in found for claim in each.claims_of(record.ref).values()]
            levels = {claim.level for claim in claims}
            highest = max(levels, key=spec.index, default="")
            record.state = adopt(spec, record.state, highest, self._clock.now())
        self._cohorts.place(record)
        if spec is None or record.deleting:
            self._reconciler.poke(record)

    def _forget(self, record: Record) -> None:
        if record.held:
            self._odd()
        self._cohorts.remove(record)
        self._reconciler.leave(record)
        self._store.forget(record)
        self._metrics.forget(record.ref)
        log.info("%s: gone", record.ref)

    def _source(self, name: str, body: Mapping[str, Any] | None) -> None:
        """A source as it is now; one that cannot be used is not declared, and says so itself."""
        loaded = load_source(body) if body is not None else None
        self._declared.pop(name, None)
        if loaded is not None and not isinstance(loaded, Refused):
            self._declared[name] = loaded
        self._sources.declare(self._declared.values())
        self._reports.hear(name, body, loaded.message if isinstance(loaded, Refused) else "")
