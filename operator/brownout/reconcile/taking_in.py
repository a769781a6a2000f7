"""What a pass found and did, taken in by the record. No I/O."""

from collections.abc import Collection

from brownout.api.reasons import BlockedReason, Result
from brownout.api.refs import Target
from brownout.ledger.entries import Instant
from brownout.ledger.steps import Apply, Step
from brownout.levers.registry import lever_name
from brownout.levers.selection import BlockedTarget
from brownout.reconcile.bring import ADMISSION, Brought, held_on
from brownout.reconcile.looking import Looked
from brownout.reconcile.record import Backoff, Record
from brownout.reconcile.store import Store
from brownout.report.facts import BlockedAction, ReleasedField, blocked_by, stuck
from brownout.report.metrics import RESTORE, Metrics

LONGEST_BACKOFF = 30.0
"""Seconds between two tries of a step that fails, at most; from one second on, doubled each time."""


def absorb(store: Store, record: Record, looked: Looked) -> None:
    """What the targets' own ledgers say is held is the truth; what is gone is owed nothing."""
    held = {field: each for field, each in record.held.items() if each.target.uid not in looked.gone}
    for found in looked.found.values():
        held |= {(found.target.uid, where): each for where, each in held_on(found, record.ref).items()}
    if held != record.held:
        store.remember(record, held)


def take_in(
    store: Store, metrics: Metrics, record: Record, target: Target, brought: Brought, now: Instant
) -> list[Record]:
    """Takes in what came of one target; the other policies that lost a field there."""
    for outcome in brought.outcomes:
        metrics.stepped(_lever(record, outcome.step), outcome.result)
        if outcome.result is Result.PLANNED and isinstance(outcome.step, Apply):
            plans = {(target.uid, where): (target, entry) for where, entry in outcome.step.entries.items()}
            record.planned = {**record.planned, **plans}
    if brought.held is not None:
        others = {field: each for field, each in record.held.items() if field[0] != target.uid}
        store.remember(record, others | {(target.uid, where): each for where, each in brought.held.items()})
    if brought.found is not None:
        store.saw(brought.found)
    _back_off(record, target, brought, now)
    return _let_go(store, record, brought)


def forgive(record: Record, wanted: Collection[Target]) -> None:
    """Forgets the failures on targets of which nothing is wanted or held any more."""
    uids = {target.uid for target in wanted} | {uid for uid, _ in record.held}
    record.backoffs = {uid: each for uid, each in record.backoffs.items() if uid in uids}


def obstacles(record: Record, looked: Looked, refused: str | None) -> None:
    """Everything that stands in the way, for the status."""
    blocked = [_shown(each) for each in record.preview]
    blocked += [_admission(record, each) for each in record.released if each.manager == ADMISSION]
    if refused is not None:
        message = f"nothing is taken while our finalizer cannot be put on the policy: {refused}"
        blocked.append(BlockedAction(action="", reason=BlockedReason.FAILED, message=message))
    unrestored: list[BlockedAction] = []
    for backoff in record.backoffs.values():
        (unrestored if backoff.restoring else blocked).append(backoff.what)
    for target, why in looked.unread.items():
        what = BlockedAction(action="", target=target, reason=BlockedReason(why.reason), message=why.message)
        blocked.append(what)
    record.blocked, record.unrestored = tuple(blocked), tuple(unrestored)


def _back_off(record: Record, target: Target, brought: Brought, now: Instant) -> None:
    before = record.backoffs.pop(target.uid, None)
    failures = before.failures + 1 if before else 1
    wait = min(LONGEST_BACKOFF, 2.0 ** (failures - 1))
    if brought.stuck is not None:
        actions = [held.claim.action for held in record.held_on(target).values()] or [""]
        what = stuck(actions[0], brought.stuck)
        record.backoffs[target.uid] = Backoff(failures=failures, until=now + wait, what=what, restoring=True)
    elif brought.failed is not None:
        outcome = brought.failed
        wait = min(LONGEST_BACKOFF, max(wait, outcome.retry_after or 0.0))
        restoring = not isinstance(outcome.step, Apply) and outcome.result is not Result.UNSETTLED
        what = blocked_by(_action(record, outcome.step), outcome)
        record.backoffs[target.uid] = Backoff(failures=failures, until=now + wait, what=what, restoring=restoring)


def _let_go(store: Store, record: Record, brought: Brought) -> list[Record]:
    others = []
    for policy, let_go in brought.released:
        each = record if policy == record.ref else store.record_of(policy)
        if each is None:
            continue
        each.released = (*(one for one in each.released if not _same(one, let_go)), let_go)
        if each is not record:
            field = (let_go.target.uid, let_go.pointer)
            store.remember(each, {one: held for one, held in each.held.items() if one != field})
            others.append(each)
    return others


def _same(one: ReleasedField, other: ReleasedField) -> bool:
    return (one.target.uid, one.pointer) == (other.target.uid, other.pointer)


def _shown(each: BlockedTarget) -> BlockedAction:
    reason = BlockedReason(each.blocked.reason)
    return BlockedAction(action=each.action, target=each.target or "", reason=reason, message=each.blocked.message)


def _admission(record: Record, let_go: ReleasedField) -> BlockedAction:
    message = f"admission put {let_go.pointer} back in our own request: an admission policy or webhook forbids it"
    return BlockedAction(action="", target=let_go.target, reason=BlockedReason.ADMISSION, message=message)


def _action(record: Record, step: Step) -> str:
    entries = step.entries if isinstance(step, Apply) else step.found.held
    claims = [entry.claims[record.ref] for entry in entries.values() if record.ref in entry.claims]
    return claims[0].action if claims else ""


def _lever(record: Record, step: Step) -> str:
    """The lever of a take, by the action that asks for it."""
    if not isinstance(step, Apply) or record.spec is None:
        return RESTORE
    wanted = _action(record, step)
    actions = [action for level in record.spec.levels for action in level.actions if action.name == wanted]
    return lever_name(actions[0]) if actions else RESTORE
