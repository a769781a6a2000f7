"""Scenario files: what the signals say tick by tick, and the level that must apply from when to when.

name: noise around the threshold changes nothing
policy: {interval: 10s, levels: [...]}     # a spec, a whole DegradationPolicy, or the path of one
series: {p99: 0.2x5 1.0x12 _x3 NaN}        # see series.py; the last word goes on to the end
expect:
  0s: Normal                               # until the next time at every tick
  1m30s: {level: core-only, reason: Escalated, why: p99 2.31 > 2 for 1m}   # these two at this tick
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, TypeAdapter

from brownout.api.base import Duration, model, parse_duration, show_duration
from brownout.api.instants import parse_instant, show_instant
from brownout.api.policy import NORMAL, PolicySpec
from brownout.api.status import PolicyStatus
from brownout.decide.changes import after_write, gave_back
from brownout.decide.engine import decide
from brownout.decide.look import names_below
from brownout.decide.memory import remembered, to_status
from brownout.decide.message import why
from brownout.decide.model import Decision, Move, Reading, Seen, State
from brownout.ledger.entries import Instant
from brownout.testing.series import parse_series


@model()
class Edit:
    """A change of the spec: its fields as they are from `at` on."""

    at: Duration
    spec: dict[str, Any]


@model()
class Down:
    """The operator does not run from `from` until before `to`."""

    from_: Annotated[Duration, Field(alias="from")]
    to: Duration


@model()
class Expected:
    """The level from a time on; the reason and the sentence at that time."""

    level: str
    reason: str | None = None
    why: str | None = None


@model()
class Scenario:
    """A scenario file. Durations count from the first tick."""

    name: str
    policy: dict[str, Any] | str
    series: Annotated[dict[str, str | int | float], Field(min_length=1)]
    expect: Annotated[dict[str, str | Expected], Field(min_length=1)]
    start: str = "2026-11-02T02:00:00Z"
    level: str = NORMAL
    """The level before the first tick."""
    writes: Duration = 0.0
    """From an escalation to its last write."""
    gives_back: Duration = 0.0
    """From a step down to the last give-back."""
    edits: tuple[Edit, ...] = ()
    down: tuple[Down, ...] = ()


@dataclass(frozen=True, slots=True)
class Tick:
    """What was decided `at` seconds after the first tick."""

    at: float
    now: Instant
    spec: PolicySpec
    decision: Decision

    @property
    def why(self) -> str:
        return why(self.spec, self.decision, self.now)


_SCENARIO = TypeAdapter(Scenario)
_SPEC = TypeAdapter(PolicySpec)


def load(path: Path) -> Scenario:
    """The scenario in a file, with the policy it names read in; ValueError (also of pydantic and YAML) if broken."""
    scenario: Scenario = _SCENARIO.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    if isinstance(scenario.policy, dict):
        return scenario
    policy = yaml.safe_load((path.parent / scenario.policy).read_text(encoding="utf-8"))
    return _SCENARIO.validate_python({**_fields(scenario), "policy": policy})


def run(scenario: Scenario) -> tuple[Tick, ...]:
    """Every tick of it."""
    specs = _Specs(scenario)
    spec = specs.at(0.0)
    series = {name: parse_series(str(text)) for name, text in scenario.series.items()}
    start = parse_instant(scenario.start) or 0.0
    index = spec.index(scenario.level)
    state = State(level=scenario.level, since=start, below=names_below(spec, index))
    ticks: list[Tick] = []
    hand = _Hand(scenario)
    for number in range(max(len(each) for each in series.values())):
        at = number * spec.interval
        if any(each.from_ <= at < each.to for each in scenario.down):
            continue
        now, spec = start + at, specs.at(at)
        if ticks and any(ticks[-1].at < each.to <= at for each in scenario.down):
            state = _restarted(ticks[-1], state, spec, now)
        state = hand.landed(state, now)
        seen = tuple(_at(series[each.name], number, now) for each in spec.signals)
        decision = decide(spec, state, seen, now)
        state = decision.state
        hand.took(decision, now)
        ticks.append(Tick(at, now, spec, decision))
    return tuple(ticks)


def failures(scenario: Scenario, ticks: tuple[Tick, ...]) -> list[str]:
    """What did not come as expected, a sentence each."""
    expected = {parse_duration(at): each for at, each in scenario.expect.items()}
    known = {each.at for each in ticks}
    found = [f"no tick at {show_duration(at)}: write a time at which one is" for at in expected if at not in known]
    for tick in ticks:
        times = [at for at in expected if at <= tick.at]
        if times:
            found += _differences(tick, expected[max(times)], exact=max(times) == tick.at)
    return found


def _differences(tick: Tick, expected: str | Expected, *, exact: bool) -> list[str]:
    wanted = Expected(level=expected) if isinstance(expected, str) else expected
    pairs = [("level", wanted.level, tick.decision.level)]
    if exact:
        pairs += [("reason", wanted.reason or "", str(tick.decision.reason))] if wanted.reason else []
        pairs += [("sentence", wanted.why or "", tick.why)] if wanted.why else []
    return [
        f"at {show_duration(tick.at)} the {what} is {found!r}, not {want!r} ({tick.decision.reason}: {tick.why})"
        for what, want, found in pairs
        if want != found
    ]


class _Specs:
    """The spec at each time, with the edits until then."""

    def __init__(self, scenario: Scenario) -> None:
        policy = scenario.policy if isinstance(scenario.policy, dict) else {}
        signals = [{"name": name, "query": f"vector({n})"} for n, name in enumerate(scenario.series)]
        self._fields = {"mode": "Enforce", "signals": signals, **policy.get("spec", policy)}
        self._edits = sorted(scenario.edits, key=lambda each: each.at)
        self._spec: PolicySpec = _SPEC.validate_python(self._fields)

    def at(self, at: float) -> PolicySpec:
        while self._edits and self._edits[0].at <= at:
            self._fields |= self._edits.pop(0).spec
            self._spec = _SPEC.validate_python(self._fields)
        return self._spec


class _Hand:
    """Stands for the executor: says when the last write of a change landed."""

    def __init__(self, scenario: Scenario) -> None:
        self._takes, self._gives = scenario.writes, scenario.gives_back
        self._lands: Instant | None = None

    def took(self, decision: Decision, now: Instant) -> None:
        if decision.move is not Move.HOLD:
            self._lands = now + (self._takes if decision.move is Move.ESCALATE else self._gives)

    def landed(self, state: State, now: Instant) -> State:
        if self._lands is None or now < self._lands:
            return state
        at, self._lands = self._lands, None
        return gave_back(after_write(state, at))


def _restarted(last: Tick, state: State, spec: PolicySpec, now: Instant) -> State:
    pending, recovery = to_status(state)
    status = PolicyStatus(level=state.level, since=show_instant(state.since), pending=pending, recovery=recovery)
    return remembered(status, spec, now, alive_until=last.now)


def _at(series: tuple[Seen, ...], number: int, now: Instant) -> Seen:
    seen = series[min(number, len(series) - 1)]
    return Reading(value=seen.value, at=now) if isinstance(seen, Reading) else seen


def _fields(scenario: Scenario) -> Mapping[str, Any]:
    return {name: getattr(scenario, name) for name in scenario.__dataclass_fields__}
