"""What is allowed in a rule but hardly meant. Pure; each finding says where, what, and what to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from watcher.rules import clauses as c
from watcher.rules.compile import NOWHERE, Concepts
from watcher.rules.implies import implied
from watcher.rules.parse import Countries, Loc
from watcher.rules.placing import Places, PlacingReader
from watcher.rules.schema import RuleSpec
from watcher.rules.superfluous import superfluous

WIDEST_NEAR = 15
SHORTEST_PREFIX = 4
# Of the stored articles looked at; fewer say nothing.
TOO_COMMON, TOO_MUCH = 0.05, 0.05
ENOUGH_ARTICLES, ENOUGH_FOR_NEVER = 200, 2000
# In a finding about a list.
NAMED = 4
_JOINS = frozenset(("and", "or", "not", "near"))


class Smell(StrEnum):
    """What is odd about a clause or a rule."""

    COVERED = "covered"
    PLAIN_WORD = "plain_word"
    NEVER = "never"
    DEAD_ALTERNATIVE = "dead_alternative"
    CANCELLED = "cancelled"
    WIDE_NEAR = "wide_near"
    SHORT_WILDCARD = "short_wildcard"
    COUNTED_TWICE = "counted_twice"
    SLOW = "slow"
    PAST = "past"
    DUPLICATE = "duplicate"
    TEST_TWICE = "test_twice"
    TOO_COMMON = "too_common"
    TOO_MUCH = "too_much"
    NEVER_MATCHED = "never_matched"


@dataclass(frozen=True, slots=True)
class Lint:
    """`loc` leads into the rule's own mapping. A hint is harmless: the rule does what it says."""

    loc: Loc
    smell: Smell
    what: str
    todo: str

    @property
    def is_hint(self) -> bool:
        return self.smell in {Smell.COVERED, Smell.PLAIN_WORD}


@dataclass(frozen=True, slots=True)
class Seen:
    """The archive: how many of the newest articles a word stands in and a rule holds for.

    `ever` counts what the daemon recorded of each rule, over `stored` articles.
    """

    articles: int = 0
    words: Mapping[str, int] = field(default_factory=dict)
    matches: Mapping[str, int] = field(default_factory=dict)
    stored: int = 0
    ever: Mapping[str, int] = field(default_factory=dict)


def lint_rule(
    spec: RuleSpec,
    concepts: Concepts,
    countries: Countries = NOWHERE,
    *,
    now: datetime,
    seen: Seen | None = None,
) -> list[Lint]:
    """Of a rule that compiles; each finding once."""
    reader = PlacingReader(concepts, countries, plurals=spec.plurals, stems=spec.stems)
    when = reader.clause(spec.when, ("when",))
    unless = reader.exceptions(spec.unless, ("unless",)) if spec.unless is not None else None
    if when is None:
        return []
    places = Places(tuple(reader.placed))
    found = [lint for loc, clause in reader.placed for lint in _clause(loc, clause, places, now)]
    found += _unless(when, unless, places)
    found += _whole(spec, when, now)
    if seen is not None:
        found += _archive(spec, when, places, seen)
    return list(_once(found))


def _once(found: Sequence[Lint]) -> Iterator[Lint]:
    """Of the same finding about a clause and one around it, the inner place."""
    for lint in dict.fromkeys(found):
        same = (o.loc for o in found if o.what == lint.what and len(o.loc) > len(lint.loc))
        if not any(loc[: len(lint.loc)] == lint.loc for loc in same):
            yield lint


def lint_concept(terms: Sequence[tuple[Loc, c.Phrase]]) -> list[Lint]:
    """Terms of one concept with their places."""
    return list(_covered(terms))


def lone_words(when: c.Clause) -> Iterator[tuple[c.Phrase, str]]:
    """Phrases of a single plain word that decide alone, with that word."""
    if isinstance(when, c.Any):
        for part in when.parts:
            yield from lone_words(part)
    elif isinstance(when, c.Phrase) and len(when.words) == 1 and when.words[0].forms:
        yield when, when.words[0].text


# ── one clause ──


