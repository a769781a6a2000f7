"""Brings one target to what one policy wants of it, a step at a time, and says what came of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from brownout.act.executor import Executor
from brownout.act.survey import Gone, Survey
from brownout.api.reasons import Result
from brownout.api.refs import PolicyRef
from brownout.decide.plan import is_lost, next_step
from brownout.ledger.entries import TAKING_MANAGER, Claim, Entry, Found, Held, Illegible, Instant, Ledger
from brownout.ledger.ownership import manager_of, owns
from brownout.ledger.pointer import Pointer, look, same
from brownout.ledger.steps import Apply, Outcome, Release, Restore, Step, Strip, Stuck
from brownout.report.facts import ReleasedField

MOST_STEPS = 12
"""Beyond this many steps in one pass somebody else is changing the object as fast as we do: the next pass goes on."""
ADMISSION = "admission"
"""Stands for the manager where an admission policy put the original back in our own request."""


@dataclass(slots=True, kw_only=True)
class Brought:
    """What came of a target in one pass."""

    held: Mapping[Pointer, Held] | None = None
    """What the policy holds there now; None: not known, what was remembered stands."""
    released: list[tuple[PolicyRef, ReleasedField]] = field(default_factory=list)
    """Fields let go, for each policy that had a claim on them."""
    failed: Outcome | None = None
    stuck: Stuck | None = None
    stripped: Strip | None = None
    wrote: bool = False
    """A field changed."""
    outcomes: list[Outcome] = field(default_factory=list)
    found: Found | None = None
    """The object as last seen; None when it is gone or not known."""


class Bringer:
    """One target at a time; the caller holds its lock."""

    def __init__(self, survey: Survey, remembered: Callable[[Found], list[Held]]) -> None:
        """`remembered`: what any policy remembers holding on an object."""
        self._survey = survey
        self._remembered = remembered

    async def bring(
        self,
        found: Found,
        wants: Mapping[Pointer, Claim],
        policy: PolicyRef,
        executor: Executor,
        now: Instant,
        orphans: frozenset[PolicyRef] = frozenset(),
    ) -> Brought:
        """Step by step until nothing is left to do, or a step says that it is not for now."""
        brought = Brought(found=found)
        remembered = self._remembered(found)
        mine = [each for each in remembered if each.policy == policy]
        for _ in range(MOST_STEPS):
            if brought.found is None:
                break
            wanted = _still_wanted(wants, brought.found, brought.released, mine)
            step = next_step(brought.found, wanted, policy, remembered=remembered, orphans=orphans)
            if step is None or isinstance(step, Stuck):
                brought.stuck = step
                break
            outcome = await executor.carry_out(step)
            brought.outcomes.append(outcome)
            _note(brought, step, outcome, now)
            if not await self._go_on(brought, step, outcome):
                break
        else:
            brought.failed = _in_vain(brought.outcomes[-1])
        _account(brought, mine, policy, now)
        return brought

    async def _go_on(self, brought: Brought, step: Step, outcome: Outcome) -> bool:
        """Whether to plan on, from brought.found."""
        if outcome.gone or outcome.result is Result.UNSETTLED:
            brought.found = None
            brought.held = {} if outcome.gone else None
            return False
        if outcome.result is Result.CONFLICT:
            again = await self._survey.look_again(step.found.target)
            brought.found = again if isinstance(again, Found) else None
            brought.held = {} if isinstance(again, Gone) else None
            return brought.found is not None
        if outcome.found is not None:
            brought.found = outcome.found
        return outcome.settled


def held_on(found: Found, policy: PolicyRef) -> dict[Pointer, Held]:
    """What a policy holds on an object, by its ledger; what is not handed back yet is still owed, and counts."""
    if not isinstance(found.ledger, Ledger):
        return {}
    return {
        where: Held(policy=policy, target=found.target, take=found.ledger.take, entry=_only(entry, policy))
        for where, entry in found.ledger.entries.items()
        if policy in entry.claims
    }


def _only(entry: Entry, policy: PolicyRef) -> Entry:
    return replace(entry, claims={policy: entry.claims[policy]})


def _in_vain(last: Outcome) -> Outcome:
    return replace(last, result=Result.CONFLICT, message=last.message or "somebody changes it as fast as we do")


def _note(brought: Brought, step: Step, outcome: Outcome, now: Instant) -> None:
    if outcome.result in (Result.FAILED, Result.UNSETTLED):
        brought.failed = outcome
    if not outcome.settled or outcome.gone:
        return
    brought.wrote |= isinstance(step, Apply | Restore)
    if isinstance(step, Strip):
        brought.stripped = step
    if isinstance(step, Release):
        for where in step.pointers:
            entry = step.found.held[where]
            field_let_go = _released(entry, step.found, now)
            brought.released += [(policy, field_let_go) for policy in entry.claims]


def _still_wanted(
    wants: Mapping[Pointer, Claim],
    found: Found,
    released: Sequence[tuple[PolicyRef, ReleasedField]],
    mine: Sequence[Held],
) -> Mapping[Pointer, Claim]:
    """Less what somebody has taken over, even if our metadata went with it."""
    let_go = {each.pointer for _, each in released}
    let_go |= {each.entry.pointer for each in mine if _taken_over(found, each)}
    return {where: claim for where, claim in wants.items() if where not in let_go}


def _taken_over(found: Found, held: Held) -> bool:
    """A field that was remembered, that no ledger says is ours any more, and that is neither as it was nor as we set
    it, or was not when another policy took it since."""
    where, entry = held.entry.pointer, found.held.get(held.entry.pointer)
    if entry is not None and held.policy in entry.claims:
        return False
    return not same(found.original(where), held.entry.original) and not same(found.original(where), held.entry.applied)


def _account(brought: Brought, mine: Sequence[Held], policy: PolicyRef, now: Instant) -> None:
    """What is held now, and what somebody took over. While the ledger cannot be used, what was remembered stands."""
    found = brought.found
    if found is None or brought.stuck is not None or isinstance(found.ledger, Illegible):
        return
    brought.held = {each.entry.pointer: each for each in mine if is_lost(found, each)} | held_on(found, policy)
    known = {let_go.pointer for whose, let_go in brought.released if whose == policy}
    for each in mine:
        if _taken_over(found, each) and each.entry.pointer not in known:
            brought.released.append((policy, _released(each.entry, found, now)))


def _released(entry: Entry, found: Found, now: Instant) -> ReleasedField:
    metadata = found.body["metadata"]
    about = metadata if isinstance(metadata, Mapping) else {}
    ours = owns(about, entry.pointer, TAKING_MANAGER)
    return ReleasedField(
        target=found.target,
        pointer=entry.pointer,
        original=entry.original,
        applied=entry.applied,
        found=look(found.body, entry.pointer),
        manager=ADMISSION if ours else manager_of(about, entry.pointer),
        at=now,
    )
