"""The registry: sources come, change and go; secrets are read, read again, and never shown."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

import pytest

from brownout.api.reasons import MissingReason
from brownout.api.source import Auth, BasicAuth, SecretKey, SourceObject, SourceSpec, Tenant, Tls
from brownout.decide.model import Missing, Reading
from brownout.observe.access import Unreadable
from brownout.observe.renewing import RENEW, RENEW_SOON
from brownout.observe.sources import Sources
from tests.observe.misbehaving import AT, Exchange, Numbers, Server, ShiftedClock, sample, serving, spec

BEARER = Auth(bearer=SecretKey(name="prom", key="token"))


class Secrets:
    """A namespace's Secrets, and how often they were read."""

    def __init__(self, **values: str) -> None:
        self.values = {name.replace("_", "/"): value for name, value in values.items()}
        self.reads = 0

    async def read(self, name: str, key: str) -> bytes | Unreadable:
        self.reads += 1
        value = self.values.get(f"{name}/{key}")
        return value.encode() if value is not None else Unreadable(f"Secret {name} has no key {key}")


class Rig:
    def __init__(self, secrets: Secrets | None = None) -> None:
        self.clock = ShiftedClock()
        self.secrets = secrets or Secrets()
        self.told: list[tuple[str, str]] = []
        self.sources = Sources(
            self.clock, self.secrets.read, lambda name, _, outcome: self.told.append((name, outcome))
        )

    def declare(self, *specs: SourceSpec, generation: int = 1) -> None:
        names = ("main", "second")
        self.sources.declare(
            SourceObject(name=name, uid=name, generation=generation, spec=one)
            for name, one in zip(names, specs, strict=False)
        )

    async def ask(self, query: str = "a", name: str = "main") -> Reading | Missing:
        (seen,) = await self.sources.source(name).evaluate([query])
        return seen

    async def renewed(self, seconds: float) -> Reading | Missing:
        """An evaluation so much later; reading the Secrets goes on beside it, so its effect is in the one after."""
        self.clock.ahead += seconds
        await self.ask()
        await asyncio.sleep(0.02)
        return await self.ask()


def told(behave: Callable[[Exchange], None], story: Callable[[Rig, Server], Awaitable[None]], rig: Rig) -> Server:
    async def run(server: Server) -> None:
        try:
            await story(rig, server)
        finally:
            rig.sources.close()

    with serving(behave) as server:
        asyncio.run(run(server))
    return server


def authorizations(server: Server) -> list[str | None]:
    return [exchange.headers["Authorization"] for exchange in server.requests]


def test_a_source_that_is_not_declared_says_what_to_do() -> None:
    rig = Rig()
    seen = asyncio.run(rig.ask(name="nope"))
    message = "no PrometheusSource named nope: create it or set spec.sourceRef.name"
    assert seen == Missing(reason=MissingReason.SOURCE_MISSING, message=message)


def test_a_declared_source_answers_and_its_requests_are_counted_by_its_name() -> None:
    async def story(rig: Rig, server: Server) -> None:
        rig.declare(spec(server.url))
        assert await rig.ask() == Reading(value=4, at=AT)

    rig = Rig()
    told(Numbers(values={"a": "4"}), story, rig)
    assert rig.told == [("main", "Answered")]


def test_a_removed_source_is_missing() -> None:
    async def story(rig: Rig, server: Server) -> None:
        rig.declare(spec(server.url))
        await rig.ask()
        rig.declare()
        seen = await rig.ask()
        assert isinstance(seen, Missing)
        assert seen.reason is MissingReason.SOURCE_MISSING
        assert await rig.sources.check("main") is None

    told(Numbers(values={"a": "4"}), story, Rig())


def test_a_changed_spec_is_used_and_an_equal_one_keeps_what_was_learnt() -> None:
    numbers = Numbers(values={"a": "4"})

    async def story(rig: Rig, server: Server) -> None:
        rig.declare(spec(server.url))
        await rig.ask()
        rig.declare(spec(server.url), generation=2)
        await rig.ask()
        assert "__sig__" in server.requests[-1].query
        rig.declare(spec(server.url, tenant=Tenant(value="shop")))
        await rig.ask()
        assert "__sig__" not in server.requests[-1].query
        assert server.requests[-1].headers["X-Scope-OrgID"] == "shop"

    told(numbers, story, Rig())


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        pytest.param(BEARER, "Bearer sesame", id="a bearer token, without the line break people store with it"),
        pytest.param(
            Auth(
                basic=BasicAuth(username=SecretKey(name="prom", key="user"), password=SecretKey(name="prom", key="pw"))
            ),
            "Basic YW5uOnDDpCBzcw==",
            id="basic, in UTF-8, blanks within kept",
        ),
    ],
)
def test_credentials_come_from_secrets(auth: Auth, header: str) -> None:
    async def story(rig: Rig, server: Server) -> None:
        rig.declare(spec(server.url, auth=auth))
        await rig.ask()

    secrets = Secrets(prom_token="sesame\n", prom_user="ann", prom_pw="pä ss")
    assert authorizations(told(Numbers(), story, Rig(secrets))) == [header]