def _clause(loc: Loc, clause: c.Clause, places: Places, now: datetime) -> Iterator[Lint]:
    match clause:
        case c.Any(parts, name) if not name:
            yield from _covered([(places.of(p, loc), p) for p in parts])
        case c.All():
            yield from _all(loc, clause, places)
        case c.AtLeast(_, parts):
            for wide, narrow in superfluous(parts):
                what = f"{_q(narrow)} counts together with {_q(wide)}, which it holds"
                yield Lint(places.of(narrow, loc), Smell.COUNTED_TWICE, what, "keep one of the two")
        case c.Near(_, within) if within > WIDEST_NEAR:
            what = f"near/{within} is wide: such words are seldom about each other"
            yield Lint(loc, Smell.WIDE_NEAR, what, f"use {WIDEST_NEAR} or less, or same: paragraph")
        case c.NotNear(term, other, _) if implied(other, term):
            what = f"{_q(term)} always holds {_q(other)} itself: it is never away from it"
            yield Lint(loc, Smell.NEVER, what, "name the word beside it, not one inside it")
        case c.Phrase((word,)) if _is_short(word):
            what = f"{_q(clause)} begins too many words"
            todo = f"write {SHORTEST_PREFIX} letters or more, or list the words"
            yield Lint(loc, Smell.SHORT_WILDCARD, what, todo)
        case c.Exact(text) if text.endswith("*"):
            what = f"{_q(clause)} looks for the asterisk itself: exact takes no wildcard"
            yield Lint(loc, Smell.NEVER, what, "write the phrase without exact, or each form")
        case c.Score():
            yield from _score(loc, clause)
        case c.Published():
            yield from _published(loc, clause, now)
        case c.Words(least, most) if most is not None and least > most:
            what = f"no text has {least} words or more and {most} at most"
            yield Lint(loc, Smell.NEVER, what, "swap min and max")


def _is_short(word: c.Word) -> bool:
    return bool(word.prefix) and word.prefix.isascii() and len(word.prefix) < SHORTEST_PREFIX


def _covered(parts: Sequence[tuple[Loc, c.Clause]]) -> Iterator[Lint]:
    """Alternatives that add nothing: one finding for the list, at the first of them."""
    where = {id(part): loc for loc, part in parts}
    pairs = list(superfluous([part for _, part in parts]))
    if not pairs:
        return
    shown = ", ".join(
        f"{_q(narrow)} ({'twice' if narrow is wide else f'by {_q(wide)}'})"
        for wide, narrow in pairs[:NAMED]
    )
    more = f" and {len(pairs) - NAMED} more" if len(pairs) > NAMED else ""
    what = f"found by another term of the list anyway: {shown}{more}"
    yield Lint(where[id(pairs[0][1])], Smell.COVERED, what, "remove it, or narrow the other")


def _all(loc: Loc, clause: c.All, places: Places) -> Iterator[Lint]:
    """What must hold against what must not."""
    parts = list(_flat(clause))
    needed = [part for part in parts if not isinstance(part, c.Not)]
    for wide, narrow in superfluous(needed):
        what = f"{_q(wide)} holds wherever {_q(narrow)} does"
        yield Lint(places.of(wide, loc), Smell.COVERED, what, f"remove {_q(wide)}")
    for excluded in (e for part in parts if isinstance(part, c.Not) for e in part.parts):
        at = places.of(excluded, loc)
        if any(implied(excluded, part) for part in needed):
            what = (
                f"it can never hold: what it needs always holds {_q(excluded)}, which is excluded"
            )
            yield Lint(at, Smell.NEVER, what, "remove one of the two")
            continue
        for alternative in _dead(excluded, needed):
            what = f"{_q(alternative)} never counts: {_q(excluded)} is excluded"
            todo = "remove it, or exclude less"
            yield Lint(places.of(alternative, loc), Smell.DEAD_ALTERNATIVE, what, todo)
    yield from _facts(loc, needed)


def _flat(clause: c.All) -> Iterator[c.Clause]:
    for part in clause.parts:
        if isinstance(part, c.All):
            yield from _flat(part)
        else:
            yield part


def _dead(excluded: c.Clause, needed: Sequence[c.Clause]) -> Iterator[c.Clause]:
    for part in needed:
        if isinstance(part, c.Any) and not part.name:
            yield from (one for one in part.parts if implied(excluded, one))


def _facts(loc: Loc, needed: Sequence[c.Clause]) -> Iterator[Lint]:
    """Two lists of the same fact that have nothing in common."""
    filters = [part for part in needed if isinstance(part, c.Filter) and part.what != "domain"]
    for n, one in enumerate(filters):
        for other in filters[n + 1 :]:
            if one.what == other.what and not _bases(one) & _bases(other):
                what = f"it can never hold: {one.what} can't be in both lists"
                yield Lint(loc, Smell.NEVER, what, "join them in one list")
    countries = [part for part in needed if isinstance(part, c.Country)]
    if countries and not frozenset.intersection(*(one.publishers for one in countries)):
        what = "it can never hold: no publisher is of a country in each list"
        yield Lint(loc, Smell.NEVER, what, "join them in one list")


def _bases(filter_: c.Filter) -> set[str]:
    return {value.split("-")[0] if filter_.what == "lang" else value for value in filter_.values}


def _score(loc: Loc, clause: c.Score) -> Iterator[Lint]:
    most = sum(weight for weight, _ in clause.parts if weight > 0)
    if most < clause.threshold:
        what = f"the weights add up to {most:g}, never to {clause.threshold:g}"
        yield Lint(loc, Smell.NEVER, what, "lower the threshold")
    elif all(weight >= clause.threshold for weight, _ in clause.parts):
        what = f"each clause alone reaches {clause.threshold:g}"
        yield Lint(loc, Smell.COUNTED_TWICE, what, "write any:, or raise the threshold")


