"""`brownout run` told something it cannot work with, and an API server that is not there yet, or not any more."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from e2e.conftest import token_of
from e2e.controlplane.api import Api
from e2e.controlplane.handle import Controlplane
from e2e.controlplane.kubeconfig import write_kubeconfig
from e2e.fixtures.objects import config_map, level, written
from e2e.fixtures.operator import Operator
from e2e.fixtures.polling import until
from e2e.fixtures.relay import Relay
from e2e.fixtures.stage import Stage


def brownout(*words: str, **variables: str) -> tuple[int, str]:
    """Exit code of `brownout run ...` and all that it said."""
    argv = [sys.executable, "-m", "brownout", "run", "--metrics-address", "127.0.0.1:0", *words]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **variables}
    )
    return done.returncode, done.stdout + done.stderr


def kubeconfig(server: str, **user: str) -> str:
    cluster = {"name": "c", "cluster": {"server": server}}
    context = {"name": "x", "context": {"cluster": "c", "user": "u"}}
    made = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": [context], "current-context": "x"}
    return json.dumps({**made, "users": [{"name": "u", "user": user}]})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--metrics-address", "nowhere"], "write a host and a port", id="an address without a port"),
        pytest.param(["--metrics-address", "127.0.0.1:65536"], "write a host and a port", id="a port too high"),
        pytest.param(["--give-back-per-minute", "-1"], "write a whole number", id="a pace below zero"),
        pytest.param(["--log-format", "xml"], "write text or json", id="a log format that does not exist"),
        pytest.param(["--no-such-flag"], "unrecognized arguments: --no-such-flag", id="a flag that does not exist"),
    ],
)
def test_a_flag_that_cannot_be_used_is_refused_with_a_sentence(words: list[str], said: str) -> None:
    code, text = brownout(*words)
    assert (code, text.count("Traceback")) == (2, 0), text
    assert said in text


def test_a_variable_that_cannot_be_used_is_refused_as_its_flag_is() -> None:
    code, text = brownout(BROWNOUT_GIVE_BACK_PER_MINUTE="many")
    assert (code, "write a whole number of targets" in text, "Traceback" in text) == (2, True, False), text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "there is no such file", id="that is not there"),
        pytest.param("<html>", "cannot be used", id="that is no kubeconfig"),
        pytest.param("a: [b", "cannot be used", id="that is no YAML"),
        pytest.param(kubeconfig("https://127.0.0.1:1"), "has no token, client certificate", id="without credentials"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_is_refused_with_a_sentence(
    tmp_path: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "kubeconfig"
    if content is not None:
        file.write_text(content)
    code, text = brownout("--kubeconfig", str(file))
    assert (code, text.count("Traceback")) == (2, 0), text
    assert f"kubeconfig {file} cannot be used" in text
    assert said in text


def test_a_context_that_is_not_in_the_kubeconfig_is_refused_with_a_sentence(operator_kubeconfig: Path) -> None:
    code, text = brownout("--kubeconfig", str(operator_kubeconfig), "--context", "nowhere")
    assert (code, text.count("Traceback")) == (2, 0), text
    assert "nowhere" in text


def test_an_address_that_is_taken_is_refused_with_a_sentence(operator_kubeconfig: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        taken = f"127.0.0.1:{door.getsockname()[1]}"
        code, text = brownout("--kubeconfig", str(operator_kubeconfig), "--metrics-address", taken)
    assert (code, text.count("Traceback")) == (2, 0), text
    assert f"cannot serve on {taken}" in text


def test_missing_crds_end_with_the_sentence_that_says_what_to_apply(tmp_path: Path) -> None:
    with bare_api_server() as address:
        (tmp_path / "kubeconfig").write_text(kubeconfig(address))
        code, text = brownout("--kubeconfig", str(tmp_path / "kubeconfig"))
    assert (code, text.count("Traceback")) == (2, 0), text
    assert "does not serve DegradationPolicy" in text
    assert "apply crds/ first" in text


@contextmanager
def bare_api_server() -> Iterator[str]:
    """An API server that has a version and nothing of ours."""

    class Bare(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/version"
            body = b'{"gitVersion": "v1.36.0"}' if known else b"404 page not found\n"
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "application/json" if known else "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bare)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def way(
    controlplane: Controlplane, api: Api, relay: Callable[[str], Relay], tmp_path: Path, installed: None
) -> tuple[Relay, Path]:
    """A way to the API server that can be cut, and the operator's kubeconfig for it."""
    line = relay(controlplane.server)
    file = tmp_path / "through-relay.kubeconfig"
    write_kubeconfig(file, server=line.url, ca=controlplane.ca, token=token_of(api, "brownout"))
    return line, file


def test_an_api_server_that_is_not_there_yet_is_waited_for_and_said(
    way: tuple[Relay, Path], operator: Callable[..., Operator]
) -> None:
    line, file = way
    line.cut()
    running = operator(ready=False, kubeconfig=file)
    until(lambda: "cannot use the API server yet" in running.page("/readyz")[1], "it says what it waits for")
    assert running.page("/readyz")[0] == 503
    assert running.page("/livez")[0] == 200
    until(lambda: "trying on" in running.log.read_text(), "the log says that it tries on")
    line.mend()
    until(lambda: running.page("/readyz") == (200, "ok\n"), "it is ready when the API server comes", 40)
    line.cut()
    assert running.terminate(10) == 0


def test_sigterm_ends_an_operator_that_waits_for_the_api_server(
    way: tuple[Relay, Path], operator: Callable[..., Operator]
) -> None:
    line, file = way
    line.cut()
    running = operator(ready=False, kubeconfig=file)
    assert running.terminate(10) == 0


def test_an_api_server_that_goes_away_while_degraded_costs_nothing(stage: Stage, way: tuple[Relay, Path]) -> None:
    line, file = way
    start = stage.start
    stage.start = lambda *flags: start(*flags, kubeconfig=file)
    lite = level("trimmed", 1, written("lite", "flags", "mode", "lite"))
    running = stage.opens(config_map("flags", mode="full"), stage.policy(lite))
    stage.degrades()
    held = stage.pictures()
    line.cut()
    until(lambda: running.page("/readyz")[0] == 503, "it is not ready while it cannot watch", 60)
    stage.press(0)
    before = running.metric("brownout_decision_seconds_count")
    until(lambda: running.metric("brownout_decision_seconds_count") > before + 3, "it goes on deciding", 40)
    stage.everything_is_as(held)
    line.mend()
    stage.recovers()
    stage.everything_is_as_it_was()
    until(lambda: running.page("/readyz")[0] == 200, "it is ready again", 60)
    assert running.metric("brownout_pass_failures_total") == 0
