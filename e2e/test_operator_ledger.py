"""What tools do to a held object's metadata and fields, and what the owners' next apply finds."""

import json

import pytest

from e2e.fixtures.kubectl import KubectlRefused, Object
from e2e.fixtures.objects import config_map, deployment, level, scaled, written
from e2e.fixtures.polling import until
from e2e.fixtures.stage import OUR_METADATA, Stage

THIN = level("trimmed", 1, scaled("web", atMost=1))


def strip(body: Object) -> Object:
    """As a person saves an object to edit it, without our label and annotations."""
    metadata = {"name": body["metadata"]["name"], "labels": {}, "annotations": {}}
    for part in ("labels", "annotations"):
        found = body["metadata"].get(part, {})
        metadata[part] = {key: text for key, text in found.items() if key not in OUR_METADATA}
    return {**{key: value for key, value in body.items() if key != "status"}, "metadata": metadata}


def new_revision(stage: Stage, image: str) -> None:
    """A rollout with the same replicas, at rest again."""
    stage.kubectl.run("set", "image", "deployment/web", f"main=registry.example/none:{image}")
    stage.remembers(("Deployment", "web"))


@pytest.mark.parametrize(
    "held_before",
    [
        pytest.param(False, id="to a revision without our metadata"),
        pytest.param(True, id="to a revision with the ledger of an earlier episode"),
    ],
)
def test_a_held_target_that_is_rolled_back(stage: Stage, held_before: bool) -> None:
    stage.opens(deployment("web", 2), stage.policy(THIN))
    if held_before:
        stage.degrades()
        stage.recovers()
    new_revision(stage, "2")
    stage.degrades()
    ledger = stage.get("Deployment", "web")["metadata"]["annotations"]["brownout.dev/ledger"]
    stage.kubectl.run("rollout", "undo", "deployment/web")
    until(lambda: held_again(stage), "the ledger is whole again", 30)
    assert take_of(stage.get("Deployment", "web")["metadata"]["annotations"]["brownout.dev/ledger"]) == take_of(ledger)
    assert stage.replicas("web") == {"web": 1}, "still held"
    stage.recovers()
    assert stage.replicas("web") == {"web": 2}
    assert image_of(stage) == "registry.example/none:1", "the rollback itself stays"
    stage.nothing_of_ours_is_left(("Deployment", "web"))


def held_again(stage: Stage) -> bool:
    metadata = stage.get("Deployment", "web")["metadata"]
    ledger = metadata["annotations"].get("brownout.dev/ledger", "")
    return bool(ledger) and take_of(ledger) == metadata["labels"]["brownout.dev/held"]


def take_of(ledger: str) -> str:
    return str(json.loads(ledger)["take"])


def image_of(stage: Stage) -> str:
    return str(stage.get("Deployment", "web")["spec"]["template"]["spec"]["containers"][0]["image"])


def test_a_rollback_after_an_episode_brings_a_stale_ledger_that_is_never_used(stage: Stage) -> None:
    stage.opens(deployment("web", 2), stage.policy(THIN))
    stage.degrades()
    stage.recovers()
    new_revision(stage, "2")
    stage.kubectl.run("scale", "deployment/web", "--replicas=3")
    stage.kubectl.run("rollout", "undo", "deployment/web")
    stage.remembers(("Deployment", "web"))
    assert stage.replicas("web") == {"web": 3}
    stage.degrades()
    assert stage.replicas("web") == {"web": 1}
    stage.recovers()
    assert stage.replicas("web") == {"web": 3}, "the original is of this episode, and not of the ledger's"
    stage.nothing_of_ours_is_left(("Deployment", "web"))


