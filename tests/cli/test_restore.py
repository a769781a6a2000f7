"""`brownout restore` as a person sees it: what is printed, asked and answered, and the exit code."""

from collections.abc import Mapping
from typing import Any

import pytest

from brownout.cluster.kinds import CONFIG_MAP, CRON_JOB, DEPLOYMENT, FEATURE_FLAG, POLICY, STATEFUL_SET
from brownout.ledger.entries import LEDGER_ANNOTATION
from brownout.ledger.pointer import ABSENT, pointer
from brownout.testing.rules import failure
from tests.act.glass_stage import SHOP, GlassStage

EVERYTHING = """\
NAMESPACE  OBJECT                  FIELD          NOW   ORIGINAL  SINCE  POLICY         LEVEL      WILL BE
shop       ConfigMap/flags         data.mode      lite  full      10m    shop/checkout  trimmed    given back
shop       CronJob/bill            spec.suspend   true  false     10m    shop/checkout  core-only  given back
shop       Deployment/thumbnailer  spec.replicas  1     3         10m    shop/checkout  trimmed    given back

"""
NO_OPERATOR = "No operator is running: there is no Lease, and no operator has written a policy's status.\n"
QUESTION = "Give 3 fields back at once (3 objects), and take our finalizer off 1 policy once nothing is owed?"


def degraded() -> GlassStage:
    stage = GlassStage()
    stage.shop_is_degraded()
    return stage


def test_what_is_held_is_shown_asked_for_and_given_back() -> None:
    run = degraded().restore(answer=True)
    assert run.code == 0
    assert run.err == f"{QUESTION} yes/no: yes\n"
    assert run.out == (
        EVERYTHING
        + NO_OPERATOR
        + """\
3 fields of 3 objects given back.
The finalizer brownout.dev/owes was taken off shop/checkout.
Nothing is held in namespace shop.
"""
    )


def test_a_no_changes_nothing() -> None:
    stage = degraded()
    run = stage.restore(answer=False)
    assert run.code == 1
    assert run.out == EVERYTHING + NO_OPERATOR + "Nothing was changed.\n"
    assert stage.cluster.writes == []


def test_a_dry_run_says_what_would_be_done_and_asks_nobody() -> None:
    stage = degraded()
    run = stage.restore(answer=True, dry_run=True)
    assert (run.code, run.err) == (1, "")
    assert run.out == (
        EVERYTHING
        + NO_OPERATOR
        + "Dry run, nothing was changed. Without --dry-run: give 3 fields back at once (3 objects), and take our"
        " finalizer off 1 policy once nothing is owed.\n"
    )
    assert stage.cluster.writes == []


def test_without_a_terminal_it_wants_to_be_told() -> None:
    stage = degraded()
    run = stage.restore(yes=False)
    assert run.code == 2
    assert run.out == EVERYTHING + NO_OPERATOR
    assert (
        run.err
        == "brownout restore: standard input is no terminal, nobody can be asked: add --yes, or --dry-run to look\n"
    )
    assert stage.cluster.writes == []


@pytest.mark.parametrize("namespace", [SHOP, ""])
def test_where_nothing_is_held_it_asks_nothing(namespace: str) -> None:
    where = f"in namespace {namespace}" if namespace else "in any namespace"
    run = GlassStage().restore(yes=False, namespace=namespace)
    assert (run.code, run.out, run.err) == (0, f"Nothing is held {where}.\n", "")


def test_a_policy_that_owes_nothing_is_asked_about_alone() -> None:
    stage = GlassStage()
    stage.policy()
    run = stage.restore(answer=True)
    assert run.err == "Take our finalizer off 1 policy once nothing is owed? yes/no: yes\n"
    assert (run.code, stage.owes()) == (0, False)


def test_a_running_operator_is_said_with_what_keeps_it_from_taking_again() -> None:
    stage = degraded()
    stage.policy("idle")
    stage.lease("2027-01-15T08:09:57Z")
    run = stage.restore(answer=False)
    assert run.out == (
        EVERYTHING
        + """\
An operator is running: Lease brownout-system/brownout, held by brownout-0, was renewed 3s ago.
It takes again what is given back here while these policies are on. Pause them first:
  kubectl -n shop patch degradationpolicies.brownout.dev/checkout --type=merge -p '{"spec":{"mode":"DryRun"}}'
Nothing was changed.
"""
    )
    assert run.err == "Give 3 fields back at once (3 objects)? yes/no: no\n"


@pytest.mark.parametrize(
    "pause",
    [
        pytest.param({"spec": {"mode": "DryRun"}}, id="in DryRun"),
        pytest.param({"metadata": {"deletionTimestamp": "2027-01-15T08:00:00Z"}}, id="being deleted"),
    ],
)
def test_a_running_operator_whose_policies_are_paused_gives_back_itself(pause: Mapping[str, Any]) -> None:
    stage = degraded()
    stage.lease("2027-01-15T08:09:57Z")
    policy = stage.body(POLICY, "checkout")
    stage.api._store(
        POLICY, policy, {**policy, **pause, "metadata": {**policy["metadata"], **pause.get("metadata", {})}}
    )
    out = stage.restore(answer=False).out
    assert (
        "The policies that took these fields are paused or gone: an operator gives all back itself, in waves.\n" in out
    )


