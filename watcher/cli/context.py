"""What every command starts from: the folder named on the command line, read once, and the store."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from watcher.cli.output import complain
from watcher.config.load import Config, load_config
from watcher.errors import ConfigError, ListenError, StoreError, WatcherError
from watcher.place import store_path

if TYPE_CHECKING:  # a third of a second that commands without a store don't wait for
    from watcher.store.engine import Store

OK, FAILED, MISUSED, COULD_NOT = 0, 1, 2, 3


def folder_of(context: typer.Context) -> Path:
    """The folder of the global option."""
    return context.find_object(Path) or Path("config")


def configuration(context: typer.Context) -> Config:
    """The checked configuration, or exit 2 with every problem on standard error."""
    try:
        return load_config(folder_of(context), os.environ)
    except ConfigError as error:
        for problem in error.problems:
            complain(str(problem))
        raise typer.Exit(MISUSED) from error


@contextmanager
def opened_store(config: Config) -> "Iterator[Store]":
    """The store beside a running daemon; exit 3 when it can't be used."""
    from watcher.store.engine import open_store

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
