"""A child process ends when its parent does: the parent holds the other end of the child's standard input."""

from __future__ import annotations

import asyncio
import sys


async def until_parent_gone() -> None:
    """Return when standard input has ended."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
