"""Child processes that never outlive the one that started them."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    argv: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Starts a process in a group of its own, its output appended to `log`.

    The kernel kills it (Linux) when the *thread* that started it ends: start long-lived ones from the main thread.
    """
    with log.open("ab") as out:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_dies_with_parent(),  # noqa: PLW1509 - two system calls, no lock
        )


def spawn_in_front(argv: Sequence[str], *, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Starts a process that shares this one's terminal, group and output; else as `spawn`."""
    return subprocess.Popen(argv, env=env, preexec_fn=_dies_with_parent())  # noqa: PLW1509 - as above


def stop(process: subprocess.Popen[bytes], grace: float = 0.0) -> int:
    """Ends a process of `spawn` and its group: asks first if `grace` (seconds) is given, then kills.

    Returns the exit code, negative for a signal.
    """
    if grace:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=grace)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log, or a sentence that says there are none."""
    if not log.exists():
        return f"(there is no {log})"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) or f"({log} is empty)"


def _dies_with_parent() -> Callable[[], None] | None:
    if _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def arm() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the kernel knew
            os._exit(1)

    return arm
