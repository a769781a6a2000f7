"""Which kubeconfig or service account is used, and what is said of one that cannot be."""

import asyncio
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import certifi
import pytest

from brownout.cluster.access import Access, Unusable
from brownout.testing.clock import VirtualClock


def load(
    environ: Mapping[str, str], kubeconfig: str | None = None, context: str | None = None, account: Path = Path("/none")
) -> Access:
    return asyncio.run(
        Access.load(VirtualClock(), kubeconfig=kubeconfig, context=context, environ=environ, service_account=account)
    )


def written(folder: Path, name: str = "kubeconfig", **changes: Any) -> str:
    content = {
        "current-context": "c",
        "contexts": [
            {"name": "c", "context": {"cluster": "c", "user": "u"}},
            {"name": "d", "context": {"cluster": "c", "user": "v"}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1:6443/k8s/c-1"}}],
        "users": [{"name": "u", "user": {"token": "one"}}, {"name": "v", "user": {"token": "two"}}],
    }
    path = folder / name
    path.write_text(json.dumps({**content, **changes}))
    return str(path)


def user(**keys: Any) -> dict[str, Any]:
    return {"users": [{"name": "u", "user": keys}]}


def plugin(folder: Path, text: str) -> dict[str, Any]:
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return user(exec={"command": str(path), "apiVersion": "client.authentication.k8s.io/v1"})


CREDENTIAL = {
    "apiVersion": "client.authentication.k8s.io/v1",
    "kind": "ExecCredential",
    "status": {"token": "from-plugin"},
}


def token_of(access: Access) -> str | None:
    return asyncio.run(access.authorization())


def test_a_named_kubeconfig_comes_before_the_variable(tmp_path: Path) -> None:
    named, other = written(tmp_path, "a"), written(tmp_path, "b", **user(token="three"))
    assert token_of(load({"KUBECONFIG": other}, named)) == "Bearer one"
    assert token_of(load({"KUBECONFIG": other})) == "Bearer three"
    assert token_of(load({"KUBECONFIG": f"{tmp_path / 'none'}{os.pathsep}{other}"})) == "Bearer three"


def test_a_context_can_be_chosen(tmp_path: Path) -> None:
    access = load({}, written(tmp_path), "d")
    assert token_of(access) == "Bearer two"
    assert access.host == "https://10.0.0.1:6443/k8s/c-1"
    assert access.root == "/k8s/c-1"


@pytest.mark.parametrize(
    ("context", "namespace"),
    [
        pytest.param({}, "default", id="a context without a namespace is in default, as with kubectl"),
        pytest.param({"namespace": "shop"}, "shop", id="the context's own namespace"),
    ],
)
def test_the_namespace_is_the_one_kubectl_would_use(tmp_path: Path, context: Mapping[str, str], namespace: str) -> None:
    contexts = [{"name": "c", "context": {"cluster": "c", "user": "u", **context}}]
    assert load({}, written(tmp_path, contexts=contexts)).namespace == namespace


def test_an_exec_plugin_gives_a_token(tmp_path: Path) -> None:
    path = written(tmp_path, **plugin(tmp_path, f"echo '{json.dumps(CREDENTIAL)}'"))
    assert token_of(load({}, path)) == "Bearer from-plugin"


def test_in_a_pod_its_service_account_is_used_and_read_again(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first")
    (tmp_path / "ca.crt").write_bytes(Path(certifi.where()).read_bytes())
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}

    async def run() -> list[str | None]:
        clock = VirtualClock()
        access = await Access.load(clock, environ=environ, service_account=tmp_path)
        assert access.host == "https://10.0.0.1:443"
        assert access.namespace == "default"
        (tmp_path / "namespace").write_text("brownout-system")
        assert access.namespace == "brownout-system"
        tokens = [await access.authorization()]
        (tmp_path / "token").write_text("second")
        tokens.append(await access.authorization())
        await clock.advance(61)
        tokens.append(await access.authorization())
        return tokens

    assert asyncio.run(run()) == ["bearer first", "bearer first", "bearer second"]


def test_a_second_access_is_its_own(tmp_path: Path) -> None:
    async def run() -> None:
        access = await Access.load(VirtualClock(), kubeconfig=written(tmp_path), environ={})
        other = await access.again()
        assert other.configuration is not access.configuration
        assert await other.authorization() == "Bearer one"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(None, "there is no such file", id="a missing file"),
        pytest.param("a: [", "expected the node content", id="broken YAML"),
        pytest.param("just text", "malformed", id="a text"),
        pytest.param("- 1\n- 2", "malformed", id="a list"),
        pytest.param("", "malformed", id="an empty file"),
        pytest.param("{}", "current-context", id="an empty object"),
    ],
)
def test_a_file_that_is_no_kubeconfig(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    with pytest.raises(Unusable) as refused:
        load({}, str(path))
    assert str(refused.value).startswith(f"kubeconfig {path} cannot be used: ")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "context", "words"),
    [
        pytest.param({}, "none", "none", id="an unknown context"),
        pytest.param({"clusters": []}, None, "name c in", id="an unknown cluster"),
        pytest.param(user(), None, "no token, client certificate", id="a user without credentials"),
        pytest.param(user(tokenFile="/none"), None, "No such file", id="a token file that is not there"),
        pytest.param(
            user(**{"client-certificate-data": "%%%", "client-key-data": "%%%"}), None, "", id="a broken certificate"
        ),
        pytest.param(
            {"clusters": [{"name": "c", "cluster": {"server": "https://x", "certificate-authority": "/none"}}]},
            None,
            "/none",
            id="a certificate authority that is not there",
        ),
    ],
)
def test_a_kubeconfig_that_does_not_fit(
    tmp_path: Path, changes: dict[str, Any], context: str | None, words: str
) -> None:
    with pytest.raises(Unusable) as refused:
        load({}, written(tmp_path, **changes), context)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_exec_plugin_that_fails_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path, **plugin(tmp_path, "echo no cloud today >&2; exit 3"))
    with pytest.raises(Unusable, match="working exec plugin"):
        load({}, path)
    assert "no cloud today" in caplog.text
