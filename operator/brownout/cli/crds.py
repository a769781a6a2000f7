"""`brownout crds`: the CustomResourceDefinitions, made from the models."""

import argparse
import difflib
import sys
from pathlib import Path

from brownout.api.crd import CRDS, text

HELP = "Prints the CustomResourceDefinitions, ready for `kubectl apply -f -`; or writes them to files, or checks those."
CHECK = "exit with 1 and a diff if the files in DIR (crds if not given) are stale"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--out and --check; neither prints."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--out", metavar="DIR", type=Path, help="write one file for each kind to DIR")
    where.add_argument("--check", metavar="DIR", type=Path, nargs="?", const=Path("crds"), help=CHECK)


def run(args: argparse.Namespace) -> int:
    """0, or 1 when --check finds a stale file, or 2 when DIR cannot be written."""
    files = {crd.file: text(crd) for crd in CRDS}
    if args.check is not None:
        return _check(args.check, files)
    if args.out is not None:
        return _write(args.out, files)
    print("---\n".join(files.values()), end="")
    return 0


def _write(folder: Path, files: dict[str, str]) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_text(content, encoding="utf-8")
    except OSError as error:
        print(f"brownout: cannot write to {folder}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def _check(folder: Path, files: dict[str, str]) -> int:
    committed = {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.yaml"))}
    stale = [
        line
        for name in sorted(committed.keys() | files.keys())
        for line in difflib.unified_diff(
            committed.get(name, "").splitlines(keepends=True),
            files.get(name, "").splitlines(keepends=True),
            fromfile=f"{folder}/{name}",
            tofile="as the models say",
        )
    ]
    sys.stdout.writelines(stale)
    if stale:
        print(f"brownout: {folder} is stale: run `brownout crds --out {folder}` (make generate)", file=sys.stderr)
    return 1 if stale else 0
