"""What the demo shows: the live view in words and the report."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

from rich.console import Console

from demo.fields import Row, Verdict
from demo.measured import QUERIES, Numbers
from demo.plot import Curve, Plot
from demo.report import report
from demo.scene import Line, Scene
from demo.told import Check, Mark, Told
from demo.view import curve, picture, plain

SICK = Numbers(came=16, served=0, attempts=64, p99=6.9, waiting=200)
WELL = Numbers(came=16, served=16, attempts=16, p99=0.4, waiting=0)


def scene(**changes: object) -> Scene:
    made = Scene(began=0.0, numbers={"shop": WELL, "bare": SICK}, fresh=True, operator_runs=True)
    made.policy = {
        "level": "core-only",
        "levelShown": "core-only 2/2",
        "held": 5,
        "why": "p95 2.31 > 2 for 3s",
        "applied": [
            {
                "target": {"kind": "Deployment", "name": "export"},
                "pointer": "/spec/replicas",
                "original": "2",
                "applied": "0",
            }
        ],
    }
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def drawn(of: Scene) -> str:
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(picture(of))
    console.file.close()
    return console.export_text()


def test_the_view_says_what_was_taken_and_why_in_the_words_of_the_status() -> None:
    text = drawn(scene())
    assert "p95 2.31 > 2 for 3s" in text
    assert "Deployment/export /spec/replicas: 2 → 0" in text


def test_the_view_says_blind_and_shows_no_stale_numbers_without_prometheus() -> None:
    policy = {"why": "BLIND since 12:00:01: source default down; holds 5", "held": 5}
    text = drawn(scene(fresh=False, policy=policy))
    assert "BLIND since 12:00:01" in text
    assert "served" not in text


def test_the_plain_line_names_both_shops_and_a_dead_operator() -> None:
    text = plain(scene(operator_runs=False))
    assert "100% served" in text
    assert "0% served" in text
    assert "the operator is dead" in text


def test_a_small_curve_has_one_sign_per_second() -> None:
    assert curve([0.0, 0.5, 1.0, 2.0, math.nan]) == " ▄██·"


def test_a_gap_in_the_numbers_breaks_the_line() -> None:
    points = [(0.0, 1.0), (1.0, 1.0), (9.0, 1.0), (10.0, math.nan), (11.0, 1.0)]
    svg = Plot(title="t", unit="", seconds=20, top=2, curves=[Curve("c", "ours", points)]).svg()
    (path,) = re.findall(r' d="([^"]*)"', svg)
    assert (path.count("M"), path.count("L")) == (2, 2)


class Tags(HTMLParser):
    VOID = frozenset({"meta", "td", "th"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_is_whole_escaped_and_needs_nothing_from_elsewhere() -> None:
    told = Told(began=100.0, sick=(110.0, 130.0), blind=(140.0, 150.0), compared=9)
    told.marks.append(Mark(112.0, "a<b"))
    told.checks.append(Check("it is so & stays so", True))
    told.lines.append(Line(110.0, "<script>", "step"))
    told.rows.append(Row(target="D/x", pointer="/spec/a", before="1", during="", after="1", verdict=Verdict.GIVEN_BACK))
    series = {"shop": [(101.0, 10.0), (102.0, 12.0)], "bare": [(101.0, 10.0)]}
    page = report(told, dict.fromkeys(QUERIES, series), ended=200.0)
    tags = Tags()
    tags.feed(page)
    assert (tags.open, tags.addresses) == ([], [])
    assert "http" not in page
    assert "<script>" not in page
    assert "was given back" not in page.split("</h1>")[1].split("<h2>")[0]


def test_a_story_with_a_broken_promise_is_not_well() -> None:
    told = Told(began=0.0)
    assert not told.well, "nothing promised, nothing proved"
    told.checks += [Check("a", True), Check("b", False)]
    assert not told.well
    assert "NOT SO: b" in report(told, {name: {} for name in QUERIES}, ended=10.0)
