"""What every command starts from: the folder named on the command line, read once, and the store."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from watcher.app import store_path
from watcher.cli.output import complain
from watcher.config.load import Config, load_config
from watcher.errors import ConfigError, ListenError, StoreError, WatcherError
from watcher.store.engine import Store, open_store

OK, FAILED, MISUSED, COULD_NOT = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Options:
    """The global options."""

    folder: Path = Path("config")


def options(context: typer.Context) -> Options:
    found = context.find_object(Options)
    return found or Options()


def configuration(context: typer.Context) -> Config:
    """The checked configuration, or exit 2 with every problem on standard error."""
    try:
        return load_config(options(context).folder, os.environ)
    except ConfigError as error:
        for problem in error.problems:
            complain(str(problem))
        raise typer.Exit(MISUSED) from error


@contextmanager
def opened_store(config: Config) -> Iterator[Store]:
    """The store beside a running daemon; exit 3 when it can't be used."""
    try:
        store = open_store(store_path(config))
    except (StoreError, ListenError) as error:
        complain(str(error))
        raise typer.Exit(COULD_NOT) from error
    try:
        yield store
    finally:
        store.close()


@contextmanager
def told_errors() -> Iterator[None]:
    """Trouble of the service in one line and an exit code, never a traceback."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            complain(str(problem))
        raise typer.Exit(MISUSED) from error
    except (StoreError, ListenError) as error:
        complain(str(error))
        raise typer.Exit(COULD_NOT) from error
    except WatcherError as error:
        complain(str(error))
        raise typer.Exit(FAILED) from error
    except BrokenPipeError:
        # `watcher search … | head`: the reader has gone, which is no error.
        os._exit(OK)
