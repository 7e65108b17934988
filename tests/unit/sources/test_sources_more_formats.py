"""News sitemaps, CDF, JSON Feed's later parts, and single values that nothing can store."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from watcher.errors import ParseError
from watcher.model import ParsedFeed
from watcher.sources.parse import parse_feed

URL = "https://sample.example/feed"
AT = datetime(2026, 5, 30, 10, tzinfo=UTC)


def parse(body: str | bytes) -> ParsedFeed:
    return parse_feed(body.encode() if isinstance(body, str) else body, url=URL)


def sitemap(*pages: str) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?><!-- made by hand -->
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">
{"".join(pages)}</urlset>"""


NEWS = """<url><loc>https://sample.example/a?b=1&amp;c=2</loc><lastmod>2026-05-30T11:00:00Z</lastmod><n:news><n:publication>
<n:name>Sample Herald</n:name><n:language>en</n:language></n:publication><n:publication_date>2026-05-30T12:00:00+02:00</n:publication_date>
<n:title>Talks &amp;amp; trade</n:title><n:keywords>trade, talks, trade</n:keywords></n:news></url>"""


def test_a_news_sitemap_gives_its_articles() -> None:
    feed = parse(sitemap(NEWS, "<url><loc>https://sample.example/about</loc></url>"))
    (entry,) = feed.entries

    assert (feed.format, feed.title, feed.lang, feed.problems) == (
        "news-sitemap",
        "Sample Herald",
        "en",
        (),
    )
    assert (entry.guid, entry.url, entry.title) == (
        None,
        "https://sample.example/a?b=1&c=2",
        "Talks & trade",
    )
    assert (entry.published, entry.tags, entry.publisher) == (
        AT,
        ("trade", "talks"),
        "Sample Herald",
    )


def test_a_news_sitemap_may_be_empty_for_a_quiet_day() -> None:
    assert parse(sitemap()).entries == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (sitemap("<url><loc>https://sample.example/about</loc></url>"), "without news"),
        (
            "<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'></sitemapindex>",
            "list of sitemaps",
        ),
        (sitemap(NEWS)[:-9], "not well-formed"),
    ],
)
def test_other_sitemaps_are_refused_with_the_reason(body: str, words: str) -> None:
    with pytest.raises(ParseError, match=words) as caught:
        parse(body)

    assert caught.value.reason == "not_a_feed"


def test_cdf_is_read() -> None:
    feed = parse(
        "<!-- old --><CHANNEL HREF='https://sample.example/'><TITLE>Sample</TITLE>"
        "<ITEM HREF='https://sample.example/1' LASTMOD='2026-05-30T10:00:00Z'><TITLE>One</TITLE>"
        "<ABSTRACT>Short</ABSTRACT></ITEM></CHANNEL>"
    )
    (entry,) = feed.entries

    assert (feed.format, feed.title, feed.link) == ("cdf", "Sample", "https://sample.example/")
    assert (entry.title, entry.url, entry.summary) == ("One", "https://sample.example/1", "Short")
    assert entry.updated == AT


def json_feed(item: dict[str, Any], **more: Any) -> ParsedFeed:
    return parse(
        json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [item]} | more)
    )


def test_a_json_feeds_authors_hub_and_address_are_kept() -> None:
    feed = json_feed(
        {"id": "1"},
        authors=[{"name": "Jo"}, {"url": "https://al.example/"}],
        hubs=[
            "odd",
            {"type": "rssCloud", "url": "https://no.example/"},
            {"type": "WebSub", "url": "https://hub.example/"},
        ],
        feed_url="/feed.json",
    )

    assert feed.entries[0].author == "Jo"
    assert (feed.hints.hub, feed.hints.self_url) == (
        "https://hub.example/",
        "https://sample.example/feed.json",
    )


@pytest.mark.parametrize("field", ["id", "title", "summary", "content_text", "content_html", "url"])
def test_half_a_letter_in_json_can_be_stored(field: str) -> None:
    """RELIABILITY B5: a lone surrogate."""
    feed = json_feed(
        {"id": "a", "url": "https://sample.example/1"} | {field: "https://sample.example/\ud800x"}
    )

    repr(feed.entries[0]).encode()


@pytest.mark.parametrize(
    "reference", ["&#xD800;", "&#1114112;", "&#99999999999999999999;", "&#0;", "&#x;", "&#xFFFE;"]
)
@pytest.mark.parametrize("field", ["title", "guid", "description", "link"])
def test_a_reference_to_no_character_costs_no_more_than_itself(reference: str, field: str) -> None:
    """RELIABILITY 40, B5."""
    item = f"<item><{field}>a{reference}b</{field}></item><item><title>next</title></item>"

    feed = parse(f"<rss version='2.0'><channel>{item}</channel></rss>")

    assert [entry.title for entry in feed.entries][-1] == "next"
    repr(feed).encode()


ITEMS = {
    "no guid": "<item><title>a</title></item>",
    "empty guid": "<item><guid></guid><title>a</title></item>",
    "attribute-only guid": "<item><guid isPermaLink='true'/><title>a</title></item>",
    "1 MB guid": f"<item><guid>{'g' * 1_000_000}</guid><title>a</title></item>",
    "unclosed tag": "<item><title>a <b>c</title></item>",
    "undefined entity": "<item><title>a&nbsp;&euro;&nosuch;</title></item>",
    "stray ampersand": "<item><title>a & b</title></item>",
}


@pytest.mark.parametrize("name", ITEMS)
@pytest.mark.parametrize("before", ["", "junk ", "\n\n", "<!-- c -->", "\ufeff", "\ufeff\n"])
def test_careless_items_are_read(name: str, before: str) -> None:
    """RELIABILITY B6."""
    rss = f"{before}<?xml version='1.0'?><rss version='2.0'><channel>{ITEMS[name]}</channel></rss>"

    (entry,) = parse(rss).entries

    assert entry.title.startswith("a")


def test_a_thousand_items_of_one_guid_and_two_roots_are_all_read() -> None:
    """RELIABILITY B6."""
    items = "".join(f"<item><guid>g</guid><title>t{n}</title></item>" for n in range(500))
    rss = f"<rss version='2.0'><channel>{items}</channel></rss>"

    assert len(parse(rss + rss).entries) == 1_000
