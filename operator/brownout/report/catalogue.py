"""Every metric: name, type, labels, meaning. People alert on these; they are part of the API."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MetricType(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Declared:
    """A metric. A counter's name ends in `_total`; `buckets` are upper bounds of a histogram, in its unit."""

    name: str
    type: MetricType
    text: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_POLICY = ("namespace", "policy")

POLICY_LEVEL = Declared(
    "brownout_policy_level",
    MetricType.GAUGE,
    "How far the policy degrades: 0 is Normal, higher is worse. In mode DryRun: how far it would.",
    (*_POLICY, "mode"),
)
POLICY_CONDITION = Declared(
    "brownout_policy_condition",
    MetricType.GAUGE,
    "Conditions of the policy: 1 is True, 0 is False; no series while Unknown.",
    (*_POLICY, "condition"),
)
SIGNAL_VALUE = Declared(
    "brownout_signal_value",
    MetricType.GAUGE,
    "The signal's last number; no series while it gives none.",
    (*_POLICY, "signal"),
)
SIGNAL_STATE = Declared(
    "brownout_signal_state",
    MetricType.GAUGE,
    "1 for the state the signal is in: Fresh, or why it gives no number.",
    (*_POLICY, "signal", "state"),
)
HELD = Declared(
    "brownout_held",
    MetricType.GAUGE,
    "Fields that the policy holds on this object. Alerts that Brownout itself causes can be inhibited by it.",
    (*_POLICY, "kind", "workload"),
)
BLOCKED = Declared(
    "brownout_blocked",
    MetricType.GAUGE,
    "Actions and targets that are not taken, or not given back, by reason.",
    (*_POLICY, "reason"),
)
GIVE_BACK_LEFT = Declared(
    "brownout_give_back_left",
    MetricType.GAUGE,
    "Targets that still wait to be given back; no series when none does.",
    _POLICY,
)
TRANSITIONS = Declared(
    "brownout_transitions_total",
    MetricType.COUNTER,
    "Changes of level, by move (Escalate or Recover).",
    (*_POLICY, "move"),
)
STEPS = Declared(
    "brownout_steps_total",
    MetricType.COUNTER,
    "Steps carried out on targets, by lever (flag, scale, shed; restore for giving back) and result.",
    ("lever", "result"),
)
PASS_FAILURES = Declared(
    "brownout_pass_failures_total",
    MetricType.COUNTER,
    "Passes over a policy that ended in a defect of Brownout; the log has the trace, the next tick tries again.",
)
STATUS_WRITES = Declared(
    "brownout_status_writes_total",
    MetricType.COUNTER,
    "Status patches, by result: Written, or why not.",
    ("result",),
)
EVENTS_WRITTEN = Declared(
    "brownout_events_written_total", MetricType.COUNTER, "Events and series of events that the API server took."
)
EVENTS_DROPPED = Declared(
    "brownout_events_dropped_total",
    MetricType.COUNTER,
    "Events that were not written, by reason. Repetitions counted in a series are not among them.",
    ("reason",),
)
QUERY_SECONDS = Declared(
    "brownout_query_seconds",
    MetricType.HISTOGRAM,
    "Time of one request to a source, with its whole batch of queries.",
    ("source",),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
DECISION_SECONDS = Declared(
    "brownout_decision_seconds",
    MetricType.HISTOGRAM,
    "Time of deciding about one policy.",
    (),
    (0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.001, 0.01, 0.1),
)
TICK_LATENESS_SECONDS = Declared(
    "brownout_tick_lateness_seconds",
    MetricType.HISTOGRAM,
    "How much later than due a tick started.",
    (),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
SOURCE_UP = Declared(
    "brownout_source_up", MetricType.GAUGE, "1 while the source answers, 0 while it does not.", ("source",)
)
WATCH_STALE = Declared(
    "brownout_watch_stale",
    MetricType.GAUGE,
    "1 while policies and held objects are not watched, and what is known of them may be old.",
)

CATALOGUE = (
    POLICY_LEVEL,
    POLICY_CONDITION,
    SIGNAL_VALUE,
    SIGNAL_STATE,
    HELD,
    BLOCKED,
    GIVE_BACK_LEFT,
    TRANSITIONS,
    STEPS,
    PASS_FAILURES,
    STATUS_WRITES,
    EVENTS_WRITTEN,
    EVENTS_DROPPED,
    QUERY_SECONDS,
    DECISION_SECONDS,
    TICK_LATENESS_SECONDS,
    SOURCE_UP,
    WATCH_STALE,
)
