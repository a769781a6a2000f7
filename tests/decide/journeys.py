"""Random policies and what happens to them, tick by tick."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, nan

from hypothesis import strategies as st

from brownout.api.policy import Level, NoTraffic, PolicySpec
from brownout.api.reasons import MissingReason
from brownout.decide.changes import after_write, gave_back
from brownout.decide.engine import decide
from brownout.decide.model import Decision, Seen, State
from brownout.ledger.entries import Instant
from brownout.testing.builders import above, below, level, missing, policy, reading, signal

START: Instant = 1_800_000_000.0
INTERVAL = 10.0
SIGNALS = (signal("a", on_no_traffic=NoTraffic.CLEAR), signal("b"))

worse_above = st.builds(above, st.sampled_from("ab"), st.sampled_from([2.0, 4.0]), st.sampled_from([0.0, 1.0]))
worse_below = st.builds(below, st.sampled_from("ab"), st.sampled_from([1.0, 2.0]), st.sampled_from([3.0, 4.0]))
conditions = worse_above | worse_above | worse_above | worse_below


@st.composite
def levels(draw: st.DrawFn, name: str) -> Level:
    return level(
        name,
        *draw(st.lists(conditions, min_size=1, max_size=2)),
        lasts=draw(st.sampled_from([0.0, 5.0, 20.0, 40.0])),
        recover_after=draw(st.sampled_from([0.0, 10.0, 30.0, 60.0])),
        every=draw(st.booleans()),
    )


@st.composite
def policies(draw: st.DrawFn) -> PolicySpec:
    automatic = [draw(levels(f"l{n}")) for n in range(draw(st.integers(1, 3)))]
    return policy(
        *automatic,
        *([level("by-hand")] if draw(st.booleans()) else []),
        signals=SIGNALS,
        interval=INTERVAL,
        settle=draw(st.sampled_from([0.0, 10.0, 30.0])),
        max_backoff=draw(st.sampled_from([0.0, 40.0, 1800.0])),
    )


# Bad (5) and well (-1) for most conditions come often: else hardly a journey would get down again.
seen = st.sampled_from(
    [
        *[reading(5.0)] * 8,
        *[reading(-1.0)] * 8,
        *[reading(each) for each in (0.5, 1.5, 2.5, 3.5, nan, inf, -inf)],
        *[missing(each) for each in MissingReason],
    ]
)
both = seen.map(lambda each: (each, each))


@dataclass(frozen=True, slots=True)
class Step:
    """A tick `later` seconds after the last; before it the executor may have written or given back."""

    later: float
    seen: tuple[Seen, Seen]
    wrote: bool
    gave: bool


steps = st.builds(
    Step,
    later=st.sampled_from([*[10.0] * 12, 10.001, 5.0, 20.0, 21.0, 60.0, 700.0, 3600.0, 0.0, -15.0]),
    seen=both | both | st.tuples(seen, seen),
    wrote=st.booleans(),
    gave=st.sampled_from([True, True, False]),
)


@st.composite
def steady(draw: st.DrawFn) -> list[Step]:
    """Runs of equal steps: clocks get somewhere."""
    runs = draw(st.lists(st.tuples(steps, st.integers(1, 8)), min_size=1, max_size=8))
    return [step for step, times in runs for _ in range(times)]


@dataclass(frozen=True, slots=True)
class Passed:
    """One tick of a journey: the state before it, and what was decided."""

    now: Instant
    later: float
    seen: tuple[Seen, Seen]
    before: State
    decision: Decision


def journey(spec: PolicySpec, path: Sequence[Step]) -> Iterator[Passed]:
    state, now = State(since=START), START
    for step in path:
        if step.wrote and state.settle_from is not None:
            state = after_write(state, now)
        if step.gave:
            state = gave_back(state)
        now = round(now + step.later, 3)
        decision = decide(spec, state, step.seen, now)
        yield Passed(now, step.later, step.seen, state, decision)
        state = decision.state
