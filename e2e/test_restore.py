"""Break glass on a real API server: the operator is dead, and everything goes back to its owners."""

import signal
import subprocess
from pathlib import Path

import pytest

from e2e.controlplane.handle import Controlplane
from e2e.fixtures.kubectl import Kubectl
from e2e.fixtures.objects import (
    config_map,
    cron_job,
    deployment,
    feature_flag,
    flag,
    job,
    level,
    scaled,
    shed,
    stateful_set,
    turned,
    written,
)
from e2e.fixtures.polling import until
from e2e.fixtures.restore import Restore
from e2e.fixtures.stage import Stage

GITOPS = (
    deployment("web", 3),
    stateful_set("db", 2, "C5"),
    config_map("flags", mode="full", other="stays"),
    feature_flag("shop", reviews=flag("on", {"if": [{"var": "vip"}, "on", None]})),
)
BATCH = (cron_job("bill", "C5"), job("import", "C5"))
TRIMMED = level(
    "trimmed",
    1,
    scaled("web", atMost=1),
    written("lite", "flags", "mode", "lite"),
    written("banner", "flags", "banner", "sorry"),
    turned("reviews", "shop", "reviews", "off"),
)
CORE = level("core-only", 3, shed("batch", "C5", kinds=["StatefulSet", "CronJob", "Job"]))
KINDS = 6
MANY = 150


@pytest.fixture
def restore(controlplane: Controlplane, namespace: str) -> Restore:
    return Restore(kubeconfig=controlplane.kubeconfig, namespace=namespace)


def killed_while_degraded(stage: Stage, restore: Restore) -> None:
    """Everything is taken, then the operator is killed, and any Lease of it has run out."""
    stage.kubectl.apply(*GITOPS, manager="gitops")
    operator = stage.opens(*BATCH, stage.policy(TRIMMED, CORE))
    stage.remembers(*((each["kind"], each["metadata"]["name"]) for each in GITOPS))
    stage.degrades("core-only")
    until(lambda: stage.status().get("held") == KINDS, "everything is taken", 40)
    operator.kill()
    until(lambda: presence(restore) != "Running", "no Lease says that it is running", 40)


def presence(restore: Restore) -> str:
    return str(restore.run("--dry-run", "-o", "json").document["operator"]["presence"])


def test_killed_while_degraded_everything_goes_back_to_its_owners(stage: Stage, restore: Restore) -> None:
    killed_while_degraded(stage, restore)
    run = restore.run("--yes")
    print(run.out, run.err)
    assert run.code == 0, run.err
    stage.everything_is_as_it_was()
    assert not stage.owes()
    assert "8 fields of 6 objects given back.\n" in run.out

    stage.kubectl.apply(*GITOPS, manager="gitops")
    stage.everything_is_as_it_was()
    stage.kubectl.apply(deployment("web", 4), manager="gitops")
    assert stage.replicas("web") == {"web": 4}

    again = restore.run()
    assert (again.code, again.out, again.err) == (0, f"Nothing is held in namespace {stage.namespace}.\n", "")


def test_a_person_is_shown_the_table_and_asked(stage: Stage, restore: Restore) -> None:
    killed_while_degraded(stage, restore)
    held = stage.pictures()
    nobody = restore.run()
    assert nobody.code == 2
    assert "standard input is no terminal" in nobody.err
    no = restore.answered("no")
    print(no.out, no.err)
    assert no.code == 1
    stage.everything_is_as(held)
    fields = {tuple(line.split()[1:5]) for line in no.out.splitlines() if line.startswith(stage.namespace)}
    assert fields >= {
        ("Deployment/web", "spec.replicas", "1", "3"),
        ("StatefulSet/db", "spec.replicas", "0", "2"),
        ("CronJob/bill", "spec.suspend", "true", "false"),
        ("Job/import", "spec.suspend", "true", "false"),
        ("ConfigMap/flags", "data.mode", "lite", "full"),
        ("FeatureFlag/shop", "spec.flagSpec.flags.reviews.defaultVariant", "off", "on"),
    }
    yes = restore.answered("yes")
    assert yes.code == 0, yes.err
    assert yes.err.startswith("Give 8 fields back at once (6 objects), and take our finalizer off 1 policy")
    stage.everything_is_as_it_was()


def test_what_a_person_changed_is_left_and_what_is_broken_is_shown(stage: Stage, restore: Restore) -> None:
    killed_while_degraded(stage, restore)
    stage.kubectl.run("scale", "deployment/web", "--replicas=5")
    stage.kubectl.run("annotate", "cronjob/bill", 'brownout.dev/ledger={"v":2}', "--overwrite")
    stage.kubectl.run("label", "statefulset/db", "brownout.dev/held-")
    run = restore.run("--yes", "--deep", "-o", "json")
    print(run.err)
    assert run.code == 1
    objects = {each["kind"]: each for each in run.document["objects"]}
    web = objects["Deployment"]["fields"][0]
    assert (web["plan"], web["outcome"], web["now"], web["original"]) == ("Leave", "Left", 5, 3)
    assert (objects["CronJob"]["ledger"], objects["CronJob"]["fields"][0]["plan"]) == ("Illegible", "NotFollowed")
    assert objects["CronJob"]["remembered"] == [
        f"the status of policy {stage.namespace}/shop says /spec/suspend was false"
    ]
    assert (objects["StatefulSet"]["ledger"], objects["StatefulSet"]["fields"][0]["plan"]) == ("Stale", "NotFollowed")
    assert {each["what"] for each in run.document["stillHeld"]} == {
        f"CronJob {stage.namespace}/bill",
        f"StatefulSet {stage.namespace}/db",
    }
    assert stage.replicas("web") == {"web": 5}
    assert stage.replicas("db", kind="StatefulSet") == {"db": 0}
    assert stage.get("CronJob", "bill")["spec"]["suspend"] is True
    stage.nothing_of_ours_is_left(("Deployment", "web"))
    assert stage.owes(), "something is still owed"
    stage.everything_is_as_it_was(("Deployment", "web"), ("CronJob", "bill"), ("StatefulSet", "db"))