def test_policies_that_may_not_be_read_are_no_reason_to_hide_what_a_running_operator_does() -> None:
    stage = degraded()
    stage.lease("2027-01-15T08:09:57Z")
    stage.cluster.on_read = lambda verb, kind, _: _forbidden() if kind == POLICY else None
    out = stage.restore(answer=False).out
    assert "Not known: you may not list degradationpolicies in namespace shop.\n" in out
    assert (
        "It takes again what is given back here, unless its policies are deleted, or paused by mode: DryRun.\n" in out
    )


def _forbidden() -> Any:
    return failure(403, "Forbidden", "no")


def test_what_is_not_followed_is_shown_with_what_to_do() -> None:
    stage = degraded()
    stage.annotate(CRON_JOB, "bill", '{"v":2,"fields":"\u009b31m"}')
    stage.label(CONFIG_MAP, "flags", "take-2")
    stage.edit(CONFIG_MAP, "flags", {"data": {"mode": "new"}})
    run = stage.restore(answer=True)
    assert run.code == 1
    assert (
        run.out
        == """\
NAMESPACE  OBJECT                  FIELD          NOW  ORIGINAL  SINCE  POLICY         LEVEL    WILL BE
shop       ConfigMap/flags         data.mode      new  full      10m    shop/checkout  trimmed  owes nothing
shop       CronJob/bill            -              -    -         -      -              -        not followed
shop       Deployment/thumbnailer  spec.replicas  1    3         10m    shop/checkout  trimmed  given back

ConfigMap shop/flags is not followed: the ledger belongs to another take than its label.
  None of its fields is as we set it, it owes nothing. To remove our metadata:
  kubectl -n shop label configmaps/flags brownout.dev/held-
  kubectl -n shop annotate configmaps/flags brownout.dev/ledger- brownout.dev/why-
CronJob shop/bill is not followed: the ledger cannot be read: ValueError('version 2 is not known here, 1 is').
  Its ledger reads: {"v":2,"fields":"\\x9b31m"}
  Set its fields as they should be, then remove our metadata:
  kubectl -n shop label cronjobs.batch/bill brownout.dev/held-
  kubectl -n shop annotate cronjobs.batch/bill brownout.dev/ledger- brownout.dev/why-
No operator is running: there is no Lease, and no operator has written a policy's status.
1 field of 1 object given back.
The finalizer of policy shop/checkout stays: CronJob shop/bill is not given back.
Still held:
  CronJob shop/bill: not followed: the ledger cannot be read: ValueError('version 2 is not known here, 1 is')
"""
    )


def test_a_forged_field_is_refused_and_said() -> None:
    stage = degraded()
    text = stage.body(DEPLOYMENT, "thumbnailer")["metadata"]["annotations"][LEDGER_ANNOTATION]
    stage.annotate(DEPLOYMENT, "thumbnailer", text.replace("/spec/replicas", "/spec/template"))
    run = stage.restore(answer=True)
    assert run.code == 1
    assert "spec.template  (not set)  3         10m    shop/checkout  trimmed    refused: forged\n" in run.out
    forged = "no lever changes a field that its ledger names: that entry is forged"
    assert f"Deployment shop/thumbnailer: {forged}, and stays.\n" in run.out
    assert f"Still held:\n  Deployment shop/thumbnailer: {forged}\n" in run.out
    again = stage.restore(answer=True)
    assert (again.code, again.err) == (1, "Take our finalizer off 1 policy once nothing is owed? yes/no: yes\n")


def test_what_somebody_changed_and_what_is_absent_have_their_words() -> None:
    stage = GlassStage()
    policy = stage.policy()
    where = pointer("spec", "flagSpec", "flags", "reviews", "targeting")
    flag = {"defaultVariant": "on", "variants": {}, "targeting": {"if": [{"var": "a-rather-long-word"}, "on", "off"]}}
    stage.seed(FEATURE_FLAG, "shop", spec={"flagSpec": {"flags": {"reviews": flag}}})
    stage.take_at(FEATURE_FLAG, "shop", policy, {where: ABSENT})
    stage.seed(STATEFUL_SET, "db", spec={"replicas": 2})
    stage.take(STATEFUL_SET, "db", policy, replicas=0)
    stage.edit(STATEFUL_SET, "db", {"spec": {"replicas": 1}}, "argocd-controller")
    stage.clock.time += 3 * 3600 + 61
    run = stage.restore(answer=True)
    assert run.code == 0
    assert run.out.splitlines()[1:3] == [
        "shop       FeatureFlag/shop  spec.flagSpec.flags.reviews.targeting  (not set)"
        '  {"if":[{"var":"a-rather-long-word"},"on…  3h1m   shop/checkout  trimmed  given back',
        "shop       StatefulSet/db    spec.replicas                          1        "
        "  2                                         3h1m   shop/checkout  trimmed  left: argocd-controller changed it",
    ]
    assert run.err.startswith("Give 1 field back at once, leave 1 field to whoever changed it (2 objects), and take")
