"""What commands print: tables for people, JSON for programs, nothing hostile to a terminal."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from watcher.text import clean_line

# Piped into a file or a pager, a table may be as wide as it needs.
console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Lines of our own words, with whatever a feed said in them made inert; indents stay."""
    console.print(escape("\n".join(map(_inert, text.split("\n")))))


def _inert(line: str) -> str:
    indent = len(line) - len(line.lstrip(" "))
    return " " * indent + clean_line(line)


def complain(text: str) -> None:
    errors.print(escape(text), style="red" if errors.is_terminal else None)


def print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset | set | tuple):
        return sorted(map(str, value)) if isinstance(value, frozenset | set) else list(value)
    return str(value)


def listing(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, as_json: bool, empty: str
) -> None:
    """`columns` maps keys to headings; JSON gives every key of every row."""
    if as_json:
        print_json([dict(row) for row in rows])
        return
    if not rows:
        say(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell(row.get(key))) for key in columns))
    console.print(table)


def cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return clean_line(str(value), 200)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Any]:
    """A bar on a terminal, silence elsewhere; yields a function to call per step."""
    if not errors.is_terminal:
        yield lambda: None
        return
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=errors, transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task(label, total=total)
        yield lambda: bar.advance(task)


def lines(items: Iterable[str]) -> str:
    return "\n".join(items)
