"""Metrics: what a scrape sees."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from brownout.api.reasons import BlockedReason, Result
from brownout.api.status import PolicyStatus
from brownout.decide.model import Move
from brownout.report.catalogue import CATALOGUE
from brownout.report.facts import Evaluation
from brownout.report.metrics import RESTORE, Metrics
from brownout.report.status import next_status, refused_status
from tests.report.evaluations import BLIND, DRY, NOW, REF, blocked, calm, decided, escalated, held, target

POLICY = {"namespace": "shop", "policy": "checkout"}


def scraped(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(metrics.text().decode())
    samples = [sample for family in families for sample in family.samples]
    found = {(each.name, frozenset(each.labels.items())): each.value for each in samples}
    assert len(found) == len(samples), "Prometheus refuses a scrape with a series twice"
    return found


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return scraped(metrics).get((name, frozenset(labels.items())))


def showing(facts: Evaluation) -> Metrics:
    metrics = Metrics()
    metrics.show(REF, next_status(PolicyStatus(), facts), facts)
    return metrics


@pytest.mark.parametrize(
    ("facts", "name", "labels", "expected"),
    [
        pytest.param(escalated(), "brownout_policy_level", {"mode": "Enforce"}, 2, id="the level is a number"),
        pytest.param(
            escalated(spec=DRY), "brownout_policy_level", {"mode": "DryRun"}, 2, id="DryRun has its own series"
        ),
        pytest.param(escalated(spec=DRY), "brownout_policy_level", {"mode": "Enforce"}, None, id="and none in Enforce"),
        pytest.param(
            calm(), "brownout_policy_condition", {"condition": "Ready"}, 1, id="a condition that is True is 1"
        ),
        pytest.param(calm(), "brownout_policy_condition", {"condition": "Stalled"}, 0, id="one that is False is 0"),
        pytest.param(
            calm(decision=decided(seen=())),
            "brownout_policy_condition",
            {"condition": "SignalsAvailable"},
            None,
            id="one that is Unknown has no series",
        ),
        pytest.param(calm(), "brownout_signal_value", {"signal": "p99"}, 0.3, id="a signal's number"),
        pytest.param(
            calm(decision=decided(seen=BLIND)),
            "brownout_signal_value",
            {"signal": "p99"},
            None,
            id="no number, no series",
        ),
        pytest.param(
            calm(decision=decided(seen=BLIND)),
            "brownout_signal_state",
            {"signal": "p99", "state": "TimedOut"},
            1,
            id="the state says why",
        ),
        pytest.param(
            escalated(held=(held(), held(field="suspend"))),
            "brownout_held",
            {"kind": "Deployment", "workload": "thumbnailer"},
            2,
            id="a held workload has its number of fields",
        ),
        pytest.param(
            escalated(held=(held(), held(on=target(uid="uid-of-its-successor")))),
            "brownout_held",
            {"kind": "Deployment", "workload": "thumbnailer"},
            2,
            id="an object and its successor of the same name are one series",
        ),
        pytest.param(
            calm(blocked=(blocked(), blocked(on="a")), unrestored=(blocked(BlockedReason.FAILED),)),
            "brownout_blocked",
            {"reason": "Autoscaler"},
            2,
            id="what is blocked is counted by reason",
        ),
        pytest.param(calm(give_back_left=7), "brownout_give_back_left", {}, 7, id="what is still to be given back"),
        pytest.param(calm(), "brownout_give_back_left", {}, None, id="nothing left, no series"),
    ],
)
def test_what_is_true_of_a_policy(facts: Evaluation, name: str, labels: dict[str, str], expected: float | None) -> None:
    assert value(showing(facts), name, **POLICY, **labels) == expected


def test_series_that_are_no_longer_true_go_with_the_next_evaluation() -> None:
    metrics = showing(escalated(held=(held(),)))
    metrics.show(REF, next_status(PolicyStatus(), calm()), calm())

    assert value(metrics, "brownout_held", **POLICY, kind="Deployment", workload="thumbnailer") is None


def test_a_policy_that_goes_takes_all_its_series_with_it() -> None:
    metrics = showing(escalated(held=(held(),), blocked=(blocked(),)))
    metrics.moved(REF, Move.ESCALATE)
    assert value(metrics, "brownout_transitions_total", **POLICY, move="Escalate") == 1
    metrics.forget(REF)

    assert [key for key in scraped(metrics) if ("policy", "checkout") in key[1]] == []


def test_a_policy_made_again_under_its_name_keeps_its_series_when_the_old_one_is_forgotten() -> None:
    metrics = showing(escalated())
    again = replace(REF, uid="uid-of-another")
    metrics.show(again, next_status(PolicyStatus(), calm()), calm(policy=again))
    metrics.forget(REF)

    assert value(metrics, "brownout_policy_level", **POLICY, mode="Enforce") == 0


def test_a_policy_that_could_never_be_evaluated_shows_its_conditions() -> None:
    metrics = Metrics()
    metrics.show(REF, refused_status(PolicyStatus(), "spec is missing", 1, NOW))

    assert value(metrics, "brownout_policy_condition", **POLICY, condition="Stalled") == 1
    assert value(metrics, "brownout_policy_level", **POLICY, mode="Enforce") is None


def test_what_is_counted_and_timed() -> None:
    metrics = Metrics()
    metrics.stepped("scale", Result.DONE)
    metrics.stepped(RESTORE, Result.CONFLICT)
    metrics.status_written("Written")
    metrics.queried("default", 0.02)
    metrics.decided(0.000003)
    metrics.late(-0.5)
    metrics.source_up("default", True)
    metrics.watch_stale(True)

    assert value(metrics, "brownout_steps_total", lever="scale", result="Done") == 1
    assert value(metrics, "brownout_steps_total", lever="restore", result="Conflict") == 1
    assert value(metrics, "brownout_status_writes_total", result="Written") == 1
    assert value(metrics, "brownout_query_seconds_bucket", source="default", le="0.025") == 1
    assert value(metrics, "brownout_query_seconds_bucket", source="default", le="0.01") == 0
    assert value(metrics, "brownout_decision_seconds_bucket", le="5e-06") == 1
    assert value(metrics, "brownout_tick_lateness_seconds_sum") == 0
    assert value(metrics, "brownout_source_up", source="default") == 1
    assert value(metrics, "brownout_watch_stale") == 1


def test_a_source_that_goes_takes_its_series_with_it() -> None:
    metrics = Metrics()
    metrics.source_up("default", False)
    metrics.queried("default", 0.02)
    metrics.forget_source("default")

    assert [key for key in scraped(metrics) if ("source", "default") in key[1]] == []


def test_two_registries_do_not_meet() -> None:
    first, second = Metrics(), Metrics()
    first.event_written()

    assert value(second, "brownout_events_written_total") == 0


def test_everything_that_is_registered_is_in_the_catalogue_with_its_type_and_meaning() -> None:
    registered = {
        family.name + ("_total" if family.type == "counter" else ""): (family.type, family.documentation)
        for family in Metrics().registry.collect()
        if not family.name.startswith("process_")
    }

    assert registered == {each.name: (each.type, each.text) for each in CATALOGUE}
