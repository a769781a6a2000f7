"""Children that never outlive the one that started them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.controlplane.process import spawn, stop, tail

STARTS_A_CHILD = """
import pathlib, sys, time
from e2e.controlplane.process import spawn
child = spawn(["sleep", "60"], log=pathlib.Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(60)
"""


def is_gone(pid: int) -> bool:
    """Gone, or dead and not yet collected by whoever inherited it."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def eventually(true: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_with_the_process_that_started_it(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTS_A_CHILD, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert not is_gone(child)
        parent.send_signal(number)
        parent.wait()
    assert eventually(lambda: is_gone(child))


def test_stop_ends_the_whole_group(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = spawn(["sh", "-c", "sleep 60 & echo $!; wait"], log=log)
    assert eventually(lambda: log.read_text() != "")
    assert stop(process) == -signal.SIGKILL
    assert eventually(lambda: is_gone(int(log.read_text())))


def test_stop_with_grace_lets_the_process_end_in_its_own_way(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = spawn(["sh", "-c", "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done"], log=log)
    assert eventually(lambda: "up" in log.read_text())
    assert stop(process, grace=5) == 3
    assert log.read_text().split() == ["up", "bye"]


def test_a_child_is_in_a_group_of_its_own_so_that_ctrl_c_does_not_reach_it(tmp_path: Path) -> None:
    process = spawn(["sleep", "60"], log=tmp_path / "log")
    try:
        assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    finally:
        stop(process)


def test_the_tail_of_a_log_is_its_last_lines_or_says_why_there_are_none(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert "there is no" in tail(log)
    log.touch()
    assert "is empty" in tail(log)
    log.write_text("a\nb\nc\n")
    assert tail(log, lines=2) == "b\nc"
