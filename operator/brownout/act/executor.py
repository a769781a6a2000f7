"""Who changes things: one executor for all levers, one request for each step."""

from typing import Protocol

from brownout.act.comparable import comparable
from brownout.act.outcomes import outcome_of
from brownout.clock import Clock
from brownout.cluster.kinds import TARGETS
from brownout.cluster.port import Cluster, Content
from brownout.ledger.patches import encode, manager_of, patch_of
from brownout.ledger.steps import Outcome, Step


class Executor(Protocol):
    """Carries out a step and says what came of it. Never raises for what an API server may answer."""

    async def carry_out(self, step: Step) -> Outcome: ...


class ClusterExecutor:
    """Writes to the API server. A request without an answer is Unsettled: the next look settles it."""

    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        self._cluster = cluster
        self._clock = clock

    async def carry_out(self, step: Step) -> Outcome:
        target = step.found.target
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
