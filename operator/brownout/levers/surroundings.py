"""What stands around a policy's targets and decides whether they may be taken."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from brownout.ledger.entries import Blocked
from brownout.ledger.pointer import Json, Value, look, pointer

Body: TypeAlias = Mapping[str, Json]
Workload: TypeAlias = tuple[str, str]
"""Kind and name of a workload, in the surroundings' namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """One namespace, seen from a policy in it."""

    autoscalers: Mapping[Workload, str] = field(default_factory=dict)
    """Who sizes a workload, in words: `HPA indexer drives replicas`."""
    operator: frozenset[Workload] = frozenset()
    """The operator's own workloads, if it runs in this namespace."""
    unread: Blocked | None = None
    """Why the autoscalers could not be read: what changes replicas takes nothing then, and keeps what it holds."""


def autoscalers(
    hpas: Sequence[Body] = (), scaled_objects: Sequence[Body] = (), vpas: Sequence[Body] = ()
) -> Mapping[Workload, str]:
    """From the autoscalers of one namespace to the workloads they size.

    KEDA's scaleTargetRef means a Deployment unless it says otherwise; a VPA in mode Off only recommends.
    """
    sizing = (
        *_pairs(hpas, "scaleTargetRef", "HPA {} drives replicas"),
        *_pairs(scaled_objects, "scaleTargetRef", "KEDA ScaledObject {} drives replicas", default_kind="Deployment"),
        *_pairs((each for each in vpas if not _only_recommends(each)), "targetRef", "VPA {} resizes its pods"),
    )
    found: dict[Workload, str] = {}
    for workload, sentence in sizing:
        found[workload] = f"{found[workload]}, {sentence}" if workload in found else sentence
    return found


def _pairs(
    bodies: Iterable[Body], reference: str, sentence: str, default_kind: str = ""
) -> Iterable[tuple[Workload, str]]:
    for body in bodies:
        kind = _text(look(body, pointer("spec", reference, "kind"))) or default_kind
        name = _text(look(body, pointer("spec", reference, "name")))
        yield (kind, name), sentence.format(_text(look(body, pointer("metadata", "name"))))


def _only_recommends(vpa: Body) -> bool:
    return look(vpa, pointer("spec", "updatePolicy", "updateMode")) == "Off"


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""
