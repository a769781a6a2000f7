"""The command line: a table from verbs to modules. Only the verb that is asked for is imported."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Protocol, cast

VERBS = {
    "run": ("brownout.cli.run", "watch the policies and act on them"),
    "restore": ("brownout.cli.restore", "break glass: give back all that is held, without an operator"),
    "crds": ("brownout.cli.crds", "print, write or check the CustomResourceDefinitions"),
}
"""By verb: the module, and what `brownout --help` says of it."""


class Verb(Protocol):
    """What a verb's module holds."""

    HELP: str
    """What `brownout VERB --help` says first."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int:
        """Does it and gives the exit code: 0 done, 1 done and found wanting, 2 cannot."""
        ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; argparse itself leaves with 2 and a sentence for what it cannot read."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = _called()
    parser = argparse.ArgumentParser(
        prog=name, description="Graceful degradation for Kubernetes: take what a sick service can spare, give it back."
    )
    parser.add_argument("--version", action="version", version=f"{name} {version('brownout-operator')}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    asked = next((word for word in words if not word.startswith("-")), None)
    for verb, (module, about) in VERBS.items():
        own = verbs.add_parser(verb, help=about)
        if verb == asked:
            told = cast("Verb", importlib.import_module(module))
            own.description = told.HELP
            told.add_arguments(own)
            own.set_defaults(run=told.run)
    args = parser.parse_args(words)
    done: int = args.run(args)
    return done


def _called() -> str:
    """The program's name as a person types it: kubectl runs its plugin `kubectl-brownout` as `kubectl brownout`."""
    return "kubectl brownout" if Path(sys.argv[0]).name == "kubectl-brownout" else "brownout"
