"""Does a clause hold, and where? Exact and plain: this is what the rule language means."""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any as AnyValue

import re2

from watcher.languages import spoken
from watcher.matching.document import Document, Stream
from watcher.matching.synonyms import synonyms_of
from watcher.model import Evidence
from watcher.rules import clauses as c
from watcher.text import host_of

# Evidence is for readers: the first few places of a term say enough.
MAX_PLACES = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Words `[start, end)` of a stream."""

    stream: Stream
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A clause held here; characters `[start, end)` when `chars`, else words."""

    clause: str
    stream: Stream
    start: int
    end: int
    chars: bool = False

    def evidence(self) -> Evidence:
        text = self.stream.text
        if self.chars:
            start, end = self.start, self.end
        else:
            tokens = self.stream.tokens
            start, end = tokens[self.start].start, tokens[self.end - 1].end
        return Evidence(self.clause, self.stream.name, start, end, text[start:end])


Hits = list[Hit]
Fields = Sequence[str]


def holds(clause: c.Clause, document: Document, fields: Fields = c.TEXT_FIELDS) -> Hits | None:
    """None when the clause does not hold, else where it does (empty for a negation or a fact)."""
    return _CASES[type(clause)](clause, document, fields)


def score(clause: c.Clause, document: Document) -> float:
    """1.0, or the sum of weights when the rule adds them up."""
    match clause:
        case c.Score(_, parts):
            return sum(w for w, part in parts if holds(part, document) is not None)
        case c.All(parts):
            return max(score(part, document) for part in parts)
        case _:
            return 1.0


def places(term: c.Term, stream: Stream) -> list[Place]:
    """Every place of a phrase or any of its synonyms in a stream, ascending."""
    if isinstance(term, c.Phrase):
        return _phrase_places(term, stream)
    known = stream.places_of.get(id(term))
    if known is None:
        found = {
            (place.start, place.end): place
            for phrase in synonyms_of(term).present(stream.positions.keys(), stream.beginnings)
            for place in _phrase_places(phrase, stream)
        }
        known = stream.places_of[id(term)] = [found[key] for key in sorted(found)]
    return known


def _phrase_places(phrase: c.Phrase, stream: Stream) -> list[Place]:
    first, *rest = phrase.words
    starts: Iterable[int] = stream.places(first)
    for n, word in enumerate(rest, 1):
        following = stream.places(word)
        if not following:
            return []
        after = set(following)
        starts = [start for start in starts if start + n in after]
    size = len(phrase.words)
    return [Place(stream, start, start + size) for start in starts]


def _streams(document: Document, fields: Fields) -> Iterable[Stream]:
    for field in fields:
        yield from document.streams(field)


def _hits(clause: object, found: Iterable[Place]) -> Hits:
    return [
        Hit(str(clause), place.stream, place.start, place.end)
        for place, _ in zip(found, range(MAX_PLACES), strict=False)
    ]


# ── one function per clause ──


def _phrase(clause: c.Phrase, document: Document, fields: Fields) -> Hits | None:
    found = [p for stream in _streams(document, fields) for p in _phrase_places(clause, stream)]
    return _hits(clause, found) if found else None


def _any(clause: c.Any, document: Document, fields: Fields) -> Hits | None:
    if clause.name:
        return _concept(clause, document, fields)
    hits: Hits = []
    held = False
    for part in clause.parts:
        found = holds(part, document, fields)
        if found is not None:
            held = True
            hits += found
    return hits if held else None


def _concept(clause: c.Any, document: Document, fields: Fields) -> Hits | None:
    """A concept holds nothing but phrases, and may hold thousands."""
    found = [p for stream in _streams(document, fields) for p in places(clause, stream)]
    return _hits(clause, found) if found else None


def _all(clause: c.All, document: Document, fields: Fields) -> Hits | None:
    hits: Hits = []
    for part in clause.parts:
        found = holds(part, document, fields)
        if found is None:
            return None
        hits += found
    return hits


def _not(clause: c.Not, document: Document, fields: Fields) -> Hits | None:
    held = any(holds(part, document, fields) is not None for part in clause.parts)
    return None if held else []


