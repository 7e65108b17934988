"""Imports go down only, nothing goes round in circles, and files stay readable."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "watcher"

FLOORS = [
    {
        "model",
        "links",
        "errors",
        "ports",
        "text",
        "tokens",
        "durations",
        "moments",
        "slots",
        "languages",
        "garbage",
    },
    {
        "rules",
        "matching",
        "stories",
        "alerts",
        "pace",
        "outage",
        "turns",
        "polling",
        "identity",
        "retry",
        "normalise",
        "views",
        "fields",
        "websub",
    },
    {"fetch", "sources", "store", "render", "notify"},
]
STDLIB_ONLY = FLOORS[0]
PURE = FLOORS[1]
IO_MODULES = {
    "asyncio",
    "socket",
    "aiohttp",
    "httptools",
    "sqlalchemy",
    "sqlite3",
    "subprocess",
    "structlog",
}


def modules() -> dict[str, Path]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def inner_edges() -> dict[str, set[str]]:
    known = modules()
    return {
        name: {i for i in imports(path) if i in known and i != name} for name, path in known.items()
    }


def unit(module: str) -> str:
    return ([*module.split("."), ""])[1]


def floor(module: str) -> int:
    return next((n for n, names in enumerate(FLOORS) if unit(module) in names), len(FLOORS))


def test_imports_go_down_only() -> None:
    upward = [
        f"{module} -> {target}"
        for module, targets in inner_edges().items()
        for target in targets
        if unit(target) and floor(target) > floor(module)
    ]

    assert not upward


def test_siblings_on_the_edges_do_not_know_each_other() -> None:
    sideways = [
        f"{module} -> {target}"
        for module, targets in inner_edges().items()
        for target in targets
        if floor(module) == floor(target) == 2 and unit(module) != unit(target)
    ]

    assert not sideways


def test_there_are_no_import_cycles() -> None:
    edges = inner_edges()
    done: set[str] = set()

    def walk(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module in done:
            return
        for target in edges[module] - {"watcher"}:
            walk(target, (*trail, module))
        done.add(module)

    for module in edges:
        walk(module, ())


def test_the_ground_needs_the_standard_library_only() -> None:
    import sys

    foreign = {
        f"{module}: {name}"
        for module, path in modules().items()
        if unit(module) in STDLIB_ONLY
        for name in imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names | {"watcher"}
    }

    assert not foreign


def test_the_core_does_no_io_and_reads_no_clock() -> None:
    bad = []
    for module, path in modules().items():
        if unit(module) not in PURE | STDLIB_ONLY:
            continue
        source = path.read_text()
        bad += [f"{module}: {name}" for name in imports(path) if name.split(".")[0] in IO_MODULES]
        bad += [
            f"{module}: {word}"
            for word in ("datetime.now(", "utcnow(", "time.time(")
            if word in source
        ]
        bad += [
            f"{module}:{node.lineno}: async"
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.AsyncFunctionDef) and unit(module) != "ports"
        ]

    assert not bad


def test_only_the_door_opens_connections() -> None:
    """Mail goes to the operator's own server; the listener and the demo's servers only listen."""
    network = {
        *("aiohappyeyeballs", "aiohttp", "aiosmtplib", "http", "httptools", "httpx", "imaplib"),
        *("poplib", "requests", "smtplib", "socket", "socketserver", "urllib3", "xmlrpc"),
    }
    callers = {
        module
        for module, path in modules().items()
        for name in imports(path)
        if name.split(".")[0] in network or name.startswith("urllib.request")
        if unit(module) not in {"fetch", "demo"}
    }

    assert callers <= {"watcher.notify._smtp", "watcher.web.listener"}


def test_the_environment_is_read_in_config_only() -> None:
    readers = {
        m
        for m, p in modules().items()
        if "os.environ" in p.read_text() or "getenv" in p.read_text()
    }

    assert all(r.startswith(("watcher.config", "watcher.cli", "watcher.demo")) for r in readers)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.name)
def test_files_and_functions_stay_short(path: Path) -> None:
    source = path.read_text()
    long_functions = [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and "migrations" not in path.parts
        and node.end_lineno
        and node.end_lineno - node.lineno + 1 > 60
    ]

    assert source.count("\n") <= 450
    assert not long_functions
