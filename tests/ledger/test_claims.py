"""Which of several policies' claims on one field wins."""

import pytest

from brownout.api.refs import PolicyRef
from brownout.ledger.claims import compatible, winner
from brownout.ledger.entries import Claim, Order
from brownout.ledger.pointer import Value


def claim(name: str, value: Value, order: Order, at: float) -> Claim:
    ref = PolicyRef(namespace="shop", name=name, uid=name)
    return Claim(policy=ref, level="l", action="a", value=value, order=order, at=at)


@pytest.mark.parametrize(
    ("claims", "wins"),
    [
        pytest.param(
            [claim("a", 3, Order.LOWEST, 1), claim("b", 1, Order.LOWEST, 2)], "b", id="of two caps the lower holds"
        ),
        pytest.param(
            [claim("a", 10, Order.HIGHEST, 1), claim("b", 20, Order.HIGHEST, 2)],
            "b",
            id="the higher of two floors",
        ),
        pytest.param(
            [claim("a", False, Order.SUSPENDED, 1), claim("b", True, Order.SUSPENDED, 2)],
            "b",
            id="suspended holds over running",
        ),
        pytest.param(
            [claim("b", "off", Order.NONE, 1), claim("a", "lite", Order.NONE, 2)], "b", id="of two variants the first"
        ),
        pytest.param(
            [claim("a", 1, Order.LOWEST, 2), claim("b", 20, Order.HIGHEST, 1)],
            "b",
            id="a cap and a floor have no order between them: the first holds",
        ),
        pytest.param(
            [claim("b", 1, Order.LOWEST, 1), claim("a", 1, Order.LOWEST, 1)],
            "a",
            id="a tie goes by name",
        ),
    ],
)
def test_the_winning_claim(claims: list[Claim], wins: str) -> None:
    for each in (claims, claims[::-1]):
        assert winner({claim.policy: claim for claim in each}).policy.name == wins


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        pytest.param(
            claim("a", 3, Order.LOWEST, 1),
            claim("b", 1, Order.LOWEST, 2),
            True,
            id="ordered values do",
        ),
        pytest.param(
            claim("a", "off", Order.NONE, 1), claim("b", "lite", Order.NONE, 2), False, id="two variants do not"
        ),
        pytest.param(
            claim("a", "off", Order.NONE, 1), claim("b", "off", Order.NONE, 2), True, id="the same variant does"
        ),
        pytest.param(
            claim("a", 1, Order.LOWEST, 1), claim("b", 5, Order.HIGHEST, 2), False, id="a cap and a floor do not"
        ),
    ],
)
def test_which_claims_can_stand_together(one: Claim, other: Claim, together: bool) -> None:
    assert compatible(one, other) is together
