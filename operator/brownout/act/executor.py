"""Who changes things: one executor for all levers, one request for each step."""

from typing import Protocol

from brownout.act.comparable import comparable
from brownout.act.outcomes import outcome_of
from brownout.api.reasons import BlockedReason, Result
from brownout.clock import Clock
from brownout.cluster.kinds import TARGETS
from brownout.cluster.port import Cluster, Content
from brownout.ledger.patches import encode, manager_of, patch_of
from brownout.ledger.pointer import Pointer
from brownout.ledger.steps import Apply, HandBack, Outcome, Restore, Step
from brownout.levers.registry import may_change

LONGEST_POINTER = 200
"""Characters of a strange pointer that a message repeats."""


class Executor(Protocol):
    """Carries out a step and says what came of it. Never raises for what an API server may answer."""

    async def carry_out(self, step: Step) -> Outcome: ...


class ClusterExecutor:
    """Writes to the API server. A request without an answer is Unsettled: the next look settles it.

    A step on a field that no lever changes is refused: whoever may edit an annotation must not steer us by it.
    """

    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        self._cluster = cluster
        self._clock = clock

    async def carry_out(self, step: Step) -> Outcome:
        target = step.found.target
        if strange := [where for where in _fields(step) if not may_change(target.kind, where)]:
            return _refused(step, strange)
        patch = patch_of(step, self._clock.take_id())
        answer = await self._cluster.patch(
            TARGETS[target.kind],
            target.namespace,
            target.name,
            encode(comparable(patch)),
            Content.JSON_PATCH,
            manager=manager_of(step),
        )
        return outcome_of(step, answer)


def _fields(step: Step) -> tuple[Pointer, ...]:
    """The fields that a step writes, or hands to another owner; the others touch our own metadata only."""
    match step:
        case Apply():
            return tuple(step.entries)
        case Restore() | HandBack():
            return step.pointers
    return ()


def _refused(step: Step, pointers: list[Pointer]) -> Outcome:
    first = pointers[0][:LONGEST_POINTER]
    message = f"{step.found.target}: the ledger names {first}, and no lever changes that field: it is forged"
    return Outcome(step=step, result=Result.FAILED, reason=BlockedReason.ILLEGIBLE_LEDGER, message=message)
