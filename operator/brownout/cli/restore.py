"""`brownout restore`: break glass. Gives back all that is held, with nothing but a kubeconfig."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from io import TextIOWrapper
from typing import Any, TextIO, TypeVar

from brownout.act.break_glass import GRACE, BreakGlass
from brownout.act.held_objects import HeldObjects
from brownout.act.presence import Presence
from brownout.cli import restore_json, restore_text
from brownout.cli.restore_account import CANNOT, Account, Course, policies_with_finalizer, to_give_back
from brownout.clock import Clock, SystemClock
from brownout.cluster.access import Unusable
from brownout.cluster.kinds import NAMESPACE, is_segment
from brownout.cluster.kubernetes import Kubernetes
from brownout.cluster.port import Cluster

T = TypeVar("T")

HELP = """\
Break glass: gives back everything that Brownout holds, at once, without an
operator. It needs only a kubeconfig: what is owed is written on the held
objects themselves.

It shows each field with its value now and its original, asks, and gives back
with the operator's own two patches: values and field owners are as before. A
field that somebody has changed meanwhile is left to them. A ledger that is
stale, unreadable or forged is shown and never followed. Where no operator is
running, our finalizer is taken off the policies. It may be interrupted and run
again.
"""
EPILOG = """\
examples:
  brownout restore                  in the context's namespace: look, ask, give back
  brownout restore -A --dry-run     what is held in the whole cluster; changes nothing
  brownout restore -n shop --yes    without a question, for scripts
  brownout restore -A --deep        also objects that have lost our label
  brownout restore -A --yes -o json one JSON document on standard output

exit codes:
  0  all is given back, or nothing was held
  1  something is still held, or may be: it says what, and why
  2  it could not be done: no answer, no such namespace, nobody to ask
"""
EVERY = 5.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """All that `brownout restore` can be told, but for the way to the cluster."""

    namespace: str = ""
    """"" is all of them."""
    deep: bool = False
    dry_run: bool = False
    yes: bool = False
    as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where people read and answer."""

    out: TextIO
    err: TextIO
    ask: Callable[[str], bool] | None
    """None: there is nobody to ask."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    where = parser.add_mutually_exclusive_group()
    where.add_argument("-n", "--namespace", metavar="NAME", help="look in this namespace (default: the context's)")
    where.add_argument("-A", "--all-namespaces", action="store_true", help="look in all namespaces")
    parser.add_argument("--deep", action="store_true", help="look at each object of the kinds we take, label or not")
    parser.add_argument("--dry-run", action="store_true", help="show what is held and what would be done")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table", help="table (default) or json")
    parser.add_argument("--kubeconfig", metavar="FILE", help="kubeconfig to use; else $KUBECONFIG, ~/.kube/config")
    parser.add_argument("--context", metavar="NAME", help="context of the kubeconfig; else its current one")


def run(args: argparse.Namespace) -> int:
    """0 all given back, 1 something is still held, 2 it could not be done."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    terminal = Terminal(out=sys.stdout, err=sys.stderr, ask=_ask if sys.stdin.isatty() else None)
    if args.namespace is not None and not is_segment(args.namespace):
        return _cannot(terminal, f"-n {args.namespace}: this cannot be the name of a namespace")
    clock = SystemClock()
    with asyncio.Runner() as runner:
        try:
            cluster = runner.run(Kubernetes.connect(clock, kubeconfig=args.kubeconfig, context=args.context))
        except Unusable as error:
            return _cannot(terminal, str(error))
        namespace = "" if args.all_namespaces else args.namespace or cluster.access.namespace
        options = Options(
            namespace=namespace, deep=args.deep, dry_run=args.dry_run, yes=args.yes, as_json=args.output == "json"
        )
        try:
            return Restore(runner, cluster, clock, options, terminal).run()
        except KeyboardInterrupt:
            return _cannot(terminal, "interrupted: run it again to see what is left")
        finally:
            runner.run(cluster.close())


