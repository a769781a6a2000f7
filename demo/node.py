"""The demo's node: it runs one real process for each pod of a namespace and writes the flag file the shop reads.

What kubelet does with containers, this does with processes: the pod's first container names the program in its
arguments. So whatever is changed in the API (replicas, suspend, a flag) really changes the load on the shop.
"""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import Process
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from demo.children import Children, listener, port_of

Object: TypeAlias = Mapping[str, Any]


def programs(pods: Iterable[Object]) -> dict[str, tuple[str, ...]]:
    """The arguments of what should run, by pod uid: all pods but those that are going or have failed.

    A pod that the control plane calls Succeeded stays: kwok completes the pods of Jobs early, their process
    ends by itself.
    """
    return {
        pod["metadata"]["uid"]: tuple(pod["spec"]["containers"][0].get("args", ()))
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") != "Failed"
    }


def flag_file_of(flag: Object) -> str:
    """The text of the file that flagd reads for a FeatureFlag object."""
    return json.dumps(flag["spec"]["flagSpec"])


class Node:
    """Runs the pods of one namespace. The shop's address stays the same even if its pod is replaced."""

    def __init__(self, namespace: str, children: Children, folder: Path) -> None:
        self.namespace = namespace
        self.flag_file = folder / f"{namespace}.flagd.json"
        self._children = children
        self._socket = listener()
        self._started: dict[str, Process] = {}
        self._turn = asyncio.Lock()

    @property
    def port(self) -> int:
        """The shop's port on loopback."""
        return port_of(self._socket)

    def close(self) -> None:
        """Free the shop's port; the processes are the children's."""
        self._socket.close()

    def running(self) -> int:
        """How many of the processes run now."""
        return sum(process.returncode is None for process in self._started.values())

    def write_flag(self, flag: Object) -> None:
        """Replace the flag file in one step, so that the shop never reads half of one."""
        fresh = self.flag_file.with_suffix(".new")
        fresh.write_text(flag_file_of(flag))
        os.replace(fresh, self.flag_file)

    async def run(self, pods: Iterable[Object]) -> None:
        """Start what is missing and stop what should no longer run; one call at a time."""
        wanted = programs(pods)
        async with self._turn:
            for uid in self._started.keys() - wanted.keys():
                await self._children.stop(self._started.pop(uid))
            for uid, arguments in wanted.items():
                if uid not in self._started and arguments:
                    self._started[uid] = await self._start(arguments)

    async def _start(self, arguments: tuple[str, ...]) -> Process:
        kind, rest = arguments[0], arguments[1:]
        if kind == "shop":
            return await self._children.python(
                f"{self.namespace}-shop",
                "demo.shop_server",
                str(self._socket.fileno()),
                str(self.flag_file),
                inherit=self._socket,
            )
        return await self._children.python(f"{self.namespace}-{rest[0]}", "demo.worker", str(self.port), *rest)
