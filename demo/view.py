"""The live view: the story's sentences scroll by, the two shops stay below them. Plain lines without a terminal."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.measured import SHOPS, Numbers
from demo.scene import Line, Scene

TITLES = {"shop": "with Brownout", "bare": "without"}
STYLES = {"step": "bold", "sick": "red", "bad": "bold red", "good": "green", "note": "cyan"}
SIGNS = {"step": "\n▶", "sick": "  ✗", "bad": "  ✗", "good": "  ✓", "note": "  ·"}
PLAIN_EVERY = 5.0
"""Seconds between two lines of numbers without a terminal."""
_BLOCKS = " ▁▂▃▄▅▆▇█"


class Screen(Protocol):
    """Where the story is shown."""

    def tell(self, line: Line) -> None:
        """Show one sentence, to stay."""
        ...

    def redraw(self) -> None:
        """Show the scene as it is now."""
        ...


@contextmanager
def shown(scene: Scene, console: Console) -> Iterator[Screen]:
    """A live screen on a terminal, plain lines elsewhere."""
    if not console.is_terminal:
        yield _Plain(scene, console)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield _Terminal(scene, live)


class _Plain:
    def __init__(self, scene: Scene, console: Console) -> None:
        self._scene = scene
        self._console = console
        self._last = 0.0

    def tell(self, line: Line) -> None:
        self._console.print(sentence(line, self._scene.began), soft_wrap=True)

    def redraw(self) -> None:
        if time.time() - self._last >= PLAIN_EVERY:
            self._last = time.time()
            self._console.print(plain(self._scene), soft_wrap=True)


class _Terminal:
    def __init__(self, scene: Scene, live: Live) -> None:
        self._scene = scene
        self._live = live

    def tell(self, line: Line) -> None:
        self._live.console.print(sentence(line, self._scene.began))
        self.redraw()

    def redraw(self) -> None:
        self._live.update(picture(self._scene), refresh=True)


def sentence(line: Line, began: float) -> Text:
    """A sentence with its sign and the seconds since the beginning."""
    sign = SIGNS[line.kind]
    at = f" {line.at - began:4.0f} s " if line.kind == "step" else " "
    return Text(f"{sign}{at}{line.text}", style=STYLES[line.kind])


def plain(scene: Scene) -> str:
    """The scene in one line."""
    seconds = f"[{time.time() - scene.began:4.0f} s]"
    shops = " | ".join(f"{TITLES[shop]}: {_short(scene, shop)}" for shop in SHOPS)
    state = f"level {scene.policy.get('levelShown') or scene.level}, {scene.held} held"
    return f"{seconds} {shops} | {state}{_troubles(scene)}"


def picture(scene: Scene) -> Group:
    """The scene as panels."""
    shops = Table.grid(expand=True, padding=(0, 1))
    for _ in SHOPS:
        shops.add_column(ratio=1)
    shops.add_row(*(_shop(scene, shop) for shop in SHOPS))
    return Group(shops, _policy(scene))


def curve(values: Iterable[float]) -> str:
    """Parts from 0 to 1 as a line of blocks; a dot where there is no number."""
    return "".join("·" if math.isnan(v) else _BLOCKS[round(max(0.0, min(v, 1.0)) * 8)] for v in values)


def _short(scene: Scene, shop: str) -> str:
    numbers = scene.numbers.get(shop)
    if numbers is None or not scene.fresh:
        return "no numbers"
    return f"{_part(numbers.goodput)} served, p99 {_seconds(numbers.p99)}, {_count(numbers.attempts)} requests/s"


def _troubles(scene: Scene) -> str:
    blind = f" | {scene.why}" if scene.blind else ""
    return ("" if scene.operator_runs else " | the operator is dead") + blind


def _shop(scene: Scene, shop: str) -> Panel:
    numbers = scene.numbers.get(shop)
    body = Text("no numbers: Prometheus does not answer", style="yellow")
    style = "yellow"
    if numbers is not None and scene.fresh:
        style = "green" if numbers.goodput > 0.9 else "red"
        body = _numbers(numbers, style)
    body.append("\n" + curve(list(scene.goodput[shop])[-50:]), style=style)
    return Panel(body, title=f"[bold]{TITLES[shop]}[/]", border_style=style)


def _numbers(numbers: Numbers, style: str) -> Text:
    text = Text()
    text.append(f"{_part(numbers.goodput)} ", style=f"bold {style}")
    text.append(f"of {_count(numbers.came)} customers/s are served\n")
    text.append(f"p99 wait {_seconds(numbers.p99)}   {_count(numbers.attempts)} requests/s   ")
    text.append(f"{_count(numbers.waiting)} in the queue")
    return text


def _policy(scene: Scene) -> Panel:
    body = Text()
    body.append(f"{scene.policy.get('levelShown') or scene.level}", style="bold")
    body.append(f"   {scene.held} held")
    if not scene.operator_runs:
        body.append("   the operator is dead", style="bold red")
    body.append("\n")
    if scene.blind:
        body.append("BLIND ", style="bold white on red")
    body.append(scene.why)
    for each in scene.policy.get("applied", []):
        body.append("\n" + taken(each), style="cyan")
    for each in scene.policy.get("released", []):
        body.append(f"\nreleased to a person: {_name(each)} {each['pointer']}", style="magenta")
    return Panel(body, title="[bold]the policy's status[/]", border_style="red" if scene.blind else "blue")


def taken(applied: Mapping[str, Any]) -> str:
    """An entry of status.applied as one line."""
    was, now = applied.get("original", "(absent)"), applied.get("applied", "(removed)")
    return f"{_name(applied)} {applied['pointer']}: {was} → {now}"


def _name(entry: Mapping[str, Any]) -> str:
    return f"{entry['target']['kind']}/{entry['target']['name']}"


def _part(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:4.0%}"


def _count(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.0f}"


def _seconds(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1f} s"
