"""Kubeconfigs: who talks to which API server, readable by their owner alone."""

import base64
import json
import os
from pathlib import Path


def write_private(path: Path, text: str) -> Path:
    """Writes a file of mode 0600, which it has from its first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    return path


def write_kubeconfig(path: Path, *, server: str, ca: Path, token: str, namespace: str = "default") -> Path:
    """A kubeconfig (JSON is YAML) with one context; the certificate is copied into it."""
    authority = base64.b64encode(ca.read_bytes()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "brownout",
        "clusters": [{"name": "brownout", "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": "brownout", "user": {"token": token}}],
        "contexts": [
            {"name": "brownout", "context": {"cluster": "brownout", "user": "brownout", "namespace": namespace}}
        ],
    }
    return write_private(path, json.dumps(config, indent=2) + "\n")
