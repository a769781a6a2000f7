"""What an API server's answer means for a step, and a failed read for a target."""

from brownout.api.reasons import BlockedReason, Result
from brownout.cluster.kinds import TARGETS, Kind
from brownout.cluster.port import UNANSWERED, Answer
from brownout.ledger.codec import find
from brownout.ledger.entries import Blocked
from brownout.ledger.steps import Outcome, Release, Step


def outcome_of(step: Step, answer: Answer) -> Outcome:
    """Pure: the meaning of each status. A failed `test` (422 without causes) and a 409 are both a Conflict: somebody
    was faster, so look again."""
    if answer.ok:
        result = Result.RELEASED if isinstance(step, Release) else Result.DONE
        return Outcome(step=step, result=result, found=find(answer.body))
    if answer.missing:
        return Outcome(step=step, result=Result.UNCHANGED, gone=True, message=f"{step.found.target} is gone")
    if answer.status == UNANSWERED:
        return Outcome(step=step, result=Result.UNSETTLED, message=answer.message)
    if answer.status == 409 or (answer.status == 422 and not causes(answer)):
        return Outcome(step=step, result=Result.CONFLICT, message=answer.message)
    reason = BlockedReason.FORBIDDEN if answer.status == 403 else BlockedReason.FAILED
    return Outcome(
        step=step,
        result=Result.FAILED,
        reason=reason,
        message=_sentence(answer, TARGETS[step.found.target.kind], step.found.target.namespace, "patch"),
        retry_after=answer.retry_after,
    )


def unreadable(answer: Answer, kind: Kind, namespace: str, verb: str) -> Blocked:
    """Why a read gave nothing to act on."""
    if answer.status == 404:
        message = f"the API server does not serve {kind.api_version} {kind.kind}: install its CRD"
        return Blocked(reason=BlockedReason.NOT_FOUND, message=message)
    reason = BlockedReason.FORBIDDEN if answer.status == 403 else BlockedReason.FAILED
    return Blocked(reason=reason, message=_sentence(answer, kind, namespace, verb))


def causes(answer: Answer) -> bool:
    """Whether a refusal names the fields it objects to: then it is a validation, not a failed `test`."""
    details = answer.body.get("details") or {}
    return bool(details.get("causes"))


def _sentence(answer: Answer, kind: Kind, namespace: str, verb: str) -> str:
    if answer.status == 403 and "admission" not in answer.message:
        group = kind.api_version.rpartition("/")[0] or "core"
        return (
            f"Brownout may not {verb} {kind.plural} (API group {group}) in namespace {namespace}:"
            f" grant its ServiceAccount that right, see manifests/rbac. {answer.message}"
        )
    return f"{verb} {kind.kind} in {namespace}: {answer.status or 'no answer'} {answer.reason}: {answer.message}"
