"""The process that owns every part of a control plane, and ends them whatever becomes of the one that asked.

It is one thread, so that the kernel's death signal to its children means the death of the whole process. Its
standard input is a pipe that nobody writes to: when the asking process ends, by SIGKILL too, the pipe closes.
"""

import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

from e2e.controlplane.build import BuildFailed
from e2e.controlplane.go import GoMissing
from e2e.controlplane.handle import Controlplane
from e2e.providers.provider import NotToBeHad, Provider, chosen

SECRETS = ("tokens.csv", "certificates", "kubeconfig", "*.kubeconfig", "controlplane.json", "data", "control")


def main(folder: Path) -> int:
    """Boots, says `ready` or `failed` with a text on standard output (one JSON line), then serves until the end."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    asker = os.getppid()
    provider = chosen()
    kept = False
    try:
        cluster = provider.boot(folder, _say)
        cluster.write(provider.pids())
        with _listening(cluster) as door:
            _tell({"ready": str(cluster.file)})
            kept = _serve(provider, door, asker)
    except (NotToBeHad, BuildFailed, GoMissing) as refusal:
        kept = True
        _tell({"failed": str(refusal)})
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        provider.close()
        _clear(folder, keep_logs=kept)
    return 0


def _serve(provider: Provider, door: socket.socket, asker: int) -> bool:
    """Returns when the asking process is gone or done; true if it said that the logs should be kept."""
    with selectors.DefaultSelector() as watch:
        watch.register(sys.stdin, selectors.EVENT_READ)
        watch.register(door, selectors.EVENT_READ)
        while os.getppid() == asker:
            for ready, _ in watch.select(timeout=0.5):
                if ready.fileobj is door:
                    _answer_one(provider, door)
                else:
                    return os.read(sys.stdin.fileno(), 16) == b"keep\n"
            for sentence in provider.fallen():
                _say(sentence)
    return False


def _answer_one(provider: Provider, door: socket.socket) -> None:
    caller, _ = door.accept()
    caller.settimeout(5)
    with contextlib.suppress(OSError), caller, caller.makefile("rw") as line:  # a caller that died or says nothing
        line.write(_answer(provider, line.readline().strip()) + "\n")


def _answer(provider: Provider, request: str) -> str:
    verb, _, part = request.partition(" ")
    try:
        if verb == "pids":
            return f"ok {json.dumps(dict(provider.pids()))}"
        if verb not in {"stop", "start"}:
            return f"no {verb!r} is not a request: stop PART, start PART, pids"
        provider.stop(part) if verb == "stop" else provider.start(part)
    except KeyError:
        return f"no there is no part {part!r}"
    except NotToBeHad as refusal:
        return f"no {' '.join(str(refusal).split())}"
    return "ok"


def _listening(cluster: Controlplane) -> socket.socket:
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(cluster.control))
    cluster.control.chmod(0o600)
    door.listen(32)
    return door


def _clear(folder: Path, keep_logs: bool) -> None:
    if not keep_logs:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in (path for pattern in SECRETS for path in folder.glob(pattern)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _tell(message: dict[str, str]) -> None:
    print(json.dumps(message), flush=True)


def _say(sentence: str) -> None:
    print(f"controlplane: {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
