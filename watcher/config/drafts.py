"""Rules from elsewhere: another configuration folder, or a file of rules not yet in use."""

from collections.abc import Mapping
from pathlib import Path

from watcher.config.files import CONCEPTS, Files
from watcher.config.load import load_config
from watcher.config.reader import Reader
from watcher.config.rules import read_rules
from watcher.errors import ConfigError, Problem
from watcher.rules.compile import Rule


def read_draft(path: Path, folder: Path, environ: Mapping[str, str]) -> tuple[Rule, ...]:
    """A folder's enabled rules, or all rules of a file with the concepts of `folder`.

    Raises ConfigError with every problem, as loading does.
    """
    if path.is_dir():
        return load_config(path, environ).rules
    concepts = folder / CONCEPTS
    # An absolute name stays itself when the reader puts it behind a folder.
    name = str(path.absolute())
    try:
        contents = {name: path.read_bytes()}
        if concepts.exists():
            contents[CONCEPTS] = concepts.read_bytes()
    except OSError as error:
        what = f"can't be read ({(error.strerror or str(error)).lower()})"
        todo = "name a file of rules or a configuration folder"
        raise ConfigError([Problem(str(path), 0, 0, "", what, todo)]) from error
    reader = Reader(folder, Files(contents, (), ()))
    book = read_rules(reader, [name])
    if reader.problems:
        raise ConfigError(reader.problems)
    return (*book.rules, *book.disabled)
