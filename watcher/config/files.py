"""The files of a configuration folder, read once: what is checked is what was read."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from watcher.config.yaml import MAX_BYTES
from watcher.errors import ConfigError, Problem

ROOT = "watcher.yaml"
FEEDS = "feeds.yaml"
CONCEPTS = "concepts.yaml"
PUBLISHERS = "publishers.yaml"
RULES = "rules"
KNOWN = (ROOT, FEEDS, CONCEPTS, PUBLISHERS)
YAML = {".yaml", ".yml"}


@dataclass(frozen=True, slots=True)
class Files:
    """Contents by name relative to the folder, and what could not be read."""

    contents: dict[str, bytes]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    @property
    def rules(self) -> list[str]:
        return sorted(name for name in self.contents if name not in KNOWN)


def read_files(folder: Path) -> Files:
    """Raises ConfigError when there is no configuration at all; what can't be read is a problem."""
    if not folder.is_dir():
        raise _nothing(str(folder), "no such folder")
    root = folder / ROOT
    if not root.exists():
        raise _nothing(str(root), "no such file")
    contents: dict[str, bytes] = {}
    problems: list[Problem] = []
    for name in (*KNOWN, *_rule_files(folder)):
        path = folder / name
        # A dangling symlink does not "exist", but someone meant it to.
        if not path.exists() and not path.is_symlink():
            continue
        try:
            with path.open("rb") as file:
                contents[name] = file.read(MAX_BYTES + 1)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            problems.append(
                Problem(str(path), 0, 0, "", f"can't be read ({why})", "check the file")
            )
    return Files(contents, tuple(problems), tuple(_strays(folder)))


def _nothing(where: str, what: str) -> ConfigError:
    todo = "run `watcher init DIR` for a working start, or name yours with --config DIR"
    return ConfigError([Problem(where, 0, 0, "", what, todo)])


def _rule_files(folder: Path) -> list[str]:
    rules = folder / RULES
    if not rules.is_dir():
        return []
    return sorted(f"{RULES}/{path.name}" for path in rules.iterdir() if _is_yaml(path))


def _is_yaml(path: Path) -> bool:
    """Editors leave `.#name.yaml` and the like beside a file being edited."""
    return path.suffix in YAML and not path.name.startswith((".", "#"))


def _strays(folder: Path) -> Iterator[Problem]:
    """YAML that nobody reads is most often a misspelt name."""
    for path in sorted(folder.iterdir()):
        if _is_yaml(path) and path.name not in KNOWN:
            near = difflib.get_close_matches(path.name, KNOWN, 1, 0.7)
            todo = f"did you mean {near[0]}?" if near else f"rules belong into {RULES}/"
            yield Problem(str(path), 0, 0, "", "this file is not read", todo)
