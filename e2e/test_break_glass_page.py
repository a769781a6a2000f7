"""docs/how-to/break-glass.md, run as printed, where the README's tour is at its worst and its operator killed."""

from collections.abc import Iterator

import pytest

from e2e.test_readme import ROOT, Shell, commands, seen

FROM_HERE = "kubectl scale"
"""Where the tour goes on to other things."""
KILLED = ("kill -9 %1", "wait %1 2>/dev/null || true", 'brownout() { .venv/bin/brownout "$@"; }')
"""The operator is the tour's first job; the page is for people who have `brownout` on their PATH."""


@pytest.fixture
def degraded() -> Iterator[Shell]:
    """A shell with a control plane, and a shop at core-only whose operator is dead."""
    shell = Shell()
    for command in commands((ROOT / "README.md").read_text()):
        if command.line.startswith(FROM_HERE):
            break
        wrong = seen(shell, command)
        assert not wrong, wrong
    for line in KILLED:
        shell.run(line)
    yield shell
    shell.close()


@pytest.mark.timeout(900)
def test_the_page_for_breaking_the_glass_works_as_printed(degraded: Shell) -> None:
    page = commands((ROOT / "docs" / "how-to" / "break-glass.md").read_text())
    assert len(page) > 3, "the page has lost its commands"
    for command in page:
        wrong = seen(degraded, command)
        assert not wrong, wrong
    code, output = degraded.run("kubectl diff -f examples/shop/shop.yaml")
    assert (code, output) == (0, ""), "the shop is as its files say"
