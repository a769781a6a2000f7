"""`brownout restore` as a script or an impatient person runs it: JSON, signals, flags, texts that may be forged."""

import asyncio
import io
import os
import signal

import pytest

from brownout.cli.main import main
from brownout.cli.restore import Options, Restore, Terminal
from brownout.cli.restore_text import age, printable
from brownout.cluster.kinds import DEPLOYMENT
from brownout.ledger.entries import HELD_LABEL
from brownout.testing.faults import Write
from tests.act.glass_stage import SHOP, GlassStage


def degraded() -> GlassStage:
    stage = GlassStage()
    stage.shop_is_degraded()
    return stage


def test_json_is_alone_on_standard_output_and_says_all() -> None:
    stage = degraded()
    stage.edit(DEPLOYMENT, "thumbnailer", {"spec": {"replicas": 5}}, "kubectl")
    run = stage.restore(as_json=True)
    document = run.document
    assert list(document) == [
        "version",
        "namespace",
        "course",
        "operator",
        "objects",
        "finalizers",
        "stillHeld",
        "exitCode",
    ]
    assert (document["version"], document["namespace"], document["course"], document["exitCode"]) == (
        1,
        SHOP,
        "Done",
        0,
    )
    assert document["operator"]["presence"] == "Gone"
    assert document["finalizers"] == [{"namespace": SHOP, "policy": "checkout", "removed": True, "why": ""}]
    thumbnailer = document["objects"][2]
    assert (thumbnailer["kind"], thumbnailer["name"], thumbnailer["ledger"]) == (
        "Deployment",
        "thumbnailer",
        "Followed",
    )
    assert thumbnailer["fields"] == [
        {
            "pointer": "/spec/replicas",
            "now": 5,
            "original": 3,
            "since": "2027-01-15T08:00:00Z",
            "claims": [{"namespace": SHOP, "policy": "checkout", "level": "trimmed"}],
            "plan": "Leave",
            "outcome": "Left",
            "why": "kubectl set it to 5",
        }
    ]
    assert "3 objects" in run.err or "2 fields of 2 objects given back" in run.err


def test_json_of_a_dry_run_has_no_outcomes() -> None:
    document = degraded().restore(as_json=True, dry_run=True, namespace="").document
    assert (document["course"], document["namespace"], document["exitCode"]) == ("DryRun", None, 1)
    assert {field["outcome"] for each in document["objects"] for field in each["fields"]} == {None}
    assert {each["why"] for each in document["stillHeld"]} == {"nothing was changed"}


def test_json_is_there_also_when_nobody_could_be_asked() -> None:
    document = degraded().restore(as_json=True, yes=False).document
    assert (document["course"], document["exitCode"]) == ("NotAsked", 2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_midway_lets_it_finish_what_it_has_begun(number: signal.Signals) -> None:
    stage = degraded()
    policy = stage.policy_ref()
    for each in range(40):
        stage.seed(DEPLOYMENT, f"web-{each:02d}", spec={"replicas": 3})
        stage.take(DEPLOYMENT, f"web-{each:02d}", policy, replicas=1)

    def interrupting(write: Write) -> float | None:
        if write.number == 3:
            os.kill(os.getpid(), number)
        return 0.001

    stage.cluster.on_write = interrupting
    run = stage.restore(answer=True)
    assert run.code == 1
    assert "interrupted: what has been begun is finished; once more to end at once\n" in run.err
    assert "Interrupted. What had been begun was finished; run it again for the rest.\n" in run.out
    assert "not tried: interrupted" in run.out
    assert 0 < len(stage.held()) < 43
    assert stage.owes()
    stage.cluster.on_write = lambda _: None
    assert stage.restore(answer=True).code == 0
    assert stage.held() == []
    assert not stage.owes()


def test_ctrl_c_at_the_question_changes_nothing() -> None:
    stage = degraded()

    def ask(_: str) -> bool:
        raise KeyboardInterrupt

    out = io.StringIO()
    with asyncio.Runner() as runner:
        terminal = Terminal(out=out, err=io.StringIO(), ask=ask)
        assert Restore(runner, stage.cluster, stage.clock, Options(namespace=SHOP), terminal).run() == 1
    assert out.getvalue().endswith("Nothing was changed.\n")
    assert len(stage.held()) == 3


def test_long_work_says_how_far_it_is() -> None:
    stage = degraded()

    def slow(write: Write) -> float:
        return 4.0

    stage.cluster.on_write = slow
    run = stage.restore()
    assert "objects are through\n" in run.err


def test_a_label_alone_is_shown_in_deep_and_in_shallow_looks() -> None:
    stage = GlassStage()
    stage.seed(DEPLOYMENT, "copy", metadata={"labels": {HELD_LABEL: "t"}}, spec={"replicas": 1})
    for deep in (False, True):
        run = stage.restore(answer=True, deep=deep)
        assert run.code == 1
        assert "Deployment shop/copy is not followed: the ledger is gone and its label is there.\n" in run.out


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        pytest.param(-3, "0s", id="a clock that is behind"),
        pytest.param(59.9, "59s", id="seconds"),
        pytest.param(119, "1m59s", id="under two minutes the seconds count"),
        pytest.param(3700, "1h1m", id="minutes"),
        pytest.param(3 * 3600 + 119, "3h1m", id="hours with their minutes"),
        pytest.param(5 * 86400 + 3 * 3600 + 119, "5d3h", id="days with their hours"),
    ],
)
def test_a_length_of_time_has_two_units_at_most(seconds: float, shown: str) -> None:
    assert age(seconds) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain ü", "plain ü", id="letters stay"),
        pytest.param("\x1b]0;x\x07", "\\x1b]0;x\\x07", id="escape sequences are shown, not sent"),
        pytest.param("a\nb\tc", "a\\nb\\tc", id="a line stays one line"),
        pytest.param("\u202eevil", "\\u202eevil", id="text direction is not turned"),
        pytest.param("\ud800", "\\ud800", id="half a character can be printed too"),
    ],
)
def test_only_what_can_be_seen_goes_to_a_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_long_text_is_cut() -> None:
    assert printable("x" * 50, 10) == "x" * 9 + "…"


def test_a_namespace_that_is_none_is_refused_before_anything_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restore", "-n", "../secrets"]) == 2
    assert capsys.readouterr().err == "brownout restore: -n ../secrets: this cannot be the name of a namespace\n"


def test_a_kubeconfig_that_is_not_there_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restore", "--kubeconfig", "/nowhere/config"]) == 2
    assert "kubeconfig /nowhere/config cannot be used: there is no such file" in capsys.readouterr().err


def test_a_namespace_and_all_namespaces_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["restore", "-n", "shop", "-A"])
    assert ended.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err


def test_help_has_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["restore", "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "brownout restore -A --dry-run" in shown
    assert "exit codes:" in shown
