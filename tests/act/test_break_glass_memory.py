"""What only the status of a policy remembers is shown, keeps the finalizer, and is never written from."""

from collections.abc import Callable

import pytest

from brownout.cluster.kinds import CONFIG_MAP, CRON_JOB, DEPLOYMENT, POLICY
from brownout.testing.rules import failure
from tests.act.glass_stage import MODE, REPLICAS, SUSPEND, GlassStage, degraded

THE_STATUS = "the status of policy shop/checkout says /spec/replicas was 3"


def remembered() -> GlassStage:
    """Degraded, and the status says all of it."""
    stage, _ = degraded()
    stage.remember(DEPLOYMENT, "thumbnailer", REPLICAS, 3, 1)
    stage.remember(CRON_JOB, "bill", SUSPEND, False, True)
    stage.remember(CONFIG_MAP, "flags", MODE, "full", "lite")
    return stage


def without_ledger(stage: GlassStage) -> None:
    """As `kubectl rollout undo` does: the annotations of an old revision."""
    stage.annotate(DEPLOYMENT, "thumbnailer", None)


def without_anything(stage: GlassStage) -> None:
    """As `kubectl replace` does with a file."""
    stage.annotate(DEPLOYMENT, "thumbnailer", None)
    stage.label(DEPLOYMENT, "thumbnailer", None)


def test_a_status_that_agrees_with_the_ledgers_changes_nothing() -> None:
    stage = remembered()
    run = stage.restore()
    assert (run.code, stage.held(), stage.owes()) == (0, [], False)
    assert "not followed" not in run.out


@pytest.mark.parametrize(
    ("lose", "why"),
    [
        pytest.param(without_ledger, "the ledger is gone and its label is there", id="its ledger is gone"),
        pytest.param(without_anything, "its label and ledger are gone", id="its label and ledger are gone"),
    ],
)
def test_an_object_that_lost_its_ledger_is_still_held(lose: Callable[[GlassStage], None], why: str) -> None:
    stage = remembered()
    lose(stage)
    run = stage.restore()
    assert run.code == 1
    assert f"Deployment shop/thumbnailer is not followed: {why}; {THE_STATUS}.\n" in run.out
    assert "spec.replicas  1     3         10m    shop/checkout  trimmed    not followed\n" in run.out
    assert f"Still held:\n  Deployment shop/thumbnailer: not followed: {why}\n" in run.out
    assert stage.look(DEPLOYMENT, "thumbnailer", REPLICAS) == 1
    assert stage.look(CRON_JOB, "bill", SUSPEND) is False
    assert stage.owes(), "the status is the last that knows"

    stage.edit(DEPLOYMENT, "thumbnailer", {"spec": {"replicas": 3}}, "kubectl")
    again = stage.restore()
    assert (again.code, stage.owes()) == (0, False)


def test_a_field_that_the_ledger_has_lost_is_said_while_the_others_are_given_back() -> None:
    stage = remembered()
    stage.edit(CONFIG_MAP, "flags", {"data": {"banner": "sorry"}}, "brownout")
    stage.remember(CONFIG_MAP, "flags", MODE.replace("mode", "banner"), "", "sorry")  # type: ignore[arg-type]
    run = stage.restore()
    assert run.code == 1
    assert "3 fields of 3 objects given back.\n" in run.out
    said = "the status of policy shop/checkout says /data/banner was "
    assert f"ConfigMap shop/flags is not followed in one field: {said}.\n" in run.out
    assert "Still held:\n  ConfigMap shop/flags: " in run.out
    assert stage.body(CONFIG_MAP, "flags")["data"] == {"mode": "full", "other": "stays", "banner": "sorry"}
    assert stage.owes()


def test_another_object_under_the_same_name_is_owed_nothing() -> None:
    stage = remembered()
    stage.api.delete(DEPLOYMENT, "shop", "thumbnailer")
    stage.seed(DEPLOYMENT, "thumbnailer", spec={"replicas": 1})
    assert stage.restore().code == 0


def test_a_remembered_object_that_may_not_be_read_is_not_known() -> None:
    stage = remembered()
    without_anything(stage)
    forbidden = failure(403, "Forbidden", "deployments.apps is forbidden")
    stage.cluster.on_read = lambda verb, kind, _: forbidden if (verb, kind) == ("get", DEPLOYMENT) else None
    run = stage.restore()
    assert run.code == 1
    assert "Deployment shop/thumbnailer could not be read: deployments.apps is forbidden" in run.out
    assert stage.owes()


@pytest.mark.parametrize("text", ["{", "[" * 20_000, "NaN"])
def test_a_status_that_is_nonsense_does_no_harm(text: str) -> None:
    stage = remembered()
    policy = stage.body(POLICY, "checkout")
    applied = [{**each, "original": text} for each in policy["status"]["applied"]]
    applied.append({**applied[0], "original": "3", "target": {**applied[0]["target"], "kind": "Secret"}})
    stage.api._store(POLICY, policy, {**policy, "status": {"applied": applied}})
    without_ledger(stage)
    assert stage.restore(as_json=True).code == 1
