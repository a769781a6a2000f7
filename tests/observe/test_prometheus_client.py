"""The door to Prometheus against a server that misbehaves: a value each time, in time, and no thread left behind."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from brownout.api.reasons import MissingReason
from brownout.api.source import Auth, SourceSpec, Tenant
from brownout.clock import SystemClock
from brownout.observe.access import Access
from brownout.observe.answer import Answer, Failed, Refused, Result
from brownout.observe.door import Door, untold
from brownout.observe.prometheus import PrometheusClient
from tests.observe.misbehaving import Behaviour, Exchange, Server, sample, serving, spec

CAP = 100_000


def door(source: SourceSpec, access: Access | None = None, on_request: Callable[[float, str], None] = untold) -> Door:
    clock = SystemClock()
    client = PrometheusClient(source, access or Access(), clock.monotonic)
    return Door("main", client, clock, source.max_connections, on_request)


def asked(source: SourceSpec, access: Access | None = None, seconds: float = 2.0, text: str = "up") -> Answer:
    async def run() -> Answer:
        opened = door(source, access)
        try:
            return await opened.query(text, seconds, CAP)
        finally:
            opened.close()

    return asyncio.run(run())


def answer_to(behave: Behaviour, seconds: float = 2.0) -> Answer:
    with serving(behave) as server:
        return asked(spec(server.url), seconds=seconds)


def good(exchange: Exchange) -> None:
    exchange.result("vector", [sample("1")])


def test_the_query_travels_in_the_body_and_the_result_comes_back() -> None:
    with serving(good) as server:
        answer = asked(spec(server.url + "/prom/"), text='up{a="ü"}')
    assert answer == Result(kind="vector", value=[sample("1")])
    (exchange,) = server.requests
    assert (exchange.command, exchange.path) == ("POST", "/prom/api/v1/query")
    assert exchange.query == 'up{a="ü"}'
    assert exchange.form["timeout"] == ["1800ms"]
    assert exchange.headers["Accept-Encoding"] == "identity"
    assert "Authorization" not in exchange.headers


def test_connections_are_kept() -> None:
    async def run(server: Server) -> None:
        opened = door(spec(server.url, max_connections=2))
        for _ in range(5):
            await asyncio.gather(*(opened.query("up", 2.0, CAP) for _ in range(4)))
        opened.close()

    with serving(good) as server:
        asyncio.run(run(server))
    assert len(server.requests) == 20
    assert server.connections <= 2


@pytest.mark.parametrize(
    ("behave", "reason", "words"),
    [
        pytest.param(lambda x: x.send(200, b"<html>", "text/html"), MissingReason.BAD_ANSWER, "text/html", id="HTML"),
        pytest.param(lambda x: x.send(200, b'{"status": "suc'), MissingReason.BAD_ANSWER, "", id="broken JSON"),
        pytest.param(
            lambda x: x.send(302, b"", Location="http://127.0.0.1:1/elsewhere"),
            MissingReason.SOURCE_DOWN,
            "redirect",
            id="a redirect is not followed",
        ),
        pytest.param(lambda x: x.error(500, "internal", "boom"), MissingReason.SOURCE_DOWN, "boom", id="a 500"),
        pytest.param(lambda x: x.reset(), MissingReason.SOURCE_DOWN, "broke", id="a connection reset"),
        pytest.param(
            lambda x: x.wfile.write(b"HTTQ nonsense\r\n\r\n"), MissingReason.SOURCE_DOWN, "broke", id="no HTTP"
        ),
    ],
)
def test_a_source_that_fails(behave: Behaviour, reason: MissingReason, words: str) -> None:
    def once(exchange: Exchange) -> None:
        exchange.close_connection = True
        behave(exchange)

    answer = answer_to(once)
    assert isinstance(answer, Failed)
    assert answer.missing.reason is reason
    assert answer.missing.message.startswith("source main: ")
    assert words in answer.missing.message


@pytest.mark.parametrize(
    ("behave", "reason", "words"),
    [
        pytest.param(
            lambda x: x.error(422, "execution", "many-to-many"), MissingReason.BAD_QUERY, "many-to-many", id="a 422"
        ),
        pytest.param(
            lambda x: x.error(200, "bad_data", "parse error"),
            MissingReason.BAD_QUERY,
            "parse error",
            id="an error at 200",
        ),
        pytest.param(lambda x: x.send(200, b"x" * (CAP + 1)), MissingReason.TOO_LARGE, str(CAP), id="a large body"),
    ],
)
def test_a_query_that_is_refused(behave: Behaviour, reason: MissingReason, words: str) -> None:
    answer = answer_to(behave)
    assert isinstance(answer, Refused)
    assert answer.reason is reason
    assert words in answer.message


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(lambda x: x.hang(), id="it never answers"),
        pytest.param(lambda x: x.drip(HEAD + b"Content-Length: 90000\r\n\r\n{"), id="it drips the body"),
        pytest.param(lambda x: x.drip(HEAD + b"X-Slow: "), id="it drips the header"),
    ],
)
def test_a_slow_source_is_cut_and_its_thread_freed(behave: Behaviour) -> None:
    before = threading.active_count()
    with serving(behave) as server:
        alive = threading.active_count()
        begun = time.monotonic()
        answer = asked(spec(server.url), seconds=0.2)
        took = time.monotonic() - begun
        assert isinstance(answer, Failed)
        assert answer.missing.reason is MissingReason.TIMED_OUT
        assert took < 1.5
        assert _falls(threading.active_count, to=alive + 1)  # the server's own thread still drips
    assert _falls(threading.active_count, to=before)


def _falls(count: Callable[[], int], to: int) -> bool:
    end = time.monotonic() + 2
    while count() > to and time.monotonic() < end:
        time.sleep(0.01)
    return count() <= to


def test_a_refused_connection_says_so_and_names_no_address() -> None:
    with serving(good) as server:
        url = server.url
    answer = asked(spec(url))
    assert isinstance(answer, Failed)
    assert answer.whole
    assert answer.missing.message == "source main: Connection refused"


def test_a_port_that_no_machine_has_says_so() -> None:
    answer = asked(spec("http://127.0.0.1:99999"))
    assert isinstance(answer, Failed)
    assert answer.missing.reason is MissingReason.SOURCE_DOWN


def test_a_name_that_does_not_resolve_says_so() -> None:
    answer = asked(spec("http://nowhere.invalid:9090"))
    assert isinstance(answer, Failed)
    assert answer.missing.reason in (MissingReason.SOURCE_DOWN, MissingReason.TIMED_OUT)


def test_when_all_places_are_taken_calls_do_not_pile_up() -> None:
    """Two calls hang; ten more are answered in time without being sent; then the places are free again."""

    async def run(server: Server) -> tuple[list[Answer], Answer]:
        opened = door(spec(server.url, max_connections=2))
        hanging = [asyncio.create_task(opened.query("up", 60.0, CAP)) for _ in range(2)]
        await asyncio.sleep(0)
        late = await asyncio.gather(*(opened.query("up", 0.1, CAP) for _ in range(10)))
        for task in hanging:
            task.cancel()
        server.behave = good
        last = await opened.query("up", 5.0, CAP)
        opened.close()
        return late, last

    with serving(lambda exchange: exchange.hang()) as server:
        late, last = asyncio.run(run(server))
        assert len(server.requests) == 3
    assert all(isinstance(one, Failed) and "all 2 connections are busy" in one.missing.message for one in late)
    assert isinstance(last, Result)


def test_a_cancelled_call_frees_its_place() -> None:
    async def run(server: Server) -> Answer:
        opened = door(spec(server.url, max_connections=1))
        task = asyncio.create_task(opened.query("up", 60.0, CAP))
        await asyncio.to_thread(server.asked.wait, 5.0)
        task.cancel()
        server.behave = good
        answer = await opened.query("up", 2.0, CAP)
        opened.close()
        return answer

    with serving(lambda exchange: exchange.hang()) as server:
        assert isinstance(asyncio.run(run(server)), Result)


def test_each_request_is_counted_with_its_outcome() -> None:
    told: list[str] = []

    async def run(server: Server) -> None:
        opened = door(spec(server.url), on_request=lambda seconds, outcome: told.append(outcome))
        await opened.query("up", 2.0, CAP)
        server.behave = lambda exchange: exchange.error(400, "bad_data", "no")
        await opened.query("up", 2.0, CAP)
        server.behave = lambda exchange: exchange.send(200, b"<html>", "text/html")
        await opened.query("up", 2.0, CAP)
        opened.close()

    with serving(good) as server:
        asyncio.run(run(server))
    assert told == ["Answered", "BadQuery", "BadAnswer"]


def test_credentials_and_tenant_travel_in_headers() -> None:
    with serving(good) as server:
        source = spec(server.url, tenant=Tenant(value="shop"))
        asked(source, Access(authorization="Bearer sesame"))
    headers = server.requests[0].headers
    assert (headers["Authorization"], headers["X-Scope-OrgID"]) == ("Bearer sesame", "shop")


def test_a_token_file_is_read_again_at_each_request(tmp_path: Path) -> None:
    token = tmp_path / "token"
    source_auth = Auth(token_file=str(token))
    with serving(good) as server:
        token.write_text("one\n")
        asked(spec(server.url, auth=source_auth))
        token.write_text("two\n")
        asked(spec(server.url, auth=source_auth))
        token.unlink()
        answer = asked(spec(server.url, auth=source_auth))
    assert [exchange.headers["Authorization"] for exchange in server.requests] == ["Bearer one", "Bearer two"]
    assert isinstance(answer, Failed)
    assert answer.missing.message == f"source main: token file {token} cannot be read: No such file or directory"


def test_an_answer_that_echoes_our_credentials_loses_them() -> None:
    def echo(exchange: Exchange) -> None:
        exchange.error(400, "bad_data", f"got {exchange.headers['Authorization']}")

    with serving(echo) as server:
        answer = asked(spec(server.url), Access(authorization="Bearer sesame"))
    assert isinstance(answer, Refused)
    assert answer.message == "got Bearer ..."


def test_a_result_is_never_redacted_whatever_the_token() -> None:
    with serving(good) as server:
        answer = asked(spec(server.url), Access(authorization="Bearer 1"))
    assert answer == Result(kind="vector", value=[sample("1")])


def test_secrets_are_not_shown() -> None:
    assert "sesame" not in repr(Access(authorization="Bearer sesame", ca=b"sesame"))
