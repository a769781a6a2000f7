"""Objects, requests and expectations that the cases of conformance are made of."""

import json
from collections.abc import Mapping
from typing import Any

from brownout.cluster.kinds import CONFIG_MAP, CRON_JOB, DEPLOYMENT, FEATURE_FLAG, POLICY, Kind
from brownout.cluster.port import Content
from brownout.testing.conformance import Create, Expected, Patched, ops

NO_KIND = Kind("nothing.brownout.dev/v1", "Nothing", "nothings")
STRANGE = "a<b & c>d é 日本   end"


def named(kind: Kind, rest: Mapping[str, Any], **metadata: Any) -> Create:
    name = metadata.pop("name", "it")
    return Create(
        kind=kind,
        body={"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name, **metadata}, **rest},
    )


def config(data: Mapping[str, str] | None = None, **metadata: Any) -> Create:
    return named(CONFIG_MAP, {"data": dict(data)} if data else {}, **metadata)


def cron_job(**metadata: Any) -> Create:
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}
    spec = {
        "schedule": "0 0 1 1 *",
        "suspend": True,
        "jobTemplate": {"spec": {"template": {"spec": pod}}},
    }
    return named(CRON_JOB, {"spec": spec}, **metadata)


def deployment() -> Create:
    labels = {"app": "it"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    return named(DEPLOYMENT, {"spec": {"paused": True, "selector": {"matchLabels": labels}, "template": template}})


def flag() -> Create:
    one = {
        "state": "ENABLED",
        "variants": {"on": True, "off": False, "many": 18.0},
        "defaultVariant": "on",
        "targeting": {"if": [True, "on", "off"]},
    }
    return named(FEATURE_FLAG, {"spec": {"flagSpec": {"flags": {"one": one}}}})


def policy(status: Mapping[str, Any] | None = None, **metadata: Any) -> Create:
    spec = {
        "mode": "DryRun",
        "signals": [{"name": "s", "query": "vector(0)"}],
        "levels": [
            {
                "name": "trimmed",
                "when": {"anyOf": [{"signal": "s", "enterAbove": 2, "exitBelow": 1}]},
                "for": "30s",
                "recoverAfter": "1m",
                "actions": [{"name": "a", "scale": {"target": {"kind": "Deployment", "name": "x"}, "atMost": 1}}],
            }
        ],
    }
    return named(POLICY, {"spec": spec, **({"status": dict(status)} if status else {})}, **metadata)


def version(body: Mapping[str, Any]) -> Any:
    return body["metadata"]["resourceVersion"]


def uid(body: Mapping[str, Any]) -> Any:
    return body["metadata"]["uid"]


def ok(**more: Any) -> Expected:
    return Expected(status=200, **more)


MADE = Expected(status=201)
REFUSED = Expected(status=422, reason="Invalid")
STALE = Expected(status=409, reason="Conflict")
MALFORMED = Expected(status=400, reason="BadRequest")
NO_OBJECT = Expected(status=404, reason="NotFound", missing=True)
NO_PAGE = Expected(status=404, reason="HTTP404")


def merge(kind: Kind, body: Mapping[str, Any], subresource: str = "") -> Patched:
    return Patched(kind=kind, patch=json.dumps(body), content=Content.MERGE_PATCH, subresource=subresource)


def json_patch(kind: Kind, *operations: Any, subresource: str = "") -> Patched:
    return Patched(kind=kind, patch=ops(*operations), subresource=subresource)


def raw(text: str) -> Patched:
    return Patched(kind=CONFIG_MAP, patch=text)
