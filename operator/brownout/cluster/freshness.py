"""Whether what the watch has told is complete and current."""

from collections.abc import Collection, Sequence

from brownout.cluster.kinds import FEATURE_FLAG, POLICY, SOURCE, TARGETS, Kind

WATCHED: Sequence[Kind] = (POLICY, SOURCE, *TARGETS.values())
"""Our own kinds, whole; and the kinds a lever may change, as far as they bear our label."""
_OPTIONAL = frozenset({FEATURE_FLAG})
"""Kinds whose CRD may be missing: they count from the first request that kopf makes for them."""


class Freshness:
    """Follows the requests of one run of the watch: which collections are watched, which are lost.

    A collection is listed first and watched from there; so a watch that is answered means that its list was read
    to the end. Written by the watch's thread, read by any: each step is one operation on a set.
    """

    def __init__(self, namespaces: Collection[str] = ()) -> None:
        self._kinds = {
            kind.path(namespace if kind.namespaced else ""): kind
            for kind in WATCHED
            for namespace in namespaces or ("",)
        }
        self._expected = {path for path, kind in self._kinds.items() if kind not in _OPTIONAL}
        self._barred: set[str] = set()
        self._watched: set[str] = set()
        self._listed: set[str] = set()

    def kind_of(self, path: str) -> Kind | None:
        """The kind whose collection is at a path, if it is one of ours."""
        return self._kinds.get(path)

    def asked(self, path: str) -> None:
        """A list begins: what it will say is not known yet."""
        if path not in self._barred:
            self._expected.add(path)
        self._listed.discard(path)
        self._watched.discard(path)

    def watching(self, path: str) -> None:
        self._barred.discard(path)
        self._expected.add(path)
        self._watched.add(path)

    def lost(self, path: str, status: int = 0) -> None:
        """A request failed. Not waited for: with a 404 an optional kind, which is gone, and with a 403 a target's kind,
        since only the actions that need it cannot work; it counts again once it is watched."""
        self._watched.discard(path)
        kind = self._kinds[path]
        if status == 403 and kind.kind in TARGETS:
            self._barred.add(path)
        if path in self._barred or (status == 404 and kind in _OPTIONAL):
            self._expected.discard(path)

    def listed(self, path: str) -> None:
        """Everything its list held has been told."""
        self._listed.add(path)

    @property
    def synced(self) -> bool:
        """Each collection has been listed and told."""
        return self._expected <= self._listed

    @property
    def current(self) -> bool:
        """Synced, and each collection is being watched now."""
        return self.synced and self._expected <= self._watched
