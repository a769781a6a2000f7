"""Ending a blocking request from outside: socket timeouts count from byte to byte, a slow drip outlives them all."""

import contextlib
import socket
import threading

import urllib3.connection
import urllib3.connectionpool

_here = threading.local()


class Cut:
    """Shuts the socket of one request down, whenever that is; the thread that reads it wakes up at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._fired = False

    def __enter__(self) -> "Cut":
        _here.cut = self
        return self

    def __exit__(self, *_: object) -> None:
        _here.cut = None
        with self._lock:
            self._socket = None

    def arm(self, connected: socket.socket | None) -> None:
        with self._lock:
            self._socket = connected
            if self._fired:
                self._shut()

    def fire(self) -> None:
        """Safe from any thread, at any time, more than once; nothing happens once the request is over."""
        with self._lock:
            self._fired = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # The base method: an SSLSocket's own would pull its TLS state away from under the reading thread.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _arm(connected: socket.socket | None) -> None:
    cut = getattr(_here, "cut", None)
    if cut is not None:
        cut.arm(connected)


class _Http(urllib3.connection.HTTPConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3's own stands
        _arm(self.sock)
        return super().getresponse()


class _Https(urllib3.connection.HTTPSConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3's own stands
        _arm(self.sock)
        return super().getresponse()


class HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Http


class HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https


CUTTABLE = {"http": HttpPool, "https": HttpsPool}
"""For `PoolManager.pool_classes_by_scheme`."""
