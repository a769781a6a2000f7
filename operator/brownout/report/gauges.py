"""What is true of each policy now, as gauges made when they are read: a tick only puts one value into a dictionary.

A policy that goes takes its series with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from brownout.api.refs import PolicyRef
from brownout.api.status import PolicyStatus
from brownout.decide.model import Reading
from brownout.report import catalogue
from brownout.report.catalogue import Declared
from brownout.report.facts import Evaluation, state_of, targets_of

_SHOWN_AS = {"True": 1.0, "False": 0.0}


@dataclass(frozen=True, slots=True)
class Shown:
    """A policy's newest status, and its newest evaluation if there was one."""

    status: PolicyStatus
    facts: Evaluation | None


class PolicyGauges(Collector):
    """Safe to be read from another thread."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], tuple[PolicyRef, Shown]] = {}

    def show(self, policy: PolicyRef, status: PolicyStatus, facts: Evaluation | None) -> None:
        self._shown[policy.namespace, policy.name] = (policy, Shown(status, facts))

    def forget(self, policy: PolicyRef) -> bool:
        """False when another policy has taken over the name: its series stay."""
        name = (policy.namespace, policy.name)
        if name in self._shown and self._shown[name][0] != policy:
            return False
        self._shown.pop(name, None)
        return True

    def collect(self) -> Iterator[GaugeMetricFamily]:
        gauges = {each.name: GaugeMetricFamily(each.name, each.text, labels=each.labels) for each in _GAUGES}
        for policy, shown in tuple(self._shown.values()):
            _add(gauges, policy, shown)
        yield from gauges.values()


_GAUGES: tuple[Declared, ...] = (
    catalogue.POLICY_LEVEL,
    catalogue.POLICY_CONDITION,
    catalogue.SIGNAL_VALUE,
    catalogue.SIGNAL_STATE,
    catalogue.HELD,
    catalogue.BLOCKED,
    catalogue.GIVE_BACK_LEFT,
)


def _add(gauges: Mapping[str, GaugeMetricFamily], policy: PolicyRef, shown: Shown) -> None:
    name = [policy.namespace, policy.name]
    for each in shown.status.conditions:
        if (value := _SHOWN_AS.get(each.status)) is not None:
            gauges[catalogue.POLICY_CONDITION.name].add_metric([*name, each.type], value)
    if shown.facts is not None:
        _add_facts(gauges, name, shown.facts)


def _add_facts(gauges: Mapping[str, GaugeMetricFamily], name: list[str], facts: Evaluation) -> None:
    level = facts.spec.index(facts.decision.level)
    gauges[catalogue.POLICY_LEVEL.name].add_metric([*name, facts.spec.mode], level)
    for signal, seen in facts.seen.items():
        gauges[catalogue.SIGNAL_STATE.name].add_metric([*name, signal, state_of(seen)], 1)
        if isinstance(seen, Reading):
            gauges[catalogue.SIGNAL_VALUE.name].add_metric([*name, signal], seen.value)
    for (kind, workload), fields in _by_workload(facts).items():
        gauges[catalogue.HELD.name].add_metric([*name, kind, workload], fields)
    for reason, count in _by_reason(facts).items():
        gauges[catalogue.BLOCKED.name].add_metric([*name, reason], count)
    if facts.give_back_left:
        gauges[catalogue.GIVE_BACK_LEFT.name].add_metric(name, facts.give_back_left)


def _by_workload(facts: Evaluation) -> Mapping[tuple[str, str], int]:
    """One series for a name, also while an object and its successor of the same name are both held."""
    counted: dict[tuple[str, str], int] = {}
    for target, fields in targets_of(facts.held).items():
        key = (target.kind, target.name)
        counted[key] = counted.get(key, 0) + fields
    return counted


def _by_reason(facts: Evaluation) -> Mapping[str, int]:
    counted: dict[str, int] = {}
    for each in (*facts.unrestored, *facts.blocked):
        counted[each.reason.value] = counted.get(each.reason.value, 0) + 1
    return counted
