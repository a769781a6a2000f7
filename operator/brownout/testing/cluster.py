"""An API server in memory, behaving as the real one does: conformance.py is the proof, run against both."""

import asyncio
import itertools
from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, TypeAlias

from brownout.clock import Clock
from brownout.cluster.freshness import WATCHED
from brownout.cluster.inbox import Change, change_of
from brownout.cluster.kinds import TARGETS, Kind
from brownout.cluster.port import Answer, Cluster, Content
from brownout.ledger.entries import HELD_LABEL
from brownout.testing.json_patch import Malformed, Unapplicable, apply_json_patch, apply_merge_patch
from brownout.testing.managed_fields import Manager, encode, given, updated
from brownout.testing.rules import failure, has_status, next_generation, normal, refusal
from brownout.testing.selectors import BadSelector, matches

Body: TypeAlias = dict[str, Any]
Admission: TypeAlias = Callable[[Kind, Body], None]
"""Changes the object that is about to be stored, as a mutating webhook would."""


class InMemoryCluster(Cluster):
    """Objects, their owners, and whoever wants to know of changes. Bodies that are handed out are not to be changed.

    It knows no schemas: nothing is pruned, validated or defaulted beyond rules.py, and lists are owned as a whole.
    `absent`: kinds whose CRD is not there. `admission`: hooks for each create and patch of an object itself.
    `writes` counts the requests that may write, refused ones included.
    """

    def __init__(self, clock: Clock, *, absent: Collection[Kind] = ()) -> None:
        self._clock = clock
        self._objects: dict[Kind, dict[str, Body]] = {}
        self._revisions = itertools.count(1001)
        self._latest = "1000"
        self._uids = itertools.count(1)
        self._listeners: list[Callable[[Change], None]] = []
        self.absent = set(absent)
        self.admission: list[Admission] = []
        self.writes = 0

    async def get(self, kind: Kind, namespace: str, name: str, *, timeout: float = 10.0) -> Answer:
        await asyncio.sleep(0)
        if kind in self.absent:
            return _no_page()
        found = self._find(kind, namespace, name)
        return Answer(status=200, body=found) if found else _not_found(kind, name)

    async def list(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        selector: str = "",
        metadata_only: bool = False,
        timeout: float = 30.0,
    ) -> Answer:
        await asyncio.sleep(0)
        if kind in self.absent:
            return _no_page()
        try:
            found = [
                body
                for key, body in sorted(self._objects.get(kind, {}).items())
                if (not namespace or key.startswith(f"{namespace}/")) and matches(selector, _labels(body))
            ]
        except BadSelector as error:
            return failure(400, "BadRequest", str(error))
        if metadata_only:
            found = [{key: body[key] for key in ("apiVersion", "kind", "metadata")} for body in found]
        head = {
            "kind": f"{kind.kind}List",
            "apiVersion": kind.api_version,
            "metadata": {"resourceVersion": self._latest},
        }
        return Answer(status=200, body={**head, "items": found})

    async def create(
        self, kind: Kind, namespace: str, body: Mapping[str, Any], *, manager: str, timeout: float = 10.0
    ) -> Answer:
        await asyncio.sleep(0)
        self.writes += 1
        if kind in self.absent:
            return _no_page()
        return self.seed(kind, {**body, "metadata": {**body["metadata"], **_place(kind, namespace)}}, manager=manager)

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
        await asyncio.sleep(0)
        self.writes += 1
        old = self._find(kind, namespace, name)
        if kind in self.absent or (subresource and not (subresource == "status" and has_status(kind))):
            return _no_page()
        if old is None:
            return _not_found(kind, name)
        try:
            new = (apply_json_patch if content is Content.JSON_PATCH else apply_merge_patch)(old, body)
        except Malformed as error:
            return failure(400, "BadRequest", str(error))
        except Unapplicable:
            return failure(422, "Invalid", "the server rejected our request due to an error in our request")
        by = Manager(manager, "Update", kind.api_version, subresource)
        return self._change(kind, old, new, by) if isinstance(new.get("metadata"), dict) else _no_page()

    async def served(self, kind: Kind, *, timeout: float = 10.0) -> bool | None:
        await asyncio.sleep(0)
        return kind not in self.absent

    async def version(self, *, timeout: float = 5.0) -> Answer:
        await asyncio.sleep(0)
        return Answer(status=200, body={"gitVersion": "v0.0.0-memory"})

    def seed(self, kind: Kind, body: Mapping[str, Any], *, manager: str, operation: str = "Update") -> Answer:
        """Creates an object, its namespace in its metadata, as somebody else would: with kubectl, or with `Apply`."""
        metadata = deepcopy(dict(body["metadata"]))
        key = _key(metadata.get("namespace", ""), metadata["name"])
        if key in self._objects.get(kind, {}):
            text = f'{_resource(kind)} "{metadata["name"]}" already exists'
            return failure(409, "AlreadyExists", text, kind.plural, metadata["name"])
        metadata |= {"uid": f"00000000-0000-4000-8000-{next(self._uids):012d}", "creationTimestamp": self._time()}
        metadata.pop("managedFields", None)
        fresh = {key: deepcopy(value) for key, value in body.items() if key != "status" or not has_status(kind)}
        new = self._admitted(kind, {**fresh, "metadata": metadata})
        refused = refusal(kind, None, new)
        if refused:
            return refused
        by = Manager(manager, operation, kind.api_version)
        metadata = {**new["metadata"], "managedFields": encode(updated({}, {}, new, by, self._time()))}
        metadata |= {"generation": 1} if has_status(kind) else {}
        return Answer(status=201, body=self._store(kind, None, {**new, "metadata": metadata}))

    def delete(self, kind: Kind, namespace: str, name: str) -> Answer:
        """As `kubectl delete`: an object with finalizers stays, and says since when it is going."""
        old = self._find(kind, namespace, name)
        if old is None:
            return _not_found(kind, name)
        metadata = old["metadata"]
        if not metadata.get("finalizers"):
            self._drop(kind, old)
        elif not metadata.get("deletionTimestamp"):
            going = {"deletionTimestamp": self._time(), "deletionGracePeriodSeconds": 0}
            going |= {"generation": metadata["generation"] + 1} if has_status(kind) else {}
            self._store(kind, old, {**old, "metadata": {**metadata, **going}})
        return Answer(status=200, body=old)

    def subscribe(self, put: Callable[[Change], None]) -> None:
        """Tells what is there, then each change, as the watch would: targets only while they bear the held label."""
        self._listeners.append(put)
        for kind in WATCHED:
            for body in self._objects.get(kind, {}).values():
                if _is_told(kind, body):
                    put(change_of(kind, body))

    def _change(self, kind: Kind, old: Body, new: Body, by: Manager) -> Answer:
        name = old["metadata"]["name"]
        if (
            new["metadata"].get("resourceVersion", old["metadata"]["resourceVersion"])
            != old["metadata"]["resourceVersion"]
        ):
            return _conflict(kind, name)
        if new["metadata"].get("name") != name:
            return failure(400, "BadRequest", "the name of the object does not match the name on the URL")
        brought = new["metadata"].get("managedFields")
        asked = normal(kind, _merged(kind, old, new, by.subresource))
        new = self._admitted(kind, deepcopy(asked) if self.admission else asked)
        refused = refusal(kind, old, new)
        if refused:
            return refused
        before = old["metadata"].get("managedFields") or []
        base = given(before, None if by.subresource else brought)
        # Who owns what is settled before admission, by what was asked for: even of a field that admission sets back.
        managed = encode(updated(base, old, asked, by, self._time()))
        metadata = {**new["metadata"], "managedFields": managed}
        generation = next_generation(kind, old, new)
        metadata |= {"generation": generation} if generation is not None else {}
        new = {**new, "metadata": metadata}
        return Answer(status=200, body=old if new == old else self._store(kind, old, new))

    def _admitted(self, kind: Kind, body: Body) -> Body:
        for hook in self.admission:
            hook(kind, body)
        return normal(kind, body)

    def _store(self, kind: Kind, old: Body | None, new: Body) -> Body:
        self._latest = str(next(self._revisions))
        new = {**new, "metadata": {**new["metadata"], "resourceVersion": self._latest}}
        if new["metadata"].get("deletionTimestamp") and not new["metadata"].get("finalizers"):
            self._drop(kind, old or new)
            return new
        self._objects.setdefault(kind, {})[_key_of(new)] = new
        self._tell(kind, old, new)
        return new

    def _drop(self, kind: Kind, old: Body) -> None:
        del self._objects[kind][_key_of(old)]
        self._tell(kind, old, None)

    def _tell(self, kind: Kind, old: Body | None, new: Body | None) -> None:
        gone = new is None or not _is_told(kind, new)
        told = new if not gone else old
        if told is None or (gone and not _is_told(kind, told)):
            return
        for put in self._listeners:
            put(change_of(kind, told, gone=gone))

    def _find(self, kind: Kind, namespace: str, name: str) -> Body | None:
        return self._objects.get(kind, {}).get(_key(namespace if kind.namespaced else "", name))

    def _time(self) -> str:
        return datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _merged(kind: Kind, old: Body, new: Body, subresource: str) -> Body:
    """What of a write counts: of the object all but its status, of /status the status alone; never system metadata."""
    if subresource:
        rest = {key: value for key, value in old.items() if key != "status"}
        return {**rest, **({"status": new["status"]} if "status" in new else {})}
    fixed = ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion")
    kept = {key: old["metadata"][key] for key in fixed if key in old["metadata"]}
    metadata = {key: value for key, value in new["metadata"].items() if key not in fixed} | kept
    result = {key: value for key, value in new.items() if key != "status" or not has_status(kind)}
    if has_status(kind) and "status" in old:
        result["status"] = old["status"]
    return {**result, "metadata": {"uid": old["metadata"]["uid"], **metadata}}


