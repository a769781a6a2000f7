"""Two figures of a running operator: how fast it acts, and what watching idle policies costs.

    make figures        or      python -m e2e.controlplane -- python -m e2e.figures [flips|idle]

Absolute times depend on the machine; `docs/reference/performance.md` keeps the last run and says on what.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from e2e.controlplane.api import trusting
from e2e.controlplane.handle import Controlplane
from e2e.fixtures import objects
from e2e.fixtures.kubectl import Kubectl, Object
from e2e.fixtures.operator import Operator
from e2e.fixtures.polling import until
from e2e.gauge import Gauges

PROJECT = Path(__file__).parent.parent
SYSTEM = "brownout-system"
IDLE_FOR = 180.0
"""Seconds over which idle policies are measured, after all of them were evaluated."""
ACCOUNT = "system:serviceaccount:brownout-system:brownout"


@dataclass(slots=True)
class Stage:
    """A namespace with a source, an operator and a gauge."""

    controlplane: Controlplane
    kubectl: Kubectl
    gauges: Gauges
    operator: Operator

    @property
    def namespace(self) -> str:
        return self.kubectl.namespace


@contextmanager
def staged(purpose: str) -> Iterator[Stage]:
    """Everything installed in a namespace of its own, the operator not yet started."""
    namespace = f"figures-{purpose}-{int(time.time())}"
    controlplane = Controlplane.here()
    if controlplane is None:
        sys.exit("no control plane here: run `make figures`")
    admin = Kubectl(command=controlplane.kubectl, kubeconfig=controlplane.kubeconfig)
    for name in (namespace, SYSTEM):
        admin.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    admin.apply(*sorted((PROJECT / "crds").glob("*.yaml")), server_side=True)
    replace(admin, namespace=SYSTEM).apply(*sorted((PROJECT / "manifests" / "rbac").glob("*.yaml")))
    admin.wait("crd", "degradationpolicies.brownout.dev", "condition=Established")
    source = {"apiVersion": "brownout.dev/v1alpha1", "kind": "PrometheusSource", "metadata": {"name": namespace}}
    admin.apply({**source, "spec": {"url": controlplane.prometheus_url}})
    token = admin.run("create", "token", "brownout", f"--namespace={SYSTEM}", "--duration=2h").strip()
    with tempfile.TemporaryDirectory() as folder, Gauges(controlplane) as gauges:
        kubeconfig = controlplane.kubeconfig_for(token, Path(folder) / "kubeconfig")
        operator = Operator(kubeconfig, namespace, Path(folder))
        try:
            yield Stage(controlplane, replace(admin, namespace=namespace), gauges, operator)
        finally:
            operator.close()
            admin.run("delete", "namespace", namespace, "--wait=false")


@dataclass(slots=True)
class Watched:
    """When the key `mode` of each ConfigMap took each value, as an API watch told it."""

    changes: list[tuple[float, str, str]] = field(default_factory=list)

    def when(self, name: str, value: str, after: float) -> float | None:
        return next((at for at, where, each in self.changes if (where, each) == (name, value) and at >= after), None)


def watch_flags(stage: Stage) -> Watched:
    """Follows the namespace's ConfigMaps in a thread, for as long as the process lives."""
    watched = Watched()
    url = f"{stage.controlplane.server}/api/v1/namespaces/{stage.namespace}/configmaps?watch=1"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {stage.controlplane.admin_token()}"})

    def follow() -> None:
        with urllib.request.urlopen(request, context=trusting(stage.controlplane.ca), timeout=3600) as answer:
            for line in answer:
                seen = json.loads(line)["object"]
                watched.changes.append(
                    (time.time(), seen["metadata"]["name"], (seen.get("data") or {}).get("mode", ""))
                )

    threading.Thread(target=follow, daemon=True).start()
    return watched


def scraped(stage: Stage, phase: str, after: float) -> float | None:
    """When Prometheus first scraped a breach, in its own sample's timestamp."""
    query = urllib.parse.urlencode({"query": f'pressure{{test="{stage.namespace}",phase="{phase}"}}[30s]'})
    with urllib.request.urlopen(f"{stage.controlplane.prometheus_url}/api/v1/query?{query}", timeout=10) as answer:
        result = json.load(answer)["data"]["result"]
    samples = [(at, float(value)) for series in result for at, value in series["values"]]
    return next((at for at, value in samples if value > 1 and at >= after), None)


def flips(count: int = 40) -> dict[str, Any]:
    """Breach scraped -> field changed, at an interval and a scrape of 1 s with `for: 0s`.

    Four policies on sources of their own, which therefore tick at four different phases against the scrape.
    """
    with staged("flips") as stage:
        stage.operator.start()
        phases = [_phase(stage, str(number)) for number in range(4)]
        watched = watch_flags(stage)
        times = []
        for flip in range(count):
            times.append(_flip(stage, watched, phases[flip % 4]))
            _progress(f"flip {flip + 1}/{count}: {times[-1]:.2f} s")
        return {"flips": count, **_quantiles(times)}


