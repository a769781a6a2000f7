"""The lever that turns a feature flag: an OpenFeature FeatureFlag, or a key of a ConfigMap."""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from brownout.api.actions import ConfigMapKey, FeatureFlagKey, Flag
from brownout.api.reasons import BlockedReason
from brownout.ledger.entries import Blocked, Found, Order, Query
from brownout.ledger.pointer import ABSENT, Json, Pointer, Value, look, parts_of, pointer
from brownout.levers.lever import Wanted

FEATURE_FLAG: Final = "FeatureFlag"
CONFIG_MAP: Final = "ConfigMap"
_FLAGS: Final = ("spec", "flagSpec", "flags")
_OURS: Final = frozenset({"defaultVariant", "targeting"})
_Turned: TypeAlias = tuple[FeatureFlagKey, str] | tuple[ConfigMapKey, str]


class FlagLever:
    """Sets a flag's variant and takes its targeting away (targeting beats the default variant), or sets a text key."""

    def seeks(self, arguments: Flag, namespace: str) -> Query:
        where, _ = _turned(arguments)
        kind = FEATURE_FLAG if isinstance(where, FeatureFlagKey) else CONFIG_MAP
        return Query(namespace=namespace, kinds=(kind,), name=where.name)

    def fields(self, arguments: Flag, found: Found) -> tuple[Pointer, ...]:
        return tuple(_values(arguments))

    def wants(self, arguments: Flag, found: Found) -> Mapping[Pointer, Wanted] | Blocked:
        """All fields or none: a targeting that is absent is claimed too, so that one added later is seen as somebody's
        decision and not taken away."""
        where, value = _turned(arguments)
        blocked = _flag_blocked(where.key, value, found) if isinstance(where, FeatureFlagKey) else _binary(where, found)
        if blocked is not None:
            return blocked
        values = _values(arguments)
        if all(found.original(each) == wanted for each, wanted in values.items()):
            return {}
        return {each: Wanted(value=wanted, order=Order.NONE) for each, wanted in values.items()}

    def may_change(self, kind: str, where: Pointer) -> bool:
        parts = parts_of(where)
        if pointer(*parts) != where:
            return False
        if kind == FEATURE_FLAG:
            return len(parts) == 5 and parts[:3] == _FLAGS and parts[4] in _OURS
        return kind == CONFIG_MAP and len(parts) == 2 and parts[0] == "data"


def _turned(arguments: Flag) -> _Turned:
    """ValueError for arguments that name no flag or no value: admission and load refuse them."""
    if arguments.feature_flag is not None and arguments.variant is not None:
        return arguments.feature_flag, arguments.variant
    if arguments.config_map is not None and arguments.value is not None:
        return arguments.config_map, arguments.value
    raise ValueError("a flag action needs featureFlag and variant, or configMap and value")


def _values(arguments: Flag) -> Mapping[Pointer, Value]:
    where, value = _turned(arguments)
    if isinstance(where, FeatureFlagKey):
        flag = (*_FLAGS, where.key)
        return {pointer(*flag, "defaultVariant"): value, pointer(*flag, "targeting"): ABSENT}
    return {pointer("data", where.key): value}


def _flag_blocked(key: str, variant: str, found: Found) -> Blocked | None:
    flags = _map(look(found.body, pointer(*_FLAGS)))
    if key not in flags:
        message = f"{found.target} has no flag {key}; {_there_are('flags', flags)}"
        return Blocked(reason=BlockedReason.KEY_NOT_FOUND, message=message)
    flag = _map(flags[key])
    variants = _map(flag.get("variants"))
    if variant not in variants:
        message = f"flag {key} of {found.target} has no variant {variant}; {_there_are('variants', variants)}"
        return Blocked(reason=BlockedReason.VARIANT_NOT_FOUND, message=message)
    if flag.get("state") == "DISABLED":
        message = f"flag {key} of {found.target} is DISABLED and its variants are not used: set its state to ENABLED"
        return Blocked(reason=BlockedReason.KEY_NOT_FOUND, message=message)
    return None


def _binary(where: ConfigMapKey, found: Found) -> Blocked | None:
    if look(found.body, pointer("binaryData", where.key)) is ABSENT:
        return None
    message = f"key {where.key} of {found.target} is under binaryData: a flag needs a text key under data"
    return Blocked(reason=BlockedReason.KEY_NOT_FOUND, message=message)


def _map(value: Value) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _there_are(what: str, names: Iterable[str], most: int = 8) -> str:
    """The first few names, each cut: a status message has a bound."""
    listed = sorted(names)
    if not listed:
        return f"it has no {what}"
    rest = f" and {len(listed) - most} more" if len(listed) > most else ""
    return f"its {what} are {', '.join(name[:63] for name in listed[:most])}{rest}"
