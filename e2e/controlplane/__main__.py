"""`python -m e2e.controlplane [--build | -- CMD...]`: a control plane for one command, or until Ctrl-C."""

import contextlib
import signal
import subprocess
import sys
import time
from types import FrameType

from e2e.controlplane.build import BuildFailed
from e2e.controlplane.go import GoMissing
from e2e.controlplane.handle import VARIABLE, Controlplane
from e2e.controlplane.process import spawn_in_front
from e2e.controlplane.start import Kept, controlplane, say
from e2e.providers.provider import NotToBeHad, chosen

_INTERRUPTED = 128 + signal.SIGINT
USAGE = """python -m e2e.controlplane             boots a control plane and stays until Ctrl-C
python -m e2e.controlplane -- CMD...   boots one, runs CMD with KUBECONFIG, BROWNOUT_E2E and PATH set, and ends it
python -m e2e.controlplane --build     only builds what is missing"""


def main(words: list[str]) -> int:
    """Returns the command's exit code, 1 if the control plane cannot be had, 2 for a wrong call."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    try:
        if words == ["--build"]:
            chosen().prepare(say)
            return 0
        if words and (words[0] != "--" or len(words) == 1):
            print(USAGE, file=sys.stderr)
            return 2
        return _run(words[1:])
    except (NotToBeHad, BuildFailed, GoMissing) as refusal:
        say(str(refusal))
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run(command: list[str]) -> int:
    began, kept = time.monotonic(), Kept()
    with controlplane(kept=kept) as cluster:
        say(f"ready after {time.monotonic() - began:.1f} s in {cluster.folder}")
        code = _obey(command, cluster) if command else _stay(cluster)
        kept.logs = bool(command) and code not in {0, _INTERRUPTED}
    if kept.logs:
        say(f"the command ended with code {code}; the logs are in {cluster.folder}")
    return code


def _obey(command: list[str], cluster: Controlplane) -> int:
    try:
        process = spawn_in_front(command, env=cluster.environment())
    except OSError as refusal:
        say(f"cannot run {command[0]}: {refusal.strerror}")
        return 127
    try:
        return _wait(process)
    finally:
        if process.poll() is None:
            process.terminate()
            _wait_or_kill(process)


def _wait(process: subprocess.Popen[bytes]) -> int:
    try:
        code = process.wait()
    except KeyboardInterrupt:  # the terminal has told the command too: let it end in its own way
        code = _wait_or_kill(process, seconds=30)
    return code if code >= 0 else 128 - code


def _wait_or_kill(process: subprocess.Popen[bytes], seconds: float = 10) -> int:
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _stay(cluster: Controlplane) -> int:
    print(f"export KUBECONFIG={cluster.kubeconfig}")
    print(f"export {VARIABLE}={cluster.file}")
    print(f"export PATH={':'.join(cluster.tools())}:$PATH")
    print(f"# Prometheus: {cluster.prometheus_url}   targets: {cluster.targets}   Ctrl-C ends it", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()
    return 0


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
