"""Relapses: a level that came back soon after we left it is left more slowly the next time."""

import math
from collections.abc import Mapping
from dataclasses import replace

from brownout.api.policy import Level, PolicySpec, Recovery
from brownout.decide.model import Relapse, State
from brownout.ledger.entries import Instant

WINDOW = 600.0
"""Coming back within this many seconds, or twice `recoverAfter` if that is longer, is a relapse."""
MEMORY = 3600.0
"""Seconds at Normal after which relapses are forgotten."""
_DOUBLINGS = 32  # beyond any maxBackoff; bounds what a broken status can ask for


def recover_after(level: Level, relapses: Mapping[str, Relapse], recovery: Recovery) -> float:
    """Seconds a level must be Under before it is left: its own, doubled for each relapse, up to `maxBackoff`."""
    base = math.inf if level.recover_after is None else level.recover_after
    relapse = relapses.get(level.name)
    if relapse is None or relapse.count <= 0:
        return base
    return max(base, min(base * 2.0 ** min(relapse.count, _DOUBLINGS), recovery.max_backoff))


def entered(level: Level, relapses: Mapping[str, Relapse], now: Instant) -> Mapping[str, Relapse]:
    """What is remembered once `level` was entered by escalation."""
    relapse = relapses.get(level.name)
    if relapse is None or relapse.left_at is None:
        return relapses
    window = max(WINDOW, 2 * (level.recover_after or 0.0))
    count = relapse.count + (1 if now - relapse.left_at <= window else 0)
    rest = {name: each for name, each in relapses.items() if name != level.name}
    return {**rest, level.name: Relapse(count=count)} if count else rest


def left(level: str, relapses: Mapping[str, Relapse], now: Instant) -> Mapping[str, Relapse]:
    """What is remembered once `level` was left by recovery."""
    return {**relapses, level: replace(relapses.get(level, Relapse()), left_at=now)}


def forgotten(spec: PolicySpec, state: State, now: Instant) -> tuple[Mapping[str, Relapse], Instant | None]:
    """The relapses still remembered and since when they are being forgotten, at a tick."""
    relapses = state.relapses
    if not all(spec.index(name) for name in relapses):
        relapses = {name: each for name, each in relapses.items() if spec.index(name)}
    if not relapses or spec.index(state.level):
        return relapses, None
    since = now if state.normal_since is None else min(state.normal_since, now)
    return ({}, None) if now - since >= MEMORY else (relapses, since)
