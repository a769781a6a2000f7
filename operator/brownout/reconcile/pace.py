"""The brake on giving back, over all policies: a recovering cluster must not be hit by everything at once."""

from dataclasses import dataclass

from brownout.ledger.entries import Instant

WINDOW = 60.0
"""The limit counts per minute; a minute's worth may go at once, then it refills evenly."""
PATIENCE = 120.0
"""An ask that was not repeated for so long is forgotten: its policy escalated again, or is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    vitality: int
    targets: int
    at: Instant


class GiveBackPace:
    """Grants give-backs out of a common budget, to the most vital policies first.

    Not a queue: each policy asks again at each of its ticks for what it still has to give back, and what more vital
    policies have asked for and not got is set aside for them.
    """

    def __init__(self, per_minute: int) -> None:
        """`per_minute`: targets; 0 is without limit."""
        self._per_minute = per_minute
        self._tokens = float(per_minute)
        self._at: Instant = 0.0
        self._waiting: dict[str, _Waiting] = {}

    def ask(self, policy: str, vitality: int, targets: int, now: Instant) -> int:
        """How many of `targets` this policy may give back now; vitality 1 is C1, served before 5."""
        if self._per_minute == 0 or targets == 0:
            return targets
        self._refill(now)
        ahead = sum(
            each.targets
            for name, each in self._waiting.items()
            if name != policy and each.vitality < vitality and now - each.at < PATIENCE
        )
        granted = max(0, min(targets, int(self._tokens) - ahead))
        self._tokens -= granted
        if granted == targets:
            self._waiting.pop(policy, None)
        else:
            self._waiting[policy] = _Waiting(vitality=vitality, targets=targets - granted, at=now)
        return granted

    def _refill(self, now: Instant) -> None:
        passed = max(0.0, now - self._at) if self._at else 0.0
        self._tokens = min(float(self._per_minute), self._tokens + passed * self._per_minute / WINDOW)
        self._at = now
        self._waiting = {name: each for name, each in self._waiting.items() if now - each.at < PATIENCE}
