"""What a decision costs: `python -m brownout.testing.bench_decide` prints microseconds for each kind of tick."""

import sys
from collections.abc import Callable
from functools import partial
from timeit import repeat

from brownout.api.policy import PolicySpec
from brownout.decide.engine import decide
from brownout.decide.model import Seen, State
from brownout.testing.builders import above, level, missing, policy, reading

_TIMES, _ROUNDS = 500, 200  # many short rounds: the best of them is free of what else the machine does


def two_levels() -> PolicySpec:
    """2 signals, 2 levels, 3 conditions."""
    return policy(
        level("trimmed", above("p99", 0.8, 0.6), above("errors", 0.02, 0.01)),
        level("core-only", above("p99", 2, 0.8), lasts=60, recover_after=300),
    )


def main() -> None:
    """The best of several rounds for an idle, a blind, a pending and a degraded policy."""
    spec = two_levels()
    calm, sick = (reading(0.2), reading(0.001)), (reading(1.2), reading(0.05))
    degraded = State(level="trimmed", below=())
    blind = decide(spec, State(), (missing(), missing()), 10.0).state
    pending = decide(spec, State(), sick, 0.0).state
    cases: dict[str, tuple[State, tuple[Seen, ...]]] = {
        "idle": (State(), calm),
        "blind": (blind, (missing(), missing())),
        "pending": (pending, sick),
        "degraded": (degraded, sick),
    }
    for name, (state, seen) in cases.items():
        sys.stdout.write(f"{name:10}{_microseconds(partial(decide, spec, state, seen, 10.0)):6.1f} us\n")


def _microseconds(work: Callable[[], object]) -> float:
    return min(repeat(work, number=_TIMES, repeat=_ROUNDS)) / _TIMES * 1e6


if __name__ == "__main__":
    main()
