"""Flags, variables and defaults of `brownout run`."""

import argparse
from typing import Any

import pytest

from brownout.settings import FLAGS, Settings, add_arguments, settings_from


def told(*arguments: str, **environ: str) -> Settings:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return settings_from(parser.parse_args(arguments), environ)


def test_with_nothing_said_the_defaults_hold() -> None:
    assert told() == Settings()


@pytest.mark.parametrize(
    ("arguments", "environ", "name", "value"),
    [
        pytest.param(["--kubeconfig", "f"], {}, "kubeconfig", "f", id="a kubeconfig by flag"),
        pytest.param([], {"BROWNOUT_KUBECONFIG": "f"}, "kubeconfig", "f", id="a kubeconfig by variable"),
        pytest.param(["--context", "a"], {"BROWNOUT_CONTEXT": "b"}, "context", "a", id="a flag wins over a variable"),
        pytest.param(
            ["--namespace", "a", "--namespace", "b"], {}, "namespaces", ("a", "b"), id="several namespaces by flag"
        ),
        pytest.param(
            [], {"BROWNOUT_NAMESPACE": "a, b,,a"}, "namespaces", ("a", "b"), id="several by variable, each once"
        ),
        pytest.param(
            ["--namespace", "a"], {"BROWNOUT_NAMESPACE": "b"}, "namespaces", ("a",), id="namespaces by flag win too"
        ),
        pytest.param(["--metrics-address", "[::1]:0"], {}, "metrics_host", "::1", id="an IPv6 address in brackets"),
        pytest.param(["--metrics-address", "0.0.0.0:80"], {}, "metrics_port", 80, id="a port"),
        pytest.param(["--give-back-per-minute", "0"], {}, "give_back_per_minute", 0, id="no limit on giving back"),
        pytest.param(["--log-format", "json"], {}, "log_format", "json", id="logs as JSON"),
        pytest.param([], {"HOSTNAME": "pod-1"}, "instance", "pod-1", id="the pod's name as the instance"),
        pytest.param(["--instance", "x"], {"HOSTNAME": "pod-1"}, "instance", "x", id="another instance by flag"),
        pytest.param(["--operator-namespace", "ops"], {}, "operator_namespace", "ops", id="the operator's namespace"),
    ],
)
def test_what_is_said(arguments: list[str], environ: dict[str, str], name: str, value: Any) -> None:
    assert getattr(told(*arguments, **environ), name) == value


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--metrics-address", "9095"], "write a host and a port", id="no host"),
        pytest.param(["--metrics-address", "localhost:http"], "write a host and a port", id="a port that is no number"),
        pytest.param(["--metrics-address", "localhost:99999"], "write a host and a port", id="a port out of range"),
        pytest.param(["--give-back-per-minute", "-1"], "write a whole number", id="a negative number"),
        pytest.param(["--give-back-per-minute", "many"], "write a whole number", id="no number"),
        pytest.param(["--log-format", "xml"], "write text or json", id="a format that is not known"),
    ],
)
def test_what_cannot_be_used_says_what_to_write(arguments: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        told(*arguments)


def test_every_flag_names_its_variable_in_the_help() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    shown = " ".join(parser.format_help().split())
    for flag in FLAGS:
        assert flag.variable in shown
        assert flag.name in shown