def _at_least(clause: c.AtLeast, document: Document, fields: Fields) -> Hits | None:
    found = [h for part in clause.parts if (h := holds(part, document, fields)) is not None]
    return [hit for hits in found for hit in hits] if len(found) >= clause.count else None


def _score(clause: c.Score, document: Document, fields: Fields) -> Hits | None:
    found = [(w, h) for w, part in clause.parts if (h := holds(part, document, fields)) is not None]
    enough = sum(weight for weight, _ in found) >= clause.threshold
    return [hit for _, hits in found for hit in hits] if enough else None


def _near(clause: c.Near, document: Document, fields: Fields) -> Hits | None:
    for stream in _streams(document, fields):
        chain = closest(clause, stream)
        if chain is not None and chain.gap <= clause.within:
            return _hits(clause, chain.places)
    return None


def _not_near(clause: c.NotNear, document: Document, fields: Fields) -> Hits | None:
    found: list[Place] = []
    for stream in _streams(document, fields):
        others = places(clause.other, stream)
        starts = [other.start for other in others]
        widest = max((other.end - other.start for other in others), default=0)
        for place in places(clause.term, stream):
            first = bisect_left(starts, place.start - clause.within - widest)
            last = bisect_right(starts, place.end + clause.within)
            if all(_gap(place, other) > clause.within for other in others[first:last]):
                found.append(place)
    return _hits(clause, found) if found else None


def _same(clause: c.Same, document: Document, fields: Fields) -> Hits | None:
    for stream in _streams(document, fields):
        by_unit: list[dict[int, Place]] = []
        for term in clause.terms:
            units: dict[int, Place] = {}
            for place in places(term, stream):
                units.setdefault(stream.unit_of(clause.unit, place.start), place)
            by_unit.append(units)
        shared = set(by_unit[0]).intersection(*by_unit[1:])
        if shared:
            unit = min(shared)
            return _hits(clause, [units[unit] for units in by_unit])
    return None


def _min_count(clause: c.MinCount, document: Document, fields: Fields) -> Hits | None:
    found = [p for stream in _streams(document, fields) for p in places(clause.term, stream)]
    return _hits(clause, found) if len(found) >= clause.count else None