@pytest.mark.parametrize(
    ("secrets", "sentence"),
    [
        pytest.param(Secrets(), "source main: Secret prom has no key token", id="a missing key is named"),
        pytest.param(
            Secrets(prom_token=" \n"), "source main: Secret prom, key token, is empty", id="an empty one is named"
        ),
        pytest.param(
            Secrets(prom_token="a\nb"),
            "source main: Secret prom, key token, holds no token of one line",
            id="two lines would split the header and are refused without being shown",
        ),
    ],
)
def test_a_secret_that_cannot_be_used_says_which(secrets: Secrets, sentence: str) -> None:
    async def story(rig: Rig, server: Server) -> None:
        rig.declare(spec(server.url, auth=BEARER))
        assert await rig.ask() == Missing(reason=MissingReason.SOURCE_DOWN, message=sentence)
        readiness = await rig.sources.check("main")
        assert readiness is not None
        assert (readiness.ready, readiness.message) == (False, sentence)

    assert told(Numbers(), story, Rig(secrets)).requests == []


def test_a_secret_that_hangs_costs_no_more_than_the_deadline() -> None:
    async def never(name: str, key: str) -> bytes | Unreadable:
        await asyncio.sleep(3600)
        return b""

    async def story() -> None:
        rig = Rig()
        rig.sources = Sources(rig.clock, never)
        rig.declare(spec("http://127.0.0.1:1", timeout=0.2, auth=BEARER))
        async with asyncio.timeout(1):
            seen = await rig.ask()
        assert isinstance(seen, Missing)
        assert seen.message == "source main: its Secrets have not been read yet"
        rig.sources.close()

    asyncio.run(story())


def test_a_changed_secret_is_noticed_after_a_while() -> None:
    async def story(rig: Rig, server: Server) -> None:
        rig.declare(spec(server.url, auth=BEARER))
        await rig.ask()
        rig.secrets.values["prom/token"] = "two"
        await rig.renewed(RENEW / 2)
        assert authorizations(server)[-1] == "Bearer one"
        await rig.renewed(RENEW / 2)
        assert authorizations(server)[-1] == "Bearer two"
        assert "__sig__" in server.requests[-1].query

    told(Numbers(values={"a": "1"}), story, Rig(Secrets(prom_token="one")))


def test_refused_credentials_are_read_again_soon() -> None:
    numbers = Numbers(values={"a": "1"})

    def guarded(exchange: Exchange) -> None:
        if exchange.headers["Authorization"] == "Bearer two":
            numbers(exchange)
        else:
            exchange.send(401, b"who?", "text/plain")

    async def story(rig: Rig, server: Server) -> None:
        rig.declare(spec(server.url, auth=BEARER))
        seen = await rig.ask()
        assert isinstance(seen, Missing)
        assert "refuses our credentials (HTTP 401)" in seen.message
        assert "one" not in seen.message.replace("source", "")
        rig.secrets.values["prom/token"] = "two"
        assert isinstance(await rig.renewed(RENEW_SOON), Reading)

    rig = Rig(Secrets(prom_token="one"))
    told(guarded, story, rig)
    assert rig.secrets.reads == 2


def test_a_secret_that_vanishes_leaves_the_last_one_in_use_and_is_said() -> None:
    async def story(rig: Rig, server: Server) -> None:
        rig.declare(spec(server.url, auth=BEARER))
        await rig.ask()
        rig.secrets.values.clear()
        assert isinstance(await rig.renewed(RENEW), Reading)
        readiness = await rig.sources.check("main")
        assert readiness is not None
        assert readiness.ready
        assert "Secret prom has no key token; the one read before is still in use" in readiness.message

    told(Numbers(values={"a": "1"}), story, Rig(Secrets(prom_token="one")))


def test_readiness_is_told_for_all_with_generation_and_version() -> None:
    def answer(exchange: Exchange) -> None:
        if exchange.command == "GET":
            exchange.send_json({"status": "success", "data": {"version": "3.16.0"}})
        else:
            exchange.result("vector", [sample("1")])

    async def story(rig: Rig, server: Server) -> None:
        rig.declare(spec(server.url), spec("http://127.0.0.1:1"), generation=7)
        first, second = await rig.sources.check_all()
        assert dataclasses.replace(first, at=0).__repr__() == (
            "SourceReadiness(name='main', generation=7, ready=True, reason='Answering', "
            "message='version 3.16.0 answers', version='3.16.0', at=0)"
        )
        assert (second.ready, second.reason) == (False, MissingReason.SOURCE_DOWN)
        assert second.message == "source second: Connection refused"

    told(answer, story, Rig())


def test_closing_ends_what_is_in_flight() -> None:
    async def story() -> Reading | Missing:
        rig = Rig()
        with serving(lambda exchange: exchange.hang()) as server:
            rig.declare(spec(server.url, timeout=30.0))
            task = asyncio.create_task(rig.ask())
            await asyncio.to_thread(server.asked.wait, 5.0)
            rig.sources.close()
            return await task

    seen = asyncio.run(story())
    assert isinstance(seen, Missing)


def test_a_ca_that_is_no_certificate_is_said() -> None:
    async def story() -> Reading | Missing:
        rig = Rig(Secrets(ca_crt="junk"))
        rig.declare(spec("https://127.0.0.1:1", tls=Tls(ca_secret=SecretKey(name="ca", key="crt"))))
        return await rig.ask()

    seen = asyncio.run(story())
    assert isinstance(seen, Missing)
    assert seen.message == "source main: the Secret of spec.tls.caSecret holds no PEM certificate"
