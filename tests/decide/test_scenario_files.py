"""The notation of scenario files, and what is said when one is wrong or does not hold."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from brownout.api.reasons import MissingReason
from brownout.decide.model import Seen
from brownout.testing.builders import missing, reading
from brownout.testing.scenarios import failures, load, run
from brownout.testing.series import parse_series

TEXT = """
name: a test
policy:
  interval: 10s
  levels:
  - name: trimmed
    when: {anyOf: [{signal: p99, enterAbove: 0.8, exitBelow: 0.6}]}
    for: 10s
    recoverAfter: 3m
series: {p99: 0.2 1x3}
expect:
"""


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        pytest.param("0.2", [reading(0.2)], id="a number is one tick"),
        pytest.param("0.2x3 -1", [reading(0.2)] * 3 + [reading(-1)], id="x3 is three ticks of it"),
        pytest.param("0.2+0.1x3", [reading(0.2), reading(0.3), reading(0.4)], id="up in steps"),
        pytest.param("1-.5x3", [reading(1), reading(0.5), reading(0)], id="down in steps"),
        pytest.param("2e-3 1E2x2", [reading(0.002)] + [reading(100)] * 2, id="powers of ten"),
        pytest.param("_ _x2", [missing()] * 3, id="an underscore is no data"),
        pytest.param("NaNx2", [missing(MissingReason.NO_TRAFFIC)] * 2, id="NaN is no traffic"),
        pytest.param("-Inf +Inf Inf", [missing(MissingReason.INFINITE)] * 3, id="infinite"),
        pytest.param("SourceDownx2", [missing(MissingReason.SOURCE_DOWN)] * 2, id="a reason by its name"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_series(text: str, seen: list[Seen]) -> None:
    assert parse_series(text) == tuple(seen)


@pytest.mark.parametrize("text", ["x3", "1y3", "SourceUp", "NaN+1x3", "1 2 three", "1x", "--1", "1x9999999"])
def test_a_word_that_is_no_reading_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no reading: write a number"):
        parse_series(text)


def written(folder: Path, expect: str, text: str = TEXT) -> Path:
    path = folder / "scenario.yaml"
    path.write_text(text + expect, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        pytest.param("  {0s: Normal, 20s: trimmed}", [], id="as expected"),
        pytest.param(
            "  {0s: Normal, 10s: trimmed}",
            ["at 10s the level is 'Normal', not 'trimmed' (Pending: p99 1 > 0.8 for 0s of 10s, then trimmed)"],
            id="too early",
        ),
        pytest.param(
            "  {0s: Normal}",
            [
                "at 20s the level is 'trimmed', not 'Normal' (Escalated: p99 1 > 0.8 for 10s)",
                "at 30s the level is 'trimmed', not 'Normal' (Settling: settling until 02:01:20)",
            ],
            id="every tick until the next time is compared",
        ),
        pytest.param(
            "  20s: {level: trimmed, reason: Holding, why: p99}",
            [
                "at 20s the reason is 'Escalated', not 'Holding' (Escalated: p99 1 > 0.8 for 10s)",
                "at 20s the sentence is 'p99 1 > 0.8 for 10s', not 'p99' (Escalated: p99 1 > 0.8 for 10s)",
            ],
            id="reason and sentence at that tick",
        ),
        pytest.param(
            "  {5s: Normal, 20s: trimmed}", ["no tick at 5s: write a time at which one is"], id="a time between ticks"
        ),
    ],
)
def test_what_does_not_hold_is_said(tmp_path: Path, expect: str, said: list[str]) -> None:
    scenario = load(written(tmp_path, expect))
    assert failures(scenario, run(scenario)) == said


@pytest.mark.parametrize(
    ("expect", "text"),
    [
        pytest.param("  {0s: Normal}\nexpects: 3", TEXT, id="an unknown field"),
        pytest.param("  {}", TEXT, id="nothing expected"),
        pytest.param("  {0s: Normal}", TEXT.replace("name: a test", ""), id="no name"),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, expect: str, text: str) -> None:
    with pytest.raises(ValidationError):
        load(written(tmp_path, expect, text))