def _exact(clause: c.Exact, document: Document, fields: Fields) -> Hits | None:
    hits: Hits = []
    size = len(clause.text)
    for stream in _streams(document, fields):
        at = stream.text.find(clause.text)
        while at >= 0 and len(hits) < MAX_PLACES:
            if _stands_alone(stream.text, at, at + size):
                hits.append(Hit(str(clause), stream, at, at + size, chars=True))
            at = stream.text.find(clause.text, at + 1)
    return hits or None


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Letters at the edge of the term must not go on outside it; `C++` may be followed by a dot."""
    before = start == 0 or not (_goes_on(text[start - 1]) and text[start].isalnum())
    after = end == len(text) or not (text[end - 1].isalnum() and _goes_on(text[end]))
    return before and after


def _goes_on(char: str) -> bool:
    """Part of the same word for the tokeniser: letters, digits, marks, invisible joiners."""
    return char.isalnum() or (not char.isascii() and unicodedata.category(char)[0] in "MC")


@lru_cache(maxsize=10_000)
def _compiled(pattern: str) -> AnyValue:
    return re2.compile(pattern)


def _regex(clause: c.Regex, document: Document, fields: Fields) -> Hits | None:
    hits = [
        Hit(str(clause), stream, found.start(), found.end(), chars=True)
        for stream in _streams(document, fields)
        for found, _ in zip(
            _compiled(clause.pattern).finditer(stream.text), range(MAX_PLACES), strict=False
        )
    ]
    return hits or None


def _filter(clause: c.Filter, document: Document, _fields: Fields) -> Hits | None:
    article = document.article
    facts = {
        "lang": spoken(article.lang),
        "publisher": {article.publisher.casefold(), article.family.casefold()},
        "feed": {article.feed.casefold()},
        "domain": _domains(article.url),
    }[clause.what]
    return [] if not clause.values.isdisjoint(facts - {""}) else None


def _country(clause: c.Country, document: Document, _fields: Fields) -> Hits | None:
    return [] if document.article.publisher.casefold() in clause.publishers else None


def _domains(url: str) -> set[str]:
    labels = host_of(url).split(".")
    return {".".join(labels[n:]) for n in range(len(labels))}


def _published(clause: c.Published, document: Document, _fields: Fields) -> Hits | None:
    at = document.article.at
    early = clause.after is not None and at < clause.after
    late = clause.before is not None and at >= clause.before
    return None if early or late else []


def _words(clause: c.Words, document: Document, _fields: Fields) -> Hits | None:
    count = len(document.body.words)
    return [] if count >= clause.least and (clause.most is None or count <= clause.most) else None


def _scoped(clause: c.Scoped, document: Document, _fields: Fields) -> Hits | None:
    return holds(clause.clause, document, clause.fields)


# ── nearness ──


@dataclass(frozen=True, slots=True)
class Chain:
    """One place per term; `gap` is the most words between neighbours."""

    gap: int
    places: tuple[Place, ...]


def _gap(left: Place, right: Place) -> int:
    """Words between two places; -1 when they overlap."""
    if left.start > right.start:
        left, right = right, left
    return max(right.start - left.end, -1)


def closest(clause: c.Near, stream: Stream) -> Chain | None:
    """The tightest chain through all terms, or None when a term is absent.

    Terms may not overlap: a near of a word with itself needs it twice.
    """
    found = [places(term, stream) for term in clause.terms]
    if not all(found):
        return None
    if len(found) == 2:
        return _closest_pair(found[0], found[1], ordered=clause.ordered)
    return _closest_chain(found, ordered=clause.ordered, within=clause.within)


def _closest_pair(left: list[Place], right: list[Place], *, ordered: bool) -> Chain | None:
    chains = [_nearest(left, right)] if ordered else [_nearest(left, right), _nearest(right, left)]
    return min((c for c in chains if c is not None), key=lambda chain: chain.gap, default=None)


def _nearest(first: list[Place], then: list[Place]) -> Chain | None:
    """The tightest of: a place of one, and behind its end one of the other."""
    by_end = sorted(first, key=lambda place: place.end)
    ends = [place.end for place in by_end]
    best: Chain | None = None
    for place in then:
        n = bisect_right(ends, place.start)
        if n and (best is None or place.start - ends[n - 1] < best.gap):
            best = Chain(place.start - ends[n - 1], (by_end[n - 1], place))
    return best


def _closest_chain(found: list[list[Place]], *, ordered: bool, within: int) -> Chain | None:
    """Grow chains left to right, keeping the tightest per set of terms seen and place it ends at."""
    every = sorted(
        ((p.start, p.end, n, p) for n, term in enumerate(found) for p in term), key=lambda x: x[:3]
    )
    whole = (1 << len(found)) - 1
    reach = max(within, 0) + max(p.end - p.start for term in found for p in term)
    ends: list[tuple[Place, dict[int, Chain]]] = []
    best: Chain | None = None
    for _, _, n, place in every:
        chains: dict[int, Chain] = {}
        if not ordered or n == 0:
            chains[1 << n] = Chain(0, (place,))
        for earlier, known in reversed(ends):
            if place.start - earlier.start > reach + (earlier.end - earlier.start):
                break
            gap = place.start - earlier.end
            if gap < 0:
                continue
            for mask, chain in known.items():
                if mask & (1 << n) or (ordered and mask != (1 << n) - 1):
                    continue
                grown = Chain(max(chain.gap, gap), (*chain.places, place))
                kept = chains.get(mask | 1 << n)
                if kept is None or grown.gap < kept.gap:
                    chains[mask | 1 << n] = grown
        ends.append((place, chains))
        full = chains.get(whole)
        if full is not None and (best is None or full.gap < best.gap):
            best = full
    return best


_CASES: dict[type, Callable[[AnyValue, Document, Fields], Hits | None]] = {
    c.Phrase: _phrase,
    c.Any: _any,
    c.All: _all,
    c.Not: _not,
    c.AtLeast: _at_least,
    c.Score: _score,
    c.Near: _near,
    c.NotNear: _not_near,
    c.Same: _same,
    c.MinCount: _min_count,
    c.Exact: _exact,
    c.Regex: _regex,
    c.Filter: _filter,
    c.Country: _country,
    c.Published: _published,
    c.Words: _words,
    c.Scoped: _scoped,
}
