"""What holds for every policy, whatever its signals say and however its ticks come."""

from collections import defaultdict
from dataclasses import replace

from hypothesis import given, settings

from brownout.api.instants import show_instant
from brownout.api.policy import NORMAL, PolicySpec
from brownout.api.reasons import DecisionReason
from brownout.api.status import PolicyStatus
from brownout.decide.engine import decide
from brownout.decide.memory import remembered, to_status
from brownout.decide.message import transition, why
from brownout.decide.model import Dwell, Move, State, Zone
from brownout.testing.builders import missing
from tests.decide.journeys import INTERVAL, Passed, Step, journey, policies, steady

PATHS = steady()
FEW = settings(max_examples=30)


@FEW
@given(policies(), PATHS)
def test_never_two_steps_down_at_once(spec: PolicySpec, path: list[Step]) -> None:
    for tick in journey(spec, path):
        assert spec.index(tick.decision.level) >= spec.index(tick.before.level) - 1


@FEW
@given(policies(), PATHS)
def test_the_move_is_the_direction_of_the_level_and_the_state_is_at_it(spec: PolicySpec, path: list[Step]) -> None:
    for tick in journey(spec, path):
        change = spec.index(tick.decision.level) - spec.index(tick.before.level)
        assert tick.decision.move is (Move.ESCALATE if change > 0 else Move.RECOVER if change < 0 else Move.HOLD)
        assert tick.decision.state.level == tick.decision.level
        assert tick.decision.before == tick.before.level


@FEW
@given(policies(), PATHS)
def test_unknown_never_moves_the_level(spec: PolicySpec, path: list[Step]) -> None:
    for tick in journey(spec, path):
        blind = decide(spec, tick.before, (missing(), missing()), tick.now)
        assert blind.move is Move.HOLD
        if tick.decision.move is Move.ESCALATE:
            assert tick.decision.zones[tick.decision.level] is Zone.OVER
        if tick.decision.move is Move.RECOVER:
            assert tick.decision.zones[tick.before.level] is Zone.UNDER


class Stopwatch:
    """How long at most each level has been bad, and the current one well: a second, coarser way to count."""

    def __init__(self, spec: PolicySpec) -> None:
        self.spec = spec
        self.bad: dict[str, float] = defaultdict(float)
        self.well = 0.0
        self._last: dict[str, Zone] = {}

    def tick(self, tick: Passed) -> None:
        """Moves on, unless the tick's readings do not count; then the next pair of ticks counts nothing either."""
        start, at = tick.before.settle_from, tick.before.level
        if start is not None and tick.now - start < self.spec.settle:
            self._last, self.well = {}, 0.0
            return
        for name, zone in tick.decision.zones.items():
            same = self._last.get(name) is zone and 0 <= tick.later <= 2 * INTERVAL
            gained = tick.later if same else 0.0
            if zone is Zone.UNDER:
                self.bad[name] = 0.0
            elif zone is Zone.OVER:
                self.bad[name] += gained
            if name == at:
                self.well = 0.0 if zone is Zone.OVER else self.well + (gained if zone is Zone.UNDER else 0.0)
        self._last = dict(tick.decision.zones)
        if tick.decision.move is not Move.HOLD and self.spec.settle > 0:
            self._last = {}


@settings(max_examples=100)
@given(policies(), PATHS)
def test_never_up_without_a_level_that_is_due_and_never_down_without_having_been_well(
    spec: PolicySpec, path: list[Step]
) -> None:
    watch = Stopwatch(spec)
    for tick in journey(spec, path):
        watch.tick(tick)
        if tick.decision.move is Move.ESCALATE:
            there = spec.levels[spec.index(tick.decision.level) - 1]
            assert watch.bad[there.name] >= (there.for_ or 0.0) - 1e-6
        if tick.decision.move is Move.RECOVER:
            here = spec.levels[spec.index(tick.before.level) - 1]
            assert watch.well >= (here.recover_after or 0.0) - 1e-6
        if tick.decision.move is not Move.HOLD:
            watch.well = 0.0


