"""What the API server itself makes of an object: defaults, empty maps, the rules of metadata."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from brownout.cluster.kinds import CONFIG_MAP, CRON_JOB, DEPLOYMENT, EVENT, JOB, SECRET, STATEFUL_SET, Kind
from brownout.cluster.port import Answer

ANNOTATIONS_LIMIT = 256 * 1024
"""Bytes of all annotations together (k8s.io/apimachinery, TotalAnnotationSizeLimitB)."""

_DEFAULTS: Mapping[Kind, Mapping[str, Any]] = {
    DEPLOYMENT: {"replicas": 1},
    STATEFUL_SET: {"replicas": 1},
    CRON_JOB: {"suspend": False},
    JOB: {"suspend": False},
}
_WITHOUT_STATUS = frozenset({CONFIG_MAP, SECRET, EVENT})
_FORGOTTEN_WHEN_EMPTY = ("labels", "annotations", "finalizers", "ownerReferences")
_LABEL_VALUE = re.compile(r"^(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?$")


def has_status(kind: Kind) -> bool:
    return kind not in _WITHOUT_STATUS


def normal(kind: Kind, body: dict[str, Any]) -> dict[str, Any]:
    """The object as it would be stored: defaults set, empty maps of metadata and data left out."""
    metadata = {key: value for key, value in body["metadata"].items() if value or key not in _FORGOTTEN_WHEN_EMPTY}
    result = {**body, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
    if kind in _DEFAULTS:
        spec = {key: value for key, value in (result.get("spec") or {}).items() if value is not None}
        result["spec"] = {**_DEFAULTS[kind], **spec}
    if kind in (CONFIG_MAP, SECRET):
        result = {key: value for key, value in result.items() if value or key not in ("data", "binaryData")}
    stored: dict[str, Any] = _numbers(result)
    return stored


def next_generation(kind: Kind, old: Mapping[str, Any], new: Mapping[str, Any]) -> int | None:
    """A Deployment's annotations count as well (apps/deployment strategy); kinds without status have none."""
    if not has_status(kind):
        return None
    before: int = old["metadata"].get("generation", 1)
    changed = _wanted(old) != _wanted(new)
    if kind == DEPLOYMENT:
        changed = changed or old["metadata"].get("annotations") != new["metadata"].get("annotations")
    return before + 1 if changed else before


def refusal(kind: Kind, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> Answer | None:
    """The 422 for an object that breaks a rule, naming each field."""
    metadata = new["metadata"]
    causes = [*_label_causes(metadata), *_annotation_causes(metadata)]
    if old is not None:
        causes += [*_finalizer_causes(old["metadata"], metadata), *_immutable_causes(kind, old, new)]
    if not causes:
        return None
    message = f'{kind.kind} "{metadata.get("name")}" is invalid: ' + ", ".join(
        f"{field}: {text}" for field, text in causes
    )
    return failure(
        422, "Invalid", message, kind.kind, metadata.get("name", ""), [{"field": f, "message": t} for f, t in causes]
    )


def failure(
    status: int, reason: str, message: str, kind: str = "", name: str = "", causes: Sequence[Any] = ()
) -> Answer:
    """An Answer with the Status body that an API server sends."""
    details = {key: value for key, value in (("name", name), ("kind", kind), ("causes", list(causes))) if value}
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": details,
        "code": status,
    }
    return Answer(status=status, body=body, reason=reason, message=message)


def _wanted(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in body.items() if key not in ("metadata", "status")}


def _label_causes(metadata: Mapping[str, Any]) -> list[tuple[str, str]]:
    labels = metadata.get("labels") or {}
    return [
        ("metadata.labels", f'Invalid value: "{value}"')
        for value in labels.values()
        if not isinstance(value, str) or not _LABEL_VALUE.match(value)
    ]


def _annotation_causes(metadata: Mapping[str, Any]) -> list[tuple[str, str]]:
    size = sum(len(key.encode()) + len(value.encode()) for key, value in (metadata.get("annotations") or {}).items())
    return [("metadata.annotations", "Too long: may not be more than 262144 bytes")] if size > ANNOTATIONS_LIMIT else []


def _finalizer_causes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str]]:
    added = set(new.get("finalizers") or ()) - set(old.get("finalizers") or ())
    if not old.get("deletionTimestamp") or not added:
        return []
    text = "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
    return [("metadata.finalizers", text + str(sorted(added)))]


def _immutable_causes(kind: Kind, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str]]:
    causes = []
    if new["metadata"].get("uid") != old["metadata"].get("uid"):
        causes.append(("metadata.uid", "Invalid value: field is immutable"))
    if kind in (CONFIG_MAP, SECRET) and old.get("immutable"):
        text = "Forbidden: field is immutable when `immutable` is set"
        causes += [(field, text) for field in ("data", "binaryData", "immutable") if old.get(field) != new.get(field)]
    return causes


def _numbers(value: Any) -> Any:
    """18.0 is stored as 18."""
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
