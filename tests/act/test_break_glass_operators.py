"""Break glass beside an operator that is running, that may be, or that is gone; and the finalizers it leaves."""

from brownout.cluster.kinds import DEPLOYMENT, POLICY, Kind
from brownout.cluster.port import Answer
from brownout.ledger.entries import HELD_LABEL
from brownout.testing.faults import Write
from brownout.testing.rules import failure
from tests.act.glass_stage import SHOP, GlassStage, degraded, is_as_before

FORBIDDEN = failure(403, "Forbidden", 'deployments.apps "thumbnailer" is forbidden: User "ann" cannot patch')
BUSY = Answer(status=503, reason="ServiceUnavailable", message="try again")


def test_a_running_operator_keeps_its_finalizer() -> None:
    stage, before = degraded()
    stage.lease("2027-01-15T08:09:58Z")
    run = stage.restore()
    assert run.code == 0
    is_as_before(stage, before)
    assert stage.owes()
    assert "stays: left to the operator that is running." in run.out


def recently(stage: GlassStage) -> None:
    """An operator wrote a status half a minute ago."""
    body = stage.body(POLICY, "checkout")
    stage.api._store(POLICY, body, {**body, "status": {"observed": {"at": "2027-01-15T08:09:30Z"}}})


def test_an_operator_that_may_be_running_is_waited_for_and_then_taken_for_gone() -> None:
    stage, _before = degraded()
    recently(stage)
    began = stage.clock.time
    run = stage.restore()
    assert run.code == 0
    assert "An operator may be running: there is no Lease, and the last status" in run.out
    assert run.err == "waiting up to 10 s to see whether an operator reacts\n"
    assert stage.clock.time - began == 10
    assert not stage.owes()


def test_an_operator_that_reacts_is_running_after_all() -> None:
    stage, _ = degraded()
    recently(stage)

    began = stage.clock.time
    taken: list[bool] = []

    def on_read(verb: str, kind: Kind, name: str) -> None:
        if stage.clock.time >= began + 4 and not taken:
            taken.append(True)
            body = stage.body(POLICY, "checkout")
            stage.api._store(POLICY, body, {**body, "status": {"observed": {"at": "2027-01-15T08:10:04Z"}}})
            held = stage.body(DEPLOYMENT, "thumbnailer")
            labels = {"labels": {HELD_LABEL: "take-9"}}
            stage.api._store(DEPLOYMENT, held, {**held, "metadata": {**held["metadata"], **labels}})

    stage.cluster.on_read = on_read
    run = stage.restore()
    assert run.code == 1
    assert "An operator is running after all: the status of policy shop/checkout has just changed." in run.out
    assert stage.owes()


def test_an_object_that_is_taken_again_meanwhile_is_still_held() -> None:
    stage, _ = degraded()
    policy = stage.policy_ref()
    before = stage.body(DEPLOYMENT, "thumbnailer")
    looks: list[str] = []

    def on_read(verb: str, kind: Kind, name: str) -> None:
        if (verb, kind, name) == ("list", DEPLOYMENT, HELD_LABEL):
            looks.append(name)
            if len(looks) == 2:
                now = stage.body(DEPLOYMENT, "thumbnailer")
                stage.api._store(DEPLOYMENT, now, {**before, "metadata": {**before["metadata"]}})

    stage.cluster.on_read = on_read
    run = stage.restore()
    assert run.code == 1
    assert f"Deployment {SHOP}/thumbnailer: taken again meanwhile: an operator is running" in run.out
    assert policy.name == "checkout"


def test_a_policy_that_is_being_deleted_goes_with_its_finalizer() -> None:
    stage, before = degraded()
    stage.api.delete(POLICY, SHOP, "checkout")
    assert stage.api._find(POLICY, SHOP, "checkout") is not None
    assert stage.restore().code == 0
    assert stage.api._find(POLICY, SHOP, "checkout") is None
    is_as_before(stage, before)


def test_other_finalizers_of_a_policy_stay() -> None:
    stage, _ = degraded()
    stage.edit(POLICY, "checkout", {"metadata": {"finalizers": ["example.org/mine", "brownout.dev/owes"]}})
    assert stage.restore().code == 0
    assert stage.body(POLICY, "checkout")["metadata"]["finalizers"] == ["example.org/mine"]


def test_a_policy_that_changes_meanwhile_loses_our_finalizer_all_the_same() -> None:
    stage, _ = degraded()

    def touched(write: Write) -> None:
        if write.kind == "DegradationPolicy" and not written:
            written.append(write)
            body = stage.body(POLICY, "checkout")
            stage.api._store(POLICY, body, body)

    written: list[Write] = []
    stage.cluster.on_write = touched
    assert stage.restore().code == 0
    assert not stage.owes()


def test_a_finalizer_that_may_not_be_taken_off_is_said_and_the_exit_code_is_1() -> None:
    stage, before = degraded()
    stage.cluster.on_write = lambda write: FORBIDDEN if write.kind == "DegradationPolicy" else None
    run = stage.restore()
    assert run.code == 1
    assert "stays: you may not patch degradationpolicies in namespace shop." in run.out
    assert "Nothing is held in namespace shop." in run.out
    is_as_before(stage, before)
