"""Where feedparser takes the square of a feed's length, or gives up on all of it (RELIABILITY §4.5).

It compares every category of an item with all before it, takes any number of keywords,
looks for an address in a name by an expression that backtracks, is called for every line
of a text and for every reference in it, and fails for a reference to a character that
doesn't exist and for tags in an order it never met.
"""

from contextlib import suppress
from typing import Any
from xml.sax.expatreader import ExpatParser

import feedparser.api
from feedparser.mixin import _FeedParserMixin

from watcher.sources.limits import MAX_CATEGORIES, MAX_KEYWORDS, MAX_NAME

_add_tag = _FeedParserMixin._add_tag
_pop = _FeedParserMixin.pop
_sync_author_detail = _FeedParserMixin._sync_author_detail
_handle_charref = _FeedParserMixin.handle_charref
_unknown_starttag = _FeedParserMixin.unknown_starttag
_unknown_endtag = _FeedParserMixin.unknown_endtag
_TEXT_BYTES = 64 * 1024
_LISTS = frozenset(("itunes_keywords", "media_keywords", "tags"))


def _add_few_tags(self: Any, term: str | None, scheme: str | None, label: str | None) -> None:
    if len(self._get_context().get("tags") or ()) < MAX_CATEGORIES:
        _add_tag(self, term, scheme, label)


def _pop_few_keywords(self: Any, element: str, strip_whitespace: int = 1) -> Any:
    value = _pop(self, element, strip_whitespace)
    return value[:MAX_KEYWORDS] if value and element in _LISTS else value


def _sync_short_author_detail(self: Any, key: str = "author") -> None:
    if len(self._get_context().get(key) or "") <= MAX_NAME:
        _sync_author_detail(self, key)


def _handle_any_charref(self: Any, ref: str) -> None:
    try:
        _handle_charref(self, ref)
    except (ValueError, OverflowError):
        self.elementstack[-1][2].append("\ufffd")


def _start_any_tag(self: Any, tag: str, attributes: Any) -> None:
    with suppress(KeyError, TypeError, ValueError, IndexError):
        _unknown_starttag(self, tag, attributes)


def _end_any_tag(self: Any, tag: str) -> None:
    try:
        _unknown_endtag(self, tag)
    except (KeyError, TypeError, ValueError, IndexError):
        # What it does for every tag at its end.
        self.depth -= 1
        for stack in (self.basestack, self.langstack):
            del stack[-1:]


class _WholeTexts(ExpatParser):
    """Hands over the text between two tags at once, or by many KB."""

    def reset(self) -> None:
        super().reset()
        expat = self._parser  # type: ignore[attr-defined]
        expat.buffer_text = True
        expat.buffer_size = _TEXT_BYTES


def create_parser() -> ExpatParser:
    """`xml.sax.make_parser` looks for this name."""
    return _WholeTexts()


def bound() -> None:
    """For this process, as often as it is called."""
    feedparser.api.PREFERRED_XML_PARSERS = [__name__]
    _FeedParserMixin._add_tag = _add_few_tags
    _FeedParserMixin.handle_charref = _handle_any_charref
    _FeedParserMixin.unknown_starttag = _start_any_tag
    _FeedParserMixin.unknown_endtag = _end_any_tag
    _FeedParserMixin.pop = _pop_few_keywords
    _FeedParserMixin._sync_author_detail = _sync_short_author_detail
