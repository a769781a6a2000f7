"""HTTPS to a source: the certificate is always checked, against the CA that the source names."""

import asyncio
import ssl
import time
from pathlib import Path

import pytest

from brownout.api.reasons import MissingReason
from brownout.api.source import Tls
from brownout.clock import SystemClock
from brownout.observe.access import Access
from brownout.observe.answer import Answer, Failed, Result
from brownout.observe.door import Door, untold
from brownout.observe.prometheus import PrometheusClient
from tests.observe.misbehaving import Behaviour, Exchange, sample, serving, spec

# A CA and a certificate for prometheus.test made for this test alone, valid until 2126; nothing else trusts them.
FOLDER = Path(__file__).parent / "tls"
CA = (FOLDER / "ca.pem").read_bytes()
NAMED = Tls(server_name="prometheus.test")


def answer_to(behave: Behaviour, tls: Tls | None, ca: bytes | None, seconds: float = 5.0) -> Answer:
    async def ask(url: str) -> Answer:
        source, clock = spec(url, tls=tls), SystemClock()
        door = Door("main", PrometheusClient(source, Access(ca=ca), clock.monotonic), clock, 1, untold)
        try:
            return await door.query("up", seconds, 10_000)
        finally:
            door.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "server.pem")
    with serving(behave, context) as server:
        return asyncio.run(ask(server.url))


def good(exchange: Exchange) -> None:
    exchange.result("vector", [sample("1")])


def test_a_certificate_of_the_named_ca_for_the_named_server_is_good() -> None:
    assert isinstance(answer_to(good, NAMED, CA), Result)


@pytest.mark.parametrize(
    ("tls", "ca", "words"),
    [
        pytest.param(NAMED, None, "unable to get local issuer certificate", id="the system does not know the CA"),
        pytest.param(None, CA, "IP address mismatch", id="the certificate is for another name than the URL's"),
        pytest.param(Tls(server_name="other.test"), CA, "Hostname mismatch", id="it is for another name than asked"),
    ],
)
def test_any_other_certificate_is_refused(tls: Tls | None, ca: bytes | None, words: str) -> None:
    answer = answer_to(good, tls, ca)
    assert isinstance(answer, Failed)
    assert answer.missing.message.startswith("source main: TLS: ")
    assert words in answer.missing.message


def test_a_slow_drip_through_tls_is_cut_too() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Slow: "
    begun = time.monotonic()
    answer = answer_to(lambda exchange: exchange.drip(head), NAMED, CA, seconds=0.3)
    assert isinstance(answer, Failed)
    assert answer.missing.reason is MissingReason.TIMED_OUT
    assert time.monotonic() - begun < 2
