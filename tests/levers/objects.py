"""Objects as the API server stores them, as small as a test needs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from brownout.api.actions import Action
from brownout.api.policy import PolicySpec
from brownout.api.refs import PolicyRef, Target
from brownout.ledger.entries import Claim, Entry, Found, Ledger, Order
from brownout.ledger.pointer import Json, Pointer, Value
from brownout.testing.lever_contract import with_value

POLICY = PolicyRef(namespace="shop", name="checkout", uid="policy-1")
OTHER = PolicyRef(namespace="shop", name="search", uid="policy-2")

REPLICAS = Pointer("/spec/replicas")
SUSPEND = Pointer("/spec/suspend")

_ACTION = TypeAdapter(Action)
_SPEC = TypeAdapter(PolicySpec)


def found(kind: str, name: str = "thing", /, **body: Any) -> Found:
    target = Target(api_version="v1", kind=kind, namespace="shop", name=name, uid=f"uid-{kind}-{name}")
    return Found(target=target, body=body, ledger=None)


def deployment(name: str = "thumbnailer", /, *, replicas: int = 3, **metadata: Any) -> Found:
    return found("Deployment", name, metadata=metadata, spec={"replicas": replicas})


def feature_flag(flags: Mapping[str, Any]) -> Found:
    return found("FeatureFlag", "shop", spec={"flagSpec": {"flags": flags}})


def recommendations(**more: Json) -> dict[str, Json]:
    """A flag with the variants full, lite and off; full by default."""
    variants = {"full": {"limit": 12}, "lite": {"limit": 4}, "off": None}
    return {"state": "ENABLED", "variants": variants, "defaultVariant": "full", **more}


def held(
    one: Found,
    where: Pointer,
    value: Value,
    *,
    action: str,
    level: str = "mild",
    at: float = 1.0,
    by: PolicyRef = POLICY,
    order: Order = Order.LOWEST,
) -> Found:
    """The object while a policy holds one field of it."""
    before = one.held.get(where)
    original = one.original(where)
    claim = Claim(policy=by, level=level, action=action, value=value, order=order, at=at)
    claims = {**(before.claims if before else {}), by: claim}
    entry = Entry(pointer=where, original=original, applied=value, wanted=value, claims=claims)
    ledger = Ledger(take="t", uid=one.target.uid, entries={**one.held, where: entry})
    return Found(target=one.target, body=with_value(one.body, where, value), ledger=ledger)


def action(**fields: Any) -> Action:
    """From the fields as a user writes them."""
    return _ACTION.validate_python({"name": "act", **fields})


def scale(target: str = "thumbnailer", *, kind: str = "Deployment", name: str = "act", **how: Any) -> Action:
    return action(name=name, scale={"target": {"kind": kind, "name": target}, **how})


def shed(name: str = "act", **fields: Any) -> Action:
    return action(name=name, shed=fields or {"criticalities": ["C5"]})


def turn(variant: str = "off", key: str = "recommendations", name: str = "act") -> Action:
    return action(name=name, flag={"featureFlag": {"name": "shop", "key": key}, "variant": variant})


def set_key(value: str = "true", key: str = "static", name: str = "act") -> Action:
    return action(name=name, flag={"configMap": {"name": "shop-flags", "key": key}, "value": value})


def spec(*levels: tuple[str, list[Action]], **more: Any) -> PolicySpec:
    """A policy with these levels, each entered at its own threshold."""
    written = [
        {
            "name": name,
            "when": {"anyOf": [{"signal": "p99", "enterAbove": index + 1.0, "exitBelow": 0.5}]},
            "for": "0s",
            "recoverAfter": "1m",
            "actions": actions,
        }
        for index, (name, actions) in enumerate(levels or (("mild", []),))
    ]
    return _SPEC.validate_python(
        {"mode": "Enforce", "signals": [{"name": "p99", "query": "p99"}], "levels": written, **more}
    )
