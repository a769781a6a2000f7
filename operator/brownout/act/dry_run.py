"""Dry run as a decorator: takes are planned and not made; everything that gives back is real."""

from brownout.act.executor import Executor
from brownout.api.reasons import Result
from brownout.ledger.steps import Apply, Outcome, Step


class DryRun:
    """Suppresses Apply; restores, releases and repairs go through."""

    def __init__(self, inner: Executor) -> None:
        self._inner = inner

    async def carry_out(self, step: Step) -> Outcome:
        if isinstance(step, Apply):
            return Outcome(step=step, result=Result.PLANNED)
        return await self._inner.carry_out(step)
