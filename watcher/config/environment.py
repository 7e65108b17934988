"""`WATCHER_…` over watcher.yaml: merged before validation, blamed by variable."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from watcher.config.problems import describe, nearest
from watcher.config.reader import Reader
from watcher.config.settings import (
    NESTING,
    PREFIX,
    WatcherSettings,
    from_environment,
    variable_of,
)
from watcher.errors import Problem

FILE = "environment"


def overrides(reader: Reader, environ: Mapping[str, str]) -> dict[str, Any]:
    """The sound part of what the environment sets; the rest becomes problems."""
    _warn_of_misspelt(reader, environ)
    try:
        data = from_environment(environ)
    except SettingsError as error:
        field = str(error).partition('"')[2].partition('"')[0]
        todo = f"write JSON, or set its parts, like {variable_of((field, '…'))}"
        reader.problems.append(_problem((field,), "not a JSON list or object", todo))
        return {}
    try:
        WatcherSettings.model_validate(data)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            loc = found["loc"]
            # A whole section fails for what only both sources together can tell.
            if isinstance(_value(data, loc), dict):
                continue
            reader.problems.append(_problem(loc, *describe(found, WatcherSettings)))
            _drop(data, loc)
    return data


def merged(data: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings by key, anything else whole."""
    result = dict(data)
    for key, value in over.items():
        below = result.get(key)
        nested = isinstance(value, dict) and isinstance(below, dict)
        result[key] = merged(below, value) if nested else value  # type: ignore[arg-type]
    return result


def _warn_of_misspelt(reader: Reader, environ: Mapping[str, str]) -> None:
    known = {name.upper() for name in WatcherSettings.model_fields}
    for name in sorted(environ):
        head, nested, _ = name.removeprefix(PREFIX).partition(NESTING)
        if name.startswith(PREFIX) and nested and head.upper() not in known:
            todo = nearest(head.upper(), known, otherwise="unset it")
            warning = Problem(FILE, 0, 0, name, f"no such setting {head.upper()!r}", todo)
            reader.warnings.append(warning)


def _problem(loc: Sequence[str | int], what: str, todo: str) -> Problem:
    return Problem(FILE, 0, 0, variable_of(tuple(loc)), what, todo)


def _value(data: Any, loc: Sequence[str | int]) -> Any:
    for part in loc:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _drop(data: dict[str, Any], loc: Sequence[str | int]) -> None:
    """Take out the value at `loc`, or the scalar on the way to it."""
    for part in loc[:-1]:
        below = data.get(str(part))
        if not isinstance(below, dict):
            data.pop(str(part), None)
            return
        data = below
    data.pop(str(loc[-1]), None)
