"""A rule of the API, said twice side by side: in CEL for the API server, in Python for what is loaded.

Both doors refuse with the same sentence. It never quotes the value, because CEL would have to pay for that.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What must hold for one object.

    `says` is the sentence for somebody who broke it: what to write instead. `cel` is None where CEL cannot say it: the
    rule then holds at load only. `at` is the member that breaks it, where it is always the same one ("" is the object
    itself); `places` finds the members otherwise, relative to the object.
    """

    says: str
    cel: str | None
    holds: Callable[[Any], bool]
    at: str = ""
    places: Callable[[Any], Iterable[str]] | None = None

    def for_kubernetes(self) -> dict[str, Any]:
        """The entry of `x-kubernetes-validations`."""
        where = {"fieldPath": f".{self.at}"} if self.at else {}
        return {"rule": self.cel, "message": self.says, **where}

    def broken(self, it: Any) -> Iterable[str]:
        """Every place in an object that breaks the rule."""
        if self.places is not None:
            return self.places(it)
        return () if self.holds(it) else (self.at,)


def elsewhere(it: Any) -> bool:
    """For a rule that only CEL needs: in Python the type of the member checks itself."""
    return True


def nowhere(places: Callable[[Any], Iterator[str]], *, says: str, cel: str | None) -> Rule:
    """A rule that no place in an object may break."""
    return Rule(says=says, cel=cel, holds=lambda it: next(places(it), None) is None, places=places)


class Broken(ValueError):
    """An object that breaks rules: pairs of a place, relative to the object, and the rule's sentence."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(says for _, says in problems))
        self.problems = problems


def obey(rules: Sequence[Rule]) -> Callable[[Any], None]:
    """A check that raises Broken for an object that breaks any of the rules."""
    each_holds = tuple(each.holds for each in rules if each.holds is not elsewhere)

    def check(it: Any) -> None:
        for holds in each_holds:
            if not holds(it):
                raise Broken([(where, each.says) for each in rules for where in each.broken(it)])

    return check


def validations(rules: Sequence[Rule]) -> Mapping[str, Any]:
    """The part of a JSON schema that carries the rules CEL can say."""
    said = [each.for_kubernetes() for each in rules if each.cel is not None]
    return {"x-kubernetes-validations": said} if said else {}
