"""Whether an operator is running, by its Lease or by the statuses it writes."""

from typing import Any

import pytest

from brownout.act.presence import Presence, sign_of
from brownout.testing.clock import START


def lease(
    renewed: str | None = "2027-01-15T07:59:57.123456Z", holder: str = "brownout-0", **changes: Any
) -> dict[str, Any]:
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed}
    return {"metadata": {"namespace": "brownout-system", "name": "brownout", **changes}, "spec": spec}


def policy(written: str | None = None, observed: str | None = None) -> dict[str, Any]:
    managed = [{"manager": "brownout", "subresource": "status", "time": written}] if written else []
    status = {"observed": {"at": observed}} if observed else {}
    return {"metadata": {"namespace": "shop", "name": "checkout", "managedFields": managed}, "status": status}


@pytest.mark.parametrize(
    ("leases", "policies", "presence", "why"),
    [
        pytest.param([lease()], [], Presence.RUNNING, "held by brownout-0, was renewed 3s ago", id="a fresh Lease"),
        pytest.param([lease("2027-01-15T07:59:00Z")], [], Presence.GONE, "renewed 1m ago", id="a Lease that expired"),
        pytest.param([lease(holder="")], [], Presence.GONE, "held by nobody", id="a Lease that was released"),
        pytest.param([lease(None)], [], Presence.GONE, "was renewed", id="a Lease that was never renewed"),
        pytest.param([lease("2027-01-15T08:09:00Z")], [], Presence.RUNNING, "0s ago", id="a Lease from the future"),
        pytest.param(
            [lease("2027-01-15T07:00:00Z", name="brownout-old"), lease()],
            [],
            Presence.RUNNING,
            "3s ago",
            id="the freshest of several Leases decides",
        ),
        pytest.param(
            [lease("2027-01-15T07:59:00Z")],
            [policy(written="2027-01-15T07:59:59Z")],
            Presence.GONE,
            "renewed 1m ago",
            id="where there is a Lease, the statuses do not count",
        ),
        pytest.param(
            [lease(name="other-operator")], [], Presence.GONE, "there is no Lease", id="the Lease of something else"
        ),
        pytest.param(
            [],
            [policy(written="2027-01-15T07:58:00Z"), policy("2027-01-15T07:00:00Z")],
            Presence.PERHAPS,
            "there is no Lease, and the last status, of policy shop/checkout, was written 2m ago",
            id="without a Lease a status that was written two minutes ago",
        ),
        pytest.param(
            [], [policy(observed="2027-01-15T07:59:30Z")], Presence.PERHAPS, "30s ago", id="by the operator's own word"
        ),
        pytest.param([], [policy("2027-01-15T07:50:00Z")], Presence.GONE, "10m ago", id="a status that is old"),
        pytest.param([], [policy()], Presence.GONE, "no operator has written", id="no status at all"),
        pytest.param([], [policy("nonsense")], Presence.GONE, "no operator has written", id="a time that is none"),
        pytest.param(None, [], Presence.GONE, "no Lease could be read", id="Leases that one may not read"),
    ],
)
def test_an_operator_is(leases: Any, policies: Any, presence: Presence, why: str) -> None:
    sign = sign_of(leases, policies, START)
    assert sign.presence is presence
    assert why in sign.why


def test_a_lease_that_is_renewed_between_two_looks_has_moved() -> None:
    before = sign_of([lease()], [policy()], START)
    assert before.moved(sign_of([lease("2027-01-15T08:00:02Z")], [policy()], START)) == (
        "Lease brownout-system/brownout has just changed"
    )
    assert before.moved(sign_of([lease()], [policy()], START + 9)) == ""


def test_a_status_that_changes_between_two_looks_has_moved() -> None:
    before = sign_of([], [policy(observed="2027-01-15T07:59:30Z")], START)
    after = sign_of([], [policy(observed="2027-01-15T08:00:01Z")], START)
    assert before.moved(after) == "the status of policy shop/checkout has just changed"


def test_a_policy_that_is_gone_has_not_moved() -> None:
    assert sign_of([], [policy()], START).moved(sign_of([], [], START)) == ""
