"""kubectl, run as a person would."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE
from pathlib import Path

from e2e.controlplane.handle import Controlplane

TIMEOUT = 60.0


class KubectlError(Exception):
    """kubectl ended with another code than 0; the text is what it said."""


class Kubectl:
    """Runs kubectl as the administrator of a local control plane."""

    def __init__(self, plane: Controlplane) -> None:
        self._program = plane.kubectl
        self._environment = plane.environment()

    async def __call__(self, *words: str | Path, text: str = "") -> str:
        """`kubectl WORDS`, with `text` as its input; returns what it prints. Raises KubectlError or TimeoutError."""
        process = await asyncio.create_subprocess_exec(
            self._program, *words, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=self._environment
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(text.encode()), TIMEOUT)
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(map(str, words))}: {err.decode().strip()}")
        return out.decode()
