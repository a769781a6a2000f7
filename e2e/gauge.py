"""Signals for tests: real series, scraped by the real Prometheus."""

import json
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.registry import Collector

from e2e.controlplane.handle import Controlplane
from e2e.fixtures.polling import until
from e2e.fixtures.promql import query

Labels = frozenset[tuple[str, str]]


class Gauges(Collector):
    """An exporter on a free port whose series a test sets by name and labels; Prometheus scrapes it each second.

    Thread-safe. A new exporter is first scraped within about 6 s of its start, so keep one for many tests and tell
    their series apart by a label.
    """

    def __init__(self, cluster: Controlplane, job: str = "gauges") -> None:
        self._cluster, self._job = cluster, job
        self._file = cluster.targets / f"{uuid.uuid4().hex}.json"
        self._values: dict[tuple[str, Labels], float] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        registry = CollectorRegistry()
        registry.register(self)
        self._server, self._thread = start_http_server(0, self._cluster.exporter_host, registry)
        register(self._file, f"{self._cluster.exporter_host}:{self._server.server_port}", self._job)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def set(self, name: str, value: float, **labels: str) -> None:
        """The series has this value from the next scrape on; NaN and infinities are values too."""
        with self._lock:
            self._values[name, frozenset(labels.items())] = value

    def remove(self, name: str, **labels: str) -> None:
        """The series is gone (stale) from the next scrape on; nothing happens if it was not there."""
        with self._lock:
            self._values.pop((name, frozenset(labels.items())), None)

    def set_and_wait(self, name: str, value: float, seconds: float = 20, **labels: str) -> None:
        """As `set`, and returns once Prometheus answers with the value (not for NaN)."""
        self.set(name, value, **labels)
        selector = ",".join(f"{key}={json.dumps(text)}" for key, text in labels.items())
        expression = f"{name}{{{selector}}}"
        until(
            lambda: (
                [float(sample["value"][1]) for sample in query(self._cluster.prometheus_url, expression)] == [value]
            ),
            f"Prometheus answers {value} for {expression}",
            seconds=seconds,
        )

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            values = dict(self._values)
        families: dict[str, Metric] = {}
        for (name, labels), value in values.items():
            family = families.setdefault(name, Metric(name, "set by a test", "gauge"))
            family.add_sample(name, dict(labels), value)
        yield from families.values()


def register(file: Path, address: str, job: str) -> None:
    """Makes Prometheus scrape `host:port`, by a file in its targets' folder that appears whole."""
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps([{"targets": [address], "labels": {"job": job}}]))
    partial.rename(file)
