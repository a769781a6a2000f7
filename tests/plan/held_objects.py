"""A Deployment as it is read at some point of its life, and the claims on it; each with as little as a test says."""

from collections.abc import Mapping
from typing import Any

from brownout.api.refs import PolicyRef
from brownout.ledger import codec
from brownout.ledger.entries import (
    HELD_LABEL,
    LEDGER_ANNOTATION,
    WHY_ANNOTATION,
    Claim,
    Entry,
    Found,
    Held,
    Ledger,
    Order,
    Owner,
)
from brownout.ledger.pointer import ABSENT, Pointer, Value, parts_of
from brownout.ledger.why import why

REPLICAS = Pointer("/spec/replicas")
PAUSED = Pointer("/spec/paused")
TAKE, UID, VERSION = "take-1", "uid-1", "41"
KUBECTL = Owner(manager="kubectl", operation="Apply", api_version="apps/v1", time="2027-01-15T08:00:00Z")


def ref(name: str, uid: str = "") -> PolicyRef:
    return PolicyRef(namespace="shop", name=name, uid=uid or f"policy-{name}")


CHECKOUT, SEARCH = ref("checkout"), ref("search")


def claim(
    value: Value = 0,
    by: PolicyRef = CHECKOUT,
    *,
    at: float = 1.0,
    order: Order = Order.LOWEST,
    level: str = "trimmed",
) -> Claim:
    return Claim(policy=by, level=level, action="thin", value=value, order=order, at=at)


def entry(
    *claims: Claim,
    original: Value = 3,
    applied: Value = 0,
    wanted: Value | None = None,
    where: Pointer = REPLICAS,
    restored: bool = False,
    owners: tuple[Owner, ...] = (KUBECTL,),
    parent: Pointer | None = None,
) -> Entry:
    return Entry(
        pointer=where,
        original=original,
        applied=applied,
        wanted=applied if wanted is None else wanted,
        owners=owners,
        claims={each.policy: each for each in claims or (claim(applied),)},
        restored=restored,
        parent=parent,
    )


def ledger(*entries: Entry, take: str = TAKE, uid: str = UID) -> Ledger:
    return Ledger(take=take, uid=uid, entries={each.pointer: each for each in entries})


def owned(manager: str, *pointers: Pointer, operation: str = "Update") -> dict[str, Any]:
    """One entry of managedFields."""
    fields: dict[str, Any] = {}
    for where in pointers:
        here = fields
        for part in parts_of(where):
            here = here.setdefault(f"f:{part}", {})
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": "apps/v1",
        "time": "2027-01-15T08:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }


def found(
    written: Ledger | str | None = None,
    *,
    label: str | None = "",
    owner: str = "kubectl",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    managed: list[dict[str, Any]] | None = None,
    kind: str = "Deployment",
    **fields: Any,
) -> Found:
    """`written` is the ledger on it, or its annotation's text; `label` "" is the one that fits, None is none.

    `fields` are the spec's, replicas 3 if not said; `owner` owns the replicas.
    """
    text = codec.encode(written) if isinstance(written, Ledger) else written
    label = (written.take if isinstance(written, Ledger) else None) if label == "" else label
    notes = {**(annotations or {}), **({LEDGER_ANNOTATION: text} if text is not None else {})}
    if isinstance(written, Ledger):
        notes[WHY_ANNOTATION] = why(written)
    marks = {**(labels or {}), **({HELD_LABEL: label} if label else {})}
    spec = {"replicas": 3, **fields} if kind == "Deployment" else {}
    managers = managed if managed is not None else [owned(owner, REPLICAS, operation="Apply")]
    metadata: dict[str, Any] = {
        "name": "thumbnailer",
        "namespace": "shop",
        "uid": UID,
        "resourceVersion": VERSION,
        "managedFields": managers,
    }
    metadata |= {"labels": marks} if marks else {}
    metadata |= {"annotations": notes} if notes else {}
    body: dict[str, Any] = {"apiVersion": "apps/v1" if kind == "Deployment" else "v1", "kind": kind}
    body |= {"metadata": metadata, **({"spec": spec} if kind == "Deployment" else fields)}
    return codec.find(body)


def remembered(each: Entry, *, by: PolicyRef = CHECKOUT, take: str = TAKE, uid: str = UID) -> Held:
    target = found().target
    mine = {by: each.claims.get(by, claim(each.applied, by))}
    kept = Entry(
        pointer=each.pointer,
        original=each.original,
        applied=each.applied,
        wanted=each.applied,
        owners=each.owners,
        claims=mine,
    )
    return Held(
        policy=by,
        target=type(target)(
            api_version=target.api_version, kind=target.kind, namespace=target.namespace, name=target.name, uid=uid
        ),
        take=take,
        entry=kept,
    )


NOT_SET = ABSENT