def test_a_forged_ledger_does_not_steer_it(stage: Stage, restore: Restore) -> None:
    killed_while_degraded(stage, restore)
    text = stage.get("Deployment", "web")["metadata"]["annotations"]["brownout.dev/ledger"]
    forged = text.replace("/spec/replicas", "/spec/template/spec/serviceAccountName").replace(
        '"original":3', '"original":"admin"'
    )
    stage.kubectl.run("annotate", "deployment/web", f"brownout.dev/ledger={forged}", "--overwrite")
    run = restore.run("--yes")
    print(run.out, run.err)
    assert run.code == 1
    assert "refused: forged" in run.out
    assert "serviceAccountName" not in stage.get("Deployment", "web")["spec"]["template"]["spec"]
    stage.everything_is_as_it_was(("Deployment", "web"))


def test_a_running_operator_is_said_and_takes_again_until_its_policy_is_paused(stage: Stage, restore: Restore) -> None:
    stage.opens(deployment("web", 3), stage.policy(level("trimmed", 1, scaled("web", atMost=1))))
    stage.degrades()
    run = restore.run("--yes")
    print(run.out, run.err)
    assert "running: " in run.out
    assert f"  kubectl -n {stage.namespace} patch degradationpolicies.brownout.dev/shop --type=merge -p" in run.out
    assert "stays: left to the operator that is running." in run.out
    until(lambda: stage.replicas("web") == {"web": 1}, "it takes again", 30)
    line = next(each for each in run.out.splitlines() if each.startswith("  kubectl "))
    stage.kubectl.run("patch", "degradationpolicies.brownout.dev/shop", "--type=merge", "-p", line.split("'")[1])
    stage.owes_nothing()
    stage.everything_is_as_it_was()


def test_what_one_may_not_read_or_write_is_said(
    stage: Stage, restore: Restore, controlplane: Controlplane, tmp_path: Path
) -> None:
    killed_while_degraded(stage, restore)
    limited = Restore(kubeconfig=somebody(controlplane, stage, tmp_path), namespace=stage.namespace)
    run = limited.run("--yes")
    print(run.out, run.err)
    assert run.code == 1
    where = f"in namespace {stage.namespace}"
    for kind in ("deployments", "statefulsets", "cronjobs", "jobs", "featureflags"):
        assert f"  {kind}: you may not list {kind} {where}\n" in run.out
    assert f"  ConfigMap {stage.namespace}/flags: you may not patch configmaps {where}\n" in run.out
    assert "Not known: you may not list leases in all namespaces.\n" in run.out
    assert restore.run("--yes").code == 0
    stage.everything_is_as_it_was()


def somebody(controlplane: Controlplane, stage: Stage, folder: Path) -> Path:
    """Who may read ConfigMaps of the stage's namespace, and nothing else."""
    stage.kubectl.run("create", "serviceaccount", "somebody")
    stage.kubectl.run("create", "role", "reader", "--verb=get,list", "--resource=configmaps")
    stage.kubectl.run(
        "create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={stage.namespace}:somebody"
    )
    token = stage.kubectl.run("create", "token", "somebody").strip()
    return controlplane.kubeconfig_for(token, folder / "somebody", stage.namespace)


def test_interrupted_midway_it_says_what_is_left_and_the_next_run_finishes_it(stage: Stage, restore: Restore) -> None:
    batch = [cron_job(f"batch-{number:03d}", "C5") for number in range(MANY)]
    shedding = level("trimmed", 1, shed("batch", "C5", kinds=["CronJob"]))
    operator = stage.opens(*batch, stage.policy(shedding, safety={"maxTargets": MANY}))
    stage.press(5)
    until(lambda: suspended(stage) == MANY, "all are taken", 60)
    operator.kill()
    running = subprocess.Popen(restore.command("--yes"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: suspended(stage) < MANY, "the first are given back", 40, every=0.01)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    left = suspended(stage)
    print(f"{left} of {MANY} left\n{out[-500:]}{err}")
    assert running.returncode == 1
    assert "Interrupted. What had been begun was finished; run it again for the rest.\n" in out
    assert out.count("not tried: interrupted") == left
    assert restore.run("--yes").code == 0
    stage.everything_is_as_it_was()


def suspended(stage: Stage) -> int:
    return sum(bool(each["spec"].get("suspend")) for each in stage.listed("CronJob"))


def test_an_api_server_that_is_not_there_is_exit_code_2(cluster_kubectl: Kubectl, tmp_path: Path) -> None:
    text = cluster_kubectl.run("config", "view", "--raw", "--minify")
    lines = ["    server: https://127.0.0.1:1" if "server:" in line else line for line in text.splitlines()]
    nowhere = tmp_path / "nowhere"
    nowhere.write_text("\n".join(lines))
    run = Restore(kubeconfig=nowhere, namespace="default").run("--yes")
    print(run.out, run.err)
    assert run.code == 2
    assert "https://127.0.0.1:1 cannot be reached: Connection refused" in run.out + run.err
    assert run.out.count("Traceback") == 0


def test_a_namespace_that_is_not_there_is_not_one_that_holds_nothing(restore: Restore) -> None:
    run = Restore(kubeconfig=restore.kubeconfig, namespace="shpo").run()
    assert (run.code, run.out, run.err) == (2, "", "brownout restore: there is no namespace shpo\n")
