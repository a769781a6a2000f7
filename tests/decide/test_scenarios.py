"""Every scenario file in tests/scenarios: series in, levels and sentences out."""

from pathlib import Path

import pytest

from brownout.testing.scenarios import failures, load, run

FILES = sorted((Path(__file__).parent.parent / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    scenario = load(path)
    assert failures(scenario, run(scenario)) == []


def test_every_rule_has_its_scenario() -> None:
    assert len(FILES) >= 15
