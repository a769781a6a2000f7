"""The lever that switches whole workloads off, the most dispensable first."""

from collections.abc import Mapping
from typing import Final

from brownout.api.actions import LabelRequirement, LabelSelector, Shed
from brownout.ledger.entries import CRITICALITY_LABEL, Found, Order, Query
from brownout.ledger.pointer import Pointer, pointer
from brownout.levers.lever import Wanted
from brownout.levers.replicas import REPLICAS, SCALABLE, at_most

SUSPEND: Final = pointer("spec", "suspend")
SUSPENDABLE: Final = frozenset({"CronJob", "Job"})


class ShedLever:
    """Replicas to 0 for a Deployment or StatefulSet; suspended for a CronJob or Job."""

    def seeks(self, arguments: Shed, namespace: str) -> Query:
        kinds = tuple(kind.value for kind in arguments.kinds)
        return Query(namespace=namespace, kinds=kinds, selectors=selectors_of(arguments))

    def fields(self, arguments: Shed, found: Found) -> tuple[Pointer, ...]:
        return (SUSPEND,) if found.target.kind in SUSPENDABLE else (REPLICAS,)

    def wants(self, arguments: Shed, found: Found) -> Mapping[Pointer, Wanted]:
        if found.target.kind in SCALABLE:
            return at_most(found, 0)
        if found.original(SUSPEND) is True:
            return {}
        return {SUSPEND: Wanted(value=True, order=Order.SUSPENDED)}

    def may_change(self, kind: str, where: Pointer) -> bool:
        return (kind in SCALABLE and where == REPLICAS) or (kind in SUSPENDABLE and where == SUSPEND)


def selectors_of(arguments: Shed) -> tuple[str, ...]:
    """One Kubernetes label selector for each criticality, in the written order; or the selector alone."""
    if arguments.selector is not None:
        return (selector_text(arguments.selector),)
    return tuple(f"{CRITICALITY_LABEL}={each.value}" for each in arguments.criticalities)


def selector_text(selector: LabelSelector) -> str:
    """A label selector as the API server's `labelSelector` parameter writes it."""
    labels = (f"{key}={value}" for key, value in sorted(selector.match_labels.items()))
    return ",".join((*labels, *map(_requirement, selector.match_expressions)))


def _requirement(each: LabelRequirement) -> str:
    values = ",".join(each.values)
    return {
        "In": f"{each.key} in ({values})",
        "NotIn": f"{each.key} notin ({values})",
        "Exists": each.key,
        "DoesNotExist": f"!{each.key}",
    }[each.operator]
