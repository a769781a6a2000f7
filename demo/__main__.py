"""`python -m demo`: does it help, and can it be trusted? Exit code 0 only if the story happened as told.

KEEP=1 leaves everything running afterwards, until Ctrl-C.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from rich.console import Console

from demo.fields import Verdict
from demo.measured import QUERIES
from demo.report import report
from demo.scene import Scene, keep_fresh
from demo.stage import ROOT, Stage, staged
from demo.story import Story
from demo.told import Told
from demo.view import shown
from demo.waiting import NeverCameError
from e2e.controlplane.build import BuildFailed
from e2e.controlplane.go import GoMissing
from e2e.controlplane.handle import Controlplane
from e2e.controlplane.start import Kept, controlplane
from e2e.providers.provider import NotToBeHad

LOOK_AROUND = (
    "get dgp -A",
    "get dgp checkout -n shop -o yaml",
    "get events -n shop",
    "get deployments,cronjobs,featureflags -n shop --show-labels",
    "explain dgp.spec.levels",
)
REPORT = ROOT / "build" / "demo-report.html"


def main() -> int:
    """Returns the exit code: 0 the story happened, 1 it did not or nothing could be started, 130 interrupted."""
    console = Console()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    kept = Kept()
    try:
        with controlplane(
            say=lambda text: console.print(f"· {text}", highlight=False, soft_wrap=True), kept=kept
        ) as plane:
            well = asyncio.run(_demo(plane, console))
            kept.logs = not well
        if kept.logs:
            console.print(f"The logs are in {plane.folder}", highlight=False)
        return 0 if well else 1
    except (NotToBeHad, BuildFailed, GoMissing) as refusal:
        console.print(str(refusal), style="red")
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted: everything that was started is being stopped.")
        return 130


async def _demo(plane: Controlplane, console: Console) -> bool:
    async with staged(plane, lambda text: console.print(f"· {text}", highlight=False, soft_wrap=True)) as stage:
        told = await _told(stage, console)
        path = await _written(stage, told)
        _conclude(console, told, path)
        keep = os.environ.get("KEEP") == "1"
        _look_around(console, plane, keep)
        if keep:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
    return told.well


async def _told(stage: Stage, console: Console) -> Told:
    scene = Scene(began=time.time())
    with shown(scene, console) as screen:
        story = Story(stage, scene, screen.tell)
        fresh = asyncio.create_task(keep_fresh(scene, stage, screen.redraw))
        telling = asyncio.create_task(story.run())
        try:
            await asyncio.wait((fresh, telling), return_when=asyncio.FIRST_COMPLETED)
            if fresh.done():
                fresh.result()
            return telling.result()
        except NeverCameError as broken:
            return story.broken(str(broken))
        finally:
            for task in (fresh, telling):
                task.cancel()


async def _written(stage: Stage, told: Told) -> Path:
    ended = time.time()
    history = {name: await stage.prometheus.history(query, told.began, ended) for name, query in QUERIES.items()}
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report(told, history, ended))
    return REPORT


def _conclude(console: Console, told: Told, path: Path) -> None:
    console.print(f"\n{told.compared} fields compared with their originals; those that were ever different:")
    for row in told.shown:
        style = "red" if row.verdict is Verdict.LOST else ""
        values = " → ".join(_cut(value) for value in (row.before, row.during, row.after))
        console.print(
            f"  {row.target} {row.pointer}: {values}  {row.verdict.value}",
            style=style,
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    console.print(
        f"  and {len(told.rows) - len(told.shown)} labels and annotations of the operator's, which have gone again"
    )
    verdict = "The story happened, and everything was given back." if told.well else "The story did NOT happen."
    console.print(f"\n{verdict}", style="bold green" if told.well else "bold red")
    console.print(f"Report: {path}", highlight=False, soft_wrap=True)


def _cut(value: str) -> str:
    text = value or "(none)"
    return text if len(text) <= 40 else text[:37] + "..."


def _look_around(console: Console, plane: Controlplane, keep: bool) -> None:
    console.print("Look around with:" if keep else "KEEP=1 make demo leaves it all running, to look around with:")
    kubectl = str(plane.kubectl) if keep else "kubectl"
    lines = [f"export KUBECONFIG={plane.kubeconfig}"] if keep else []
    lines += [f"{kubectl} {words}" for words in LOOK_AROUND]
    for line in lines:
        console.print(f"  {line}", highlight=False, soft_wrap=True)
    if keep:
        console.print(f"  Prometheus: {plane.prometheus_url}", highlight=False, soft_wrap=True)
        console.print("Everything is left running. Ctrl-C ends it.")


def _interrupt(_number: int, _frame: object) -> None:
    """Everything that asks us to end ends us as Ctrl-C does: asyncio then unwinds in order."""
    signal.raise_signal(signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main())
