"""The fast parser gives what feedparser gives, or leaves the document to it."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from parser_suites import SUITES, manifest, needs_suites

from benchmarks.fuzz_feeds import damaged
from benchmarks.made_up_feeds import made_up, usual
from watcher.errors import ParseError
from watcher.model import ParsedFeed
from watcher.sources.parse import parse_feed

URL = "http://sample.example/feed"


def parse(body: bytes, *, fast: bool) -> ParsedFeed | None:
    try:
        return parse_feed(body, url=URL, fast=fast)
    except ParseError:
        return None


def suite_bodies() -> Iterator[tuple[str, bytes]]:
    for row in manifest():
        if row["kind"] != "jsonfeed":
            yield row["file"], (SUITES / row["file"]).read_bytes()


def compared(bodies: Iterator[tuple[str, bytes]]) -> tuple[int, list[str]]:
    """How many the fast parser took, and those of them that feedparser reads otherwise."""
    taken, other = 0, []
    for name, body in bodies:
        ours = parse(body, fast=True)
        if ours is None or ours.parser != "fast":
            continue
        taken += 1
        theirs = parse(body, fast=False)
        if theirs is None or replace(theirs, parser="fast") != ours:
            other.append(name)
    return taken, other


@needs_suites
def test_over_the_suites_both_parsers_give_the_same() -> None:
    taken, other = compared(suite_bodies())

    assert other == []
    assert taken >= 1_900


def test_over_made_up_feeds_both_parsers_give_the_same() -> None:
    """Elements in any order and nesting: two titles, text among names, media inside media …"""
    bodies = ((str(seed), made_up(Random(seed)).encode()) for seed in range(1_500))

    taken, other = compared(bodies)

    assert other == []
    assert taken >= 500


@needs_suites
def test_over_damaged_feeds_both_parsers_give_the_same() -> None:
    rng = Random(20260530)
    files = sorted(suite_bodies())
    picked = (rng.choice(files) for _ in range(1_000))

    taken, other = compared((name, damaged(body, rng)) for name, body in picked if body)

    assert other == []
    assert taken >= 30


def test_a_usual_feed_is_read_by_the_fast_parser() -> None:
    feed = parse(usual(), fast=True)

    assert feed is not None
    assert (feed.parser, feed.problems, len(feed.entries)) == ("fast", (), 30)
    assert all(entry.text and entry.published and entry.url for entry in feed.entries)


RSS = "<rss version='2.0'><channel><title>T</title><item>{}</item></channel></rss>"
LEFT = {
    "not well-formed": RSS.format("<title>a &nbsp; b</title>"),
    "two roots": RSS.format("<title>a</title>") * 2,
    "dtd": "<!DOCTYPE rss SYSTEM 'x.dtd'>" + RSS.format("<title>a</title>"),
    "relative addresses": RSS.format("<link xml:base='http://b.example/'>x</link>"),
    "markup in a title": RSS.format("<title>a <b>b</b></title>"),
    "base64": RSS.format("<title mode='base64'>YQ==</title>"),
    "picture as content": RSS.format("<content type='image/svg+xml'>a</content>"),
    "own meaning of a prefix": RSS.format("<dc:title xmlns:dc='urn:mine'>a</dc:title>"),
    "another default namespace": RSS.format("<title xmlns='urn:mine'>a</title>"),
    "item in an item": RSS.format("<item><title>a</title></item>"),
    "channel definition format": "<CHANNEL><ITEM HREF='http://a.example/'><TITLE>a</TITLE></ITEM></CHANNEL>",
    "many attributes": RSS.format("<link {}/>".format(" ".join(f"a{n}='1'" for n in range(200)))),
    "deep": RSS.format("<x>" * 210 + "</x>" * 210),
    "more items than are kept": RSS.format("</item><item>" * 5_001),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_odd_is_left_to_feedparser(name: str) -> None:
    feed = parse(LEFT[name].encode(), fast=True)

    assert feed is not None
    assert feed.parser == "feedparser"


def test_a_large_document_is_left_to_feedparser() -> None:
    body = RSS.format("<description>" + "word " * 900_000 + "</description>").encode()

    assert parse(body, fast=True) == parse(body, fast=False)


def test_an_entity_of_the_documents_own_is_refused_before_any_parser() -> None:
    """RELIABILITY 16, B1."""
    body = b"<!DOCTYPE r [<!ENTITY a 'b'>]>" + RSS.format("<title>&a;</title>").encode()

    with pytest.raises(ParseError) as caught:
        parse_feed(body, url=URL)

    assert caught.value.reason == "entity_declaration"


def test_talk_of_entities_inside_a_text_is_no_declaration() -> None:
    feed = parse(RSS.format("<title><![CDATA[about <!ENTITY x 'y'>]]></title>").encode(), fast=True)

    assert feed is not None
    assert feed.entries[0].title.startswith("about")
