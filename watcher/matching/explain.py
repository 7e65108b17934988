"""Why a rule holds for an article, or what it came closest to: a tree in plain words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any as AnyValue

from watcher.matching.document import Document
from watcher.matching.evaluate import Fields, holds
from watcher.matching.miss import nearest_miss, note_of
from watcher.model import Article, Evidence
from watcher.rules import clauses as c
from watcher.rules.compile import Rule


@dataclass(frozen=True, slots=True)
class Step:
    """One clause: whether it held, where, and a word on why (not)."""

    clause: str
    held: bool
    note: str = ""
    evidence: tuple[Evidence, ...] = ()
    parts: tuple["Step", ...] = ()

    def to_json(self) -> dict[str, AnyValue]:
        return {
            "clause": self.clause,
            "held": self.held,
            "note": self.note,
            "found": [
                {"field": e.field, "start": e.start, "end": e.end, "text": e.text}
                for e in self.evidence
            ],
            "parts": [part.to_json() for part in self.parts],
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """`missing` says in one line what decided against a match; empty for a match."""

    rule: str
    article: str
    matched: bool
    when: Step
    unless: Step | None
    missing: str = ""

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Where it held; without a match, where the parts did that were there."""
        return tuple(dict.fromkeys(_evidence(self.when)))

    def to_json(self) -> dict[str, AnyValue]:
        return {
            "rule": self.rule,
            "article": self.article,
            "matched": self.matched,
            "missing": self.missing,
            "when": self.when.to_json(),
            "unless": self.unless.to_json() if self.unless else None,
        }


def _evidence(step: Step) -> Iterator[Evidence]:
    if step.held:
        yield from step.evidence
    else:
        for part in step.parts:
            yield from _evidence(part)


def explain(rule: Rule, article: Article) -> Explanation:
    """Evaluates every clause, also those that a match would have skipped."""
    document = Document(article)
    when = _step(rule.when, document, c.TEXT_FIELDS)
    unless = _step(rule.unless, document, c.TEXT_FIELDS) if rule.unless is not None else None
    cancelled = unless is not None and unless.held
    if not when.held:
        missing = str(nearest_miss(rule.when, document))
    elif unless is not None and cancelled:
        missing = f"cancelled by unless: {_canceller(rule.unless, document)}"
    else:
        missing = ""
    return Explanation(rule.id, article.id, when.held and not cancelled, when, unless, missing)


def _canceller(unless: c.Clause | None, document: Document) -> str:
    parts = unless.parts if isinstance(unless, c.Any) else ()
    held = (part for part in parts if holds(part, document) is not None)
    return str(next(held, unless))


def _step(clause: c.Clause, document: Document, fields: Fields) -> Step:
    hits = holds(clause, document, fields)
    held = hits is not None
    evidence = tuple(dict.fromkeys(hit.evidence() for hit in hits or ()))
    return Step(
        str(clause),
        held,
        _note(clause, document, fields, held),
        evidence,
        _parts(clause, document, fields),
    )


def _parts(clause: c.Clause, document: Document, fields: Fields) -> tuple[Step, ...]:
    match clause:
        case c.All(parts) | c.Not(parts) | c.AtLeast(_, parts):
            return tuple(_step(part, document, fields) for part in parts)
        case c.Any(parts, name) if not name and any(not isinstance(p, c.Phrase) for p in parts):
            return tuple(_step(part, document, fields) for part in parts)
        case c.Score(_, weighted):
            return tuple(_step(part, document, fields) for _, part in weighted)
        case c.Scoped(scope, inner):
            return (_step(inner, document, scope),)
        case c.Near(terms) | c.Same(_, terms):
            return tuple(_step(term, document, fields) for term in terms)
        case c.NotNear(term, other):
            return tuple(_step(each, document, fields) for each in (term, other))
        case _:
            return ()


def _note(clause: c.Clause, document: Document, fields: Fields, held: bool) -> str:
    match clause:
        case c.AtLeast(count, parts):
            found = sum(holds(part, document, fields) is not None for part in parts)
            return f"{found} of {count}"
        case c.Score(threshold, weighted):
            total = sum(w for w, part in weighted if holds(part, document, fields) is not None)
            return f"{total:g} of {threshold:g}"
        case c.Not():
            return "" if held else "found, but excluded"
        case c.All() | c.Scoped() if not held:
            return ""
        case _:
            return "" if held else note_of(clause, document, fields)
