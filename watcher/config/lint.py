"""What is odd in the rules and concepts of a sound configuration, with its line."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from watcher.config.files import CONCEPTS, read_files
from watcher.config.load import Config
from watcher.config.problems import Loc, inert, problem_at
from watcher.config.reader import Reader
from watcher.config.rules import Written, written_rules
from watcher.config.yaml import Document
from watcher.errors import Problem
from watcher.rules import clauses as c
from watcher.rules.lint import Seen, duplicates, lint_concept, lint_rule
from watcher.rules.terms import TermError, phrase


@dataclass(frozen=True, slots=True)
class Findings:
    """In order of file and line. A warning is hardly meant; a hint only says what is superfluous."""

    warnings: tuple[Problem, ...]
    hints: tuple[Problem, ...]


def lint_config(
    config: Config, *, now: datetime, seen: Seen | None = None, rule: str | None = None
) -> Findings:
    """Of all rules and concepts, or of one rule; the files are read once more, for their lines."""
    files = read_files(config.folder)
    reader = Reader(config.folder, files)
    wanted = {one.id for one in config.rules if rule in {None, one.id}}
    written = [w for w in written_rules(reader, files.rules, {}) if w.spec.id in wanted]
    found = [
        (lint.is_hint, problem_at(w.document, ("rules", w.place, *lint.loc), lint.what, lint.todo))
        for w in written
        for lint in lint_rule(
            w.spec, config.concepts, config.publishers.countries, now=now, seen=seen
        )
    ]
    found += [(False, problem) for problem in _duplicates(config, written)]
    document = reader.document(CONCEPTS)
    if document is not None and rule is None:
        found += [(True, problem) for problem in _concepts(document)]
    sides = {hint: tuple(sorted(inert(p) for h, p in found if h is hint)) for hint in (False, True)}
    return Findings(sides[False], sides[True])


def _duplicates(config: Config, written: list[Written]) -> Iterator[Problem]:
    same = duplicates([(rule.id, rule.when, rule.unless) for rule in config.rules])
    for w in written:
        if w.spec.id in same:
            what = f"looks for the same as the rule {same[w.spec.id]!r}"
            todo = "remove one, or say what makes them differ"
            yield problem_at(w.document, ("rules", w.place, "id"), what, todo)


def _concepts(document: Document) -> Iterator[Problem]:
    """Terms that another term of the same list finds, too; each language is a list of its own."""
    concepts = document.data.get("concepts") if isinstance(document.data, dict) else None
    for name, spec in (concepts if isinstance(concepts, dict) else {}).items():
        terms = spec.get("terms") if isinstance(spec, dict) else None
        loc: Loc = ("concepts", name, "terms")
        lists = (
            {(): terms} if isinstance(terms, list) else {(k,): v for k, v in (terms or {}).items()}
        )
        for key, texts in lists.items():
            for lint in lint_concept(list(_phrases(texts, (*loc, *key)))):
                yield problem_at(document, lint.loc, lint.what, lint.todo)


def _phrases(texts: object, loc: Loc) -> Iterator[tuple[Loc, c.Phrase]]:
    for n, text in enumerate(texts if isinstance(texts, list) else ()):
        with suppress(TermError):
            yield (*loc, n), phrase(str(text))
