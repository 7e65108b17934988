"""Judged articles: labels from the store, the tests written in rules, and files of headlines.

A file is YAML, `rule: ID` with `items:`, or JSON lines with `rule` in each (or in no line, when the
command names it); an item is a test sample with `label: relevant|noise` and perhaps `event:`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from watcher.config.yaml import read_yaml
from watcher.errors import WatcherError
from watcher.model import Article
from watcher.rules.compile import Rule
from watcher.rules.schema import Sample
from watcher.rules.testing import article_of, sample_of
from watcher.store.labels import Label

WORDS = {"relevant": True, "noise": False}
_SUFFIXES = (".yaml", ".yml", ".jsonl")


class LabelError(WatcherError):
    """A file of judged headlines that can't be read."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a person said of an article; `event` groups the reports of one event."""

    rule: str
    article: Article
    relevant: bool
    event: str | None = None


def label_of(rule: str, article: Article, relevant: bool, at: datetime) -> Label:
    """What a reader says now of the article as it is now."""
    sample = sample_of(article).model_dump(mode="json", exclude_defaults=True)
    return Label(rule, article.id, relevant, sample, at)


def judged_in_store(labels: Iterable[Label]) -> list[Judged]:
    return [
        Judged(label.rule, article_of(Sample.model_validate(label.sample)), label.relevant)
        for label in labels
    ]


def judged_in_tests(rules: Sequence[Rule]) -> list[Judged]:
    """The stored tests: what must match is relevant."""
    return [
        Judged(rule.id, article_of(sample), relevant)
        for rule in rules
        for relevant, samples in ((True, rule.tests.match), (False, rule.tests.no_match))
        for sample in samples
    ]


def judged_in_folder(folder: Path) -> list[Judged]:
    """Every file of the folder, in order of name."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)
    except OSError as error:
        raise LabelError(f"{folder}: can't be read ({error.strerror}): name a folder") from error
    if not paths:
        raise LabelError(f"{folder}: holds no file of headlines: add .yaml or .jsonl files")
    return [judged for path in paths for judged in judged_in_file(path)]


def judged_in_file(path: Path, rule: str | None = None) -> list[Judged]:
    """`rule` is whose headlines they are when the file does not say."""
    try:
        content = path.read_bytes()
        found = _lines(path, content) if path.suffix == ".jsonl" else _items(path, content)
        return [_judged(where, item, rule) for where, item in found]
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{path}: can't be read ({error})") from error


def _lines(path: Path, content: bytes) -> Iterator[tuple[str, Any]]:
    # Not splitlines: JSON may hold U+2028 and U+0085 inside its strings.
    for number, line in enumerate(content.decode("utf-8").split("\n"), 1):
        if line.strip():
            try:
                yield f"{path}:{number}", json.loads(line)
            except ValueError as error:
                raise LabelError(
                    f"{path}:{number}: is not JSON: write one object a line"
                ) from error


def _items(path: Path, content: bytes) -> Iterator[tuple[str, Any]]:
    document = read_yaml(content, str(path))
    if document.problems:
        raise LabelError(str(document.problems[0]))
    items = document.data.get("items") if isinstance(document.data, dict) else None
    if not isinstance(items, list):
        raise LabelError(f"{path}: has no items: write 'rule: ID' and 'items:' with a list")
    for n, item in enumerate(items):
        line, _ = document.place(("items", n))
        where = f"{path}:{line}"
        yield where, {"rule": document.data.get("rule"), **item} if isinstance(item, dict) else item


def _judged(where: str, item: Any, rule: str | None) -> Judged:
    if not isinstance(item, dict):
        raise LabelError(f"{where}: {item!r} is no mapping: write title: and label:")
    values = dict(item)
    name, label, event = values.pop("rule", None) or rule, values.pop("label", None), None
    if not name:
        raise LabelError(f"{where}: no rule is named: add rule:, or name one with --rule")
    if label not in WORDS:
        raise LabelError(f"{where}: label {label!r} is unknown: write relevant or noise")
    event = values.pop("event", None)
    try:
        sample = Sample.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise LabelError(
            f"{where}: {key}: {first['msg'].lower()}: write what a rule's test may hold"
        ) from error
    return Judged(
        str(name), article_of(sample), WORDS[label], None if event is None else str(event)
    )
