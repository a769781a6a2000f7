"""Every lever there is, under the name that an action uses it by."""

from collections.abc import Mapping
from typing import Any, Final

from brownout.api.actions import Action
from brownout.ledger.pointer import Pointer
from brownout.levers.flag import FlagLever
from brownout.levers.lever import Lever
from brownout.levers.scale import ScaleLever
from brownout.levers.shed import ShedLever

LEVERS: Final[Mapping[str, Lever[Any]]] = {
    "flag": FlagLever(),
    "scale": ScaleLever(),
    "shed": ShedLever(),
}


def lever_of(action: Action) -> tuple[Lever[Any], Any]:
    """The action's lever and its arguments; ValueError for a lever that is not in the table."""
    for name, lever in LEVERS.items():
        arguments = getattr(action, name)
        if arguments is not None:
            return lever, arguments
    raise ValueError(f"action {action.name} uses none of {', '.join(LEVERS)}")


def lever_name(action: Action) -> str:
    """The name of the action's lever, as in the spec: `flag`, `scale` or `shed`."""
    return next(name for name in LEVERS if getattr(action, name) is not None)


def may_change(kind: str, where: Pointer) -> bool:
    """Whether any lever may change that pointer of that kind: what no lever changes is never given back either."""
    return any(lever.may_change(kind, where) for lever in LEVERS.values())
