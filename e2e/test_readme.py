"""The README's tour, run as printed: its `console` blocks in order, in one bash, on a control plane of its own.

What the README prints below a command must be what it prints here, in this order. Runs of spaces count as one, lengths
of time are all alike, `...` stands for any text, and alone in a line for any lines. A command without printed output
must end with 0. Looking is repeated for a while, as a person would look again: what is looked at comes to be.
"""

import contextlib
import fcntl
import os
import queue
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOOKS = ("kubectl get ", "kubectl events ", "kubectl diff ")
PATIENCE, LONGEST = 30.0, 120.0
"""Seconds for looking again, and for one command."""
_MARK = "the-command-ended-with"
_TIME = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?(?:ms|[smhd]))+(?!\w)")


@dataclass(frozen=True, slots=True)
class Command:
    line: str
    printed: tuple[str, ...]


class Ended(Exception):
    """The shell ended, or a command took too long; the text is what it had printed."""


def commands(markdown: str) -> list[Command]:
    """Every `$ ` line of the console blocks, continued where it ends with a backslash, with the lines below it."""
    found: list[Command] = []
    for block in re.findall(r"^```console\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, *rest = part.replace("\\\n", " ").splitlines()
            found.append(Command(line, tuple(rest)))
    return found


def pattern(printed: tuple[str, ...]) -> re.Pattern[str]:
    """What matches the output that is printed as these lines."""
    parts = [r"(?:.*\n)*?" if each.strip() == "..." else _line(each) + r"\n" for each in printed]
    return re.compile("".join(parts))


def _line(text: str) -> str:
    return r"[^\n]*?".join(re.escape(each) for each in plain(text).split("..."))


def plain(text: str) -> str:
    """Text as it is compared: without alignment, and with all lengths of time alike."""
    return "\n".join(" ".join(_TIME.sub("TIME", line).split()) for line in text.splitlines())


class Shell:
    """One bash in the checkout, and whatever is run inside it. One at a time: tours write the same files in build/."""

    def __init__(self) -> None:
        (ROOT / "build").mkdir(exist_ok=True)
        self._turn = (ROOT / "build" / "tour.lock").open("w")
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        inherited = {key: text for key, text in os.environ.items() if key not in ("KUBECONFIG", "BROWNOUT_E2E")}
        self._bash = subprocess.Popen(
            ["bash"],
            cwd=ROOT,
            env={**inherited, "BROWNOUT_METRICS_ADDRESS": "127.0.0.1:0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def run(self, line: str) -> tuple[int, str]:
        """The exit code and what was printed. A command that opens a shell ends when that shell answers."""
        assert self._bash.stdin
        self._bash.stdin.write(f"{line}\ncode=$?; echo; echo {_MARK} $code\n")
        self._bash.stdin.flush()
        lines: list[str] = []
        deadline = time.monotonic() + LONGEST
        while not lines or not lines[-1].startswith(_MARK):
            try:
                lines.append(self._lines.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                raise Ended(f"{line}: no end after {LONGEST:.0f} s, and this was printed:\n{''.join(lines)}") from None
            if not lines[-1]:
                raise Ended(f"{line}: the shell ended, and this was printed:\n{''.join(lines)}")
        return int(lines[-1].split()[1]), "".join(lines[:-1]).removesuffix("\n")

    def close(self) -> None:
        with self._turn:
            self._end()

    def _end(self) -> None:
        """Ends it and all that it started: at the end of their input the shells leave, and the rest is killed."""
        assert self._bash.stdin
        with contextlib.suppress(subprocess.TimeoutExpired, BrokenPipeError):
            self._bash.stdin.close()
            self._bash.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._bash.pid, signal.SIGKILL)
        with self._bash:
            self._reader.join(10)

    def _read(self) -> None:
        assert self._bash.stdout
        for line in self._bash.stdout:
            self._lines.put(line)
        self._lines.put("")


@pytest.fixture
def shell() -> Iterator[Shell]:
    one = Shell()
    yield one
    one.close()


def seen(shell: Shell, command: Command) -> str:
    """Runs a command; what is wrong with what it printed, or "" when it is as the README says."""
    wanted = pattern(command.printed)
    deadline = time.monotonic() + PATIENCE
    while True:
        code, output = shell.run(command.line)
        text = plain(output)
        if wanted.fullmatch(text + "\n" if text else "") and (command.printed or code == 0):
            return ""
        if not command.line.startswith(LOOKS) or time.monotonic() > deadline:
            printed = "\n".join(command.printed)
            return f"$ {command.line}\nended with {code} and printed\n{output}\nwhere the README says\n{printed}"
        time.sleep(0.5)


@pytest.mark.timeout(900)
def test_the_readmes_tour_works_as_printed(shell: Shell) -> None:
    tour = commands((ROOT / "README.md").read_text())
    assert len(tour) > 20, "the README has lost its tour"
    for command in tour:
        began = time.monotonic()
        wrong = seen(shell, command)
        print(f"{time.monotonic() - began:5.1f} s  {command.line}")
        assert not wrong, wrong


@pytest.mark.parametrize(
    ("printed", "output", "same"),
    [
        pytest.param(("a   b",), "a b", True, id="alignment does not count"),
        pytest.param(("up 3s",), "up 1m20s", True, id="lengths of time are all alike"),
        pytest.param(("took 3s",), "took 3 pods", False, id="a number without a unit is no length of time"),
        pytest.param(("pod-...-x is",), "pod-4f-x is", True, id="dots stand for any text in a line"),
        pytest.param(("a", "...", "d"), "a\nb\nc\nd", True, id="dots alone stand for any lines"),
        pytest.param(("a", "...", "d"), "a\nb\nc", False, id="what follows the dots must come"),
        pytest.param(("a",), "a\nb", False, id="more than is printed is not the same"),
        pytest.param(("a", "b"), "a", False, id="less than is printed is not the same"),
        pytest.param(("replicas 3",), "replicas 2", False, id="another value is not the same"),
    ],
)
def test_an_output_is_compared_with_what_is_printed(printed: tuple[str, ...], output: str, same: bool) -> None:
    assert (pattern(printed).fullmatch(plain(output) + "\n") is not None) is same
