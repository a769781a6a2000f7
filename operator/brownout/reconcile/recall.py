"""What a status says is held and was released, as values again: a restart begins with these."""

import json

from brownout.api.instants import parse_instant
from brownout.api.refs import PolicyRef, Target
from brownout.api.status import AppliedStatus, PolicyStatus, TargetStatus
from brownout.ledger.entries import Claim, Entry, Held, Order, Owner
from brownout.ledger.pointer import ABSENT, Pointer, Value
from brownout.reconcile.record import FieldId
from brownout.report.facts import ReleasedField


def held_in(status: PolicyStatus, policy: PolicyRef) -> dict[FieldId, Held]:
    """The fields that a policy's status says it holds; one that cannot be read is left out, its ledger has it."""
    held = [_held(each, policy) for each in status.applied]
    return {(each.target.uid, each.entry.pointer): each for each in held if each is not None}


def released_in(status: PolicyStatus, policy: PolicyRef) -> tuple[ReleasedField, ...]:
    """The fields that were let go in this episode. Their values may have been cut: they are for people."""
    return tuple(
        ReleasedField(
            target=_target(each.target, policy),
            pointer=Pointer(each.pointer),
            original=_value(each.original),
            applied=_value(each.applied),
            found=_value(each.found),
            manager=each.manager,
            at=parse_instant(each.at) or 0.0,
        )
        for each in status.released
    )


def _held(applied: AppliedStatus, policy: PolicyRef) -> Held | None:
    try:
        original, value = _exactly(applied.original), _exactly(applied.applied)
    except ValueError:
        return None
    # The order of the value is not in the status: the next pass writes the claim anew with it.
    claim = Claim(
        policy=policy,
        level=applied.level,
        action=applied.action,
        value=value,
        order=Order.NONE,
        at=parse_instant(applied.at) or 0.0,
    )
    owners = tuple(
        Owner(
            manager=each.manager,
            operation=each.operation,
            subresource=each.subresource,
            api_version=applied.target.api_version,
        )
        for each in applied.owners
    )
    entry = Entry(
        pointer=Pointer(applied.pointer),
        original=original,
        applied=value,
        wanted=value,
        owners=owners,
        claims={policy: claim},
    )
    return Held(policy=policy, target=_target(applied.target, policy), take=applied.take, entry=entry)


def _target(target: TargetStatus, policy: PolicyRef) -> Target:
    return Target(
        api_version=target.api_version,
        kind=target.kind,
        namespace=policy.namespace,
        name=target.name,
        uid=target.uid,
    )


def _exactly(text: str | None) -> Value:
    return ABSENT if text is None else json.loads(text)


def _value(text: str | None) -> Value:
    """The value, or the text itself where it was cut and is no JSON any more."""
    try:
        return _exactly(text)
    except ValueError:
        return text
