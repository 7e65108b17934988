"""A rule's `when` as written → clauses. Problems are collected, never raised: a user sees all of them."""

# A reader gives None for what can't be read, and says why on the way out.
# mypy: disable-error-code=func-returns-value

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any as AnyValue

import re2

from watcher.languages import known_language
from watcher.rules import clauses as c
from watcher.rules.query import OPERATOR_WORD, QueryError, is_query, read_query
from watcher.rules.terms import TermError, phrase

Loc = tuple[str | int, ...]
#: The names, casefolded, of the publishers of each country.
Countries = Mapping[str, frozenset[str]]

OPERATORS = (
    "all",
    "any",
    "none",
    "at_least",
    "phrase",
    "near",
    "not_near",
    "same",
    "min_count",
    "exact",
    "regex",
    "lang",
    "publisher",
    "feed",
    "country",
    "domain",
    "published",
    "words",
    "threshold",
)
MODIFIERS = ("in", "weight", "of")
# Words kept for operators to come, with what to do until then.
RESERVED = {"like": "say it in words: near, a $concept, or any: with a list"}
# Steps of a path: two for each level of clauses, so that no rule exhausts the stack.
MAX_DEPTH = 120
FILTERS = ("lang", "publisher", "feed", "domain")


_QUIET = re2.Options()
_QUIET.log_errors = False  # the problem list says it better than the library's log


@dataclass(frozen=True, slots=True)
class Issue:
    """Something wrong at `loc` inside what was parsed."""

    loc: Loc
    what: str
    todo: str


