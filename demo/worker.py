"""One batch worker as a process: `python -m demo.worker PORT WORKLOAD BUSY PAUSE RUNS`.

Again and again it holds a connection of the shop's pool for BUSY seconds and pauses for about PAUSE; RUNS queries and
done, or for ever when 0. Standard library only: there is one such process per pod.
"""

from __future__ import annotations

import http.client
import itertools
import os
import sys
import threading
import time
from random import Random

TIMEOUT = 60.0


def exit_with_parent() -> None:
    """End this process, from a thread, when its standard input has ended (see demo.lifeline)."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def query(port: int, workload: str, seconds: float) -> None:
    """Ask the shop for one query; a refusal or a shop that is not there is tried again by the next run."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("POST", f"/slot?workload={workload}&seconds={seconds}")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()


def work(port: int, workload: str, busy: float, pause: float, runs: int) -> None:
    """Run the queries; `busy` and `pause` are seconds."""
    random = Random()
    for _ in range(runs) if runs else itertools.count():
        time.sleep(pause * random.uniform(0.5, 1.5))
        query(port, workload, busy)


if __name__ == "__main__":
    exit_with_parent()
    work(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
