"""What the code must keep to everywhere: one door to the time, small files and functions, the agreed words."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "operator" / "brownout"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 300, 45

FORBIDDEN_WORDS = frozenset({"helper", "helpers", "util", "utils", "processor", "misc", "common", "info", "impl"})
FORBIDDEN_NAMES = frozenset({"handle_data"})
KUBERNETES_OWN_WORD = "manager"
"""Of a field, as in managedFields; nothing else is called a manager."""
FIELD_MANAGERS = frozenset({"manager_of", "Manager"})

CLOCK = PACKAGE / "clock.py"
TIME_MODULES = frozenset({"time", "random", "secrets", "uuid"})
TIME_CALLS = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "urandom"})

EVERYTHING = ("Exception", "BaseException")
ROOTS_OF_THREADS = frozenset({("threads.py", "_run"), ("watch.py", "_thread")})
"""Where a thread's failure is handed to whoever waits for it: there is nobody above to raise it to."""

Check = Callable[[Path, ast.Module], Iterator[str]]


def _words(name: str) -> set[str]:
    """`TargetManager` and `target_manager` are both target and manager."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)}


def too_long(path: Path, _: ast.Module) -> Iterator[str]:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if lines > LONGEST_FILE:
        yield f"{lines} lines, more than {LONGEST_FILE}"


def long_functions(_: Path, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"line {node.lineno}: {node.name} has {lines} lines, more than {LONGEST_FUNCTION}"


def other_words(path: Path, tree: ast.Module) -> Iterator[str]:
    names = [(0, path.stem), (0, path.parent.name)]
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    names += [(node.lineno, node.name) for node in ast.walk(tree) if isinstance(node, kinds)]
    for line, name in names:
        words = _words(name)
        if name in FORBIDDEN_NAMES or words & FORBIDDEN_WORDS:
            yield f"line {line}: {name} is not among the agreed words"
        if KUBERNETES_OWN_WORD in words and name not in FIELD_MANAGERS:
            yield f"line {line}: {name}: only the owner of a field is called a manager"


def other_clocks(path: Path, tree: ast.Module) -> Iterator[str]:
    if path == CLOCK:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(each.name.split(".")[0] in TIME_MODULES for each in node.names):
            yield f"line {node.lineno}: imports {', '.join(each.name for each in node.names)}"
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in TIME_MODULES:
            yield f"line {node.lineno}: imports from {node.module}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TIME_CALLS:
            of = node.func.value
            if isinstance(of, ast.Name) and of.id in ("datetime", "date", "uuid", "os"):
                yield f"line {node.lineno}: calls {of.id}.{node.func.attr}"


def broad_excepts(path: Path, tree: ast.Module) -> Iterator[str]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        broad = [each for each in caught if each is None or (isinstance(each, ast.Name) and each.id in EVERYTHING)]
        raises = any(isinstance(each, ast.Raise) for each in ast.walk(node))
        around = {each.name for each in functions if each.lineno <= node.lineno <= (each.end_lineno or 0)}
        if broad and not raises and not {(path.name, name) for name in around} & ROOTS_OF_THREADS:
            yield f"line {node.lineno}: catches everything"


def unfinished(path: Path, _: ast.Module) -> Iterator[str]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if re.search(r"\b(TODO|FIXME|XXX|NotImplementedError)\b", line):
            yield f"line {number}: {line.strip()}"


def ordering_by_hash(_: Path, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "hash":
            yield f"line {node.lineno}: hash() differs from run to run"


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(too_long, id="no file has more than 300 lines"),
        pytest.param(long_functions, id="no function has more than 45 lines"),
        pytest.param(other_words, id="names keep to the agreed words"),
        pytest.param(other_clocks, id="clock.py alone reads time and randomness"),
        pytest.param(broad_excepts, id="nothing catches everything and goes on"),
        pytest.param(unfinished, id="nothing is left to be done"),
        pytest.param(ordering_by_hash, id="nothing is ordered by a hash"),
    ],
)
def test_everywhere(check: Check) -> None:
    assert len(FILES) > 100
    found = [
        f"{path.relative_to(PACKAGE)}: {problem}"
        for path in FILES
        for problem in check(path, ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "\n".join(found)


def test_packages_are_empty_at_their_root() -> None:
    """Importing one module must not import its neighbours: the layers are checked module by module."""
    roots = [path for path in FILES if path.name == "__init__.py"]
    assert len(roots) > 10
    for path in roots:
        statements = ast.parse(path.read_text(encoding="utf-8")).body
        assert all(isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) for each in statements), path


def test_operator_is_no_package() -> None:
    """It would shadow the standard library's operator."""
    assert not (PACKAGE.parent / "__init__.py").exists()


@pytest.mark.parametrize(
    ("check", "source"),
    [
        pytest.param(long_functions, "def f():\n" + "    x = 1\n" * 45, id="a function of 46 lines"),
        pytest.param(other_words, "class TargetManager: ...", id="a manager"),
        pytest.param(other_words, "def parse_util(): ...", id="a util"),
        pytest.param(other_words, "class ClusterImpl: ...", id="an Impl"),
        pytest.param(other_clocks, "import time", id="time"),
        pytest.param(other_clocks, "from uuid import uuid4", id="uuid4"),
        pytest.param(other_clocks, "from datetime import datetime\ndatetime.now()", id="datetime.now"),
        pytest.param(broad_excepts, "try: ...\nexcept Exception: ...", id="except Exception"),
        pytest.param(broad_excepts, "try: ...\nexcept: ...", id="a bare except"),
        pytest.param(ordering_by_hash, "hash('a')", id="a hash"),
    ],
)
def test_the_checks_see(check: Check, source: str) -> None:
    assert list(check(PACKAGE / "example.py", ast.parse(source)))
