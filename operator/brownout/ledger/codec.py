"""The ledger as text: an annotation on the target, versioned; what cannot be used is a value that says why."""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from brownout.api.refs import PolicyRef, Target
from brownout.ledger.entries import (
    HELD_LABEL,
    LEDGER_ANNOTATION,
    Claim,
    Entry,
    Found,
    Illegible,
    Ledger,
    Order,
    Owner,
)
from brownout.ledger.pointer import ABSENT, Json, Pointer, Value

FORMAT = 1
MOST_NESTED = 200
"""A ledger nested deeper is not read: anybody may edit an annotation, and what walks through it is recursive."""
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


def find(body: Mapping[str, Any]) -> Found:
    """An object as read, with its ledger decoded. Lists leave out kind and apiVersion: put them back before."""
    metadata = body["metadata"]
    target = Target(
        api_version=body["apiVersion"],
        kind=body["kind"],
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        uid=metadata["uid"],
    )
    return Found(target=target, body=body, ledger=decode(metadata))


def decode(metadata: Mapping[str, Any]) -> Ledger | Illegible | None:
    """The ledger of an object's metadata; None when it carries nothing of ours.

    A ledger counts only with its label, under the same take-id, on the object (uid) it was written for: annotations
    are brought back by rollbacks, copied by exports and clones, and can be edited by anybody.
    """
    label = (metadata.get("labels") or {}).get(HELD_LABEL)
    text = (metadata.get("annotations") or {}).get(LEDGER_ANNOTATION)
    if text is None:
        if label is None:
            return None
        return Illegible(message="the ledger is gone and its label is there", stale=True, takes=frozenset({label}))
    try:
        ledger = _ledger(text)
    except _UNREADABLE as error:
        takes = frozenset({label} if label is not None else ())
        return Illegible(message=f"the ledger cannot be read: {error!r}", stale=False, takes=takes)
    takes = frozenset({ledger.take} | ({label} if label is not None else set()))
    if label != ledger.take:
        return Illegible(message="the ledger belongs to another take than its label", stale=True, takes=takes)
    if ledger.uid != metadata.get("uid"):
        return Illegible(message="the ledger was written for another object", stale=True, takes=frozenset())
    return ledger


def legible(metadata: Mapping[str, Any]) -> Ledger | None:
    """What the annotation says, whether or not it may be used: to show, never to follow."""
    text = (metadata.get("annotations") or {}).get(LEDGER_ANNOTATION)
    try:
        return _ledger(text) if text is not None else None
    except _UNREADABLE:
        return None


def encode(ledger: Ledger) -> str:
    """The annotation's text; equal ledgers give equal text."""
    fields = {where: _entry_out(ledger.entries[where]) for where in sorted(ledger.entries)}
    data = {"v": FORMAT, "take": ledger.take, "uid": ledger.uid, "fields": fields}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _entry_out(entry: Entry) -> dict[str, Any]:
    data: dict[str, Any] = {}
    _put(data, "original", entry.original)
    _put(data, "applied", entry.applied)
    if entry.wanted != entry.applied:
        data["wanted"] = {} if entry.wanted is ABSENT else {"value": entry.wanted}
    if entry.owners:
        data["owners"] = [_owner_out(owner) for owner in entry.owners]
    data["claims"] = [_claim_out(entry.claims[policy]) for policy in sorted(entry.claims)]
    if entry.restored:
        data["restored"] = True
    if entry.parent is not None:
        data["parent"] = entry.parent
    return data


def _owner_out(owner: Owner) -> dict[str, Any]:
    data: dict[str, Any] = {"manager": owner.manager, "operation": owner.operation}
    for key, value in (
        ("subresource", owner.subresource),
        ("apiVersion", owner.api_version),
        ("time", owner.time),
        ("fields", owner.fields),
    ):
        if value:
            data[key] = value
    return data


def _claim_out(claim: Claim) -> dict[str, Any]:
    data: dict[str, Any] = {
        "namespace": claim.policy.namespace,
        "name": claim.policy.name,
        "uid": claim.policy.uid,
        "level": claim.level,
        "action": claim.action,
        "order": claim.order.value,
        "at": claim.at,
    }
    _put(data, "value", claim.value)
    return data


def _put(data: dict[str, Any], key: str, value: Value) -> None:
    if value is not ABSENT:
        data[key] = value


def _ledger(text: str) -> Ledger:
    data = json.loads(text, parse_constant=_no_number, parse_float=_number)
    if _is_deeper(data, MOST_NESTED):
        raise ValueError(f"it is nested deeper than {MOST_NESTED}")
    if data["v"] != FORMAT:
        raise ValueError(f"version {data['v']!r} is not known here, {FORMAT} is")
    entries = {Pointer(where): _entry(Pointer(where), entry) for where, entry in data["fields"].items()}
    return Ledger(take=_text(data["take"]), uid=_text(data["uid"]), entries=entries)


def _entry(where: Pointer, data: Mapping[str, Any]) -> Entry:
    if not where.startswith("/"):
        raise ValueError(f"{where!r} is not a pointer")
    applied = _get(data, "applied")
    claims = [_claim(claim) for claim in data["claims"]]
    return Entry(
        pointer=where,
        original=_get(data, "original"),
        applied=applied,
        wanted=_get(data["wanted"], "value") if "wanted" in data else applied,
        owners=tuple(_owner(owner) for owner in data.get("owners", ())),
        claims={claim.policy: claim for claim in claims},
        restored=data.get("restored") is True,
        parent=Pointer(data["parent"]) if "parent" in data else None,
    )


def _owner(data: Mapping[str, Any]) -> Owner:
    return Owner(
        manager=_text(data["manager"]),
        operation=_text(data["operation"]),
        subresource=_text(data.get("subresource", "")),
        api_version=_text(data.get("apiVersion", "")),
        time=_text(data.get("time", "")),
        fields=dict(data.get("fields", {})),
    )


def _claim(data: Mapping[str, Any]) -> Claim:
    policy = PolicyRef(namespace=_text(data["namespace"]), name=_text(data["name"]), uid=_text(data["uid"]))
    return Claim(
        policy=policy,
        level=_text(data["level"]),
        action=_text(data["action"]),
        value=_get(data, "value"),
        order=Order(data["order"]),
        at=_number(data["at"]),
    )


def _get(data: Mapping[str, Json], key: str) -> Value:
    return data.get(key, ABSENT)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _number(written: str | float) -> float:
    """A number that can be written again: JSON has no infinity, and 1e999 is one."""
    number = float(written)
    return number if math.isfinite(number) else _no_number(written)


def _no_number(written: object) -> NoReturn:
    raise ValueError(f"{written} is not a JSON number")


def _is_deeper(value: object, most: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return not most or any(_is_deeper(each, most - 1) for each in inside)
