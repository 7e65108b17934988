"""Moments as a user writes them on the command line: `2d` from now, or a date."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import typer

from watcher.cli.context import MISUSED
from watcher.cli.output import complain
from watcher.durations import parse_duration

_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def ago(text: str, now: datetime, option: str) -> datetime:
    """`2d` ago, or a date; exit 2 for anything else."""
    return _read(text, option, lambda span: now - span, _FIRST)


def from_now(text: str, now: datetime, option: str) -> datetime:
    """In `2d`, or a date; exit 2 for anything else."""
    return _read(text, option, lambda span: now + span, _LAST)


def moment(text: str, option: str) -> datetime:
    """A date, with a time or without, in UTC unless it names a zone; exit 2 for anything else."""
    try:
        return date(text)
    except ValueError as error:
        complain(f"{option}: {text!r} is not a date: write 2026-05-30 or 2026-05-30T18:00+09:00")
        raise typer.Exit(MISUSED) from error


def date(text: str) -> datetime:
    """Raises ValueError."""
    found = datetime.fromisoformat(text)
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError from error


def _read(
    text: str, option: str, counted: Callable[[timedelta], datetime], farthest: datetime
) -> datetime:
    try:
        return date(text)
    except ValueError:
        pass
    try:
        return counted(parse_duration(text))
    except OverflowError:
        return farthest
    except ValueError as error:
        complain(f"{option}: {error}, or a date like 2026-05-30T18:00+09:00")
        raise typer.Exit(MISUSED) from error
