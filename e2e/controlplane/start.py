"""`with controlplane() as it:` gives a running control plane and takes it away again."""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.controlplane.cache import Say
from e2e.controlplane.handle import Controlplane
from e2e.controlplane.process import stop
from e2e.providers.provider import NotToBeHad, chosen

_ROOT = Path(__file__).resolve().parents[2]


def say(sentence: str) -> None:
    """To standard error, so that a command's own output stays its own."""
    print(f"controlplane: {sentence}", file=sys.stderr, flush=True)


class Kept:
    """Set `logs` to keep the parts' logs after the end (without keys and data)."""

    logs = False


@contextmanager
def controlplane(say: Say = say, kept: Kept | None = None) -> Iterator[Controlplane]:
    """Builds what is missing, boots, and ends everything with the block, whatever ends it.

    Raises NotToBeHad, BuildFailed or GoMissing with what to do. A supervisor process owns the parts and also ends
    them when this process is killed.
    """
    chosen().prepare(say)
    folder = Path(tempfile.mkdtemp(prefix="brownout-"))
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "e2e.controlplane.supervisor", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
        start_new_session=True,
    )
    try:
        try:
            cluster = _booted(supervisor)
        except BaseException:  # interrupted: it does not read the pipe while it boots
            supervisor.terminate()
            raise
        yield cluster
    finally:
        _end(supervisor, keep_logs=bool(kept and kept.logs))
        with contextlib.suppress(OSError):  # there only if the supervisor was ended before it could begin
            folder.rmdir()


def _booted(supervisor: subprocess.Popen[bytes]) -> Controlplane:
    assert supervisor.stdout
    line = supervisor.stdout.readline()
    told = json.loads(line) if line else {"failed": "the supervisor ended without a word"}
    if "ready" not in told:
        raise NotToBeHad(told["failed"])
    return Controlplane.read(Path(told["ready"]))


def _end(supervisor: subprocess.Popen[bytes], keep_logs: bool) -> None:
    assert supervisor.stdin
    assert supervisor.stdout
    with contextlib.suppress(BrokenPipeError):
        if keep_logs:
            supervisor.stdin.write(b"keep\n")
        supervisor.stdin.close()
    try:
        # Interrupted here, it still ends by itself: it has its own session and the pipe is closed.
        supervisor.wait(timeout=30)
    except subprocess.TimeoutExpired:
        stop(supervisor)
    finally:
        supervisor.stdout.close()
