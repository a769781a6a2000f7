"""When the watch is synced, when it is current, and that its session cannot write."""

import asyncio
from pathlib import Path

import pytest

from brownout.cluster.access import Access
from brownout.cluster.freshness import WATCHED, Freshness
from brownout.cluster.kinds import FEATURE_FLAG, POLICY
from brownout.cluster.reading import reading_session
from brownout.testing.clock import VirtualClock
from tests.cluster.scripted_server import kubeconfig, says, serving

REQUIRED = [kind.path() for kind in WATCHED if kind != FEATURE_FLAG]


def told(freshness: Freshness, *paths: str) -> None:
    for path in paths:
        freshness.asked(path)
        freshness.watching(path)
        freshness.listed(path)


def state(freshness: Freshness) -> tuple[bool, bool]:
    return freshness.synced, freshness.current


def test_synced_needs_every_collection_that_must_be_there() -> None:
    freshness = Freshness()
    told(freshness, *REQUIRED[1:])
    assert state(freshness) == (False, False)
    told(freshness, REQUIRED[0])
    assert state(freshness) == (True, True)


def test_an_optional_kind_counts_once_it_is_asked_for_and_no_more_when_it_is_gone() -> None:
    freshness = Freshness()
    told(freshness, *REQUIRED)
    freshness.asked(FEATURE_FLAG.path())
    assert state(freshness) == (False, False)
    freshness.lost(FEATURE_FLAG.path(), 404)
    assert state(freshness) == (True, True)
    freshness.lost(POLICY.path(), 404)
    assert state(freshness) == (True, False)


def test_a_lost_collection_is_current_again_when_it_is_watched_again() -> None:
    freshness = Freshness()
    told(freshness, *REQUIRED)
    freshness.lost(POLICY.path())
    assert state(freshness) == (True, False)
    freshness.watching(POLICY.path())
    assert state(freshness) == (True, True)


def test_namespaces_are_followed_one_by_one() -> None:
    freshness = Freshness(["a", "b"])
    assert freshness.kind_of(POLICY.path("a")) == POLICY
    assert freshness.kind_of(POLICY.path()) is None
    told(freshness, *(kind.path("a") for kind in WATCHED))
    assert state(freshness) == (False, False)
    told(freshness, *(kind.path("b") for kind in WATCHED))
    assert state(freshness) == (True, True)


def test_the_session_reads_and_cannot_write(tmp_path: Path) -> None:
    async def run() -> list[str]:
        watched: list[str] = []
        freshness = Freshness()
        async with serving(says(200, {})) as server:
            access = await Access.load(VirtualClock(), kubeconfig=str(kubeconfig(tmp_path, server.url)))
            async with reading_session(access, freshness, watched.append) as session:
                for write in (session.patch, session.post, session.put, session.delete):
                    with pytest.raises(RuntimeError, match="writes nothing"):
                        await write(server.url + POLICY.path())
                async with session.get(server.url + POLICY.path() + "?watch=true"):
                    pass
            assert [request.headers["authorization"] for request in server.requests] == ["Bearer secret"]
            with pytest.raises(RuntimeError, match="Session is closed"):
                await session.get(server.url)
        return watched

    assert asyncio.run(run()) == [POLICY.path()]
