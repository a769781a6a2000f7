"""Whether a target that was given back is itself again. Pure."""

from collections.abc import Mapping
from typing import Any

from brownout.ledger.entries import Found


def is_available(found: Found) -> bool:
    """A Deployment or StatefulSet whose controller has seen the last change and has all its replicas available.

    As `kubectl rollout status` reads it. Anything else is available as soon as it is written.
    """
    if found.target.kind not in ("Deployment", "StatefulSet"):
        return True
    body: Mapping[str, Any] = found.body
    status, wanted = body.get("status") or {}, (body.get("spec") or {}).get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= body["metadata"].get("generation", 0)
    return bool(seen and status.get("availableReplicas", 0) >= wanted)