def test_replace_that_wipes_label_and_ledger_is_never_guessed_away(stage: Stage) -> None:
    stage.opens(deployment("web", 2), config_map("flags", mode="full"), stage.policy(TWO))
    stage.degrades()
    stage.kubectl.run("replace", "-f", "-", given=as_json(strip(stage.get("Deployment", "web"))))
    until(lambda: stage.condition("Stalled").get("status") == "True", "the policy says that a person is needed", 30)
    stalled = stage.condition("Stalled")
    assert stalled["reason"] == "LedgerLost"
    assert "/spec/replicas was 2" in stalled["message"]
    stage.press(0)
    until(lambda: stage.get("ConfigMap", "flags")["data"] == {"mode": "full"}, "the others are given back", 40)
    assert stage.replicas("web") == {"web": 1}
    assert stage.owes()

    stage.kubectl.run("scale", "deployment/web", "--replicas=2")
    stage.owes_nothing()
    until(lambda: stage.condition("Stalled")["status"] == "False", "nothing needs a person any more", 30)
    stage.everything_is_as_it_was(("Deployment", "web"))
    assert stage.replicas("web") == {"web": 2}
    stage.nothing_of_ours_is_left(("Deployment", "web"))


TWO = level("trimmed", 1, scaled("web", atMost=1), written("lite", "flags", "mode", "lite"))


def as_json(body: Object) -> str:
    return json.dumps(body)


def test_replace_with_another_value_is_somebodys_decision(stage: Stage) -> None:
    stage.opens(deployment("web", 2), config_map("flags", mode="full"), stage.policy(TWO))
    stage.degrades()
    wanted = strip(stage.get("Deployment", "web"))
    wanted["spec"]["replicas"] = 3
    stage.kubectl.run("replace", "-f", "-", given=as_json(wanted))
    until(lambda: stage.status().get("released"), "the field is let go", 30)
    (released,) = stage.status()["released"]
    assert (released["target"]["name"], released["found"], released["manager"]) == ("web", "3", "kubectl-replace")
    assert stage.replicas("web") == {"web": 3}
    stage.recovers()
    assert stage.replicas("web") == {"web": 3}
    stage.everything_is_as_it_was(("Deployment", "web"))
    stage.nothing_of_ours_is_left(("Deployment", "web"))


def test_server_side_apply_by_the_owner_after_an_episode_works_as_before(stage: Stage) -> None:
    stage.opens(stage.policy(TWO))
    web, flags = deployment("web", 2), config_map("flags", mode="full", other="stays")
    stage.kubectl.apply(web, flags, manager="gitops")
    stage.remembers(("Deployment", "web"), ("ConfigMap", "flags"))
    stage.degrades()
    with pytest.raises(KubectlRefused, match='conflict with "brownout"'):
        stage.kubectl.apply(web, manager="gitops")
    stage.recovers()
    stage.everything_is_as_it_was()

    stage.kubectl.apply(web, flags, manager="gitops")
    stage.everything_is_as_it_was()
    stage.kubectl.apply(deployment("web", 3), config_map("flags", mode="fuller", other="stays"), manager="gitops")
    assert stage.replicas("web") == {"web": 3}
    assert stage.get("ConfigMap", "flags")["data"] == {"mode": "fuller", "other": "stays"}
    del web["spec"]["replicas"]
    stage.kubectl.apply(web, config_map("flags", other="stays"), manager="gitops")
    assert stage.replicas("web") == {"web": 1}, "reset, as for any owner that removes a field"
    assert stage.get("ConfigMap", "flags")["data"] == {"other": "stays"}


def test_client_side_apply_by_the_owner_after_an_episode_works_as_before(stage: Stage) -> None:
    web, flags = deployment("web", 2), config_map("flags", mode="full", other="stays")
    stage.opens(web, flags, stage.policy(TWO))
    stage.degrades()
    stage.recovers()
    assert set(stage.kubectl.apply(web, flags).splitlines()) == {
        "deployment.apps/web unchanged",
        "configmap/flags unchanged",
    }
    stage.everything_is_as_it_was()
    stage.kubectl.apply(deployment("web", 3), config_map("flags", other="stays"))
    assert stage.replicas("web") == {"web": 3}
    assert stage.get("ConfigMap", "flags")["data"] == {"other": "stays"}
