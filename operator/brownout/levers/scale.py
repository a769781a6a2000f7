"""The lever that makes one workload smaller, or gives it more room."""

from collections.abc import Mapping

from brownout.api.actions import Scale
from brownout.ledger.entries import Found, Query
from brownout.ledger.pointer import Pointer
from brownout.levers.lever import Wanted
from brownout.levers.replicas import REPLICAS, SCALABLE, at_least, at_most, original_replicas


class ScaleLever:
    """Sets the replicas of a named Deployment or StatefulSet."""

    def seeks(self, arguments: Scale, namespace: str) -> Query:
        return Query(namespace=namespace, kinds=(arguments.target.kind.value,), name=arguments.target.name)

    def fields(self, arguments: Scale, found: Found) -> tuple[Pointer, ...]:
        return (REPLICAS,)

    def wants(self, arguments: Scale, found: Found) -> Mapping[Pointer, Wanted]:
        """ValueError when the action says neither atMost, percent nor atLeast: admission and load refuse that."""
        if arguments.at_least is not None:
            return at_least(found, arguments.at_least)
        if arguments.at_most is not None:
            return at_most(found, arguments.at_most)
        if arguments.percent is not None:
            return at_most(found, share(original_replicas(found), arguments.percent))
        raise ValueError("a scale action needs one of atMost, percent or atLeast")

    def may_change(self, kind: str, where: Pointer) -> bool:
        return kind in SCALABLE and where == REPLICAS


def share(replicas: int, percent: int) -> int:
    """That percentage of the replicas, rounded up: a share above nothing keeps one pod."""
    return -(-replicas * percent // 100)
