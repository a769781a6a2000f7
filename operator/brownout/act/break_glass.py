"""Gives back everything that is held, at once, without an operator: all it needs is on the objects themselves."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brownout.act.executor import ClusterExecutor
from brownout.act.finalizers import FinalizerEnded, bears_ours, kept, still_needed, take_off
from brownout.act.held_objects import HeldObjects, Seen
from brownout.act.holdings import Ended, Holding, ended, next_give_back, untouched
from brownout.act.presence import Presence
from brownout.act.survey import Gone, Survey
from brownout.api.reasons import BlockedReason, Result
from brownout.clock import Clock
from brownout.cluster.kinds import TARGETS
from brownout.cluster.port import Cluster
from brownout.ledger.entries import Found
from brownout.ledger.pointer import Pointer, Value, look, same
from brownout.ledger.steps import Outcome, Restore

AT_ONCE = 8
"""Objects that are given back side by side."""
MOST_STEPS = 12
"""Beyond this many steps somebody else is changing the object as fast as we do."""
TRIES = 3
"""Of a request that fails or gets no answer."""
PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before a failed request is sent again; at most, where the API server asks for more."""
GRACE, GLANCE = 10.0, 2.0
"""Seconds for an operator that may be running to react to what was given back, and between two looks meanwhile: it
hears of a change within a second, and writes a status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What there is after all was given back."""

    later: Seen
    moved: str
    """By what an operator showed that it is running; "" if by nothing."""
    finalizers: tuple[FinalizerEnded, ...]

    @property
    def running(self) -> bool:
        return bool(self.moved) or self.later.sign.presence is Presence.RUNNING


class BreakGlass:
    """Gives back, then looks whether it stays so, then takes our finalizer off the policies that owe nothing."""

    def __init__(self, cluster: Cluster, clock: Clock, objects: HeldObjects) -> None:
        self._cluster, self._clock, self._objects = cluster, clock, objects
        self._executor, self._survey = ClusterExecutor(cluster, clock), Survey(cluster)
        self._unanswered = ""

    async def give_back(
        self, holdings: Sequence[Holding], stop: asyncio.Event, done: Callable[[int], None]
    ) -> tuple[Ended, ...]:
        """Everything that may be followed. `done` is told how many objects are through; after `stop` what has been
        begun is finished and nothing more is begun."""
        places, through = asyncio.Semaphore(AT_ONCE), 0

        async def one(holding: Holding) -> Ended:
            nonlocal through
            async with places:
                if self._unanswered:
                    return untouched(holding, f"not tried: {self._unanswered}")
                if stop.is_set():
                    return untouched(holding, "not tried: interrupted")
                result = await self._give_back(holding)
                through += 1
                done(through)
                return result

        return tuple(await asyncio.gather(*(one(each) for each in holdings if not each.problem)))

    async def _give_back(self, holding: Holding) -> Ended:
        found, trouble, failures, adjusted = holding.found, "", 0, dict[Pointer, Value]()
        for _ in range(MOST_STEPS):
            step = next_give_back(found)
            if step is None:
                return ended(holding, found, "", adjusted)
            outcome = await self._executor.carry_out(step)
            if outcome.gone:
                return ended(holding, None, "", adjusted)
            if outcome.settled and outcome.found is not None:
                found = outcome.found
                adjusted |= _adjusted(outcome, found)
                continue
            failures += outcome.result is not Result.CONFLICT
            trouble = _trouble(outcome)
            if outcome.reason in (BlockedReason.FORBIDDEN, BlockedReason.ILLEGIBLE_LEDGER) or failures == TRIES:
                break
            again = await self._again(found, outcome)
            if isinstance(again, Gone):
                return ended(holding, None, "", adjusted)
            found = again
        else:
            trouble = trouble or "somebody changes it as fast as it is given back"
        if failures == TRIES and outcome.result is Result.UNSETTLED:
            self._unanswered = outcome.message or "no answer"
        return ended(holding, found, trouble, adjusted)

    async def _again(self, found: Found, outcome: Outcome) -> Found | Gone:
        """The object as it is now; as it was where it cannot be read: a write on that is refused, and does no harm."""
        if outcome.result is not Result.CONFLICT:
            await self._clock.sleep(min(max(PAUSE, outcome.retry_after or 0.0), LONGEST_PAUSE))
        again = await self._survey.look_again(found.target)
        return again if isinstance(again, Found | Gone) else found

    async def finish(self, before: Seen, stop: asyncio.Event) -> Finished:
        """`before` is the look before anything was given back."""
        later = await self._objects.look()
        moved = before.sign.moved(later.sign)
        ours = any(bears_ours(policy) for policy in later.policies)
        until = self._clock.monotonic() + GRACE
        while ours and not moved and later.sign.presence is Presence.PERHAPS and not stop.is_set():
            if self._clock.monotonic() >= until:
                break
            await self._clock.sleep(GLANCE)
            later = await self._objects.look()
            moved = before.sign.moved(later.sign)
        running = bool(moved) or later.sign.presence is Presence.RUNNING
        finalizers = [await self._take_off(each, later, running, stop) for each in later.policies if bears_ours(each)]
        return Finished(later=later, moved=moved, finalizers=tuple(finalizers))

    async def _take_off(
        self, policy: Mapping[str, Any], later: Seen, running: bool, stop: asyncio.Event
    ) -> FinalizerEnded:
        if running:
            return kept(policy, "left to the operator that is running")
        if why := still_needed(policy, later):
            return kept(policy, why)
        if stop.is_set():
            return kept(policy, "not tried: interrupted", failed=True)
        return await take_off(self._cluster, policy)


def _adjusted(outcome: Outcome, found: Found) -> Mapping[Pointer, Value]:
    """What was stored where the original was written, when it is something else."""
    if not isinstance(outcome.step, Restore):
        return {}
    before = outcome.step.found.held
    stored = {where: look(found.body, where) for where in outcome.step.pointers}
    return {where: value for where, value in stored.items() if not same(value, before[where].original)}


def _trouble(outcome: Outcome) -> str:
    """Why a step was not carried out, in the words of a person's own rights."""
    target = outcome.step.found.target
    if outcome.reason is BlockedReason.FORBIDDEN and "admission" not in outcome.message:
        return f"you may not patch {TARGETS[target.kind].plural} in namespace {target.namespace}"
    return outcome.message or outcome.result.value