@dataclass(slots=True)
class ClauseReader:
    """Reads clauses; `concepts` are ready-made terms by name, without the dollar sign."""

    concepts: Mapping[str, c.Any]
    countries: Countries = field(default_factory=dict)
    plurals: bool = True
    stems: tuple[str, ...] = ()
    issues: list[Issue] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def exceptions(self, value: AnyValue, loc: Loc) -> c.Any | None:
        """A whole `unless`: one clause or a list of them, any of which cancels."""
        if not isinstance(value, list):
            part = self.clause(value, loc)
            return None if part is None else c.Any((part,))
        if not value:
            return self._fail(loc, "an empty list excepts nothing", "add a clause or remove it")
        parts = [self.clause(item, (*loc, n)) for n, item in enumerate(value)]
        found = tuple(part for part in parts if part is not None)
        return c.Any(found) if found else None

    def clause(self, value: AnyValue, loc: Loc) -> c.Clause | None:
        """None when there is nothing usable; the issue says why."""
        if len(loc) > MAX_DEPTH:
            return self._fail(loc, "nested too deeply", "split the rule, or use a concept")
        if isinstance(value, str):
            return self._query(value, loc) if is_query(value) else self._term_text(value, loc)
        if isinstance(value, list):
            return self._fail(
                loc, "a list stands where a clause should", "put it under any: or all:"
            )
        if not isinstance(value, dict) or not value:
            return self._fail(
                loc, f"{value!r} is not a clause", "write a phrase, a $concept or an operator"
            )
        return self._mapping(value, loc)

    def term(self, value: AnyValue, loc: Loc) -> c.Term | None:
        """A phrase, a concept, or a list of those as synonyms."""
        if len(loc) > MAX_DEPTH:
            return self._fail(loc, "nested too deeply", "split the list, or use a concept")
        if isinstance(value, str):
            if operator := OPERATOR_WORD.search(value):
                what = f"{operator[0]!r} is no operator inside a term"
                todo = "write synonyms as a list, or {phrase: …} if the words are meant"
                return self._fail(loc, what, todo)
            return self._term_text(value, loc)
        if isinstance(value, list) and value:
            parts = [self.term(part, (*loc, n)) for n, part in enumerate(value)]
            return c.Any(tuple(_flat(part for part in parts if part is not None)))
        if isinstance(value, dict) and len(value) == 1 and set(value) <= {"any", "phrase"}:
            key = next(iter(value))
            read = self.term if key == "any" else self._phrase
            return read(value[key], (*loc, key))
        return self._fail(
            loc, f"{value!r} is not a term", "write a phrase, a $concept or a list of them"
        )

    # ── reading ──

    def _fail(self, loc: Loc, what: str, todo: str) -> None:
        """Nothing usable here; a reader ends with `return self._fail(…)`."""
        self.issues.append(Issue(loc, what, todo))

    def _phrase(self, value: AnyValue, loc: Loc) -> c.Term | None:
        """A term whose words are meant, whatever they look like."""
        return self._term_text(value, loc) if isinstance(value, str) else self.term(value, loc)

    def _query(self, text: str, loc: Loc) -> c.Clause | None:
        try:
            tree = read_query(text)
        except QueryError as error:
            return self._fail(loc, error.what, error.todo)
        known = len(self.issues)
        found = self.clause(tree, loc)
        # The user's file has no such tree: a problem in it belongs to the text as a whole.
        self.issues[known:] = [Issue(loc, i.what, i.todo) for i in self.issues[known:]]
        return found

    def _term_text(self, text: str, loc: Loc) -> c.Term | None:
        if text.startswith("$"):
            return self._concept(text[1:], loc)
        try:
            return phrase(text, plurals=self.plurals, stems=self.stems)
        except TermError as error:
            return self._fail(loc, error.what, error.todo)

    def _concept(self, name: str, loc: Loc) -> c.Any | None:
        self.used.add(name)
        if name in self.concepts:
            return self.concepts[name]
        near = difflib.get_close_matches(name, self.concepts, 1)
        todo = f"did you mean ${near[0]}?" if near else "add it to concepts.yaml"
        return self._fail(loc, f"unknown concept ${name}", todo)

    def _mapping(self, value: dict[str, AnyValue], loc: Loc) -> c.Clause | None:
        before = len(self.issues)
        for key in value:
            if key in RESERVED:
                self._fail((*loc, key), f"{key!r} is not read by this version", RESERVED[key])
            elif key not in OPERATORS and key not in MODIFIERS:
                near = difflib.get_close_matches(str(key), (*OPERATORS, *MODIFIERS), 1)
                todo = (
                    f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(OPERATORS)}"
                )
                self._fail((*loc, key), f"unknown operator {key!r}", todo)
        if "weight" in value:  # `of` took those that count
            self._fail((*loc, "weight"), "a weight adds to nothing here", "put it under of:")
        if "of" in value and "threshold" not in value:
            self._fail((*loc, "of"), "of: without threshold:", "add threshold:, or say at_least:")
        parts = [
            getattr(self, f"_read_{key}", self._filter(key))(value[key], (*loc, key), value)
            for key in value
            if key in OPERATORS
        ]
        if not parts and len(self.issues) == before:
            return self._fail(loc, "no operator here", f"use one of {', '.join(OPERATORS)}")
        found = [part for part in parts if part is not None]
        if len(self.issues) > before or not found:
            return None
        whole = found[0] if len(found) == 1 else c.All(tuple(found))
        return self._scoped(whole, value["in"], (*loc, "in")) if "in" in value else whole

    def _scoped(self, whole: c.Clause, names: AnyValue, loc: Loc) -> c.Clause | None:
        wanted = [names] if isinstance(names, str) else names
        if not isinstance(wanted, list) or not wanted:
            return self._fail(
                loc, f"{names!r} names no field", f"use some of {', '.join(c.FIELDS)}"
            )
        for n, name in enumerate(wanted):
            if name not in c.FIELDS:
                near = difflib.get_close_matches(str(name), c.FIELDS, 1)
                todo = (
                    f"did you mean {near[0]!r}?" if near else f"use some of {', '.join(c.FIELDS)}"
                )
                return self._fail((*loc, n), f"unknown field {name!r}", todo)
        return c.Scoped(tuple(dict.fromkeys(wanted)), whole)

    def _parts(self, value: AnyValue, loc: Loc) -> tuple[c.Clause, ...]:
        items = _listed(value)
        if not items:
            self._fail(
                loc, "an empty list matches everything or nothing", "add a clause or remove it"
            )
        return tuple(
            part
            for n, item in enumerate(items)
            if (part := self.clause(item, (*loc, n) if isinstance(value, list) else loc))
            is not None
        )

    def _read_all(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        parts = self._parts(value, loc)
        return c.All(parts) if parts else None

    def _read_any(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        parts = self._parts(value, loc)
        return c.Any(parts) if parts else None

    def _read_none(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        parts = self._parts(value, loc)
        return c.Not(parts) if parts else None

    def _read_at_least(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        if not self._has(value, loc, {"count", "of"}):
            return None
        count = self._number(value["count"], (*loc, "count"), 1)
        # A term given twice is one term; else "2 of n" could hold with a single word.
        parts = tuple(dict.fromkeys(self._parts(value["of"], (*loc, "of"))))
        if count is not None and count > len(parts):
            return self._fail(
                (*loc, "count"), f"{count} of {len(parts)} can never hold", "lower the count"
            )
        return c.AtLeast(count, parts) if count is not None else None

    def _read_threshold(self, value: AnyValue, loc: Loc, whole: AnyValue) -> c.Clause | None:
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            return self._fail(loc, f"{value!r} is not a threshold", "write a number above 0")
        items = whole.get("of")
        if not isinstance(items, list) or not items:
            return self._fail(
                loc, "threshold has nothing to add up", "list clauses with weights under of:"
            )
        parts = []
        for n, item in enumerate(items):
            weight = item.get("weight", 1) if isinstance(item, dict) else 1
            bare = (
                {k: v for k, v in item.items() if k != "weight"} if isinstance(item, dict) else item
            )
            part = self.clause(bare, (*loc[:-1], "of", n))
            if not isinstance(weight, int | float) or isinstance(weight, bool):
                self._fail(
                    (*loc[:-1], "of", n, "weight"), f"{weight!r} is not a weight", "write a number"
                )
            elif part is not None:
                parts.append((float(weight), part))
        return c.Score(float(value), tuple(parts))

    def _read_phrase(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        return self._phrase(value, loc)

    def _read_near(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        if not self._has(value, loc, {"terms", "within"}, {"ordered"}):
            return None
        within = self._number(value["within"], (*loc, "within"), 0)
        terms = self._terms(value["terms"], (*loc, "terms"))
        if within is None or terms is None:
            return None
        return c.Near(terms, within, bool(value.get("ordered", False)))

    def _read_not_near(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        if not self._has(value, loc, {"term", "other", "within"}):
            return None
        term = self.term(value["term"], (*loc, "term"))
        other = self.term(value["other"], (*loc, "other"))
        within = self._number(value["within"], (*loc, "within"), 0)
        if term is None or other is None or within is None:
            return None
        return c.NotNear(term, other, within)

    def _read_same(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        if (
            not isinstance(value, dict)
            or len(value) != 1
            or next(iter(value)) not in {"sentence", "paragraph"}
        ):
            return self._fail(
                loc, "same needs sentence: or paragraph:", "write same: {sentence: [a, b]}"
            )
        unit = next(iter(value))
        terms = self._terms(value[unit], (*loc, unit))
        return c.Same(unit, terms) if terms else None

    def _read_min_count(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        if not self._has(value, loc, {"term", "count"}):
            return None
        term = self.term(value["term"], (*loc, "term"))
        count = self._number(value["count"], (*loc, "count"), 1)
        return c.MinCount(term, count) if term is not None and count is not None else None

    def _read_exact(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        texts = _listed(value)
        if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            return self._fail(
                loc, f"{value!r} is not text", "write the characters as they appear, quoted"
            )
        exact = tuple(c.Exact(text) for text in texts)
        return exact[0] if len(exact) == 1 else c.Any(exact)

    def _read_regex(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        if not isinstance(value, str) or not value:
            return self._fail(loc, f"{value!r} is not a pattern", "write an RE2 pattern in quotes")
        try:
            compiled = re2.compile(value, _QUIET)
        except re2.error as error:
            reason = error.args[0] if error.args else error
            reason = reason.decode() if isinstance(reason, bytes) else reason
            return self._fail(loc, f"invalid regex {value!r}: {reason}", "see the RE2 syntax")
        if compiled.search(""):
            return self._fail(
                loc, f"regex {value!r} matches the empty text", "make a part of it required"
            )
        return c.Regex(value)

    def _filter(self, key: str) -> Callable[[AnyValue, Loc, AnyValue], c.Clause | None]:
        def read(value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
            values = _listed(value)
            if not values or not all(isinstance(v, str) and v for v in values):
                return self._fail(loc, f"{value!r} is not a list of names", f"write {key}: [a, b]")
            return c.Filter(key, frozenset(v.casefold() for v in values))

        return read

    def _read_lang(self, value: AnyValue, loc: Loc, given: AnyValue) -> c.Clause | None:
        found = self._filter("lang")(value, loc, given)
        for n, tag in enumerate(_listed(value) if found else ()):
            try:
                known_language(tag)
            except ValueError as error:
                what, todo = str(error).rsplit(": ", 1)
                return self._fail((*loc, n) if isinstance(value, list) else loc, what, todo)
        return found

    def _read_country(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        values = _listed(value)
        if not values or not all(isinstance(v, str) and v for v in values):
            return self._fail(
                loc, f"{value!r} is not a list of countries", "write country: [KR, JP]"
            )
        names: set[str] = set()
        for n, code in enumerate(values):
            if code.upper() not in self.countries:
                todo = f"write country: {code.upper()} beside one in publishers.yaml"
                at = (*loc, n) if isinstance(value, list) else loc
                return self._fail(at, f"no publisher is of the country {code!r}", todo)
            names |= self.countries[code.upper()]
        return c.Country(frozenset(map(str.upper, values)), frozenset(names))

    def _read_published(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        if not self._has(value, loc, set(), {"after", "before"}) or not value:
            return None
        ends: dict[str, datetime] = {}
        for key, text in value.items():
            try:
                moment = datetime.fromisoformat(str(text))
            except ValueError:
                self._fail((*loc, key), f"{text!r} is not a date", "write it like 2026-05-30")
                return None
            ends[key] = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return c.Published(ends.get("after"), ends.get("before"))

    def _read_words(self, value: AnyValue, loc: Loc, _: AnyValue) -> c.Clause | None:
        if not self._has(value, loc, set(), {"min", "max"}):
            return None
        least = self._number(value.get("min", 0), (*loc, "min"), 0)
        most = self._number(value["max"], (*loc, "max"), 0) if "max" in value else None
        return c.Words(least or 0, most)

    # ── pieces ──

    def _terms(self, value: AnyValue, loc: Loc) -> tuple[c.Term, ...] | None:
        if not isinstance(value, list) or len(value) < 2:
            return self._fail(loc, "needs two terms or more", "write a list: [a, [b, c]]")
        terms = [self.term(item, (*loc, n)) for n, item in enumerate(value)]
        found = tuple(term for term in terms if term is not None)
        return found if len(found) == len(terms) else None

    def _has(
        self, value: AnyValue, loc: Loc, needed: set[str], optional: Sequence[str] | set[str] = ()
    ) -> bool:
        if not isinstance(value, dict):
            keys = ", ".join(sorted(needed) or sorted(optional))
            self._fail(loc, f"{value!r} is not a mapping", f"write it with {keys}")
            return False
        missing = needed - set(value)
        unknown = [key for key in value if key not in needed and key not in optional]
        for key in sorted(missing):
            self._fail(loc, f"{key!r} is missing", f"add {key}:")
        for key in unknown:
            near = difflib.get_close_matches(str(key), [*needed, *optional], 1)
            todo = (
                f"did you mean {near[0]!r}?" if near else f"use {', '.join([*needed, *optional])}"
            )
            self._fail((*loc, key), f"unknown key {key!r}", todo)
        return not missing and not unknown

    def _number(self, value: AnyValue, loc: Loc, least: int) -> int | None:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            return self._fail(loc, f"{value!r} is not a whole number", f"write {least} or more")
        return value


def _flat(parts: AnyValue) -> list[c.Clause]:
    """Synonym lists inside synonym lists are one list; a concept stays named."""
    flat: list[c.Clause] = []
    for part in parts:
        if isinstance(part, c.Any) and not part.name:
            flat += part.parts
        else:
            flat.append(part)
    return flat


def _listed(value: AnyValue) -> list[AnyValue]:
    return value if isinstance(value, list) else [value]
