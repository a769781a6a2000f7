"""What a visitor sees at one moment, kept fresh from Prometheus and from the policy's status."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from demo.measured import SHOPS, Numbers
from demo.stage import Stage

HISTORY = 90
"""Seconds of goodput kept for the small curves."""


@dataclass(slots=True)
class Line:
    """One sentence of the story; `kind` is step, sick, good, bad or note."""

    at: float
    text: str
    kind: str


@dataclass(slots=True)
class Scene:
    """Mutable on purpose: the story and the refresher write it, the screen reads it."""

    began: float
    title: str = ""
    lines: list[Line] = field(default_factory=list)
    numbers: dict[str, Numbers] = field(default_factory=dict)
    fresh: bool = False
    """Whether the last question to Prometheus was answered."""
    goodput: dict[str, deque[float]] = field(default_factory=lambda: {shop: deque(maxlen=HISTORY) for shop in SHOPS})
    policy: dict[str, Any] = field(default_factory=dict)
    operator_runs: bool = False

    @property
    def level(self) -> str:
        return str(self.policy.get("level", "Normal"))

    @property
    def why(self) -> str:
        return str(self.policy.get("why", ""))

    @property
    def held(self) -> int:
        return int(self.policy.get("held", 0))

    @property
    def blind(self) -> bool:
        """Whether the policy says that it cannot see."""
        return self.why.startswith("BLIND")

    def lately(self, shop: str) -> float:
        """The mean goodput of the last 5 s that have numbers, from 0 to 1; 0 without any."""
        known = [value for value in list(self.goodput[shop])[-5:] if not math.isnan(value)]
        return sum(known) / len(known) if known else 0.0

    def goodput_of(self, shop: str) -> float:
        """The part of the customers served, from 0 to 1; 0 while unknown."""
        numbers = self.numbers.get(shop)
        return numbers.goodput if numbers and self.fresh else 0.0


async def keep_fresh(scene: Scene, stage: Stage, redraw: Callable[[], None]) -> None:
    """Read the policy and the numbers once a second, for ever."""
    while True:
        stage.raise_for_nodes()
        await asyncio.gather(_read_numbers(scene, stage), _read_policy(scene, stage))
        scene.operator_runs = stage.operator.running
        redraw()
        await asyncio.sleep(1.0 - time.time() % 1.0)


async def _read_numbers(scene: Scene, stage: Stage) -> None:
    try:
        scene.numbers = await stage.prometheus.numbers()
        scene.fresh = True
    except (aiohttp.ClientError, TimeoutError):
        scene.fresh = False
    for shop in SHOPS:
        scene.goodput[shop].append(scene.goodput_of(shop) if scene.fresh else float("nan"))


async def _read_policy(scene: Scene, stage: Stage) -> None:
    try:
        scene.policy = await stage.policy()
    except (aiohttp.ClientError, TimeoutError):
        return
