"""What `brownout restore -o json` prints: docs/reference/restore-json.md says what each key means. Pure."""

from typing import Any

from brownout.act.holdings import FieldEnded, HeldField, Holding
from brownout.api.instants import show_instant
from brownout.cli.restore_account import Account
from brownout.ledger.entries import Illegible
from brownout.ledger.pointer import ABSENT, Value

VERSION = 1


def document(account: Account) -> dict[str, Any]:
    """Plain JSON values. A field that is absent, now or before, has no `now` or `original`: null would be a value."""
    by_uid = {each.holding.found.target.uid: each for each in account.ended}
    objects = []
    for each in account.seen.holdings:
        result = by_uid.get(each.found.target.uid)
        objects.append(_object(each, result.fields if result is not None else ()))
    finished = account.finished
    sign = finished.later.sign if finished is not None else account.seen.sign
    presence = "Running" if finished is not None and finished.running else sign.presence.value
    return {
        "version": VERSION,
        "namespace": account.namespace or None,
        "course": account.course.value,
        "operator": {"presence": presence, "why": (finished.moved if finished else "") or sign.why},
        "objects": objects,
        "finalizers": [
            {"namespace": each.namespace, "policy": each.name, "removed": each.removed, "why": each.why}
            for each in (finished.finalizers if finished is not None else ())
        ],
        "stillHeld": [{"what": each.what, "why": each.why} for each in account.still_held()],
        "exitCode": account.exit_code(),
    }


def _object(holding: Holding, results: tuple[FieldEnded, ...]) -> dict[str, Any]:
    target, ledger = holding.found.target, holding.found.ledger
    state = "Lost" if ledger is None else "Followed"
    if isinstance(ledger, Illegible):
        state = "Stale" if ledger.stale else "Illegible"
    by_pointer = {each.field.pointer: each for each in results}
    return {
        "apiVersion": target.api_version,
        "kind": target.kind,
        "namespace": target.namespace,
        "name": target.name,
        "uid": target.uid,
        "ledger": state,
        "why": holding.problem,
        "remembered": [str(each) for each in holding.remembered],
        "fields": [_field(each, by_pointer.get(each.pointer)) for each in holding.fields],
    }


def _field(field: HeldField, result: FieldEnded | None) -> dict[str, Any]:
    return {
        "pointer": field.pointer,
        **_present("now", field.now),
        **_present("original", field.original),
        "since": None if field.since is None else show_instant(field.since),
        "claims": [
            {"namespace": each.policy.namespace, "policy": each.policy.name, "level": each.level}
            for each in field.claims
        ],
        "plan": field.fate.value,
        "outcome": None if result is None else result.ending.value,
        "why": "" if result is None else result.why,
    }


def _present(key: str, value: Value) -> dict[str, Any]:
    return {} if value is ABSENT else {key: value}
