"""Why a rule holds for an article, or what it came closest to: a tree in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any as AnyValue

from watcher.matching.document import Document, Stream
from watcher.matching.evaluate import Fields, closest, holds
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

    def to_json(self) -> dict[str, AnyValue]:
        return {
            "rule": self.rule,
            "article": self.article,
            "matched": self.matched,
            "missing": self.missing,
            "when": self.when.to_json(),
            "unless": self.unless.to_json() if self.unless else None,
        }


def explain(rule: Rule, article: Article) -> Explanation:
    """Evaluates every clause, also those that a match would have skipped."""
    document = Document(article)
    when = _step(rule.when, document, c.TEXT_FIELDS)
    unless = _step(rule.unless, document, c.TEXT_FIELDS) if rule.unless is not None else None
    cancelled = unless is not None and unless.held
    if not when.held:
        missing = _nearest_miss(when)
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
        case _:
            return ()


def _note(clause: c.Clause, document: Document, fields: Fields, held: bool) -> str:
    match clause:
        case c.Near() if not held:
            return _near_note(clause, [s for f in fields for s in document.streams(f)])
        case c.Same(unit) if not held:
            return f"not all in one {unit}"
        case c.AtLeast(count, parts):
            found = sum(holds(part, document, fields) is not None for part in parts)
            return f"{found} of {count}"
        case c.Score(threshold, weighted):
            total = sum(w for w, part in weighted if holds(part, document, fields) is not None)
            return f"{total:g} of {threshold:g}"
        case c.Not():
            return "" if held else "found, but excluded"
        case c.MinCount(term, count) if not held:
            found_places = holds(c.MinCount(term, 1), document, fields)
            return f"fewer than {count}" if found_places is not None else "not found"
        case _:
            return "" if held else "not found"


def _near_note(clause: c.Near, streams: Sequence[Stream]) -> str:
    gaps = [
        chain.gap
        for stream in streams
        if (chain := closest(_unlimited(clause), stream)) is not None
    ]
    if not gaps:
        return "not all of its terms in one field"
    return f"{min(gaps)} words between, {clause.within} allowed"


def _unlimited(clause: c.Near) -> c.Near:
    # Two terms are cheap at any distance; longer chains are searched a little beyond the limit.
    within = 10_000 if len(clause.terms) == 2 else clause.within + 50
    return c.Near(clause.terms, within, clause.ordered)


def _nearest_miss(step: Step) -> str:
    """What failed, and that the rest held: "all but …"."""
    failed = [part for part in step.parts if not part.held]
    if step.parts and step.clause.startswith("all of"):
        missing = "; ".join(map(_miss, failed))
        return f"all but {missing}" if len(failed) < len(step.parts) else missing
    if len(step.parts) == 1:
        return _nearest_miss(step.parts[0])
    return _miss(step)


def _miss(step: Step) -> str:
    if step.parts and step.clause.startswith("all of"):
        return _nearest_miss(step)
    if step.clause.startswith("none of"):
        found = next((part for part in step.parts if part.held), step)
        return f"{found.clause} (excluded)"
    return f"{step.clause}: {step.note}" if step.note else step.clause
