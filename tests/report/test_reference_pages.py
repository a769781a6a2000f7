"""The reference pages are what the code says, whole and up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from brownout.report.conditions import CHAINS, ConditionReason
from brownout.report.events import EventReason
from brownout.report.reference import CONDITION_TEXT, EVENT_TEXT, PAGES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", PAGES)
def test_the_page_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path](), f"{path} is old: make generate"


def test_every_reason_of_a_condition_is_explained() -> None:
    explained = {reason for reasons in CONDITION_TEXT.values() for reason in reasons}

    assert set(CONDITION_TEXT) == set(CHAINS)
    assert {reason for reason in ConditionReason if reason not in explained} == set()


def test_every_event_is_explained() -> None:
    assert set(EVENT_TEXT) == set(EventReason)
