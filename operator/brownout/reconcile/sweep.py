"""Lists and compares: what the watch missed, claims of policies that exist no more, and metadata nobody knows."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from brownout.act.executor import Executor
from brownout.act.survey import Survey
from brownout.api.load import Metadata, load_metadata
from brownout.api.refs import PolicyRef
from brownout.clock import Clock
from brownout.cluster.kinds import POLICY, TARGETS, Kind
from brownout.cluster.port import Cluster
from brownout.ledger.entries import HELD_LABEL, Found, Illegible
from brownout.reconcile.bring import Bringer
from brownout.reconcile.intake import Intake
from brownout.reconcile.pace import GiveBackPace
from brownout.reconcile.record import LEAST_VITAL
from brownout.reconcile.store import Store
from brownout.report.events import stale_ledger_removed
from brownout.report.recorder import Recorder

log = logging.getLogger(__name__)

EVERY = 300.0
"""Seconds between two sweeps."""
SOON = 2.0
"""Seconds after something odd was seen, such as a claim of a policy that is not known."""
_NOBODY = PolicyRef(namespace="", name="", uid="")


class Sweep:
    """Runs at the start, every few minutes, and soon after something odd was seen."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        clock: Clock,
        store: Store,
        intake: Intake,
        executor: Executor,
        recorder: Recorder,
        pace: GiveBackPace,
        namespaces: Sequence[str],
        odd: asyncio.Event,
    ) -> None:
        """`namespaces`: ours; all if empty. `odd` is set when something was seen that does not fit."""
        self._cluster, self._clock, self._store, self._intake = cluster, clock, store, intake
        self._executor, self._recorder, self._pace = executor, recorder, pace
        self._namespaces = tuple(namespaces) or ("",)
        self._survey = Survey(cluster)
        self._bringer = Bringer(self._survey, lambda found: store.remembered(found.target))
        self._odd = odd

    async def run(self) -> None:
        """Sweeps until cancelled."""
        while True:
            await self._wait()
            await self.policies()
            for kind in TARGETS.values():
                await self._held(kind)
            await self.unknown()

    async def _wait(self) -> None:
        soon = asyncio.ensure_future(self._odd.wait())
        slept = asyncio.ensure_future(self._clock.sleep(EVERY))
        try:
            await asyncio.wait({soon, slept}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            soon.cancel()
            slept.cancel()
        if self._odd.is_set():
            await self._clock.sleep(SOON)
            self._odd.clear()

    async def policies(self) -> None:
        """Policies that came, went or changed without the watch saying so."""
        for scope in self._namespaces:
            before = {key for key in self._store.records if scope in ("", key[0])}
            answer = await self._cluster.list(POLICY, scope, metadata_only=True)
            if not answer.ok:
                log.warning("sweep: policies could not be listed: %s %s", answer.status, answer.message)
                continue
            listed = {(each.namespace, each.name): each for each in map(load_metadata, answer.items)}
            news = {key for key, each in listed.items() if self._is_news(key, each)}
            for namespace, name in sorted((before - listed.keys()) | news):
                current = await self._cluster.get(POLICY, namespace, name)
                if current.ok or current.missing:
                    self._intake.policy(namespace, name, current.body if current.ok else None)

    def _is_news(self, key: tuple[str, str], about: Metadata) -> bool:
        record = self._store.records.get(key)
        return record is None or replace(about, resource_version=record.about.resource_version) != record.about

    async def _held(self, kind: Kind) -> None:
        for scope in self._namespaces:
            before = {key for key in self._store.index if key[0] == kind.kind and scope in ("", key[1])}
            answer = await self._cluster.list(kind, scope, selector=HELD_LABEL, metadata_only=True)
            if not answer.ok:
                if answer.status != 404:
                    log.warning("sweep: held %s could not be listed: %s", kind.plural, answer.message)
                continue
            bodies = {
                (kind.kind, each["metadata"].get("namespace", ""), each["metadata"]["name"]): {
                    **each,
                    "apiVersion": kind.api_version,
                    "kind": kind.kind,
                }
                for each in answer.items
            }
            let_go_meanwhile = before - self._store.index.keys()
            for key in before - bodies.keys():
                self._intake.target(key, None)
            for key in bodies.keys() - let_go_meanwhile:
                known = self._store.index.get(key)
                if known is None or known.version != bodies[key]["metadata"]["resourceVersion"]:
                    self._intake.target(key, bodies[key])

    async def unknown(self) -> None:
        """Gives back what is claimed for policies that exist no more; strips what nobody knows."""
        for found in list(self._store.index.values()):
            if isinstance(found.ledger, Illegible):
                if not self._store.remembered(found.target):
                    await self._settle(found, _NOBODY, frozenset())
                continue
            claiming = {policy for entry in found.held.values() for policy in entry.claims}
            orphans = frozenset([policy for policy in sorted(claiming) if await self._is_orphan(policy)])
            if orphans and self._pace.ask(f"orphans of {found.target}", LEAST_VITAL, 1, self._clock.now()):
                await self._settle(found, min(orphans), orphans)

    async def _is_orphan(self, policy: PolicyRef) -> bool:
        """Only a live answer that names the policy, or shows another uid, says so; never a cache or a 403."""
        if self._store.record_of(policy) is not None:
            return False
        if self._namespaces != ("",) and policy.namespace not in self._namespaces:
            return False
        answer = await self._cluster.get(POLICY, policy.namespace, policy.name)
        return answer.missing or (answer.ok and answer.body["metadata"]["uid"] != policy.uid)

    async def _settle(self, found: Found, policy: PolicyRef, orphans: frozenset[PolicyRef]) -> None:
        async with self._store.lock(found.target):
            again = await self._survey.look_again(found.target)
            if not isinstance(again, Found):
                return
            brought = await self._bringer.bring(again, {}, policy, self._executor, self._clock.now(), orphans=orphans)
        if brought.found is not None:
            self._store.saw(brought.found)
        if brought.stripped is not None and isinstance(found.ledger, Illegible):
            self._recorder.record(stale_ledger_removed(found.target, found.ledger.message))
        if brought.stuck is not None:
            log.error("%s", brought.stuck.message)
        if orphans and brought.failed is None:
            names = ", ".join(str(each) for each in sorted(orphans))
            log.info("%s: nothing is claimed any more for policies that are gone (%s)", found.target, names)
