"""The events between two statuses of a policy: what is said in the status is said once as an event."""

from __future__ import annotations

import json
from collections.abc import Iterator

from brownout.api.instants import show_instant
from brownout.api.refs import PolicyRef, Target
from brownout.api.status import AppliedStatus, Condition, PolicyStatus
from brownout.ledger.pointer import ABSENT, Pointer, parts_of
from brownout.ledger.why import show
from brownout.report import events
from brownout.report.conditions import AVAILABLE, STALLED
from brownout.report.events import Event
from brownout.report.facts import Evaluation


def changes(old: PolicyStatus, new: PolicyStatus, facts: Evaluation) -> tuple[Event, ...]:
    """What happened between the last written status and the one written now, in the order it is to be read."""
    return (*_level(old, new, facts), *_fields(old, new, facts), *_obstacles(old, facts), *_conditions(old, new, facts))


def _level(old: PolicyStatus, new: PolicyStatus, facts: Evaluation) -> Iterator[Event]:
    if old.level == new.level:
        return
    say = events.escalated if _worse(old, new, facts) else events.recovered
    yield say(facts.policy, old.level, new.level, new.why, dry_run=facts.dry_run)


def _worse(old: PolicyStatus, new: PolicyStatus, facts: Evaluation) -> bool:
    """By the spec as it is now; a level that is not in it any more stands where it stood."""
    return new.level_index > (facts.spec.index(old.level) or old.level_index)


def _fields(old: PolicyStatus, new: PolicyStatus, facts: Evaluation) -> Iterator[Event]:
    before = {_key(each): each for each in old.applied}
    now = {_key(each): each.applied for each in new.applied}
    held = {(each.target.uid, str(each.entry.pointer)): each for each in facts.held}
    for key, value in now.items():
        if key not in before or before[key].applied != value:
            yield events.taken(held[key], new.history[-1].message if new.history else new.why)
    let_go = {(each.target.uid, str(each.pointer)) for each in facts.released}
    for key, each in before.items():
        if key not in held and key not in let_go:
            yield _given_back(facts.policy, each)
    known = {(each.target.uid, each.pointer, each.at) for each in old.released}
    for field in facts.released:
        if (field.target.uid, field.pointer, show_instant(field.at)) not in known:
            event = events.released(facts.policy, field)
            yield from (event, event.mirrored())
    if old.held and not new.held:
        yield events.all_given_back(facts.policy)


def _obstacles(old: PolicyStatus, facts: Evaluation) -> Iterator[Event]:
    known = {(each.action, each.target, each.reason) for each in old.blocked}
    for each in facts.unrestored:
        if (each.action, each.target_shown, each.reason) not in known:
            yield events.restore_failed(facts.policy, each)
    for each in facts.blocked:
        if (each.action, each.target_shown, each.reason) not in known:
            yield events.blocked(facts.policy, each)


def _conditions(old: PolicyStatus, new: PolicyStatus, facts: Evaluation) -> Iterator[Event]:
    lost, found = _condition(old, AVAILABLE), _condition(new, AVAILABLE)
    if found and found.status == "False" and (lost is None or lost.status != "False"):
        yield events.signals_lost(facts.policy, found.message)
    if found and found.status == "True" and lost and lost.status == "False":
        yield events.signals_back(facts.policy)
    before, now = _condition(old, STALLED), _condition(new, STALLED)
    if now and now.status == "True" and (before is None or (before.status, before.reason) != ("True", now.reason)):
        yield events.stalled(facts.policy, now.reason, now.message)
    if now and now.status == "False" and before and before.status == "True":
        yield events.resumed(facts.policy)


def _given_back(policy: PolicyRef, each: AppliedStatus) -> Event:
    target = Target(
        api_version=each.target.api_version,
        kind=each.target.kind,
        namespace=policy.namespace,
        name=each.target.name,
        uid=each.target.uid,
    )
    original = show(ABSENT if each.original is None else json.loads(each.original))
    return events.given_back(policy, target, ".".join(parts_of(Pointer(each.pointer))), original)


def _key(each: AppliedStatus) -> tuple[str, str]:
    return each.target.uid, each.pointer


def _condition(status: PolicyStatus, kind: str) -> Condition | None:
    return next((each for each in status.conditions if each.type == kind), None)