@FEW
@given(policies(), PATHS)
def test_nothing_moves_while_settling_nor_down_while_giving_back(spec: PolicySpec, path: list[Step]) -> None:
    for tick in journey(spec, path):
        start = tick.before.settle_from
        if start is not None and tick.now - start < spec.settle:
            assert tick.decision.move is Move.HOLD
            assert tick.decision.state.recovery == Dwell()
        if tick.before.giving_back:
            assert tick.decision.move is not Move.RECOVER


def clocks(state: State) -> dict[str, float]:
    return {**{name: each.seconds for name, each in state.escalation.items()}, "recovery": state.recovery.seconds}


@FEW
@given(policies(), PATHS)
def test_clocks_are_never_negative_and_never_faster_than_time(spec: PolicySpec, path: list[Step]) -> None:
    for tick in journey(spec, path):
        before, after = clocks(tick.before), clocks(tick.decision.state)
        for name, seconds in after.items():
            assert 0 <= seconds <= before.get(name, 0.0) + max(0.0, tick.later) + 1e-6


@FEW
@given(policies(), PATHS)
def test_deciding_again_at_the_same_time_changes_nothing(spec: PolicySpec, path: list[Step]) -> None:
    for tick in journey(spec, path):
        assert decide(spec, tick.before, tick.seen, tick.now) == tick.decision
        again = decide(spec, tick.decision.state, tick.seen, tick.now)
        assert again.move is Move.HOLD
        assert again.state == tick.decision.state or tick.decision.move is not Move.HOLD
        assert again.state.level == tick.decision.level


@FEW
@given(policies(), PATHS)
def test_an_unchanged_state_is_the_same_object(spec: PolicySpec, path: list[Step]) -> None:
    for tick in journey(spec, path):
        if tick.decision.state == tick.before:
            assert tick.decision.state is tick.before


def restarted(spec: PolicySpec, tick: Passed) -> State:
    state = tick.decision.state
    pending, recovery = to_status(state)
    status = PolicyStatus(
        level=state.level,
        level_index=spec.index(state.level),
        since=show_instant(state.since),
        pending=pending,
        recovery=recovery,
    )
    return remembered(status, spec, tick.now)


@FEW
@given(policies(), PATHS)
def test_what_is_remembered_survives_a_restart(spec: PolicySpec, path: list[Step]) -> None:
    forward = [Step(later=abs(each.later), seen=each.seen, wrote=each.wrote, gave=each.gave) for each in path]
    for tick in journey(spec, forward):
        assert restarted(spec, tick) == tick.decision.state


@FEW
@given(policies(), PATHS)
def test_a_calm_policy_has_nothing_to_remember(spec: PolicySpec, path: list[Step]) -> None:
    for tick in journey(spec, path):
        if tick.decision.reason is DecisionReason.CALM and not tick.decision.state.relapses:
            assert to_status(tick.decision.state) == (None, None)


@FEW
@given(policies(), PATHS)
def test_every_decision_can_be_told_in_one_sentence(spec: PolicySpec, path: list[Step]) -> None:
    for tick in journey(spec, path):
        sentence = why(spec, tick.decision, tick.now, owed=2)
        assert sentence
        assert "\n" not in sentence
        assert not sentence.startswith((" ", ";", ":"))
        if tick.decision.reason is not DecisionReason.CALM:
            assert len(tick.decision.evidence) == sum(len(each.when.conditions) for each in spec.levels if each.when)
        assert transition(spec, tick.decision, tick.now).endswith(f"{tick.before.level} -> {tick.decision.level}")


@FEW
@given(policies(), PATHS)
def test_a_level_that_was_removed_gives_way_to_the_one_below_it(spec: PolicySpec, path: list[Step]) -> None:
    for tick in journey(spec, path):
        state = tick.decision.state
        left = tuple(each for each in spec.levels if each.name != state.level)
        if not left or spec.index(state.level) == 0:
            continue
        decision = decide(replace(spec, levels=left), state, tick.seen, tick.now)
        assert decision.level == (state.below[-1] if state.below else NORMAL)
        assert decision.reason is DecisionReason.LEVEL_REMOVED
