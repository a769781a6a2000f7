"""The reference pages of everything that is reported: generated here, checked in under docs/reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from brownout.report.catalogue import CATALOGUE, Declared
from brownout.report.conditions import ACTIVE, AVAILABLE, STALLED, ConditionReason
from brownout.report.events import EventReason
from brownout.report.facts import READY

_METRICS = """\
# Metrics

Served at `/metrics` of `--metrics-address`, beside the usual `process_*` metrics. All labels are bounded: names from
specs, and words from closed sets. The series of a policy go with it.

`namespace` is the policy's, not the operator's. A scrape configuration that sets `namespace` itself needs
`honor_labels: true`, else Prometheus renames ours to `exported_namespace`.

"""
_METRICS_END = """
## Inhibit the alerts that Brownout causes

A workload that Brownout has scaled down fires "replicas missing". Leave it out while it is held:

```promql
kube_deployment_status_replicas_available < 1
  unless on (namespace, deployment)
  label_replace(brownout_held{kind="Deployment"}, "deployment", "$1", "workload", "(.+)")
```

## Alerts worth having

| alert | expression |
|---|---|
| a policy needs a person | `brownout_policy_condition{condition="Stalled"} == 1` |
| degraded for long | `min_over_time(brownout_policy_level{mode="Enforce"}[2h]) > 0` |
| blind | `brownout_policy_condition{condition="SignalsAvailable"} == 0` |
| ticks start late | `histogram_quantile(0.99, rate(brownout_tick_lateness_seconds_bucket[5m])) > 5` |
| what is known of the cluster may be old | `brownout_watch_stale == 1` |
"""

_CONDITIONS = """\
# Conditions

Every `DegradationPolicy` has these four conditions from its first evaluation on, with status True, False or Unknown,
so that `kubectl wait` works both ways. `observedGeneration` says which spec each of them is about;
`lastTransitionTime` changes with the status only.

- A policy that works stays `Ready` while it is degraded: GitOps tools wait for `Ready`, and being degraded is what a
  policy is for. Ask `DegradationActive` instead: `kubectl wait dgp/checkout --for=condition=DegradationActive=False`
  returns when everything has been given back.
- `Ready` is False whenever `Stalled` is True, with the same reason. kstatus (Flux and others) then calls the policy
  failed; a policy that is not Ready and not Stalled is in progress.
- `Stalled` needs a person. The policy keeps its level and what it holds meanwhile.
"""

_EVENTS = """\
# Events

Events are `events.k8s.io/v1`, from the controller `brownout.dev/operator`: on the policy (`kubectl describe dgp`) and
on each target (`kubectl describe deployment`). They are a courtesy. The status is the record: events are lost when the
API server is away, and expire after an hour.

What repeats within six minutes becomes one series, whose count is written at the 2nd, 4th, 8th, ... time; its note is
that of the first. One object may bring 25 events at once and then one a minute. What is not written is counted in
`brownout_events_dropped_total`. A terminating namespace takes no events (403): counted, not retried.

