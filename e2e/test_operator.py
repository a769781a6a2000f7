"""The whole line: a policy is applied, its signals break their thresholds, targets are taken and given back, and all
of it is told: in the status, to kubectl, as events and as metrics."""

import json

from e2e.fixtures.kubectl import Object
from e2e.fixtures.objects import config_map, cron_job, deployment
from e2e.fixtures.polling import until
from e2e.fixtures.stage import Stage

SHOP = (deployment("thumbnailer", 3), cron_job("bill", criticality="C5"), config_map("flags", mode="full"))


def test_a_breach_takes_and_recovery_gives_every_field_back(stage: Stage) -> None:
    running = stage.opens(*SHOP, stage.policy(settle="1s"))
    status = stage.degrades("core-only")
    assert stage.replicas("thumbnailer") == {"thumbnailer": 1}
    assert stage.get("CronJob", "bill")["spec"]["suspend"] is True
    assert stage.get("ConfigMap", "flags")["data"] == {"mode": "lite"}
    assert stage.owes(), "a finalizer stands while anything is owed"
    assert (status["level"], status["levelIndex"], status["held"]) == ("core-only", 2, 3)
    assert status["why"] == "pressure 5 > 3"
    held = stage.get("Deployment", "thumbnailer")["metadata"]
    ledger = json.loads(held["annotations"]["brownout.dev/ledger"])
    assert held["labels"]["brownout.dev/held"] == ledger["take"]
    assert ledger["uid"] == held["uid"]
    assert "spec.replicas 3 -> 1 by policy" in held["annotations"]["brownout.dev/why"]
    stage.recovers()
    stage.everything_is_as_it_was()
    assert [each["to"] for each in stage.status()["history"]] == ["core-only", "trimmed", "Normal"]
    assert running.terminate() == 0


def test_kubectl_shows_waits_for_and_explains_a_policy(stage: Stage) -> None:
    stage.opens(*SHOP, stage.policy())
    stage.kubectl.wait("dgp", "shop", "condition=Ready")
    stage.kubectl.wait("promsrc", stage.source, "condition=Ready")
    assert columns(stage) == {
        "NAME": "shop",
        "MODE": "Enforce",
        "LEVEL": "Normal 0/2",
        "WHY": "Normal",
        "HELD": "0",
        "SIGNALS": "1/1",
        "READY": "True",
    }
    stage.press(5)
    stage.kubectl.wait("dgp", "shop", "condition=DegradationActive")
    stage.kubectl.wait("dgp", "shop", "jsonpath={.status.level}=core-only")
    shown = columns(stage)
    assert (shown["LEVEL"], shown["WHY"], shown["HELD"]) == ("core-only 2/2", "pressure 5 > 3", "3")
    assert shown["READY"] == "True", "GitOps tools wait on it: it stays while degraded"
    stage.press(0)
    stage.kubectl.wait("dgp", "shop", "condition=DegradationActive=false", seconds=60)
    assert "mildest first" in " ".join(stage.kubectl.run("explain", "dgp.spec.levels").split())
    assert "degradationpolicy.brownout.dev/shop" in stage.kubectl.run("get", "brownout", "-o", "name")


def columns(stage: Stage) -> dict[str, str]:
    """The printed line of the policy by column, without SINCE."""
    head, line = stage.kubectl.run("get", "dgp", "shop").splitlines()
    names = head.split()
    starts = [head.index(name) for name in names]
    ends = [*starts[1:], None]
    cells = {name: line[start:end].strip() for name, start, end in zip(names, starts, ends, strict=True)}
    assert list(cells) == ["NAME", "MODE", "LEVEL", "SINCE", "WHY", "HELD", "SIGNALS", "READY"]
    since = cells.pop("SINCE")
    assert since.endswith(("s", "m")), since
    return cells


def test_events_metrics_and_the_policy_page_tell_the_same_story(stage: Stage) -> None:
    running = stage.opens(*SHOP, stage.policy())
    stage.degrades("core-only")
    labels = f'namespace="{stage.namespace}",policy="shop"'
    told = {
        f'brownout_policy_level{{mode="Enforce",{labels}}}': 2,
        f'brownout_policy_condition{{condition="DegradationActive",{labels}}}': 1,
        f'brownout_policy_condition{{condition="Stalled",{labels}}}': 0,
        f'brownout_signal_value{{{labels},signal="pressure"}}': 5,
        f'brownout_signal_state{{{labels},signal="pressure",state="Fresh"}}': 1,
        f'brownout_held{{kind="Deployment",{labels},workload="thumbnailer"}}': 1,
        f'brownout_held{{kind="CronJob",{labels},workload="bill"}}': 1,
        f'brownout_held{{kind="ConfigMap",{labels},workload="flags"}}': 1,
        f'brownout_transitions_total{{move="Escalate",{labels}}}': 1,
        'brownout_steps_total{lever="flag",result="Done"}': 1,
        'brownout_steps_total{lever="scale",result="Done"}': 1,
        'brownout_steps_total{lever="shed",result="Done"}': 1,
        "brownout_pass_failures_total": 0,
        "brownout_watch_stale": 0,
    }
    assert {line: running.metric(sorted_labels(line)) for line in told} == told

    page = running.policy(stage.namespace, "shop")
    assert page["decision"]["level"] == "core-only"
    assert page["status"]["held"] == 3
    evidence = {
        each["level"]: (each["value"], each["enter"], each["exit"], each["zone"])
        for each in page["decision"]["evidence"]
    }
    assert evidence == {"trimmed": (5, 1, 0.5, "Over"), "core-only": (5, 3, 1.5, "Over")}
    assert running.page(f"/policies/{stage.namespace}/nothing")[0] == 404

    stage.recovers()
    until(lambda: stage.events("AllGivenBack"), "the last event is there")
    about = {(each["reason"], each["regarding"]["kind"], each["regarding"]["name"]) for each in ours(stage)}
    targets = {("Deployment", "thumbnailer"), ("CronJob", "bill"), ("ConfigMap", "flags")}
    assert about == {
        ("Escalated", "DegradationPolicy", "shop"),
        ("Recovered", "DegradationPolicy", "shop"),
        ("AllGivenBack", "DegradationPolicy", "shop"),
        *(("Taken", kind, name) for kind, name in targets),
        *(("GivenBack", kind, name) for kind, name in targets),
    }
    (escalated,) = stage.events("Escalated")
    assert escalated["note"] == "Normal -> core-only: pressure 5 > 3"
    assert running.metric(sorted_labels(f'brownout_transitions_total{{move="Recover",{labels}}}')) == 2
    assert "brownout_held{" not in running.page("/metrics")[1]


def ours(stage: Stage) -> list[Object]:
    """The operator's events, and not the controllers'."""
    return [each for each in stage.listed("Event") if str(each["reportingController"]).startswith("brownout.dev")]


def sorted_labels(line: str) -> str:
    """A series as /metrics writes it: labels by name."""
    name, brace, rest = line.partition("{")
    return f"{name}{{{','.join(sorted(rest[:-1].split(',')))}}}" if brace else line
