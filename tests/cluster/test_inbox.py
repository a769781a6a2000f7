"""Changes cross from the watch's thread to the operator's loop, the latest of each object."""

import asyncio
import threading

from brownout.cluster.inbox import Change, Inbox, change_of
from brownout.cluster.kinds import CONFIG_MAP, POLICY


def change(name: str, version: int = 0) -> Change:
    return Change(kind="ConfigMap", namespace="ns", name=name, body={"version": version})


def test_the_latest_of_each_object_waits_in_the_order_of_arrival() -> None:
    async def run() -> None:
        inbox = Inbox()
        for each in (change("a", 1), change("b", 1), change("a", 2)):
            inbox.put(each)
        assert await inbox.get_batch() == [change("a", 2), change("b", 1)]
        waiting = asyncio.create_task(inbox.get_batch())
        await asyncio.sleep(0)
        assert not waiting.done()
        inbox.put(change("c"))
        assert await waiting == [change("c")]

    asyncio.run(run())


def test_nothing_is_lost_between_threads() -> None:
    async def run() -> dict[str, object]:
        inbox = Inbox()
        latest: dict[str, object] = {}

        def put() -> None:
            for version in range(1, 501):
                for name in "abc":
                    inbox.put(change(name, version))

        thread = threading.Thread(target=put)
        thread.start()
        while len(latest) < 3 or set(latest.values()) != {500}:
            for each in await asyncio.wait_for(inbox.get_batch(), 10):
                assert each.body is not None
                latest[each.name] = each.body["version"]
        thread.join()
        return latest

    assert asyncio.run(run()) == {"a": 500, "b": 500, "c": 500}


def test_a_change_after_the_reader_has_gone_is_dropped() -> None:
    async def make() -> Inbox:
        return Inbox()

    asyncio.run(make()).put(change("a"))


def test_a_target_keeps_its_metadata_and_a_policy_everything() -> None:
    body = {
        "metadata": {"name": "x", "namespace": "ns", "labels": {"a": "b"}, "managedFields": [{}]},
        "spec": {"a": 1},
        "data": {"k": "v"},
    }
    target = change_of(CONFIG_MAP, body)
    assert target.key == ("ConfigMap", "ns", "x")
    metadata = {"name": "x", "namespace": "ns", "labels": {"a": "b"}}
    assert target.body == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    assert change_of(POLICY, body).body == {
        "apiVersion": "brownout.dev/v1alpha1",
        "kind": "DegradationPolicy",
        "metadata": metadata,
        "spec": {"a": 1},
        "data": {"k": "v"},
    }
    assert change_of(POLICY, body, gone=True).body is None
