"""What was missing: the cheapest way in which a clause would have held, with numbers.

A clause that failed is given a cost: 1 for a term that is not there, ½ for one that is there but
too far off, too seldom, in the wrong field. All parts of an `all` must be paid for, of an `any`
the cheapest is taken, and what is told is what that way lacks.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from watcher.matching.document import Document, Stream
from watcher.matching.evaluate import Fields, closest, holds, places
from watcher.rules import clauses as c

# Everything a clause could look at.
_EVERYWHERE = ("title", "body", "author", "tag", "url", "publisher")
_LONG = 90


@dataclass(frozen=True, slots=True)
class Miss:
    """`held` counts what did hold on that way; `lacks` is empty when nothing is missing."""

    cost: float = 0.0
    held: int = 0
    lacks: tuple[str, ...] = ()

    def __str__(self) -> str:
        lacking = "; ".join(dict.fromkeys(self.lacks))
        return f"all but {lacking}" if self.held else lacking


def nearest_miss(clause: c.Clause, document: Document, fields: Fields = c.TEXT_FIELDS) -> Miss:
    """Never fails; for a clause that holds nothing is missing."""
    if holds(clause, document, fields) is not None:
        return Miss(held=0 if isinstance(clause, c.Not) else 1)
    match clause:
        case c.All(parts):
            return _sum(nearest_miss(part, document, fields) for part in parts)
        case c.Any(parts, name) if not name and not all(isinstance(p, c.Phrase) for p in parts):
            return _cheapest([nearest_miss(part, document, fields) for part in parts])[0]
        case c.AtLeast(count, parts):
            return _at_least(clause, count, [nearest_miss(p, document, fields) for p in parts])
        case c.Scoped(scope, inner):
            return _scoped(scope, inner, document)
        case c.Not(parts):
            return _excluded(parts, document, fields)
        case _:
            return reason(clause, document, fields)


def reason(clause: c.Clause, document: Document, fields: Fields) -> Miss:
    """Why one clause that has no clauses inside failed."""
    found = _note(clause, document, fields)
    if found is not None:
        cost, note = found
        return Miss(cost, 0, (f"{shortened(clause)}: {note}",))
    return Miss(1.0, 0, (f"{shortened(clause)}: not found",))


def note_of(clause: c.Clause, document: Document, fields: Fields) -> str:
    """The same in a few words, without the clause."""
    found = _note(clause, document, fields)
    return found[1] if found else "not found"


def shortened(clause: object) -> str:
    text = str(clause)
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"


# ── clauses of clauses ──


def _sum(misses: Iterable[Miss]) -> Miss:
    every = list(misses)
    lacks = tuple(lack for miss in every for lack in miss.lacks)
    return Miss(sum(m.cost for m in every), sum(m.held for m in every), lacks)


def _cheapest(misses: Sequence[Miss]) -> list[Miss]:
    return sorted(misses, key=lambda miss: (miss.cost, -miss.held))


def _at_least(clause: c.AtLeast, count: int, misses: Sequence[Miss]) -> Miss:
    held = sum(not miss.lacks for miss in misses)
    way = _sum(_cheapest([miss for miss in misses if miss.lacks])[: count - held])
    lacks = f"{held} of {count} in {shortened(clause)}: nearest {', '.join(way.lacks)}"
    return Miss(way.cost, held + way.held, (lacks,))


def _scoped(scope: Fields, inner: c.Clause, document: Document) -> Miss:
    where = "+".join(scope)
    if not isinstance(inner, c.Not) and holds(inner, document, _EVERYWHERE) is not None:
        other = next((f for f in _EVERYWHERE if holds(inner, document, (f,)) is not None), "")
        only = f"in {other} only" if other else "in several fields together only"
        return Miss(0.5, 0, (f"{where}: {shortened(inner)}: {only}",))
    miss = nearest_miss(inner, document, scope)
    return Miss(miss.cost, miss.held, tuple(f"{where}: {lack}" for lack in miss.lacks))


def _excluded(parts: Sequence[c.Clause], document: Document, fields: Fields) -> Miss:
    """Each of them that was found."""
    found = [part for part in parts if holds(part, document, fields) is not None]
    return Miss(float(len(found)), 0, tuple(f"{shortened(part)} (excluded)" for part in found))


# ── single clauses: cost and words, None when it just isn't there ──


def _note(clause: c.Clause, document: Document, fields: Fields) -> tuple[float, str] | None:
    streams = [stream for field in fields for stream in document.streams(field)]
    match clause:
        case c.Near():
            return _near(clause, streams)
        case c.NotNear(term, other, within):
            if any(places(term, stream) for stream in streams):
                return 0.5, f"only within {within} words of {shortened(other)}"
            return 1.0, f"{shortened(term)} not found"
        case c.Same(unit, terms):
            return _same(unit, terms, streams)
        case c.MinCount(term, count):
            times = sum(len(places(term, stream)) for stream in streams)
            return (0.5, f"found {times} of {count} times") if times else None
        case c.Score(threshold, weighted):
            total = sum(w for w, part in weighted if holds(part, document, fields) is not None)
            cost = 0.5 + (threshold - total) / max(threshold, 1.0) / 2
            return cost, f"{total:g} of {threshold:g}"
        case c.Exact(text):
            written = (re.search(re.escape(text), s.text, re.IGNORECASE) for s in streams)
            spelt = next((found[0] for found in written if found and found[0] != text), None)
            return (0.5, f"written {spelt!r}") if spelt else None
        case c.Phrase(words) if len(words) > 1:
            return _words_of(clause, streams)
        case _:
            return _fact(clause, document)


def _near(clause: c.Near, streams: Sequence[Stream]) -> tuple[float, str]:
    gaps = [
        chain.gap
        for stream in streams
        if (chain := closest(_unlimited(clause), stream)) is not None
    ]
    if gaps:
        return 0.5, f"{min(gaps)} words between, {clause.within} allowed"
    missing = _missing(clause.terms, streams)
    if missing:
        return float(len(missing)), f"{', '.join(map(shortened, missing))} not found"
    if clause.ordered:
        turned = c.Near(clause.terms, clause.within)
        if any((ch := closest(turned, s)) and ch.gap <= clause.within for s in streams):
            return 0.5, "in another order"
    return 0.5, _apart(clause.terms, streams)


def _unlimited(clause: c.Near) -> c.Near:
    # Two terms are cheap at any distance; longer chains are searched a little beyond the limit.
    within = 10_000 if len(clause.terms) == 2 else clause.within + 50
    return c.Near(clause.terms, within, clause.ordered)


def _missing(terms: Sequence[c.Term], streams: Sequence[Stream]) -> list[c.Term]:
    return [term for term in terms if not any(places(term, stream) for stream in streams)]


def _apart(terms: Sequence[c.Term], streams: Sequence[Stream]) -> str:
    together = any(all(places(term, stream) for term in terms) for stream in streams)
    return "too far apart" if together else "not all of its terms in one field"


def _same(unit: str, terms: Sequence[c.Term], streams: Sequence[Stream]) -> tuple[float, str]:
    missing = _missing(terms, streams)
    if missing:
        return float(len(missing)), f"{', '.join(map(shortened, missing))} not found"
    for stream in streams:
        units = [{stream.unit_of(unit, p.start) for p in places(t, stream)} for t in terms]
        if all(units):
            first = ", ".join(str(min(found)) for found in units)
            return 0.5, f"not all in one {unit}: first in {unit}s {first}"
    return 0.5, "not all of its terms in one field"


def _words_of(clause: c.Phrase, streams: Sequence[Stream]) -> tuple[float, str] | None:
    """The words of a phrase are there, but not beside each other."""
    apart = c.Near(tuple(c.Phrase((word,), word.text) for word in clause.words), 10_000)
    if len(clause.words) == 2:
        gaps = [ch.gap for s in streams if (ch := closest(apart, s)) is not None]
        if gaps and min(gaps) > 0:
            return 0.75, f"its words stand apart, {min(gaps)} between"
    return None


def _fact(clause: c.Clause, document: Document) -> tuple[float, str] | None:
    article = document.article
    match clause:
        case c.Filter("lang"):
            return 0.5, f"is {article.lang}" if article.lang else "the language is not known"
        case c.Country():
            return 0.5, f"{article.publisher or 'nobody known'} is not of there"
        case c.Filter("publisher"):
            family = f" of {article.family}" if article.family != article.publisher else ""
            return 0.5, f"is {article.publisher or 'nobody known'}{family}"
        case c.Filter("feed"):
            return 0.5, f"is {article.feed}"
        case c.Filter("domain"):
            return 0.5, f"the link is {article.url or 'not given'}"
        case c.Published():
            return 0.5, f"published {_moment(article.at)}"
        case c.Words():
            return 0.5, f"has {len(document.body.words)}"
        case _:
            return None


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