def _place(kind: Kind, namespace: str) -> dict[str, str]:
    return {"namespace": namespace} if kind.namespaced else {}


def _key(namespace: str, name: str) -> str:
    return f"{namespace}/{name}"


def _key_of(body: Mapping[str, Any]) -> str:
    return _key(body["metadata"].get("namespace", ""), body["metadata"]["name"])


def _labels(body: Mapping[str, Any]) -> Mapping[str, str]:
    labels: Mapping[str, str] = body["metadata"].get("labels") or {}
    return labels


def _is_told(kind: Kind, body: Mapping[str, Any]) -> bool:
    return kind in WATCHED and (kind.kind not in TARGETS or HELD_LABEL in _labels(body))


def _resource(kind: Kind) -> str:
    group = kind.api_version.rpartition("/")[0]
    return f"{kind.plural}.{group}" if group else kind.plural


def _not_found(kind: Kind, name: str) -> Answer:
    return failure(404, "NotFound", f'{_resource(kind)} "{name}" not found', kind.plural, name)


def _conflict(kind: Kind, name: str) -> Answer:
    text = "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {_resource(kind)} "{name}": {text}'
    return failure(409, "Conflict", message, kind.plural, name)


def _no_page() -> Answer:
    return Answer(status=404, reason="HTTP404", message="404 page not found")
