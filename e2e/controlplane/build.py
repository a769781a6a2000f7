"""Builds the tools of the control plane from pinned Go modules, once for each set of pins."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e.controlplane.cache import Say, cache_folder, key, only_one
from e2e.controlplane.go import PINS, Go, find_go, install
from e2e.controlplane.process import spawn, stop, tail

_VERSION = "k8s.io/component-base/version"
_STAGES = "sigs.k8s.io/kwok"
_STAGE_FILES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat/node-heartbeat.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-delete.yaml",
)


class BuildFailed(Exception):
    """A tool could not be built; the text holds the last lines and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One `go build`: the module's folder in `pins`, what it makes, and about how long it takes on 2 cores."""

    module: str
    makes: Mapping[str, str]
    seconds: int
    flags: tuple[str, ...] = ()
    ldflags: str = "-s -w"


def _kubernetes() -> str:
    """Linker flags: kubectl refuses to compare versions that the linker did not write."""
    pinned = re.search(r"k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)", (PINS / "kubernetes/go.mod").read_text())
    assert pinned, "pins/kubernetes/go.mod requires k8s.io/kubernetes"
    full, major, minor = pinned.groups()
    return f"-s -w -X {_VERSION}.gitVersion={full} -X {_VERSION}.gitMajor={major} -X {_VERSION}.gitMinor={minor}"


def _prometheus() -> str:
    """Linker flags: without a version Prometheus cannot say its own. Module v0.316.0 is release 3.16.0."""
    pinned = re.search(r"prometheus/prometheus v0\.(\d)(\d\d)\.(\d+)", (PINS / "prometheus/go.mod").read_text())
    assert pinned, "pins/prometheus/go.mod requires github.com/prometheus/prometheus"
    major, minor, patch = (int(part) for part in pinned.groups())
    return f"-s -w -X github.com/prometheus/common/version.Version={major}.{minor}.{patch}"


STEPS = (
    Step(module="kubernetes", makes={"etcd": "go.etcd.io/etcd/server/v3"}, seconds=60, ldflags=_kubernetes()),
    Step(
        module="kubernetes",
        makes={
            name: f"k8s.io/kubernetes/cmd/{name}" for name in ("kube-apiserver", "kube-controller-manager", "kubectl")
        },
        seconds=360,
        ldflags=_kubernetes(),
    ),
    Step(module="kwok", makes={"kwok": "sigs.k8s.io/kwok/cmd/kwok"}, seconds=60),
    Step(
        module="prometheus",
        makes={name: f"github.com/prometheus/prometheus/cmd/{name}" for name in ("prometheus", "promtool")},
        seconds=120,
        flags=("-tags", "remove_all_sd"),  # the cloud SDKs would take most of the time
        ldflags=_prometheus(),
    ),
)


def build(say: Say) -> Mapping[str, Path]:
    """Every tool's path by its name, and `stages` (kwok's), building what the cache does not have.

    Raises BuildFailed or GoMissing, each with what to do.
    """
    cache = cache_folder()
    go = find_go(cache)
    if missing := [step for step in STEPS if not _folder(cache, go, step).exists()]:
        with only_one(cache, "building the control plane", say):
            _build_all([step for step in missing if not _folder(cache, go, step).exists()], cache, go, say)
    tools = {name: _folder(cache, go, step) / name for step in STEPS for name in step.makes}
    return tools | {"stages": tools["kwok"].with_name("stages.yaml")}


def _folder(cache: Path, go: Go, step: Step) -> Path:
    pins = [PINS / step.module / "go.mod", PINS / step.module / "go.sum"]
    words = [go.version, step.ldflags, *step.flags, *step.makes, *_STAGE_FILES]
    return cache / "tools" / f"{next(iter(step.makes))}-{key(pins, words)}"


def _build_all(steps: list[Step], cache: Path, go: Go, say: Say) -> None:
    if not steps:
        return
    minutes = sum(step.seconds for step in steps) / 60
    say(f"building the control plane with Go {go.version} into {cache}: once, about {minutes:.0f} min on 2 cores")
    began = time.monotonic()
    install(go, say)
    for number, step in enumerate(steps, start=1):
        say(f"[{number}/{len(steps)}] {', '.join(step.makes)} (about {step.seconds} s)")
        _build_one(step, _folder(cache, go, step), go, say)
    say(f"the control plane is built, after {time.monotonic() - began:.0f} s")


def _build_one(step: Step, folder: Path, go: Go, say: Say) -> None:
    partial = folder.with_name(f"partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    log = folder.with_name(f"{folder.name}.log")
    log.unlink(missing_ok=True)
    try:
        for name, package in step.makes.items():
            argv = [str(go.command), "build", "-v", "-trimpath", "-buildvcs=false", *step.flags]
            _run([*argv, "-ldflags", step.ldflags, "-o", str(partial / name), package], step, log, go, say)
        if "kwok" in step.makes:
            (partial / "stages.yaml").write_text(_stages(step, go))
        partial.rename(folder)
        log.unlink()
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _run(argv: list[str], step: Step, log: Path, go: Go, say: Say) -> None:
    began = time.monotonic()
    process = spawn(argv, log=log, env=go.environment(), cwd=PINS / step.module)
    try:
        while (code := _ended(process, 15)) is None:
            packages = len(log.read_bytes().splitlines())
            say(f"      {argv[-1]}: {time.monotonic() - began:.0f} s, {packages} packages compiled")
    finally:
        stop(process)
    if code:
        raise BuildFailed(
            f"{tail(log)}\n\n{argv[-1]} could not be built (the whole log: {log}). "
            "The usual causes: the Go module proxy cannot be reached; less than 4 GB of disk or 3 GB of memory free. "
            "Try `make controlplane` again: it goes on where it stopped."
        )


def _ended(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None


def _stages(step: Step, go: Go) -> str:
    argv = [str(go.command), "list", "-m", "-f", "{{.Dir}}", _STAGES]
    where = subprocess.run(
        argv, cwd=PINS / step.module, env=go.environment(), capture_output=True, text=True, check=True, timeout=60
    )
    folder = Path(where.stdout.strip()) / "kustomize/stage"
    return "\n---\n".join((folder / name).read_text() for name in _STAGE_FILES)
