"""A real HTTP server on loopback whose answers, and failures to answer, are written down in advance."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

Act: TypeAlias = Callable[["Exchange"], Awaitable[None]]


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Exchange:
    request: Request
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


@dataclass
class Server:
    """Plays one act for each request, the last again and again."""

    acts: Sequence[Act]
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open[task] = writer
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                request = await _read(reader)
                self.requests.append(request)
                await self.acts[min(len(self.requests), len(self.acts)) - 1](Exchange(request, reader, writer))
                if writer.is_closing():
                    break
        writer.close()

    async def end(self) -> None:
        for task, writer in self.open.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self.open, return_exceptions=True)


@contextlib.asynccontextmanager
async def serving(*acts: Act) -> AsyncIterator[Server]:
    server = Server(acts)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        await server.end()


def says(status: int, body: Any, **headers: str) -> Act:
    """Answers with JSON, or with a text as HTML."""

    async def act(exchange: Exchange) -> None:
        text, kind = (body, "text/html") if isinstance(body, str) else (json.dumps(body), "application/json")
        await exchange.send(head(status, len(text.encode()), kind, headers) + text.encode())

    return act


def after(seconds: float, then: Act) -> Act:
    async def act(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await then(exchange)

    return act


async def hangs(exchange: Exchange) -> None:
    await exchange.reader.read()


async def closes(exchange: Exchange) -> None:
    exchange.writer.close()


async def resets(exchange: Exchange) -> None:
    sock: socket.socket = exchange.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.writer.transport.abort()


async def breaks_off(exchange: Exchange) -> None:
    await exchange.send(head(200, 1000, "application/json", {}) + b'{"half": ')
    exchange.writer.close()


async def drips(exchange: Exchange) -> None:
    await exchange.send(head(200, 1000, "application/json", {}))
    while not exchange.writer.is_closing():
        await exchange.send(b" ")
        await asyncio.sleep(0.05)


def head(status: int, length: int, kind: str, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {kind}", f"Content-Length: {length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _read(reader: asyncio.StreamReader) -> Request:
    first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body)


def kubeconfig(folder: Path, server: str, user: dict[str, object] | None = None) -> Path:
    path = folder / "kubeconfig"
    content = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user or {"token": "secret"}}],
    }
    path.write_text(json.dumps(content))
    return path
