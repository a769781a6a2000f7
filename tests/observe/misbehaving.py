"""A real HTTP server on loopback that answers as the test says: well, badly, slowly or not at all."""

import contextlib
import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from brownout.api.source import SourceSpec
from brownout.clock import SystemClock

AT = 1_700_000_000.5
_MEMBER = re.compile(r'label_replace\((?:vector)?\((.*?)\n\),"__sig__","([0-9]+)","",""\)', re.DOTALL)


class ShiftedClock(SystemClock):
    """The machine's clock, that a test may put forward, or that stands still but for that."""

    def __init__(self, *, still: bool = False) -> None:
        self.ahead = 0.0
        self._still = still

    def monotonic(self) -> float:
        return self.ahead if self._still else super().monotonic() + self.ahead


class Exchange(BaseHTTPRequestHandler):
    """One request; a Behaviour answers it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    @property
    def query(self) -> str:
        return self.form.get("query", [""])[0]

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        self.form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True)
        self._answer()

    def do_GET(self) -> None:
        self.form = {}
        self._answer()

    def _answer(self) -> None:
        self.server.requests.append(self)
        self.server.asked.set()
        with contextlib.suppress(OSError):
            self.server.behave(self)

    def send(self, status: int, body: bytes, content_type: str = "application/json", **more: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(body)), **more}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, fields: Mapping[str, Any], status: int = 200) -> None:
        self.send(status, json.dumps(fields).encode())

    def result(self, kind: str, value: list[Any], **more: Any) -> None:
        self.send_json({"status": "success", "data": {"resultType": kind, "result": value}, **more})

    def error(self, status: int, kind: str, text: str) -> None:
        self.send_json({"status": "error", "errorType": kind, "error": text}, status)

    def reset(self) -> None:
        """Ends the connection with a RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def hang(self) -> None:
        """Says nothing until the server ends."""
        self.server.over.wait()
        self.close_connection = True

    def drip(self, first: bytes) -> None:
        """One byte every 20 ms: no single read ever times out."""
        self.wfile.write(first)
        while not self.server.over.wait(0.02):
            self.wfile.write(b" ")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing."""


Behaviour = Callable[[Exchange], None]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self._scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.behave, self.over = behave, threading.Event()
        self.requests: list[Exchange] = []
        self.asked = threading.Event()
        self.connections = 0

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away."""


@contextlib.contextmanager
def serving(behave: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(behave, tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def spec(url: str, timeout: float = 2.0, **more: Any) -> SourceSpec:
    return SourceSpec(url=url, timeout=timeout, **more)


def sample(value: str, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [AT, value]}


@dataclass
class Numbers:
    """A toy Prometheus: an expression is a key of `values`; one of `bad`, `slow`, `fatal` spoils its whole request."""

    values: dict[str, str] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    slow: set[str] = field(default_factory=set)
    fatal: set[str] = field(default_factory=set)
    scalars: set[str] = field(default_factory=set)
    crowds: dict[str, int] = field(default_factory=dict)
    largest: int = 10_000
    asked: list[list[str]] = field(default_factory=list)

    def __call__(self, exchange: Exchange) -> None:
        members = [(text, place) for text, place in _MEMBER.findall(exchange.query)]
        bare = not members
        asked = [exchange.query] if bare else [text for text, _ in members]
        self.asked.append(asked)
        if self.slow & set(asked):
            exchange.hang()
        elif self.fatal & set(asked):
            exchange.error(500, "internal", "panic")
        elif self.bad & set(asked) or len(asked) > self.largest:
            exchange.error(422, "execution", f"cannot run {sorted(self.bad & set(asked))}")
        elif bare and exchange.query in self.scalars:
            exchange.result("scalar", [AT, self.values[exchange.query]])
        else:
            exchange.result("vector", self._vector(members or [(exchange.query, "")]))

    def _vector(self, members: list[tuple[str, str]]) -> list[dict[str, Any]]:
        samples = []
        for text, place in members:
            label = {"__sig__": place} if place else {}
            count = self.crowds.get(text, 1 if text in self.values else 0)
            samples += [sample(self.values.get(text, "1"), nr=str(nr), **label) for nr in range(count)]
        return samples
