"""Where built tools are kept, and two runs that meet there."""

import subprocess
import sys
from pathlib import Path

import pytest

from e2e.controlplane.cache import cache_folder, key, only_one

HOLDER = """
import sys, pathlib
from e2e.controlplane.cache import only_one
with only_one(pathlib.Path(sys.argv[1]), "holding", print):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def pin(tmp_path: Path) -> Path:
    file = tmp_path / "go.mod"
    file.write_text("module a\n")
    return file


def test_the_same_pins_and_words_give_the_same_key(pin: Path) -> None:
    assert key([pin], ["1.26.8"]) == key([pin], ["1.26.8"])


def test_another_pin_another_version_or_another_split_of_words_gives_another_key(pin: Path) -> None:
    keys = [key([pin], ["1.26.8"]), key([pin], ["1.26.9"]), key([pin], ["1.26", ".8"])]
    pin.write_text("module b\n")
    assert len({*keys, key([pin], ["1.26.8"])}) == 4


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param({"BROWNOUT_CACHE": "own", "XDG_CACHE_HOME": "xdg"}, "own", id="our own variable wins"),
        pytest.param({"XDG_CACHE_HOME": "xdg"}, "xdg/brownout", id="else the user's cache folder"),
        pytest.param({}, ".cache/brownout", id="else .cache at home"),
    ],
)
def test_the_cache_is_outside_the_checkout(
    variables: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BROWNOUT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**variables, "HOME": ""}.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    assert cache_folder() == tmp_path / expected


def test_the_second_run_says_that_it_waits_and_goes_on_when_the_first_ends(tmp_path: Path) -> None:
    said: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout
        assert first.stdin
        assert first.stdout.readline() == "held\n"

        def release(sentence: str) -> None:
            said.append(sentence)
            if first.stdin and not first.stdin.closed:
                first.stdin.close()

        with only_one(tmp_path, "building", release):
            said.append("inside")
    assert said[0] == f"another run is at work in {tmp_path}: waiting for it to end before building"
    assert said[1].startswith("the other run has ended")
    assert said[2] == "inside"


def test_a_run_that_meets_nobody_says_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    with only_one(tmp_path, "building", said.append):
        pass
    assert said == []
