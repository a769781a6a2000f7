"""From a record to its status, its events and its metrics; the only writer of a status."""

from collections.abc import Mapping

from brownout.api.policy import PolicySpec
from brownout.api.refs import Target
from brownout.api.status import PolicyStatus
from brownout.clock import Clock
from brownout.cluster.port import Cluster
from brownout.decide.message import why
from brownout.decide.model import Decision
from brownout.ledger.entries import Entry
from brownout.ledger.pointer import same
from brownout.reconcile.record import FieldId, Record
from brownout.report.changes import changes
from brownout.report.events import would_take
from brownout.report.facts import Evaluation
from brownout.report.meaning import needs_write
from brownout.report.metrics import Metrics
from brownout.report.recorder import Recorder
from brownout.report.status import next_status, refused_status
from brownout.report.writer import Unwritten, Written, write_status


class Reporter:
    """Writes what changed in meaning, and says as an event only what has been written."""

    def __init__(self, cluster: Cluster, clock: Clock, metrics: Metrics, recorder: Recorder) -> None:
        self._cluster = cluster
        self._clock = clock
        self._metrics = metrics
        self._recorder = recorder

    def nothing_to_say(self, record: Record) -> bool:
        """Whether the status, as last written, says all of it; shows the metrics on the way."""
        new, facts = self._next(record)
        if new is None:
            return True
        self._metrics.show(record.ref, new, facts)
        return needs_write(record.status, new) is None

    async def report(self, record: Record) -> str | None:
        """Writes the status if it says anything new; why it could not be written, or None."""
        new, facts = self._next(record)
        if new is None or record.gone:
            return None
        self._metrics.show(record.ref, new, facts)
        if needs_write(record.status, new) is None:
            return None
        old = record.status
        written = await write_status(self._cluster, record.ref, record.stored, new, record.about.resource_version)
        self._metrics.status_written("Written" if isinstance(written, Written) else written.reason.value)
        if isinstance(written, Written):
            record.wrote(new, written.resource_version)
            if facts is not None:
                self._recorder.record(*changes(old, new, facts))
            return None
        return None if written.reason is Unwritten.GONE else f"status: {written.message}"

    def tell_plans(self, record: Record, before: Mapping[FieldId, tuple[Target, Entry]]) -> None:
        """Says once what DryRun would take; `before` is what it would have taken until now."""
        for field, (target, entry) in record.planned.items():
            if field not in before or not same(entry.wanted, before[field][1].wanted):
                self._recorder.record(would_take(record.ref, target, entry))

    def _next(self, record: Record) -> tuple[PolicyStatus | None, Evaluation | None]:
        now = self._clock.now()
        if record.spec is None:
            return refused_status(record.status, record.refusal, record.about.generation, now), None
        if record.decision is None:
            return None, None
        facts = evaluation_of(record, record.spec, _to_tell(record, record.decision), now)
        return next_status(record.status, facts), facts


def _to_tell(record: Record, decision: Decision) -> Decision:
    """A change of level is told by the decision that made it, however many ticks went by until it could be written."""
    change = record.transition
    return change if change is not None and change.level == decision.level != record.status.level else decision


def evaluation_of(record: Record, spec: PolicySpec, decision: Decision, now: float) -> Evaluation:
    """Everything that is reported about a policy. `decision` is the last one made on `spec`."""
    return Evaluation(
        now=now,
        policy=record.ref,
        generation=record.about.generation,
        spec=spec,
        decision=decision,
        why=why(spec, decision, now, owed=record.left),
        unproven=record.unproven,
        source_down=record.source_down,
        held=tuple(record.held.values()),
        blocked=record.blocked,
        unrestored=record.unrestored,
        released=record.released,
        give_back_left=record.left,
        refusal=record.refusal,
        state=record.state,
    )
