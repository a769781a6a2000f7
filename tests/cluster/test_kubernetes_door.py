"""The door to Kubernetes against a real HTTP server: what is sent, and what each answer or lack of one becomes."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from brownout.cluster.kinds import CONFIG_MAP, DEPLOYMENT, POLICY
from brownout.cluster.kubernetes import Kubernetes
from brownout.cluster.port import Answer, Content
from brownout.testing.clock import VirtualClock
from tests.cluster.scripted_server import (
    Act,
    Exchange,
    Server,
    after,
    breaks_off,
    closes,
    drips,
    hangs,
    kubeconfig,
    resets,
    says,
    serving,
)

NOT_FOUND = {
    "kind": "Status",
    "status": "Failure",
    "message": 'configmaps "x" not found',
    "reason": "NotFound",
    "details": {"name": "x", "kind": "configmaps"},
    "code": 404,
}
SLOW_DOWN = {"kind": "Status", "message": "too many", "reason": "TooManyRequests", "details": {"retryAfterSeconds": 7}}


def play(folder: Path, *acts: Act, ask: Callable[[Kubernetes], Awaitable[Answer]]) -> tuple[Answer, Server]:
    async def run() -> tuple[Answer, Server]:
        async with serving(*acts) as server:
            door = await Kubernetes.connect(VirtualClock(), kubeconfig=str(kubeconfig(folder, server.url)))
            try:
                return await ask(door), server
            finally:
                await door.close()

    return asyncio.run(run())


async def get(door: Kubernetes) -> Answer:
    return await door.get(CONFIG_MAP, "ns", "x", timeout=0.3)


@pytest.mark.parametrize(
    ("act", "status", "reason", "words"),
    [
        pytest.param(says(200, {"a": 1}), 200, "", "", id="an object is an answer"),
        pytest.param(says(404, NOT_FOUND), 404, "NotFound", 'configmaps "x" not found', id="a Status gives its words"),
        pytest.param(
            says(404, "404 page not found"), 404, "HTTP404", "404 page not found", id="a text 404 is no NotFound"
        ),
        pytest.param(says(503, "<p>sorry</p>"), 503, "HTTP503", "<p>sorry</p>", id="a proxy's page keeps its status"),
        pytest.param(says(401, {"a": 1}), 401, "HTTP401", '{"a": 1}', id="JSON that is no Status is shown as text"),
        pytest.param(says(302, "", Location="/other"), 302, "HTTP302", "HTTP 302", id="a redirect is not followed"),
        pytest.param(says(200, "<p>log in</p>"), 0, "Unanswered", "not with JSON", id="a page with 200 is no answer"),
        pytest.param(breaks_off, 0, "Unanswered", "in the middle of its answer", id="half an answer is no answer"),
        pytest.param(closes, 0, "Unanswered", "closed the connection", id="a closed connection is no answer"),
        pytest.param(resets, 0, "Unanswered", "", id="a reset is no answer"),
        pytest.param(hangs, 0, "TimedOut", "did not answer within 0.3 s", id="silence ends at the timeout"),
        pytest.param(drips, 0, "TimedOut", "did not answer within 0.3 s", id="a slow drip ends at the timeout"),
    ],
)
def test_every_answer_is_a_value(tmp_path: Path, act: Act, status: int, reason: str, words: str) -> None:
    started = time.monotonic()
    answer, server = play(tmp_path, act, ask=get)
    assert (answer.status, answer.reason) == (status, reason)
    assert words in answer.message
    if status == 0:
        assert answer.message.startswith(server.url)
    assert answer.missing is (reason == "NotFound")
    assert time.monotonic() - started < 3


def test_a_refused_connection_says_where(tmp_path: Path) -> None:
    async def run() -> Answer:
        door = await Kubernetes.connect(VirtualClock(), kubeconfig=str(kubeconfig(tmp_path, "http://127.0.0.1:1")))
        try:
            return await get(door)
        finally:
            await door.close()

    answer = asyncio.run(run())
    assert answer.status == 0
    assert answer.message == "http://127.0.0.1:1 cannot be reached: Connection refused"


@pytest.mark.parametrize(
    ("act", "seconds"),
    [
        pytest.param(says(429, SLOW_DOWN, Retry_After="3"), 3, id="the header says how long to wait"),
        pytest.param(says(429, SLOW_DOWN), 7, id="else the Status says it"),
        pytest.param(says(503, "x", Retry_After="Fri, 31 Dec 1999 23:59:59 GMT"), None, id="a date is not read"),
        pytest.param(says(500, "x"), None, id="else nobody says it"),
    ],
)
def test_how_long_to_wait(tmp_path: Path, act: Act, seconds: float | None) -> None:
    answer, _ = play(tmp_path, act, ask=get)
    assert answer.retry_after == seconds


def test_a_patch_is_sent_as_it_stands(tmp_path: Path) -> None:
    text = '[{"op":"test","path":"/data/a","value":"a\\u003cb é 日"},{"op":"add","path":"/data/n","value":18.0}]'

    async def patch(door: Kubernetes) -> Answer:
        return await door.patch(POLICY, "ns", "x", text, Content.JSON_PATCH, manager="brownout", subresource="status")

    _, server = play(tmp_path, says(200, {}), ask=patch)
    (request,) = server.requests
    assert request.method == "PATCH"
    assert (
        request.path == "/apis/brownout.dev/v1alpha1/namespaces/ns/degradationpolicies/x/status?fieldManager=brownout"
    )
    assert request.headers["content-type"] == "application/json-patch+json"
    assert request.headers["authorization"] == "Bearer secret"
    assert request.body == text.encode()


def test_a_create_names_its_manager(tmp_path: Path) -> None:
    async def create(door: Kubernetes) -> Answer:
        return await door.create(CONFIG_MAP, "ns", {"metadata": {"name": "é"}}, manager="brownout")

    _, server = play(tmp_path, says(201, {}), ask=create)
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/api/v1/namespaces/ns/configmaps?fieldManager=brownout")
    assert json.loads(request.body) == {"metadata": {"name": "é"}}


@pytest.mark.parametrize("name", ["", ".", "..", "../../secrets/s", "a/b", "a%2Fb"])
def test_a_name_never_leads_elsewhere(tmp_path: Path, name: str) -> None:
    async def ask(door: Kubernetes) -> Answer:
        patched = await door.patch(DEPLOYMENT, "ns", name, "[]", Content.JSON_PATCH, manager="brownout")
        assert patched.status == 400
        return await door.get(DEPLOYMENT, "ns", name)

    answer, server = play(tmp_path, says(200, {}), ask=ask)
    assert (answer.status, answer.reason) == (400, "BadRequest")
    assert server.requests == []


def page(*names: str, more: str = "") -> Act:
    items = [{"metadata": {"name": name}} for name in names]
    return says(200, {"kind": "L", "metadata": {"resourceVersion": "5", "continue": more}, "items": items})


GONE = says(410, {"kind": "Status", "reason": "Expired", "message": "too old"})


async def list_all(door: Kubernetes) -> Answer:
    return await door.list(DEPLOYMENT, "ns", selector="a in (b,c)", metadata_only=True, timeout=2)


@pytest.mark.parametrize(
    ("acts", "names", "requests"),
    [
        pytest.param([page("a")], ["a"], 1, id="one page"),
        pytest.param([page("a", more="t"), page("b", more="u"), page("c")], ["a", "b", "c"], 3, id="all pages"),
        pytest.param([page("a", more="t"), GONE, page("a"), page("no")], ["a"], 3, id="an expired list starts again"),
        pytest.param([page("a", more="t"), GONE, GONE], None, 3, id="twice expired is an answer"),
        pytest.param([page("a", more="t"), says(500, "x")], None, 2, id="a failed page fails the list"),
    ],
)
def test_lists(tmp_path: Path, acts: list[Act], names: list[str] | None, requests: int) -> None:
    answer, server = play(tmp_path, *acts, ask=list_all)
    assert answer.ok is (names is not None)
    assert [item["metadata"]["name"] for item in answer.items] == (names or [])
    assert all((item["kind"], item["apiVersion"]) == ("Deployment", "apps/v1") for item in answer.items)
    assert len(server.requests) == requests
    first = server.requests[0]
    assert first.path == "/apis/apps/v1/namespaces/ns/deployments?limit=500&labelSelector=a%20in%20(b,c)"
    assert first.headers["accept"] == "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


def test_a_list_has_one_deadline_for_all_its_pages(tmp_path: Path) -> None:
    async def ask(door: Kubernetes) -> Answer:
        return await door.list(DEPLOYMENT, timeout=0.4)

    answer, _ = play(tmp_path, after(0.25, page("a", more="t")), ask=ask)
    assert (answer.status, answer.reason) == (0, "TimedOut")


@pytest.mark.parametrize(
    ("act", "served"),
    [
        pytest.param(says(200, {"resources": [{"name": "degradationpolicies"}]}), True, id="listed"),
        pytest.param(says(200, {"resources": [{"name": "others"}]}), False, id="its group has other kinds only"),
        pytest.param(says(404, "404 page not found"), False, id="no such group"),
        pytest.param(says(503, "x"), None, id="nobody can say"),
    ],
)
def test_whether_a_kind_is_served(tmp_path: Path, act: Act, served: bool | None) -> None:
    found: list[bool | None] = []

    async def ask(door: Kubernetes) -> Answer:
        found.append(await door.served(POLICY))
        return await door.version()

    _, server = play(tmp_path, act, ask=ask)
    assert found == [served]
    assert [request.path for request in server.requests] == ["/apis/brownout.dev/v1alpha1", "/version"]


def test_a_cancelled_write_goes_on_and_closing_waits_for_it(tmp_path: Path) -> None:
    left: list[bool] = []

    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.3)
        left.append(exchange.reader.at_eof())
        await says(200, {})(exchange)

    async def ask(door: Kubernetes) -> Answer:
        write = asyncio.create_task(door.patch(POLICY, "n", "x", "[]", Content.JSON_PATCH, manager="m"))
        await asyncio.sleep(0.1)
        write.cancel()
        assert (await asyncio.gather(write, return_exceptions=True))[0].__class__ is asyncio.CancelledError
        assert left == []
        await door.close()
        assert left == [False]
        return await get(door)

    answer, server = play(tmp_path, slow, ask=ask)
    assert answer.reason == "Unanswered"
    assert "closing" in answer.message
    assert len(server.requests) == 1


def test_closing_does_not_wait_for_ever(tmp_path: Path) -> None:
    async def ask(door: Kubernetes) -> Answer:
        write = asyncio.create_task(door.patch(POLICY, "n", "x", "[]", Content.JSON_PATCH, manager="m", timeout=60))
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await door.close(drain=0.2)
        assert time.monotonic() - started < 1
        return await write

    answer, _ = play(tmp_path, hangs, ask=ask)
    assert answer.status == 0


def test_a_token_file_is_read_again_after_a_minute(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first")

    async def run() -> list[str]:
        clock = VirtualClock()
        async with serving(says(200, {})) as server:
            path = kubeconfig(tmp_path, server.url, {"tokenFile": str(tmp_path / "token")})
            door = await Kubernetes.connect(clock, kubeconfig=str(path))
            await get(door)
            (tmp_path / "token").write_text("second")
            await get(door)
            await clock.advance(61)
            await get(door)
            (tmp_path / "token").unlink()
            await clock.advance(61)
            await get(door)
            await door.close()
            return [request.headers["authorization"] for request in server.requests]

    assert asyncio.run(run()) == ["Bearer first", "Bearer first", "Bearer second", "Bearer second"]
