"""What came of the story: all that the report and the exit code are made from."""

from __future__ import annotations

from dataclasses import dataclass, field

from demo.fields import Row, Verdict, noted
from demo.scene import Line


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment to show in the plots: UTC seconds and a word or two."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Check:
    """Something the story promised, and whether it was so."""

    promise: str
    kept: bool


@dataclass(slots=True)
class Told:
    """Times are UTC seconds; `compared` counts the fields that were looked at."""

    began: float
    marks: list[Mark] = field(default_factory=list)
    sick: tuple[float, float] = (0.0, 0.0)
    blind: tuple[float, float] = (0.0, 0.0)
    checks: list[Check] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    compared: int = 0
    lines: list[Line] = field(default_factory=list)

    @property
    def shown(self) -> list[Row]:
        """What a person would look for: every changed field but the operator's own metadata that has gone again."""
        return [row for row in self.rows if not (noted(row) and row.verdict is Verdict.GIVEN_BACK)]

    @property
    def well(self) -> bool:
        """Whether every promise was kept."""
        return bool(self.checks) and all(check.kept for check in self.checks)
