"""`python -m e2e.gauge_cli FILE`: Prometheus scrapes FILE each second, so that a person sets a signal by writing to it.

Run it in a shell that `python -m e2e.controlplane -- bash` gives; it stays until it is killed. `--url` instead of FILE
prints where that Prometheus is.
"""

import signal
import sys
import uuid
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from e2e.controlplane.handle import Controlplane
from e2e.gauge import register

USAGE = """python -m e2e.gauge_cli FILE     lets Prometheus scrape FILE, which holds lines such as: p99_seconds 0.2
python -m e2e.gauge_cli --url    prints where that Prometheus is"""
ABSENT = "There is no control plane here: run this inside `.venv/bin/python -m e2e.controlplane -- bash`."


class _File(BaseHTTPRequestHandler):
    """Answers every path with the file's text as it is at that moment."""

    def __init__(self, file: Path, *told: Any) -> None:
        self._file = file
        super().__init__(*told)

    def do_GET(self) -> None:
        content = self._file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's word
        """Nothing: a line each second is no news."""


def main(words: list[str]) -> int:
    """Serves until SIGTERM or Ctrl-C: 0; 2 for a wrong call or outside a control plane."""
    cluster = Controlplane.here()
    if len(words) != 1 or cluster is None:
        print(USAGE if len(words) != 1 else ABSENT, file=sys.stderr)
        return 2
    if words == ["--url"]:
        print(cluster.prometheus_url)
        return 0
    file = Path(words[0])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    signal.signal(signal.SIGTERM, _leave)
    _serve(file, cluster)
    return 0


def _serve(file: Path, cluster: Controlplane) -> None:
    target = cluster.targets / f"{uuid.uuid4().hex}.json"
    with ThreadingHTTPServer((cluster.exporter_host, 0), partial(_File, file)) as server:
        register(target, f"{cluster.exporter_host}:{server.server_port}", job="gauge")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            target.unlink(missing_ok=True)


def _leave(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