class Restore:
    """One run of the verb: look, show, ask, give back, say."""

    def __init__(
        self, runner: asyncio.Runner, cluster: Cluster, clock: Clock, options: Options, terminal: Terminal
    ) -> None:
        self._runner, self._cluster, self._clock = runner, cluster, clock
        self._options, self._terminal = options, terminal
        self._objects = HeldObjects(cluster, clock, namespace=options.namespace, deep=options.deep)
        self._text = terminal.err if options.as_json else terminal.out
        self._said = clock.monotonic()

    def run(self) -> int:
        """The exit code."""
        if problem := self._runner.run(self._no_namespace()):
            return _cannot(self._terminal, problem)
        seen = self._runner.run(self._objects.look())
        account = Account(namespace=self._options.namespace, course=Course.DONE, seen=seen)
        self._show(account)
        account = replace(account, course=self._agree(account))
        if account.course is Course.DONE and restore_text.question(account):
            account = self._interruptible(lambda stop: self._give_back(account, stop))
        return self._conclude(account)

    def _show(self, account: Account) -> None:
        seen = account.seen
        if shown := restore_text.table(seen.holdings, self._clock.now()):
            print(shown, file=self._text)
        self._lines(restore_text.notes(account))
        if restore_text.question(account):
            self._lines(restore_text.operator(account))

    def _agree(self, account: Account) -> Course:
        question = restore_text.question(account)
        if self._options.dry_run:
            return Course.DRY_RUN
        if not question or self._options.yes:
            return Course.DONE
        if self._terminal.ask is None:
            _cannot(
                self._terminal, "standard input is no terminal, nobody can be asked: add --yes, or --dry-run to look"
            )
            return Course.NOT_ASKED
        try:
            return Course.DONE if self._terminal.ask(question) else Course.DECLINED
        except KeyboardInterrupt:
            return Course.DECLINED

    async def _give_back(self, account: Account, stop: asyncio.Event) -> Account:
        objects = to_give_back(account.seen)[1]
        glass = BreakGlass(self._cluster, self._clock, self._objects)
        ended = await glass.give_back(
            account.seen.holdings, stop, lambda done: self._progress(f"{done} of {len(objects)} objects are through")
        )
        if account.seen.sign.presence is Presence.PERHAPS and policies_with_finalizer(account.seen):
            print(f"waiting up to {GRACE:g} s to see whether an operator reacts", file=self._terminal.err, flush=True)
        finished = await glass.finish(account.seen, stop)
        course = Course.INTERRUPTED if stop.is_set() else Course.DONE
        return replace(account, course=course, ended=ended, finished=finished)

    def _conclude(self, account: Account) -> int:
        if account.course is not Course.NOT_ASKED:
            self._lines(restore_text.summary(account))
        if self._options.as_json:
            json.dump(restore_json.document(account), self._terminal.out, indent=2, allow_nan=False)
            self._terminal.out.write("\n")
        return account.exit_code()

    def _interruptible(self, work: Callable[[asyncio.Event], Coroutine[Any, Any, T]]) -> T:
        """The first SIGINT or SIGTERM lets it finish what it has begun; the next one ends it at once."""

        async def guarded() -> T:
            stop, loop = asyncio.Event(), asyncio.get_running_loop()

            def interrupt() -> None:
                print("interrupted: what has been begun is finished; once more to end at once", file=self._terminal.err)
                stop.set()
                loop.remove_signal_handler(signal.SIGINT)
                loop.remove_signal_handler(signal.SIGTERM)

            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, interrupt)
            try:
                return await work(stop)
            finally:
                loop.remove_signal_handler(signal.SIGINT)
                loop.remove_signal_handler(signal.SIGTERM)

        return self._runner.run(guarded())

    async def _no_namespace(self) -> str:
        """Why the namespace cannot be looked at; a mistyped one must not look like one that holds nothing."""
        name = self._options.namespace
        if not name:
            return ""
        answer = await self._cluster.get(NAMESPACE, "", name)
        return f"there is no namespace {name}" if answer.missing else ""

    def _progress(self, sentence: str) -> None:
        now = self._clock.monotonic()
        if now - self._said >= EVERY:
            self._said = now
            print(sentence, file=self._terminal.err, flush=True)

    def _lines(self, lines: Any) -> None:
        for line in lines:
            print(line, file=self._text)
        self._text.flush()


def _ask(question: str) -> bool:
    """On the terminal; the end of input is a no."""
    while True:
        print(f"{question} yes/no: ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        word = line.strip().lower()
        if word in ("y", "yes"):
            return True
        if not line or word in ("n", "no"):
            return False


def _cannot(terminal: Terminal, why: str) -> int:
    print(f"brownout restore: {restore_text.printable(why)}", file=terminal.err)
    return CANNOT