def _published(loc: Loc, clause: c.Published, now: datetime) -> Iterator[Lint]:
    if clause.before and clause.after and clause.before <= clause.after:
        what = "it can never hold: before is not after after"
        yield Lint(loc, Smell.NEVER, what, "swap the two dates")
    elif clause.before and clause.before <= now:
        what = f"nothing new can match: it ended on {clause.before:%Y-%m-%d}"
        yield Lint(loc, Smell.PAST, what, "remove the rule, or the date")


# ── the whole rule ──


def _unless(when: c.Clause, unless: c.Any | None, places: Places) -> Iterator[Lint]:
    for exception in unless.parts if unless else ():
        loc = places.of(exception, ("unless",))
        if implied(exception, when):
            what = f"{_q(exception)} cancels every hit: the rule itself asks for it"
            yield Lint(loc, Smell.CANCELLED, what, "narrow the exception")
            continue
        needed = list(_flat(when)) if isinstance(when, c.All) else [when]
        for alternative in _dead(exception, needed):
            what = f"{_q(alternative)} never counts: unless {_q(exception)} cancels it"
            todo = "remove it, or narrow the exception"
            yield Lint(places.of(alternative, ("when",)), Smell.DEAD_ALTERNATIVE, what, todo)


def _whole(spec: RuleSpec, when: c.Clause, now: datetime) -> Iterator[Lint]:
    if not _needs_a_word(when):
        what = "no word of title or text is required, so it is tried on every article"
        yield Lint(("when",), Smell.SLOW, what, "put one required phrase beside it")
    if isinstance(when, c.Phrase) and (words := _JOINS & set(when.text.split()[1:-1])):
        word = min(words)
        what = f"{word!r} is looked for as a word of one phrase"
        yield Lint(("when",), Smell.PLAIN_WORD, what, f"write {word.upper()} if it is to join two")
    if spec.alert.active.until and spec.alert.active.until < now:
        what = f"the rule ended on {spec.alert.active.until:%Y-%m-%d}"
        yield Lint(("alert", "active", "until"), Smell.PAST, what, "remove it, or set a later day")
    for n, sample in enumerate(spec.tests.no_match):
        if sample in spec.tests.match:
            what = "the same test stands under match"
            yield Lint(("tests", "no_match", n), Smell.TEST_TWICE, what, "remove one of the two")


def _needs_a_word(clause: c.Clause) -> bool:
    match clause:
        case c.Any(parts) | c.AtLeast(_, parts):
            return all(map(_needs_a_word, parts))
        case c.All(parts):
            return any(map(_needs_a_word, parts))
        case c.Score(threshold, weighted):
            free = sum(w for w, part in weighted if w > 0 and not _needs_a_word(part))
            return free < threshold
        case c.Scoped(fields, inner):
            return set(fields) <= {*c.TEXT_FIELDS, "lead"} and _needs_a_word(inner)
        case _:
            return isinstance(clause, c.Phrase | c.Near | c.NotNear | c.Same | c.MinCount | c.Exact)


def _archive(spec: RuleSpec, when: c.Clause, places: Places, seen: Seen) -> Iterator[Lint]:
    count = seen.matches.get(spec.id, 0)
    if seen.articles >= ENOUGH_ARTICLES:
        for phrase, word in lone_words(when):
            if seen.words.get(word, 0) > TOO_COMMON * seen.articles:
                share = f"{seen.words[word]} of the newest {seen.articles} articles"
                what = f"{_q(phrase)} decides alone and stands in {share}"
                todo = "put it near another term, or leave it out"
                yield Lint(places.of(phrase, ("when",)), Smell.TOO_COMMON, what, todo)
        if count > TOO_MUCH * seen.articles:
            what = f"the rule matches {count} of the newest {seen.articles} articles"
            todo = "see `watcher backtest` for what makes the noise"
            yield Lint(("id",), Smell.TOO_MUCH, what, todo)
    if seen.stored >= ENOUGH_FOR_NEVER and not count and not seen.ever.get(spec.id):
        what = f"the rule has matched none of {seen.stored} stored articles"
        todo = "try headlines with `watcher explain`, or look at `watcher search`"
        yield Lint(("id",), Smell.NEVER_MATCHED, what, todo)


def duplicates(rules: Sequence[tuple[str, c.Clause, c.Clause | None]]) -> dict[str, str]:
    """Rule id → id of the first rule that looks for the same."""
    first: dict[tuple[str, str], str] = {}
    found = {}
    for name, when, unless in rules:
        earlier = first.setdefault((str(when), str(unless)), name)
        if earlier != name:
            found[name] = earlier
    return found


def _q(clause: c.Clause) -> str:
    text = str(clause)
    return repr(text if len(text) <= 60 else f"{text[:59]}…")