def _phase(stage: Stage, phase: str) -> str:
    stage.gauges.set_and_wait("pressure", 0, test=stage.namespace, phase=phase)
    source = {"apiVersion": "brownout.dev/v1alpha1", "kind": "PrometheusSource"}
    name = f"{stage.namespace}-{phase}"
    stage.kubectl.apply({**source, "metadata": {"name": name}, "spec": {"url": stage.controlplane.prometheus_url}})
    query = f'pressure{{test="{stage.namespace}",phase="{phase}"}}'
    turn = {"name": "lite", "flag": {"configMap": {"name": f"flags-{phase}", "key": "mode"}, "value": "lite"}}
    level = objects.level("lite", 1, turn, recoverAfter="1s")
    changes = {"settle": "0s", "recovery": {"maxBackoff": "1s"}, "signals": [{"name": "pressure", "query": query}]}
    stage.kubectl.apply(objects.config_map(f"flags-{phase}", mode="full"))
    stage.kubectl.apply(objects.policy(stage.namespace, name, level, name=f"shop-{phase}", **changes))
    stage.kubectl.wait("dgp", f"shop-{phase}", "condition=Ready", 60)
    return phase


def _flip(stage: Stage, watched: Watched, phase: str) -> float:
    began = time.time()
    flags = f"flags-{phase}"
    stage.gauges.set("pressure", 5, test=stage.namespace, phase=phase)
    changed = until(lambda: watched.when(flags, "lite", began), "the field changes", 30, every=0.05)
    at = until(lambda: scraped(stage, phase, began - 1), "the breach is found in Prometheus", 10)
    stage.gauges.set("pressure", 0, test=stage.namespace, phase=phase)
    until(lambda: watched.when(flags, "full", changed or 0), "the field comes back", 30, every=0.05)
    return max(0.0, (changed or 0) - (at or 0))


def idle(count: int = 1000) -> dict[str, Any]:
    """CPU, memory, queries and writes of `count` policies with two signals each, all distinct, every 15 s."""
    with staged("idle") as stage:
        stage.gauges.set_and_wait("pressure", 0, test=stage.namespace)
        made = [_idle_policy(stage.namespace, number) for number in range(count)]
        for start in range(0, count, 200):
            stage.kubectl.apply(*made[start : start + 200], server_side=True)
            _progress(f"{min(start + 200, count)}/{count} policies created")
        began = time.monotonic()
        stage.operator.start()
        until(lambda: _written(stage) >= count, "every policy is evaluated", 300, every=1.0)
        onboarding = time.monotonic() - began
        _progress(f"all evaluated after {onboarding:.1f} s; now idle for {IDLE_FOR:.0f} s")
        time.sleep(20)
        before, audit = _numbers(stage), _audit_size(stage)
        time.sleep(IDLE_FOR)
        after = _numbers(stage)
        minutes = IDLE_FOR / 60
        return {
            "policies": count,
            "onboarding_s": round(onboarding, 1),
            "cpu_s_per_min": round((after["cpu"] - before["cpu"]) / minutes, 2),
            "rss_mb": round(after["rss"] / 1e6, 1),
            "queries_per_min": round((after["queries"] - before["queries"]) / minutes, 1),
            "writes_per_min": round(_writes_since(stage, audit) / minutes, 2),
        }


def _idle_policy(namespace: str, number: int) -> Object:
    base = f'pressure{{test="{namespace}"}}'
    signals = [
        {"name": "pressure", "query": f"{base} * {number + 1}"},
        {"name": "other", "query": f"clamp_max({base}, {number + 1})"},
    ]
    return objects.policy(namespace, namespace, name=f"idle-{number}", interval="15s", signals=signals,
                          levels=[objects.level("lite", 1, objects.TURN_LITE)])  # fmt: skip


def _written(stage: Stage) -> float:
    return stage.operator.metric('brownout_status_writes_total{result="Written"}')


def _numbers(stage: Stage) -> dict[str, float]:
    return {
        "cpu": stage.operator.metric("process_cpu_seconds_total"),
        "rss": stage.operator.metric("process_resident_memory_bytes"),
        "queries": stage.operator.metric(f'brownout_query_seconds_count{{source="{stage.namespace}"}}'),
    }


def _audit_size(stage: Stage) -> int:
    return stage.controlplane.audit_log.stat().st_size if stage.controlplane.audit_log else 0


def _writes_since(stage: Stage, size: int) -> int:
    """Requests of the operator's account that were no reads, by the API server's own audit log."""
    if stage.controlplane.audit_log is None:
        return 0
    with stage.controlplane.audit_log.open() as log:
        log.seek(size)
        events = [json.loads(line) for line in log if line.endswith("\n")]
    return sum(1 for each in events if each["user"]["username"] == ACCOUNT and each["verb"] not in _READS)


_READS = ("get", "list", "watch")


def _quantiles(times: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {"p50_s": round(cuts[49], 3), "p99_s": round(cuts[98], 3), "worst_s": round(max(times), 3)}


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Prints one JSON object for each figure asked for; all without an argument."""
    parser = argparse.ArgumentParser(prog="python -m e2e.figures", description=__doc__)
    parser.add_argument("figure", nargs="*", choices=["flips", "idle", []], help="which (default: both)")
    asked = parser.parse_args().figure or ["flips", "idle"]
    for name in asked:
        print(json.dumps({name: flips() if name == "flips" else idle()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
