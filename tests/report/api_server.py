"""A small API server in memory: policies' status and events, with the rules the real one has about them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from brownout.cluster.kinds import EVENT, POLICY, Kind
from brownout.cluster.port import UNANSWERED, Answer, Content

MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class SmallServer:
    """Answers of `script` come first, one each request that writes; then it behaves."""

    def __init__(self, *script: Answer) -> None:
        self.script = list(script)
        self.policies: dict[str, dict[str, Any]] = {}
        self.events: dict[str, dict[str, Any]] = {}
        self.sent: list[dict[str, Any]] = []
        self.asked = 0
        self.hang: asyncio.Event | None = None

    def put(self, name: str, uid: str, status: Mapping[str, Any], version: int = 1) -> None:
        metadata = {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": str(version)}
        self.policies[name] = {"metadata": metadata, "status": dict(status)}

    async def get(self, kind: Kind, namespace: str, name: str, *, timeout: float = 10.0) -> Answer:
        assert kind is POLICY
        self.asked += 1
        if name not in self.policies:
            return Answer(status=404, reason="NotFound", body={"details": {"name": name}}, message=f"{name} not found")
        return Answer(status=200, body=json.loads(json.dumps(self.policies[name])))

    async def list(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        selector: str = "",
        metadata_only: bool = False,
        timeout: float = 30.0,
    ) -> Answer:
        return Answer(status=200, body={"items": []})

    async def create(
        self, kind: Kind, namespace: str, body: Mapping[str, Any], *, manager: str, timeout: float = 10.0
    ) -> Answer:
        assert kind is EVENT
        self.sent.append(dict(body))
        if self.hang is not None:
            await self.hang.wait()
        if self.script:
            return self.script.pop(0)
        if problem := _invalid_event(body, namespace):
            return Answer(status=422, reason="Invalid", message=problem)
        self.events[body["metadata"]["name"]] = json.loads(json.dumps(body))
        return Answer(status=201, body=body)

    async def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        body: str,
        content: Content,
        *,
        manager: str,
        subresource: str = "",
        timeout: float = 10.0,
    ) -> Answer:
        assert content is Content.MERGE_PATCH
        patch = json.loads(body)
        self.sent.append(patch)
        if self.script:
            return self.script.pop(0)
        return self._patch_event(name, patch) if kind is EVENT else self._patch_status(name, patch, subresource)

    def _patch_event(self, name: str, patch: dict[str, Any]) -> Answer:
        if name not in self.events:
            return Answer(status=404, reason="NotFound", body={"details": {"name": name}})
        if set(patch) != {"series"} or patch["series"]["count"] < 2:
            return Answer(status=422, reason="Invalid", message="only series may change, from 2 on")
        self.events[name] |= patch
        return Answer(status=200, body=self.events[name])

    def _patch_status(self, name: str, patch: dict[str, Any], subresource: str) -> Answer:
        assert subresource == "status"
        if name not in self.policies:
            return Answer(status=404, reason="NotFound", body={"details": {"name": name}}, message=f"{name} not found")
        stored = self.policies[name]
        if patch["metadata"]["resourceVersion"] != stored["metadata"]["resourceVersion"]:
            return Answer(status=409, reason="Conflict", message="the object has been modified")
        stored["status"] = merged(stored["status"], patch["status"])
        stored["metadata"]["resourceVersion"] = str(int(stored["metadata"]["resourceVersion"]) + 1)
        return Answer(status=200, body=json.loads(json.dumps(stored)))


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def refused(status: int, message: str = "no") -> Answer:
    return Answer(status=status, reason="Refused", message=message)


def unanswered() -> Answer:
    return Answer(status=UNANSWERED, reason="Unanswered", message="did not answer within 10 s")


def _invalid_event(body: Mapping[str, Any], namespace: str) -> str:
    """The rules of k8s.io/kubernetes pkg/apis/core/validation/events.go that can be broken here."""
    regarding = body["regarding"]
    rules = {
        "note is longer than 1024 bytes": len(body["note"].encode()) <= 1024,
        "action is required, at most 128": 0 < len(body["action"].encode()) <= 128,
        "reason is required, at most 128": 0 < len(body["reason"].encode()) <= 128,
        "reportingController is required": bool(body["reportingController"]),
        "reportingInstance is required, at most 128": 0 < len(body["reportingInstance"].encode()) <= 128,
        "eventTime must have six digits": bool(MICRO_TIME.fullmatch(body["eventTime"])),
        "type is Normal or Warning": body["type"] in ("Normal", "Warning"),
        "series.count must be at least 2": body.get("series", {"count": 2})["count"] >= 2,
        "namespace must be regarding's, or default": namespace == regarding.get("namespace", "default"),
        "metadata.namespace must be the request's": body["metadata"]["namespace"] == namespace,
        "name must be a DNS subdomain": bool(re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", body["metadata"]["name"]))
        and len(body["metadata"]["name"]) <= 253,
    }
    return "; ".join(rule for rule, kept in rules.items() if not kept)
