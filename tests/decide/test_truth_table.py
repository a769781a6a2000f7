"""The tables printed in docs/explanation/deciding.md, row by row."""

import re
from math import inf, nan

import pytest

from brownout.api.base import parse_duration
from brownout.api.policy import NORMAL, NoTraffic
from brownout.api.reasons import DecisionReason, MissingReason
from brownout.decide.dwell import escalation, recovery
from brownout.decide.engine import decide
from brownout.decide.message import why
from brownout.decide.model import Dwell, Missing, Reading, Relapse, Seen, State, Zone
from brownout.decide.zones import all_of, any_of, condition_zone, fact_of
from brownout.testing.builders import above, below, level, missing, policy, reading, signal
from tests.decide.tables import table

NOW = 1_800_000_000.0
SPEC = policy(
    level("trimmed", above("t", 2, 1), lasts=30, recover_after=180),
    level("core-only", above("c", 2, 1), lasts=60, recover_after=300),
    level("static-page"),
)
SAYS: dict[str, Seen] = {"Over": reading(3), "Between": reading(1.5), "Under": reading(0), "Unknown": missing()}
BELOW = {NORMAL: (), "trimmed": (), "core-only": ("trimmed",), "static-page": ("trimmed", "core-only")}
REASONS = {re.sub("(?<!^)([A-Z])", r" \1", each).lower(): each for each in MissingReason}


def rows(heading: str) -> list[object]:
    return [pytest.param(row, id=" | ".join(row.values())) for row in table(heading)]


def seen_in(text: str) -> Seen:
    if text in REASONS:
        return Missing(reason=REASONS[text])
    return Reading(value={"NaN": nan, "+Inf": inf, "-Inf": -inf}.get(text) or float(text), at=NOW)


@pytest.mark.parametrize("row", rows("Conditions"))
def test_condition(row: dict[str, str]) -> None:
    enter, leave = (float(word) for word in re.findall(r"[0-9.]+", row["condition"]))
    condition = (above if "enterAbove" in row["condition"] else below)("p99", enter, leave)
    said = fact_of(signal("p99", on_no_traffic=NoTraffic(row["onNoTraffic"])), seen_in(row["reading"]))
    assert condition_zone(condition, said) is Zone(row["zone"])


def test_every_reason_for_a_missing_number_is_in_the_table() -> None:
    shown = {row["reading"] for row in table("Conditions")}
    other = {MissingReason.NO_TRAFFIC, MissingReason.INFINITE}  # there as NaN and as Inf
    assert {text for text, reason in REASONS.items() if reason not in other} <= shown


@pytest.mark.parametrize("row", rows("Levels"))
def test_level(row: dict[str, str]) -> None:
    zones = [Zone(word) for word in row["conditions"].split(", ")]
    combine = any_of if row["when"] == "anyOf" else all_of
    assert combine(zones) is combine(zones[::-1]) is Zone(row["zone"])


@pytest.mark.parametrize("row", rows("Ticks"))
def test_clock(row: dict[str, str]) -> None:
    later = parse_duration(row["later"].lstrip("-")) * (-1 if row["later"].startswith("-") else 1)
    zone, last = Zone(row["this tick"]), row["last tick"]
    had = Dwell(
        seconds=parse_duration(row["time"]),
        still=parse_duration(row["still"]),
        zone=Zone.UNKNOWN if last == "none" else Zone(last),
        at=NOW - later,
    )
    if row["clock"] == "recovery":
        clock: Dwell | None = recovery(had, zone, interval=10, now=NOW)
    else:
        clock = escalation(None if last == "none" else had, zone, lasts=30, interval=10, now=NOW)
    assert (clock.seconds if clock else 0.0) == parse_duration(row["time then"])


def remembered(row: dict[str, str]) -> State:
    """The state of a row, with its clocks as they stand at this tick."""
    at, zones = row["at"], {"trimmed": Zone(row["trimmed"]), "core-only": Zone(row["core-only"])}
    clocks = {
        name: Dwell(seconds=parse_duration(length), zone=zones.get(name) or zones[at], at=NOW)
        for name, length in (part.split(" ") for part in row["clocks"].split(", ") if part)
    }
    relapses = {"": 0, "relapsed once": 1, "relapsed twice": 2}.get(row["besides"], 0)
    return State(
        level=at,
        since=NOW - 900,
        below=BELOW.get(at, ("trimmed",)),
        recovery=clocks.pop("recovery", Dwell()),
        escalation=clocks,
        settle_from=NOW if row["besides"] == "settling" else None,
        giving_back=row["besides"] == "giving back",
        relapses={at: Relapse(count=relapses)} if relapses else {},
    )


@pytest.mark.parametrize("row", rows("Decisions"))
def test_decision(row: dict[str, str]) -> None:
    decision = decide(SPEC, remembered(row), (SAYS[row["trimmed"]], SAYS[row["core-only"]]), NOW)
    assert (decision.level, decision.reason) == (row["goes to"], DecisionReason(row["reason"]))
    assert decision.before == row["at"]
    assert why(SPEC, decision, NOW)
    assert decision.state.level == decision.level
    assert decision.state.since == (NOW if decision.level != row["at"] else NOW - 900)


def test_every_reason_that_deciding_gives_is_in_the_table() -> None:
    assert {row["reason"] for row in table("Decisions")} == set(DecisionReason) - {DecisionReason.ADOPTED}
