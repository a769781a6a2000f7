"""A ledger that a tenant wrote for a policy that does not exist does not steer the operator either."""

import json

from brownout.cluster.kinds import DEPLOYMENT
from brownout.ledger.entries import HELD_LABEL, LEDGER_ANNOTATION
from tests.reconcile.stories import NAMESPACE, Story, tell


def claimed(story: Story, name: str, where: str, original: object, applied: object) -> None:
    """Puts a well-formed ledger on an object, as anybody may who can edit its metadata."""
    body = story.body(DEPLOYMENT, name)
    claim = {"namespace": NAMESPACE, "name": "none", "uid": "u", "level": "l", "action": "a", "order": "none", "at": 1}
    entry = {"original": original, "applied": applied, "claims": [claim]}
    ledger = {"v": 1, "take": "t1", "uid": body["metadata"]["uid"], "fields": {where: entry}}
    metadata = {
        **body["metadata"],
        "labels": {HELD_LABEL: "t1"},
        "annotations": {LEDGER_ANNOTATION: json.dumps(ledger)},
    }
    story.api._store(DEPLOYMENT, body, {**body, "metadata": metadata})


def test_a_field_that_no_lever_changes_is_not_given_back_to_a_forged_original() -> None:
    async def story() -> None:
        shop = Story()
        shop.seed(DEPLOYMENT, "web", spec={"replicas": 1, "paused": False})
        shop.deployment("orphan", 1)
        claimed(shop, "web", "/spec/paused", True, False)
        claimed(shop, "orphan", "/spec/replicas", 3, 1)
        shop.start()
        await shop.wait(700)
        assert shop.replicas("orphan") == 3, "the sweep has been there"
        assert shop.body(DEPLOYMENT, "web")["spec"] == {"replicas": 1, "paused": False}
        assert shop.writes(DEPLOYMENT, "web") == []

    tell(story)
