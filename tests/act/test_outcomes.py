"""What an API server's answer means, and what was not read."""

from typing import Any

import pytest

from brownout.act.availability import is_available
from brownout.act.outcomes import outcome_of, unreadable
from brownout.api.reasons import BlockedReason, Result
from brownout.cluster.kinds import DEPLOYMENT, FEATURE_FLAG
from brownout.cluster.port import Answer
from brownout.ledger.steps import Outcome, Release, Restore, Step
from tests.plan.held_objects import REPLICAS, entry, found, ledger

HELD = found(ledger(entry()), replicas=0)
RESTORE: Step = Restore(found=HELD, pointers=(REPLICAS,))
RELEASE: Step = Release(found=HELD, pointers=(REPLICAS,))
MISSING = {"details": {"name": "thumbnailer"}}
CAUSES = {"details": {"causes": [{"field": "spec.replicas"}]}}


@pytest.mark.parametrize(
    ("answer", "result", "reason"),
    [
        pytest.param(Answer(status=200, body=HELD.body), Result.DONE, None, id="200: done"),
        pytest.param(
            Answer(status=404, reason="NotFound", body=MISSING), Result.UNCHANGED, None, id="404 of the object: gone"
        ),
        pytest.param(Answer(status=0, message="timed out"), Result.UNSETTLED, None, id="no answer: nobody knows"),
        pytest.param(Answer(status=409, reason="Conflict"), Result.CONFLICT, None, id="409: somebody was faster"),
        pytest.param(Answer(status=422, reason="Invalid"), Result.CONFLICT, None, id="422 of a test: the same"),
        pytest.param(
            Answer(status=422, reason="Invalid", body=CAUSES), Result.FAILED, BlockedReason.FAILED,
            id="422 that names a field: it is not valid",
        ),
        pytest.param(
            Answer(status=403, reason="Forbidden"), Result.FAILED, BlockedReason.FORBIDDEN, id="403: a right is missing"
        ),
        pytest.param(
            Answer(status=404, message="404 page not found"), Result.FAILED, BlockedReason.FAILED,
            id="404 of the kind: its CRD is gone, which says nothing of the object",
        ),
        pytest.param(Answer(status=500), Result.FAILED, BlockedReason.FAILED, id="500: failed"),
        pytest.param(Answer(status=429, retry_after=7.0), Result.FAILED, BlockedReason.FAILED, id="429: too much"),
    ],
)  # fmt: skip
def test_an_answer(answer: Answer, result: Result, reason: BlockedReason | None) -> None:
    outcome = outcome_of(RESTORE, answer)
    assert (outcome.result, outcome.reason) == (result, reason)
    assert outcome.gone == (result is Result.UNCHANGED)
    assert outcome.retry_after == answer.retry_after


def test_what_was_let_go_is_released_and_shows_the_object_after() -> None:
    outcome = outcome_of(RELEASE, Answer(status=200, body=found(replicas=7).body))
    assert outcome.result is Result.RELEASED
    assert outcome.found is not None
    assert outcome.found.ledger is None


@pytest.mark.parametrize(
    ("result", "settled"),
    [
        pytest.param(Result.DONE, True, id="done"),
        pytest.param(Result.RELEASED, True, id="released"),
        pytest.param(Result.UNCHANGED, True, id="gone"),
        pytest.param(Result.CONFLICT, False, id="in conflict"),
        pytest.param(Result.UNSETTLED, False, id="without an answer"),
        pytest.param(Result.FAILED, False, id="failed"),
        pytest.param(Result.PLANNED, False, id="only planned"),
    ],
)
def test_planning_goes_on_from_what_is(result: Result, settled: bool) -> None:
    assert Outcome(step=RESTORE, result=result).settled is settled


def test_a_missing_right_is_named_with_its_group_and_namespace() -> None:
    message = outcome_of(RESTORE, Answer(status=403, reason="Forbidden", message="cannot patch")).message
    assert message.startswith("Brownout may not patch deployments (API group apps) in namespace shop: grant")
    assert message.endswith("cannot patch")


def test_a_refusal_by_an_admission_webhook_is_not_taken_for_a_missing_right() -> None:
    text = 'admission webhook "guard" denied the request'
    message = outcome_of(RESTORE, Answer(status=403, reason="Forbidden", message=text)).message
    assert message == f"patch Deployment in shop: 403 Forbidden: {text}"


@pytest.mark.parametrize(
    ("answer", "reason", "words"),
    [
        pytest.param(
            Answer(status=404, message="404 page not found"), BlockedReason.NOT_FOUND, "install its CRD",
            id="its kind is not served",
        ),
        pytest.param(
            Answer(status=403, message="no"), BlockedReason.FORBIDDEN, "may not list featureflags",
            id="a right is missing",
        ),
        pytest.param(Answer(status=0, message="timed out"), BlockedReason.FAILED, "no answer", id="no answer"),
        pytest.param(Answer(status=503, reason="Unavailable"), BlockedReason.FAILED, "503", id="it failed"),
    ],
)  # fmt: skip
def test_what_could_not_be_read(answer: Answer, reason: BlockedReason, words: str) -> None:
    blocked = unreadable(answer, FEATURE_FLAG, "shop", "list")
    assert blocked.reason == reason
    assert words in blocked.message


@pytest.mark.parametrize(
    ("kind", "status", "generation", "available"),
    [
        pytest.param("Deployment", {"observedGeneration": 2, "availableReplicas": 3}, 2, True, id="all replicas are"),
        pytest.param("Deployment", {"observedGeneration": 2, "availableReplicas": 2}, 2, False, id="one is missing"),
        pytest.param("Deployment", {"observedGeneration": 1, "availableReplicas": 3}, 2, False, id="not yet seen"),
        pytest.param("Deployment", {}, 2, False, id="no status yet"),
        pytest.param(
            "StatefulSet", {"observedGeneration": 2, "availableReplicas": 2}, 2, False, id="a StatefulSet too"
        ),
        pytest.param("CronJob", {}, 2, True, id="a CronJob is as soon as it is written"),
        pytest.param("ConfigMap", {}, 2, True, id="a ConfigMap too"),
    ],
)
def test_availability(kind: str, status: dict[str, Any], generation: int, available: bool) -> None:
    base = found(replicas=3)
    metadata: Any = base.body["metadata"]
    body = {**base.body, "status": status, "metadata": {**metadata, "generation": generation}}
    target = type(base.target)(
        api_version=base.target.api_version, kind=kind, namespace="shop", name="x", uid=base.target.uid
    )
    assert is_available(type(base)(target=target, body=body, ledger=None)) is available


def test_a_deployment_that_is_given_back_at_zero_needs_no_replica() -> None:
    base = found(replicas=0)
    body = {**base.body, "status": {"observedGeneration": 1}}
    assert DEPLOYMENT.kind == base.target.kind
    assert is_available(type(base)(target=base.target, body=body, ledger=None))
