"""One pass of one policy: look at its targets, plan, take and give back, and say so."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from brownout.act.availability import is_available
from brownout.act.dry_run import DryRun
from brownout.act.executor import Executor
from brownout.act.survey import Survey
from brownout.api.policy import NORMAL, Mode, Recovery
from brownout.api.refs import Target
from brownout.clock import Clock
from brownout.cluster.port import Cluster
from brownout.decide.changes import after_write, gave_back
from brownout.ledger.entries import FINALIZER, Claim, Instant
from brownout.ledger.pointer import Pointer
from brownout.reconcile.bring import Bringer
from brownout.reconcile.finalizer import owe, owe_nothing
from brownout.reconcile.goal import Goal, goal_of
from brownout.reconcile.looking import NOTHING, Looked, Looking
from brownout.reconcile.pace import GiveBackPace
from brownout.reconcile.record import Record
from brownout.reconcile.reporter import Reporter
from brownout.reconcile.store import Store
from brownout.reconcile.taking_in import absorb, forgive, obstacles, take_in
from brownout.report.metrics import Metrics

log = logging.getLogger(__name__)

AGAIN = 2.0
"""Seconds until the next pass while something is under way: a wave, a refused write."""
SURVEY_AGAIN = 30.0
"""Seconds between two looks at Normal for targets that were missing."""


def survey_due(record: Record, now: Instant) -> bool:
    """Whether a policy at Normal must look for its targets: once per generation, and again while some are missing."""
    missed = record.survey_again is not None and now >= record.survey_again
    return record.surveyed != record.about.generation or missed


class Pass:
    """Runs passes; the caller runs one at a time for each policy."""

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
        poke: Callable[[Record], None],
    ) -> None:
        """`poke` is told of other policies whose fields were let go."""
        self._cluster, self._clock, self._store, self._pace = cluster, clock, store, pace
        self._reporter, self._metrics, self._poke = reporter, metrics, poke
        self._executor, self._dry_run = executor, DryRun(executor)
        survey = Survey(cluster)
        self._looking = Looking(survey, lambda found: store.remembered(found.target))
        self._bringer = Bringer(survey, lambda found: store.remembered(found.target))
        self.stopping = False

    async def run(self, record: Record) -> float | None:
        """Seconds until the next pass is due without a tick; None when a tick is soon enough."""
        if await self._unwritten_step_down(record):
            return AGAIN
        now, level = self._clock.now(), record.state.level
        looked = await self._look(record, level, now)
        absorb(self._store, record, looked)
        goal = self._goal(record, looked, now)
        forgive(record, goal.wants.keys())
        refused = await self._owes(record, goal)
        planned, record.planned = record.planned, {}
        settled = await self._bring_all(record, looked, goal if refused is None else goal.only(record.held), now)
        obstacles(record, looked, refused)
        self._conclude(record, goal, settled, level)
        unsaid = await self._reporter.report(record)
        self._reporter.tell_plans(record, planned)
        undone = await self._owes_nothing(record, goal, settled)
        problem = refused or unsaid or undone
        if problem and problem != record.problem:
            log.warning("%s: %s; trying again", record.ref, problem)
        record.problem = problem or ""
        return self._again(record, busy=bool(problem))

    async def _unwritten_step_down(self, record: Record) -> bool:
        """Going down is written before the first give-back: else a restart would take it for a lost status and go up
        again. True while it could not be written."""
        status = record.status
        said = status.recovery is not None and status.recovery.giving_back and status.level == record.state.level
        if not record.state.giving_back or record.deleting or said:
            return False
        return await self._reporter.report(record) is not None

    async def _look(self, record: Record, level: str, now: Instant) -> Looked:
        """What is there for `level`. A tick may move the level meanwhile: then the next pass looks anew."""
        spec, generation = None if record.deleting else record.spec, record.about.generation
        at_normal = level == NORMAL
        previews = spec is not None and at_normal and survey_due(record, now)
        waiting = record.wave.targets if record.wave else ()
        held = [each.target for each in record.held.values()]
        looked = await self._looking.look(
            policy=record.ref,
            spec=spec,
            level=spec.levels[-1].name if spec and previews else level,
            known=tuple(dict.fromkeys([*held, *self._store.targets_of(record.ref), *waiting])),
            released=frozenset((each.target.uid, each.pointer) for each in record.released),
            now=now,
        )
        if spec is not None and record.surveyed != generation:
            record.vitality = await self._looking.vitality(record.ref, spec)
        if spec is not None and (previews or not at_normal):
            record.surveyed = generation
            record.preview = looked.selection.blocked
            record.survey_again = now + SURVEY_AGAIN if looked.selection.blocked else None
        return replace(looked, selection=NOTHING) if at_normal else looked

    def _goal(self, record: Record, looked: Looked, now: Instant) -> Goal:
        spec = record.spec

        def available(target: Target) -> bool:
            if target.uid in looked.gone:
                return True
            return target.uid in looked.found and is_available(looked.found[target.uid])

        holds = spec is None and not record.deleting
        return goal_of(
            selection=looked.selection,
            held={} if holds else record.held,
            gives_all_back=record.deleting or (spec is not None and spec.mode is Mode.DRY_RUN),
            places=record.places,
            wave_size=(spec.recovery if spec else Recovery()).wave_size,
            wave=record.wave,
            available=available,
            grant=lambda targets: self._pace.ask(str(record.ref), record.vitality, targets, now),
            now=now,
        )

    async def _owes(self, record: Record, goal: Goal) -> str | None:
        """The finalizer stands before the first take, and while anything is held; why it does not."""
        dry = record.spec is not None and record.spec.mode is Mode.DRY_RUN
        if record.deleting or not (record.held or (goal.takes(record.held) and not dry)):
            return None
        return await owe(self._cluster, record)

    async def _bring_all(self, record: Record, looked: Looked, goal: Goal, now: Instant) -> bool:
        """Every target in turn; False when something is not known to be as it should."""
        settled = True
        for target, claims in goal.wants.items():
            if self.stopping or record.gone:
                return False
            backoff = record.backoffs.get(target.uid)
            if backoff is not None and backoff.until > now:
                settled = False
            elif target.uid in looked.found:
                settled &= await self._bring(record, looked, target, claims)
            else:
                settled &= target.uid in looked.gone
        return settled

    async def _bring(self, record: Record, looked: Looked, target: Target, claims: Mapping[Pointer, Claim]) -> bool:
        dry = record.spec is not None and record.spec.mode is Mode.DRY_RUN and not record.deleting
        async with self._store.lock(target):
            brought = await self._bringer.bring(
                looked.found[target.uid],
                claims,
                record.ref,
                self._dry_run if dry else self._executor,
                self._clock.now(),
            )
        others = take_in(self._store, self._metrics, record, target, brought, self._clock.now())
        for other in others:
            self._poke(other)
        record.wrote_at = self._clock.now() if brought.wrote and record.changing else record.wrote_at
        return brought.failed is None and brought.stuck is None and brought.held is not None

    def _conclude(self, record: Record, goal: Goal, settled: bool, level: str) -> None:
        """What the pass changed in what is remembered; nothing if a tick has moved the level meanwhile."""
        if record.state.level != level:
            return
        record.wave, record.left = goal.wave, len(goal.left)
        # What is overdue is still tried, and holds up no further step down.
        given = not goal.left and (goal.wave is None or not goal.wave.targets)
        ended = given and goal.wave is None and settled
        # Settling after each wave would keep readings from counting, and so block escalations, for as long as it takes.
        if record.wrote_at is not None and (ended or not record.state.giving_back):
            record.state = after_write(record.state, record.wrote_at)
            record.wrote_at = None
        if ended:
            record.changing = False
        if given and record.state.giving_back:
            record.state = gave_back(record.state)
            record.surveyed = -1

    async def _owes_nothing(self, record: Record, goal: Goal, settled: bool) -> str | None:
        dry = record.spec is not None and record.spec.mode is Mode.DRY_RUN
        ended = record.deleting or dry or record.state.level == NORMAL
        if not ended or not settled or record.held or goal.left or self._store.targets_of(record.ref):
            return None
        return await owe_nothing(self._cluster, record)

    def _again(self, record: Record, *, busy: bool) -> float | None:
        if busy or record.left or (record.wave is not None and record.wave.targets):
            return AGAIN
        if record.deleting and FINALIZER in record.about.finalizers:
            return AGAIN
        if record.backoffs:
            wait = min(each.until for each in record.backoffs.values()) - self._clock.now()
            return max(0.1, wait) if wait > 0 else AGAIN
        return None
