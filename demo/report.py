"""The demo's report: one HTML file with its plots inside, that needs nothing from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from string import Template

from demo.measured import Series
from demo.plot import Band, Curve, Plot
from demo.told import Told
from demo.view import SIGNS, TITLES

Points = list[tuple[float, float]]

PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Brownout: the demo</title><style>
:root { color-scheme: light dark; --ink: #1c2024; --paper: #fff; --soft: #8b95a1; --ours: #12805c; --bare: #c43d3d; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --paper: #15181b; --soft: #7d8790; --ours: #3fc794; --bare: #f07575; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 960px; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.2rem; font-size: 1.15rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--ink); font-size: 11px; }
.end { text-anchor: end; } .mid { text-anchor: middle; }
.grid { stroke: var(--soft); opacity: .3; } .mark { stroke: var(--soft); stroke-dasharray: 3 3; }
.ours, .bare { fill: none; stroke-width: 2; } .ours { stroke: var(--ours); } .bare { stroke: var(--bare); }
.sickness { fill: var(--bare); opacity: .12; } .blindness { fill: var(--soft); opacity: .25; }
.key-ours { color: var(--ours); } .key-bare { color: var(--bare); }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
td, th { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid var(--soft); }
td { overflow-wrap: anywhere; } th { white-space: nowrap; }
code { font-size: .85rem; } ol, ul { padding-left: 1.2rem; } .bad { color: var(--bare); font-weight: 600; }
</style></head><body>
<h1>$verdict</h1>
<p>Two identical shops had the same customers at the same moments: <b class="key-ours">with a
DegradationPolicy</b> and <b class="key-bare">without</b>. All numbers are Prometheus' own; where it was stopped
there are none.</p>
<ul>$checks</ul>
$plots
<h2>What was taken, and what became of it</h2>
<p>$compared fields were compared with their originals; $metadata labels and annotations of the operator's have come
and gone.</p>
<table><tr><th>object<th>field<th>before<th>while degraded<th>at the end<th>verdict</tr>$rows</table>
<h2>What happened</h2><ol>$lines</ol>
</body></html>
""")


def report(told: Told, history: Mapping[str, Series], ended: float) -> str:
    """The page. `history` has a series by name as in demo.measured.QUERIES; `ended` is UTC seconds."""
    return PAGE.substitute(
        verdict="The story happened, and everything was given back" if told.well else "The story did not happen",
        checks="".join(_check(check.promise, check.kept) for check in told.checks),
        plots="".join(f"<h2>{escape(plot.title)}</h2>{plot.svg()}" for plot in _plots(told, history, ended)),
        compared=told.compared,
        metadata=len(told.rows) - len(told.shown),
        rows="".join(_rows(told)),
        lines="".join(_lines(told)),
    )


def _check(promise: str, kept: bool) -> str:
    return f"<li>{escape(promise)}</li>" if kept else f'<li class="bad">NOT SO: {escape(promise)}</li>'


def _rows(told: Told) -> Iterator[str]:
    for row in told.shown:
        cells = (row.target, row.pointer, row.before, row.during, row.after, row.verdict.value)
        yield "<tr>" + "".join(f"<td>{escape(_cut(cell)) or '&ndash;'}" for cell in cells) + "</tr>"


def _cut(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


def _lines(told: Told) -> Iterator[str]:
    for line in told.lines:
        sign = SIGNS[line.kind].strip()
        style = ' class="bad"' if line.kind == "bad" else ""
        yield f"<li{style}>{line.at - told.began:.0f} s {sign} {escape(line.text)}</li>"


def _plots(told: Told, history: Mapping[str, Series], ended: float) -> Iterator[Plot]:
    yield _plot(told, ended, "Goodput: customers served, of those who came", "%", 100, _goodput(history))
    yield _plot(told, ended, "99th percentile of a customer's wait", " s", 10, history["p99"])
    yield _plot(told, ended, "Requests a second, retries included", "", 100, history["attempts"])


def _plot(told: Told, ended: float, title: str, unit: str, top: float, series: Series) -> Plot:
    return Plot(
        title=title,
        unit=unit,
        seconds=ended - told.began,
        top=top,
        curves=[
            Curve(TITLES[shop], style, _from(told.began, series.get(shop, ())))
            for shop, style in (("bare", "bare"), ("shop", "ours"))
        ],
        bands=[
            Band(start - told.began, end - told.began, label, style)
            for (start, end), label, style in (
                (told.sick, "", "sickness"),
                (told.blind, "no Prometheus", "blindness"),
            )
        ],
        marks=[(mark.at - told.began, mark.label) for mark in told.marks],
    )


def _goodput(history: Mapping[str, Series]) -> Series:
    came = {shop: dict(points) for shop, points in history["came"].items()}
    return {
        shop: [(at, 100 * min(served / came[shop][at], 1.0)) for at, served in points if came[shop].get(at)]
        for shop, points in history["served"].items()
    }


def _from(began: float, points: Sequence[tuple[float, float]]) -> Points:
    return [(at - began, value) for at, value in points]
