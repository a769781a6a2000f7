"""Where built tools are kept: outside the checkout, one folder for each set of pins."""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

Say = Callable[[str], None]


def cache_folder() -> Path:
    """`$BROWNOUT_CACHE`, else `brownout` in the user's cache folder; made if it is not there."""
    chosen = os.environ.get("BROWNOUT_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(chosen) if chosen else base / "brownout"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def key(files: Sequence[Path], words: Sequence[str]) -> str:
    """16 hex digits that change with any file's content and with any word, such as a version or a flag."""
    digest = hashlib.sha256()
    for content in [*(file.read_bytes() for file in files), *(word.encode() for word in words)]:
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()[:16]


@contextmanager
def only_one(folder: Path, doing: str, say: Say) -> Iterator[None]:
    """Runs the block in one process at a time; whoever comes second says that it waits, and for what."""
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _wait_for_the_other(lock.fileno(), doing, folder, say)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)


def _wait_for_the_other(lock: int, doing: str, folder: Path, say: Say) -> None:
    began = time.monotonic()
    say(f"another run is at work in {folder}: waiting for it to end before {doing}")
    fcntl.flock(lock, fcntl.LOCK_EX)
    say(f"the other run has ended, after {time.monotonic() - began:.0f} s of waiting")
