"""Our finalizer is on a policy only while it owes something."""

from brownout.cluster.kinds import POLICY
from brownout.cluster.port import Answer, Cluster, Content
from brownout.ledger.entries import FINALIZER, TAKING_MANAGER
from brownout.ledger.patches import JsonPatch, encode
from brownout.reconcile.record import Record


async def owe(cluster: Cluster, record: Record) -> str | None:
    """Puts the finalizer on before the first take; why it could not be put on, or None once it is there."""
    if FINALIZER in record.about.finalizers:
        return None
    problem = await _set(cluster, record, (*record.about.finalizers, FINALIZER))
    return problem if problem or FINALIZER in record.about.finalizers else "finalizer: the policy is gone"


async def owe_nothing(cluster: Cluster, record: Record) -> str | None:
    """Takes it off after the last give-back was read back; why it could not be taken off, or None once it is."""
    if FINALIZER not in record.about.finalizers:
        return None
    return await _set(cluster, record, tuple(each for each in record.about.finalizers if each != FINALIZER))


async def _set(cluster: Cluster, record: Record, finalizers: tuple[str, ...]) -> str | None:
    about = record.about
    patch: JsonPatch = [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": about.resource_version},
        {"op": "test", "path": "/metadata/uid", "value": about.uid},
        {"op": "add", "path": "/metadata/finalizers", "value": list(finalizers)},
    ]
    answer = await _patch(cluster, record, encode(patch))
    if answer.ok or answer.missing:
        record.learn(answer.body if answer.ok else None)
        return None
    if answer.status == 409:
        current = await cluster.get(POLICY, about.namespace, about.name)
        if current.ok:
            record.learn(current.body)
    return f"finalizer: {answer.status or 'no answer'} {answer.reason}: {answer.message}"


async def _patch(cluster: Cluster, record: Record, body: str) -> Answer:
    about = record.about
    return await cluster.patch(POLICY, about.namespace, about.name, body, Content.JSON_PATCH, manager=TAKING_MANAGER)
