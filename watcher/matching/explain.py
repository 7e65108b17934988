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
    kind: type = c.Phrase

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
        type(clause),
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
    """What failed, on the way that came closest: "all but …"."""
    if step.kind is c.Any and step.parts:
        return _nearest_miss(min(step.parts, key=_distance))
    if step.kind is c.Scoped and step.parts:
        inner = step.parts[0]
        if inner.kind in _BRANCHES and inner.parts:
            return _nearest_miss(inner)
    if step.kind is c.All:
        failed = [part for part in step.parts if not part.held]
        missing = "; ".join(map(_nearest_miss, failed))
        # "all but" is said once, by the innermost.
        several = len(failed) < len(step.parts) and not missing.startswith("all but ")
        return f"all but {missing}" if several else missing
    return _miss(step)


# Operators that fail by one of their parts, which says more than they do.
_BRANCHES = (c.All, c.Any)


def _distance(step: Step) -> float:
    """How many clauses more would have had to hold."""
    if step.held:
        return 0
    below = [_distance(part) for part in step.parts]
    if not below:
        return 1
    if step.kind is c.Any:
        return min(below)
    if step.kind in (c.All, c.Scoped):
        return sum(below)
    return 0.5 + sum(below)  # near, same, at least: their parts may all be there


def _miss(step: Step) -> str:
    if step.kind is c.Not:
        found = next((part for part in step.parts if part.held), step)
        return f"{found.clause} (excluded)"
    scoped = step.kind is c.Scoped and bool(step.parts)
    if scoped and step.parts[0].kind is c.Not:
        where = step.clause.partition(":")[0]
        return f"{where}: {_miss(step.parts[0])}"
    note = step.parts[0].note if scoped else step.note
    return f"{step.clause}: {note}" if note else step.clause
