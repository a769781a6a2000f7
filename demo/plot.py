"""Line plots as inline SVG, without a library: pure text from numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 920, 222
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 46, 24

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (seconds from the beginning, value); a pause of more than 2.5 s or a NaN breaks the line."""

    label: str
    style: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Band:
    """A shaded time between two moments, in seconds from the beginning."""

    start: float
    end: float
    label: str
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One picture; `top` is the highest value shown, higher ones are cut there."""

    title: str
    unit: str
    seconds: float
    top: float
    curves: Sequence[Curve]
    bands: Sequence[Band] = ()
    marks: Sequence[tuple[float, str]] = ()

    def svg(self) -> str:
        """The picture as an <svg> element."""
        parts = (*self._bands(), *self._grid(), *self._marks(), *self._curves())
        label = escape(self.title, quote=True)
        return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'

    def _x(self, seconds: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * min(max(seconds / self.seconds, 0.0), 1.0), 1)

    def _y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(max(value / self.top, 0.0), 1.0), 1)

    def _bands(self) -> Iterator[str]:
        for band in self.bands:
            x, width = self._x(band.start), self._x(band.end) - self._x(band.start)
            yield f'<rect class="{band.style}" x="{x}" y="{TOP}" width="{width:.1f}" height="{HEIGHT - TOP - BOTTOM}"/>'
            yield f'<text class="small" x="{x + 3}" y="{TOP + 11}">{escape(band.label)}</text>'

    def _grid(self) -> Iterator[str]:
        for step in range(5):
            value = self.top * step / 4
            y = self._y(value)
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
            yield f'<text class="small end" x="{LEFT - 5}" y="{y + 4}">{value:g}{escape(self.unit)}</text>'
        for seconds in range(0, int(self.seconds) + 1, 20):
            yield f'<text class="small mid" x="{self._x(seconds)}" y="{HEIGHT - 8}">{seconds} s</text>'

    def _marks(self) -> Iterator[str]:
        for index, (at, label) in enumerate(self.marks):
            x, y = self._x(at), 12 + 12 * (index % 3)
            yield f'<line class="mark" x1="{x}" x2="{x}" y1="{y}" y2="{HEIGHT - BOTTOM}"/>'
            yield f'<text class="small" x="{x + 3}" y="{y}">{escape(label)}</text>'

    def _curves(self) -> Iterator[str]:
        for curve in self.curves:
            path = "".join(self._path(curve.points))
            yield f'<path class="{curve.style}" d="{path}"><title>{escape(curve.label)}</title></path>'

    def _path(self, points: Sequence[Point]) -> Iterator[str]:
        last = -math.inf
        for at, value in points:
            if math.isfinite(value):
                yield f"{'L' if at - last <= 2.5 else 'M'}{self._x(at)},{self._y(value)}"
                last = at
