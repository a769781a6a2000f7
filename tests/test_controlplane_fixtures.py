"""What the end-to-end tests stand on: the relay, the exporter, the waiting."""

import http.server
import json
import math
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.controlplane.handle import Controlplane
from e2e.fixtures.polling import until
from e2e.fixtures.relay import Relay
from e2e.gauge import Gauges


class Hello(http.server.BaseHTTPRequestHandler):
    """Answers `hello`, and nothing on the screen."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as response:
        return str(response.read().decode())


def test_a_relay_passes_until_it_is_cut_and_again_once_it_is_mended(server: str) -> None:
    with Relay(server) as relay:
        assert read(relay.url) == "hello"
        relay.cut()
        with pytest.raises(OSError):  # noqa: PT011 - reset, closed or refused, as it happens
            read(relay.url)
        relay.mend()
        assert read(relay.url) == "hello"


@pytest.fixture
def cluster(tmp_path: Path) -> Controlplane:
    """A place for targets; nothing runs."""
    return Controlplane(
        folder=tmp_path,
        kubeconfig=tmp_path,
        server="",
        ca=tmp_path,
        kubectl=tmp_path,
        promtool=tmp_path,
        prometheus_url="http://127.0.0.1:1",
        targets=tmp_path,
        exporter_host="127.0.0.1",
        audit_log=None,
        control=tmp_path,
    )


def test_series_are_exported_with_their_labels_until_they_are_removed(cluster: Controlplane, tmp_path: Path) -> None:
    with Gauges(cluster) as gauges:
        (target,) = json.loads(next(tmp_path.glob("*.json")).read_text())
        url = f"http://{target['targets'][0]}/metrics"
        gauges.set("pressure", 0.9, test="one")
        gauges.set("pressure", math.nan, test="two")
        text = read(url)
        assert 'pressure{test="one"} 0.9' in text
        assert 'pressure{test="two"} NaN' in text
        gauges.remove("pressure", test="one")
        assert 'test="one"' not in read(url)
    assert list(tmp_path.glob("*.json")) == []


def test_waiting_in_vain_says_what_for_and_what_came_last() -> None:
    with pytest.raises(AssertionError, match="the moon is full; the last answer was 0"):
        until(lambda: 0, "the moon is full", seconds=0)
