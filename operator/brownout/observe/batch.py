"""Many queries in one request, and each one's own answer back: pure.

    label_replace((EXPR
    ),"__sig__","3","","") or ...

as a balanced tree of at most 100 members; a flat chain of `or` costs quadratic time on the server. Members are
expressions that the source has accepted bare: only then can none close the parenthesis and speak for another. The
line break before it ends a trailing comment.
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from brownout.api.reasons import MissingReason
from brownout.decide.model import Missing, Seen
from brownout.observe.answer import Result
from brownout.observe.sample import NO_DATA, seen_pair, seen_sample, several

LABEL = "__sig__"
LARGEST = 100
"""Members of a batch: at 25 to 100 the cost per expression is flat."""

T = TypeVar("T")


class Form(StrEnum):
    """What an expression gives, known from its bare answer; a scalar needs vector() in a batch."""

    VECTOR = "vector"
    SCALAR = "scalar"


class Member(NamedTuple):
    query: str
    form: Form


def compose(members: Sequence[Member]) -> str:
    """One expression that answers for all members, each marked with its place."""
    return _tree([_marked(place, member) for place, member in enumerate(members)])


def _marked(place: int, member: Member) -> str:
    wrapped = f"({member.query}\n)" if member.form is Form.VECTOR else f"vector({member.query}\n)"
    return f'label_replace({wrapped},"{LABEL}","{place}","","")'


def _tree(parts: list[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_tree(parts[:middle])} or {_tree(parts[middle:])})"


def partition(members: Sequence[T], largest: int) -> list[Sequence[T]]:
    """As few parts as possible of at most `largest`, all within one of the same size, in order."""
    if not members:
        return []
    parts = -(-len(members) // largest)
    cuts = [len(members) * part // parts for part in range(parts + 1)]
    return [members[start:end] for start, end in pairwise(cuts)]


def halves(members: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """What to ask next after a batch of two or more was refused: finds k bad of n in about 2k*log2(n) questions."""
    middle = (len(members) + 1) // 2
    return members[:middle], members[middle:]


def distribute(result: Result, count: int) -> list[Seen] | None:
    """Each member's own answer, in order; None if the answer is not one to this batch."""
    if result.kind != "vector":
        return None
    found: list[list[Any]] = [[] for _ in range(count)]
    places = {str(place): samples for place, samples in enumerate(found)}
    for sample in result.value:
        metric = sample.get("metric") if isinstance(sample, dict) else None
        place = metric.get(LABEL) if isinstance(metric, dict) else None
        if not isinstance(place, str) or place not in places:
            return None
        places[place].append(sample)
    return [_one(samples) for samples in found]


def seen_bare(result: Result) -> tuple[Seen, Form | None]:
    """The answer to one bare expression, and its form; no form if it can never give a number."""
    if result.kind == Form.SCALAR:
        return seen_pair(result.value), Form.SCALAR
    if result.kind == Form.VECTOR:
        if all(isinstance(sample, dict) for sample in result.value):
            return _one(result.value), Form.VECTOR
        return Missing(reason=MissingReason.BAD_ANSWER, message="the source sent a vector of no samples"), Form.VECTOR
    return _never(result.kind), None


def _one(samples: list[Any]) -> Seen:
    if not samples:
        return NO_DATA
    return seen_sample(samples[0]) if len(samples) == 1 else several(len(samples))


def _never(kind: str) -> Missing:
    wants = "take one number out of it, such as max_over_time(...)" if kind == "matrix" else "write one number"
    return Missing(reason=MissingReason.NOT_A_NUMBER, message=f"the query gives a {kind[:20]}: {wants}")
