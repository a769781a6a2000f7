"""The rules of a condition, of a level, and those that only a policy as a whole can break."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from brownout.api.base import lasts
from brownout.api.rules import Rule, nowhere

if TYPE_CHECKING:
    from brownout.api.policy import Condition, PolicySpec

NORMAL = "Normal"

_MANUAL = "(has(self.manual) && self.manual)"


def _one_pair(it: Condition) -> bool:
    if it.enter_above is None:
        return it.exit_below is None and it.enter_below is not None and it.exit_above is not None
    return it.exit_below is not None and it.enter_below is None and it.exit_above is None


def _gap(it: Condition) -> bool:
    if it.enter_above is not None and it.exit_below is not None:
        return it.exit_below < it.enter_above
    if it.enter_below is not None and it.exit_above is not None:
        return it.exit_above > it.enter_below
    return True


CONDITION = (
    Rule(
        says="write exactly one pair: enterAbove with exitBelow (worse is higher),"
        " or enterBelow with exitAbove (worse is lower)",
        cel="(has(self.enterAbove) && has(self.exitBelow) && !has(self.enterBelow) && !has(self.exitAbove))"
        " || (has(self.enterBelow) && has(self.exitAbove) && !has(self.enterAbove) && !has(self.exitBelow))",
        holds=_one_pair,
    ),
    Rule(
        says="leave a gap between the thresholds, or the level would flap: write exitBelow lower than enterAbove,"
        " or exitAbove higher than enterBelow",
        cel="(!has(self.enterAbove) || !has(self.exitBelow) || self.exitBelow < self.enterAbove)"
        " && (!has(self.enterBelow) || !has(self.exitAbove) || self.exitAbove > self.enterBelow)",
        holds=_gap,
    ),
)

WHEN = (
    Rule(
        says="write either anyOf or allOf",
        cel="has(self.anyOf) != has(self.allOf)",
        holds=lambda when: (when.any_of is None) != (when.all_of is None),
    ),
)

LEVEL = (
    Rule(
        says="Normal is where no level applies: write another name",
        cel=f"self.name != '{NORMAL}'",
        holds=lambda level: level.name != NORMAL,
        at="name",
    ),
    Rule(
        says="a level without a condition is never reached: write when.anyOf or when.allOf,"
        " or manual: true for a level that only a person's Pin or Floor reaches",
        cel=f"{_MANUAL} || has(self.when)",
        holds=lambda level: level.manual or level.when is not None,
    ),
    Rule(
        says="a manual level has no condition: remove when, or remove manual",
        cel=f"!{_MANUAL} || !has(self.when)",
        holds=lambda level: not level.manual or level.when is None,
    ),
    Rule(
        says="for is missing: write how long the condition must last, such as 30s (0s: act at once)",
        cel=f"{_MANUAL} || has(self.__for__)",
        holds=lambda level: level.manual or level.for_ is not None,
    ),
    Rule(
        says="recoverAfter is missing: write how long the signals must be well again before one step down, such as 3m",
        cel=f"{_MANUAL} || has(self.recoverAfter)",
        holds=lambda level: level.manual or level.recover_after is not None,
    ),
)


def _repeated(named: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The places of names that an earlier place has already used."""
    seen: set[str] = set()
    for where, name in named:
        if name in seen:
            yield where
        seen.add(name)


def _repeated_signals(spec: PolicySpec) -> Iterator[str]:
    return _repeated((f"signals[{i}].name", each.name) for i, each in enumerate(spec.signals))


def _repeated_levels(spec: PolicySpec) -> Iterator[str]:
    return _repeated((f"levels[{i}].name", each.name) for i, each in enumerate(spec.levels))


def _repeated_actions(spec: PolicySpec) -> Iterator[str]:
    return _repeated(
        (f"levels[{i}].actions[{j}].name", action.name)
        for i, level in enumerate(spec.levels)
        for j, action in enumerate(level.actions)
    )


def _unknown_signals(spec: PolicySpec) -> Iterator[str]:
    known = {signal.name for signal in spec.signals}
    for i, level in enumerate(spec.levels):
        if level.when is not None:
            kind = "allOf" if level.when.any_of is None else "anyOf"
            for j, condition in enumerate(level.when.conditions):
                if condition.signal not in known:
                    yield f"levels[{i}].when.{kind}[{j}].signal"


def _manual_below(spec: PolicySpec) -> Iterator[str]:
    for i, (lower, upper) in enumerate(pairwise(spec.levels)):
        if lower.manual and not upper.manual:
            yield f"levels[{i}]"


def _takes_protected(spec: PolicySpec) -> Iterator[str]:
    for i, level in enumerate(spec.levels if spec.protects else ()):
        for j, action in enumerate(level.actions):
            scale = action.scale
            if scale is None or scale.at_least is not None or spec.protects is None:
                continue
            if (scale.target.kind.value, scale.target.name) == (spec.protects.kind.value, spec.protects.name):
                yield f"levels[{i}].actions[{j}].scale"


POLICY = (
    lasts("interval", "1s", "1h"),
    nowhere(
        says="two signals have the same name: write a name of its own for each",
        cel="self.signals.all(a, self.signals.exists_one(b, b.name == a.name))",
        places=_repeated_signals,
    ),
    nowhere(
        says="two levels have the same name: write a name of its own for each",
        cel="self.levels.all(a, self.levels.exists_one(b, b.name == a.name))",
        places=_repeated_levels,
    ),
    nowhere(
        says="two actions have the same name: write a name that is unique in the whole policy for each",
        cel="self.levels.all(l, !has(l.actions) || l.actions.all(a, l.actions.exists_one(b, b.name == a.name)"
        " && self.levels.exists_one(m, has(m.actions) && m.actions.exists(b, b.name == a.name))))",
        places=_repeated_actions,
    ),
    nowhere(
        says="a condition names a signal that the policy does not have: write the name of one in spec.signals",
        cel="self.levels.all(l, !has(l.when)"
        " || ((!has(l.when.anyOf) || l.when.anyOf.all(c, self.signals.exists(s, s.name == c.signal)))"
        " && (!has(l.when.allOf) || l.when.allOf.all(c, self.signals.exists(s, s.name == c.signal)))))",
        places=_unknown_signals,
    ),
    nowhere(
        says="a manual level stands below an automatic one: write the manual levels last",
        cel="[0, 1, 2, 3, 4, 5, 6].all(i, i + 1 >= size(self.levels)"
        " || !(has(self.levels[i].manual) && self.levels[i].manual)"
        " || (has(self.levels[i + 1].manual) && self.levels[i + 1].manual))",
        places=_manual_below,
    ),
    nowhere(
        says="the policy protects this workload and would take it: write another target, or atLeast to give it room",
        cel="!has(self.protects) || self.levels.all(l, !has(l.actions) || l.actions.all(a, !has(a.scale)"
        " || has(a.scale.atLeast) || a.scale.target.kind != self.protects.kind"
        " || a.scale.target.name != self.protects.name))",
        places=_takes_protected,
    ),
)
