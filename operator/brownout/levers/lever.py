"""What a lever is: pure knowledge of what an action changes. Restoring needs no lever."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from brownout.ledger.entries import Blocked, Found, Order, Query
from brownout.ledger.pointer import Pointer, Value

A_contra = TypeVar("A_contra", contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The value a field should take, and how it compares with other policies' wishes for it."""

    value: Value
    order: Order


class Lever(Protocol[A_contra]):
    """`A_contra` is the action's arguments: api.actions.Flag, Scale or Shed."""

    def seeks(self, arguments: A_contra, namespace: str) -> Query:
        """Which objects to look for."""
        ...

    def fields(self, arguments: A_contra, found: Found) -> tuple[Pointer, ...]:
        """The fields the action speaks for on one object, whether or not they need a change."""
        ...

    def wants(self, arguments: A_contra, found: Found) -> Mapping[Pointer, Wanted] | Blocked:
        """All of the action's fields with their values; empty when the original already spares as much as is asked."""
        ...

    def may_change(self, kind: str, where: Pointer) -> bool:
        """Whether this lever's own list holds that pointer of that kind: a forged ledger must steer nobody."""
        ...
