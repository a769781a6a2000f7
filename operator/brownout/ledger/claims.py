"""Who wins when several policies claim one field."""

from collections.abc import Mapping

from brownout.api.refs import PolicyRef
from brownout.ledger.entries import Claim, Order


def winner(claims: Mapping[PolicyRef, Claim]) -> Claim:
    """The claim whose value the field takes: the most degraded by their order; without one, the first that came."""
    first = min(claims.values(), key=_age)
    if first.order is Order.NONE or any(not compatible(first, claim) for claim in claims.values()):
        return first
    return min(claims.values(), key=lambda claim: (_rank(claim), *_age(claim)))


def compatible(one: Claim, other: Claim) -> bool:
    """Whether two claims on one field can stand side by side: the same value, or values with an order."""
    return one.value == other.value or (one.order is other.order and one.order is not Order.NONE)


def _age(claim: Claim) -> tuple[float, PolicyRef]:
    return claim.at, claim.policy


def _rank(claim: Claim) -> float:
    number = claim.value if isinstance(claim.value, int | float) else 0.0
    return number if claim.order is Order.LOWEST else -number
