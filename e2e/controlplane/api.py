"""A few lines of HTTP for an API server: what a test needs when kubectl would hide the answer."""

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and the body: parsed JSON, or the text if it is none."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One user's way to one API server. No answer is an error here: a 404 is a value."""

    server: str
    ca: Path
    token: str

    def get(self, path: str) -> Answer:
        return self.call("GET", path)

    def post(self, path: str, body: object) -> Answer:
        return self.call("POST", path, body)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)

    def patch(self, path: str, body: object, kind: str = JSON_PATCH) -> Answer:
        return self.call("PATCH", path, body, kind)

    def call(self, method: str, path: str, body: object = None, kind: str = "application/json") -> Answer:
        """`path` as in `/api/v1/namespaces?fieldManager=x`; raises URLError if nobody answers within 10 s."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind, "Accept": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10, context=trusting(self.ca)) as response:
                return Answer(response.status, _parsed(response.read()))
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, _parsed(refused.read()))


def trusting(ca: Path) -> ssl.SSLContext:
    """TLS that trusts this certificate and no other."""
    return ssl.create_default_context(cafile=str(ca))


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")
