"""The article of a page, by trafilatura."""

import random

import pytest

from watcher.errors import ParseError
from watcher.model import Article
from watcher.normalise import keeping_text
from watcher.sources.article_page import is_installed, read_article

pytestmark = pytest.mark.skipif(not is_installed(), reason="needs the extra fulltext")


def page(*paragraphs: str) -> bytes:
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    return f"<nav>{'<a href=/>Menu</a> ' * 40}</nav><article>{body}</article>".encode()


def test_paragraphs_are_kept_apart_and_menus_left_out() -> None:
    texts = [f"The harbour office tells in sentence {n} what it is about." for n in range(9)]

    assert read_article(page(*texts), "", "text/html").split("\n\n") == texts


def test_what_the_library_stumbles_on_is_trouble_of_that_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("trafilatura.extract", stumble)

    with pytest.raises(ParseError, match="parser_failed"):
        read_article(page("words"), "", "text/html")


def test_no_bytes_raise_anything_else() -> None:
    rng = random.Random(20261124)
    whole = page(*(f"Sentence {n} of a report on ships and berths." for n in range(20)))
    for _ in range(150):
        broken = bytearray(whole)
        for _ in range(20):
            at = rng.randrange(len(broken))
            broken[at : at + rng.randrange(9)] = rng.choice((b"<", b"</p", b"\0", b"&#x110000;", b"<table>", b"\xff\xfe", b'"'))  # fmt: skip
        try:
            assert isinstance(read_article(bytes(broken), "", "text/html"), str)
        except ParseError as error:
            assert error.reason  # noqa: PT017 - either is right, nothing else is


def test_a_text_that_was_read_stays_behind_what_is_said_anew() -> None:
    def article(text: str) -> Article:
        return Article("a", "f", "u", "t", text, first_seen=None)  # type: ignore[arg-type]

    long = "Long words of the page. " * 9

    assert keeping_text(article("New."), article(long)).text == f"New.\n\n{long}".strip()
    assert keeping_text(article("Long words"), article(long)).text == long
    assert keeping_text(article(long), article("Old.")).text == long
    assert keeping_text(article("New."), None).text == "New."
