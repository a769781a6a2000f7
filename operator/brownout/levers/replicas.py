"""The field that says how many pods a workload has."""

from collections.abc import Mapping
from typing import Final

from brownout.ledger.entries import Found, Order
from brownout.ledger.pointer import Pointer, pointer
from brownout.levers.lever import Wanted

REPLICAS: Final = pointer("spec", "replicas")
SCALABLE: Final = frozenset({"Deployment", "StatefulSet"})


def original_replicas(found: Found) -> int:
    """The replicas as the owners had them; 1 where the field is absent (the API server's default)."""
    value = found.original(REPLICAS)
    return value if isinstance(value, int) and not isinstance(value, bool) else 1


def at_most(found: Found, limit: int) -> Mapping[Pointer, Wanted]:
    """`limit` replicas, unless the original is as low already: never raises."""
    return {} if original_replicas(found) <= limit else {REPLICAS: Wanted(value=limit, order=Order.LOWEST)}


def at_least(found: Found, limit: int) -> Mapping[Pointer, Wanted]:
    """`limit` replicas, unless the original is as high already: never lowers."""
    return {} if original_replicas(found) >= limit else {REPLICAS: Wanted(value=limit, order=Order.HIGHEST)}
