"""An article as the evaluator sees it: words by field, positions and spans only when asked."""

import re
from bisect import bisect_right
from collections.abc import Set
from functools import cached_property
from typing import Any

from watcher.model import Article
from watcher.rules.clauses import TEXT_FIELDS, Word
from watcher.rules.stems import stem_of
from watcher.text import paragraphs
from watcher.tokens import Token, fold_tokens, is_spaceless, tokenise

LEAD_WORDS = 60
LEAD_PARAGRAPHS = 2

# Stands where no phrase may pass: no word holds it.
_BETWEEN = " \n "
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*\s+|[。！？｡]+|\n+")
_PARAGRAPH_END = re.compile(r"\n\n+")


class Stream:
    """The words of one field in order; nothing ever spans two streams."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._prefixes: dict[str, list[int]] = {}
        self._beginnings: dict[int, Set[str]] = {}
        self._stems: dict[str, dict[str, list[int]]] = {}
        #: Where terms stand that were asked for before, by the asker's own key.
        self.places_of: dict[int, Any] = {}

    @cached_property
    def words(self) -> list[str]:
        """The folded words in order."""
        return fold_tokens(self.text)

    @cached_property
    def positions(self) -> dict[str, list[int]]:
        """Word → its places, ascending."""
        found: dict[str, list[int]] = {}
        for n, word in enumerate(self.words):
            found.setdefault(word, []).append(n)
        return found

    def beginnings(self, size: int) -> Set[str]:
        """The first letters of every word, `size` of them."""
        known = self._beginnings.get(size)
        if known is None:
            known = self._beginnings[size] = {word[:size] for word in self.positions}
        return known

    @cached_property
    def tokens(self) -> list[Token]:
        """The words with their offsets; made for matched articles only."""
        return tokenise(self.text)

    def places(self, word: Word) -> list[int]:
        """Where the word stands, ascending."""
        if word.prefix or word.pattern:
            return self._wild(word)
        if word.stems:
            return self._stemmed(word)
        if len(word.forms) == 1:
            return self.positions.get(word.text, [])
        found = [n for form in word.forms for n in self.positions.get(form, ())]
        return sorted(found) if len(found) > 1 else found

    def _stemmed(self, word: Word) -> list[int]:
        found = {n for form in word.forms for n in self.positions.get(form, ())}
        for language, stem in word.stems:
            found.update(self.stems(language).get(stem, ()))
        return sorted(found)

    def stems(self, language: str) -> dict[str, list[int]]:
        """Stem → its places; of the words as written, for endings depend on accents."""
        known = self._stems.get(language)
        if known is None:
            known = self._stems[language] = {}
            for n, token in enumerate(self.tokens):
                stem = stem_of(self.text[token.start : token.end], language)
                known.setdefault(stem, []).append(n)
        return known

    def _wild(self, word: Word) -> list[int]:
        known = self._prefixes.get(word.text)
        if known is None:
            pattern = re.compile(word.pattern) if word.pattern else None
            known = sorted(
                n
                for text, places in self.positions.items()
                if text.startswith(word.prefix) and (not pattern or pattern.fullmatch(text))
                for n in places
            )
            self._prefixes[word.text] = known
        return known

    @cached_property
    def sentences(self) -> list[int]:
        return self._unit_starts(_SENTENCE_END)

    @cached_property
    def paragraphs(self) -> list[int]:
        return self._unit_starts(_PARAGRAPH_END)

    def _unit_starts(self, end: re.Pattern[str]) -> list[int]:
        """Character offsets where a sentence or paragraph begins."""
        return [0, *(found.end() for found in end.finditer(self.text))]

    def unit_of(self, unit: str, place: int) -> int:
        """Which sentence or paragraph the word belongs to."""
        starts = self.sentences if unit == "sentence" else self.paragraphs
        return bisect_right(starts, self.tokens[place].start)


class View:
    """Some fields together: their words as a set, and as text that no phrase crosses."""

    __slots__ = ("_joined", "answers", "document", "fields", "words")

    def __init__(self, document: "Document", fields: tuple[str, ...]) -> None:
        self.document = document
        self.fields = fields
        if fields == TEXT_FIELDS:
            self.words = document.words
        else:
            self.words = {w for f in fields for s in document.streams(f) for w in s.words}
        self._joined = ""
        #: What was asked of these fields before, by the asker's own key.
        self.answers: dict[int, bool] = {}

    @property
    def joined(self) -> str:
        """` one two \n three `: a phrase is a substring that begins with a space."""
        if not self._joined:
            streams = [s for f in self.fields for s in self.document.streams(f)]
            self._joined = f" {_BETWEEN.join(' '.join(s.words) for s in streams)} "
        return self._joined


class Document:
    """All fields of an article; rare ones are read only when a rule asks."""

    def __init__(self, article: Article) -> None:
        self.article = article
        self.title = Stream("title", article.title)
        self.body = Stream("body", article.text)
        self._others: dict[str, list[Stream]] = {}
        self._views: dict[tuple[str, ...], View] = {}

    def view(self, fields: tuple[str, ...] = TEXT_FIELDS) -> "View":
        """The fields as one, for yes-or-no questions; made once."""
        known = self._views.get(fields)
        if known is None:
            known = self._views[fields] = View(self, fields)
        return known

    @cached_property
    def words(self) -> set[str]:
        """Every word of title and body."""
        return {*self.title.words, *self.body.words}

    @cached_property
    def lead_end(self) -> int:
        """How many characters of the body are its lead: two paragraphs, at most sixty words.

        Two characters of a script without spaces are about a word.
        """
        text = self.article.text
        parts = paragraphs(text)[:LEAD_PARAGRAPHS]
        end = text.find(parts[-1], sum(map(len, parts[:-1]))) + len(parts[-1]) if parts else 0
        room = LEAD_WORDS * 2
        for token in self.body.tokens[:room]:
            room -= 1 if is_spaceless(token.text) else 2
            if room <= 0:
                return min(end, token.end)
        return end

    def streams(self, field: str) -> list[Stream]:
        if field == "title":
            return [self.title]
        if field == "body":
            return [self.body]
        if field not in self._others:
            self._others[field] = [Stream(field, text) for text in self._texts(field)]
        return self._others[field]

    def _texts(self, field: str) -> list[str]:
        article = self.article
        if field == "lead":
            return [article.text[: self.lead_end]]
        if field == "tag":
            return list(article.tags)
        return [
            {"author": article.author, "url": article.url, "publisher": article.publisher}[field]
            or ""
        ]
