"""Rules from elsewhere: another configuration folder, or a file of rules not yet in use."""

from collections.abc import Mapping
from pathlib import Path

from watcher.config.feeds import read_publishers
from watcher.config.files import CONCEPTS, PUBLISHERS, Files
from watcher.config.load import load_config
from watcher.config.reader import Reader
from watcher.config.rules import read_rules
from watcher.errors import ConfigError, Problem
from watcher.rules.compile import Rule
from watcher.stories.publishers import PublisherTable


def read_draft(path: Path, folder: Path, environ: Mapping[str, str]) -> tuple[Rule, ...]:
    """A folder's enabled rules, or all rules of a file with concepts and publishers of `folder`.

    Raises ConfigError with every problem, as loading does.
    """
    if path.is_dir():
        return load_config(path, environ).rules
    # An absolute name stays itself when the reader puts it behind a folder.
    name = str(path.absolute())
    try:
        contents = {name: path.read_bytes()}
        for shared in (CONCEPTS, PUBLISHERS):
            if (folder / shared).exists():
                contents[shared] = (folder / shared).read_bytes()
    except OSError as error:
        what = f"can't be read ({(error.strerror or str(error)).lower()})"
        todo = "name a file of rules or a configuration folder"
        raise ConfigError([Problem(str(path), 0, 0, "", what, todo)]) from error
    reader = Reader(folder, Files(contents, (), ()))
    countries = PublisherTable(read_publishers(reader)).countries
    book = read_rules(reader, [name], countries)
    if reader.problems:
        raise ConfigError(reader.problems)
    return (*book.rules, *book.disabled)