"""

CONDITION_TEXT: Mapping[str, Mapping[str, tuple[str, str]]] = {
    READY: {
        ConditionReason.ACCEPTED: ("True", "The spec is valid, each signal has given a number, each target was found."),
        ConditionReason.SIGNALS_NOT_SEEN: (
            "False",
            "A signal has not given a number since this spec was applied. Look at its query; `onNoTraffic: Clear` "
            "makes no traffic count.",
        ),
        ConditionReason.TARGET_NOT_FOUND: (
            "False",
            "An object, a key or a flag's variant that an action names does not exist. It is taken when it appears.",
        ),
        "(as Stalled)": ("False", "The policy is Stalled, for this reason."),
    },
    ACTIVE: {
        "(the level's name)": ("True", "This level is applied."),
        ConditionReason.GIVING_BACK: ("True", "The level is Normal again, and not everything has been given back yet."),
        ConditionReason.NORMAL: ("False", "Nothing is degraded, nothing is held."),
        ConditionReason.DRY_RUN: ("False", "The mode is DryRun: nothing is taken. The message says what would be."),
    },
    AVAILABLE: {
        ConditionReason.ALL_FRESH: (
            "True",
            "Every signal gives a number, or no traffic where that is clear.",
        ),
        ConditionReason.SOURCE_DOWN: ("False", "The source, and not one query, is at fault. The level stays."),
        "(why the first missing signal gives none)": (
            "False",
            "A signal gives no number, with the reason of `status.signals[].state`. The level stays.",
        ),
        ConditionReason.NOT_YET_READ: ("Unknown", "No signal was read yet."),
    },
    STALLED: {
        ConditionReason.INVALID: (
            "True",
            "The newest spec cannot be used; the message says what to write instead. The last good one stays in force.",
        ),
        ConditionReason.BAD_QUERY: ("True", "The source refuses a query. Correct it."),
        ConditionReason.FORBIDDEN: ("True", "The operator lacks a right; the message names it. See `manifests/rbac`."),
        ConditionReason.LEDGER_LOST: (
            "True",
            "The record of an original is gone or cannot be read, and nothing is guessed. The message names the field: "
            "set it by hand.",
        ),
        ConditionReason.RESTORE_FAILED: (
            "True",
            "The API server refuses to take an original back. The message says why; it is tried again and again.",
        ),
        ConditionReason.WORKING: ("False", "Nothing needs a person."),
    },
}
"""By condition and reason: its status, and what it means."""

EVENT_TEXT: Mapping[EventReason, tuple[str, str, str]] = {
    EventReason.ESCALATED: ("policy", "Warning", "A worse level applies from now on; the note has the numbers."),
    EventReason.RECOVERED: ("policy", "Normal", "A better level applies from now on."),
    EventReason.WOULD_ESCALATE: ("policy", "Normal", "DryRun: it would have escalated."),
    EventReason.WOULD_TAKE: ("policy", "Normal", "DryRun: it would have taken this field."),
    EventReason.WOULD_RECOVER: ("policy", "Normal", "DryRun: it would have recovered."),
    EventReason.TAKEN: ("target", "Normal", "A field was changed, from what to what, for which policy and level."),
    EventReason.GIVEN_BACK: ("target", "Normal", "A field is back at its original."),
    EventReason.ALL_GIVEN_BACK: ("policy", "Normal", "Nothing is held any more."),
    EventReason.RELEASED: (
        "target and policy",
        "Normal",
        "Somebody set the field to another value while it was held. It is left alone for the rest of the episode.",
    ),
    EventReason.BLOCKED: ("policy", "Warning", "An action, or one of its targets, is not taken, and why."),
    EventReason.RESTORE_FAILED: ("policy", "Warning", "A field cannot be given back, and why."),
    EventReason.SIGNALS_LOST: ("policy", "Warning", "A signal gives no number any more: blind, the level stays."),
    EventReason.SIGNALS_BACK: ("policy", "Normal", "Every signal gives a number again."),
    EventReason.STALLED: ("policy", "Warning", "The policy needs a person."),
    EventReason.RESUMED: ("policy", "Normal", "It does not any more."),
    EventReason.STALE_LEDGER_REMOVED: (
        "target",
        "Normal",
        "Brownout's label and annotations were removed from an object that owes nothing: a clone, or an old revision.",
    ),
}
"""By reason: which object the event is on, its type, and what it means."""


def metrics_page() -> str:
    return _METRICS + _table(("metric", "type", "labels", "meaning"), map(_metric, CATALOGUE)) + _METRICS_END


def conditions_page() -> str:
    parts = [_CONDITIONS]
    for kind, reasons in CONDITION_TEXT.items():
        rows = ((status, _code(reason), text) for reason, (status, text) in reasons.items())
        parts.append(f"\n## {kind}\n\n" + _table(("status", "reason", "meaning"), rows))
    return "".join(parts)


def events_page() -> str:
    rows = ((_code(reason), where, kind, text) for reason, (where, kind, text) in EVENT_TEXT.items())
    return _EVENTS + _table(("reason", "on", "type", "meaning"), rows)


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/reference/conditions.md": conditions_page,
    "docs/reference/events.md": events_page,
    "docs/reference/metrics.md": metrics_page,
}
"""By path in the repository."""


def _metric(declared: Declared) -> Sequence[str]:
    labels = ", ".join(f"`{label}`" for label in declared.labels)
    return _code(declared.name), declared.type, labels, declared.text


def _code(word: str) -> str:
    return word if word.startswith("(") else f"`{word}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


if __name__ == "__main__":
    for path, page in PAGES.items():
        Path(path).write_text(page())
