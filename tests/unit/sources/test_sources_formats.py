"""What each format gives, and what is refused (RELIABILITY §3 B)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from watcher.errors import ParseError
from watcher.model import Enclosure, ParsedFeed
from watcher.sources.dates import parse_date
from watcher.sources.html import html_to_line, html_to_text
from watcher.sources.limits import MAX_ENTRIES
from watcher.sources.parse import parse_feed

AT = datetime(2026, 5, 30, 10, tzinfo=UTC)


def parse(body: str | bytes, content_type: str | None = None) -> ParsedFeed:
    return parse_feed(
        body.encode() if isinstance(body, str) else body,
        url="https://sample.example/feeds/all",
        content_type=content_type,
    )


RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>Sample &amp; Co</title><link>https://sample.example/</link>
<language>en</language><ttl>60</ttl><skipHours><hour>0</hour><hour>1</hour></skipHours><atom:link rel="hub" href="https://hub.example/"/>
<item><title>&lt;b&gt;Bold&lt;/b&gt; claim &amp;amp; more</title><link>/a?x=1&amp;y=2</link><guid isPermaLink="false">id-1</guid>
<pubDate>Sat, 30 May 2026 12:00:00 +0200</pubDate><dc:creator>Jo Sample</dc:creator><category>One</category><category>Two</category>
<description>&lt;p&gt;First.&lt;/p&gt;&lt;p&gt;Second &amp;amp; last.&lt;/p&gt;</description><content:encoded><![CDATA[<p>Whole<br>text</p><script>x</script>]]></content:encoded>
<enclosure url="https://sample.example/a.mp3" type="audio/mpeg" length="12"/><source url="https://wire.example/feed">Sample Wire</source></item></channel></rss>"""


def test_rss_20_with_its_usual_extensions() -> None:
    feed = parse(RSS)
    (entry,) = feed.entries

    assert (feed.format, feed.title, feed.link, feed.lang) == (
        "rss20",
        "Sample & Co",
        "https://sample.example/",
        "en",
    )
    assert (entry.guid, entry.url, entry.title) == (
        "id-1",
        "https://sample.example/a?x=1&y=2",
        "Bold claim & more",
    )
    assert (entry.summary, entry.text) == ("First.\n\nSecond & last.", "Whole\ntext")
    assert (entry.author, entry.tags, entry.published) == ("Jo Sample", ("One", "Two"), AT)
    assert entry.enclosures == (Enclosure("https://sample.example/a.mp3", "audio/mpeg", 12),)
    assert entry.publisher == "Sample Wire"
    assert feed.hints.ttl is not None
    assert (feed.hints.ttl.total_seconds(), feed.hints.skip_hours, feed.hints.hub) == (
        3600,
        {0, 1},
        "https://hub.example/",
    )


def test_rss_10() -> None:
    feed = parse("""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
    <channel rdf:about="https://sample.example/"><title>Sample</title><link>https://sample.example/</link></channel>
    <item rdf:about="https://sample.example/1"><title>One</title><link>https://sample.example/1</link><dc:date>2026-05-30T10:00:00Z</dc:date></item></rdf:RDF>""")

    assert feed.format == "rss10"
    assert [(e.title, e.url, e.published) for e in feed.entries] == [
        ("One", "https://sample.example/1", AT)
    ]


def test_atom_10() -> None:
    feed = parse("""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ko"><title>샘플</title><link href="https://sample.example/"/><id>x</id><updated>2026-05-30T10:00:00Z</updated>
    <entry><id>tag:1</id><title type="html">&lt;i&gt;발사&lt;/i&gt;</title><link href="1"/><published>2026-05-30T10:00:00Z</published><updated>2026-05-30T11:00:00Z</updated>
    <summary>짧게</summary><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>길게</p></div></content></entry></feed>""")
    (entry,) = feed.entries

    assert (feed.format, feed.lang) == ("atom10", "ko")
    assert (entry.guid, entry.title, entry.url) == (
        "tag:1",
        "발사",
        "https://sample.example/feeds/1",
    )
    assert (entry.summary, entry.text, entry.published, entry.lang) == ("짧게", "길게", AT, "ko")


ITEM = {"id": 7, "url": "/7", "title": "<b>Seven</b>", "content_html": "<p>Text</p>", "summary": "Short", "date_published": "2026-05-30T12:00:00+02:00",
        "tags": ["a", 1], "authors": [{"name": "Jo"}, {"name": "Al"}], "attachments": [{"url": "/f.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 9}]}  # fmt: skip


def json_feed(*items: Any, **more: Any) -> str:
    return json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": "Sample", "items": list(items)}
        | more
    )


def test_json_feed() -> None:
    feed = parse(json_feed(ITEM, "nonsense", language="en"))
    (entry,) = feed.entries

    assert (feed.format, feed.title, len(feed.problems)) == ("json11", "Sample", 1)
    assert (entry.guid, entry.url, entry.title, entry.text) == (
        "7",
        "https://sample.example/7",
        "Seven",
        "Text",
    )
    assert (entry.author, entry.tags, entry.published, entry.lang) == ("Jo, Al", ("a",), AT, "en")
    assert entry.enclosures[0].length == 9


@pytest.mark.parametrize("version", ["0.90", "0.91", "0.92", "0.93", "0.94", "2.0"])
def test_every_rss_is_read(version: str) -> None:
    assert (
        len(
            parse(
                f"<rss version='{version}'><channel><title>T</title><item><title>a</title></item></channel></rss>"
            ).entries
        )
        == 1
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_declared_encodings_are_read(encoding: str) -> None:
    body = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?><rss version='2.0'><channel><title>Zürich</title></channel></rss>".encode(
        encoding
    )

    assert parse(body).title == "Zürich"


BOMBS: list[tuple[str, bytes, str]] = [
    (
        "entity",
        b"<!DOCTYPE r [<!ENTITY a 'aaaa'>]><rss version='2.0'><channel><title>&a;</title></channel></rss>",
        "entity_declaration",
    ),
    (
        "entity in utf-16",
        "<!DOCTYPE r [<!ENTITY a 'a'>]><rss/>".encode("utf-16"),
        "entity_declaration",
    ),
    (
        "entity after a long comment",
        b"<!--" + b" " * 1_100_000 + b"--><!DOCTYPE r [<!ENTITY a 'a'>]><rss/>",
        "entity_declaration",
    ),
    (
        "entity in utf-32",
        "<!DOCTYPE r [<!ENTITY a 'a'>]><rss/>".encode("utf-32"),
        "entity_declaration",
    ),
    ("deep", b"<rss version='2.0'>" + b"<a>" * 200_000, "too_complex"),
    ("deep in utf-16", ("<rss version='2.0'>" + "<a>" * 300).encode("utf-16"), "too_complex"),
    ("tags", b"<rss>" + b"<a/>" * 2_100_000, "too_complex"),
    ("deep json", b"[" * 200_000, "bad_json|not_a_feed|too_complex"),
    ("null", b"null", "not_a_feed"),
    ("list", b"[]", "not_a_feed"),
    ("page", b"<!doctype html><html><body>Log in</body></html>", "not_a_feed"),
    ("empty", b" \n ", "empty"),
    ("binary", bytes(range(256)) * 10, "not_a_feed"),
]


@pytest.mark.parametrize(("name", "body", "reason"), BOMBS, ids=[case[0] for case in BOMBS])
def test_bombs_and_strangers_are_refused(name: str, body: bytes, reason: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(body)

    assert caught.value.reason in reason.split("|")


def test_a_number_of_six_thousand_digits_costs_its_own_item_at_most() -> None:
    """RELIABILITY 40 and B7: Python refuses to read it."""
    digits = "9" * 6000
    items = f'[{digits}, {{"id": {digits}, "title": "Long"}}, {{"id": 7, "title": "Short"}}]'
    body = f'{{"version": "https://jsonfeed.org/version/1.1", "items": {items}}}'

    feed = parse(body)

    assert [entry.title for entry in feed.entries] == ["Long", "Short"]
    assert feed.entries[1].guid == "7"
    assert "1 items are not objects" in feed.problems[0]


@pytest.mark.parametrize(
    "text",
    ["<![CDATA[" + "line<br>next<img src='a.png'>" * 300 + "]]>", "one<br>two<p>three" * 300],
    ids=["cdata", "unescaped"],
)
def test_tags_that_html_never_closes_are_no_nesting(text: str) -> None:
    item = f"<item><title>A</title><description>{text}</description></item>"

    assert len(parse(f"<rss version='2.0'><channel>{item * 3}</channel></rss>").entries) == 3


def test_a_plain_doctype_is_no_bomb() -> None:
    assert (
        parse(
            "<!DOCTYPE rss SYSTEM 'file:///etc/passwd'><rss version='2.0'><channel><title>T</title></channel></rss>"
        ).title
        == "T"
    )


def test_external_entities_read_no_file(tmp_path: Any) -> None:
    """RELIABILITY B2."""
    secret = tmp_path / "secret"
    secret.write_text("sentinel")
    body = f"<!DOCTYPE r SYSTEM '{secret.as_uri()}'><rss version='2.0' xmlns:xi='http://www.w3.org/2001/XInclude'><channel><title>T<xi:include href='{secret.as_uri()}' parse='text'/></title></channel></rss>"

    assert "sentinel" not in repr(parse(body))


def test_too_many_items_are_cut_and_counted() -> None:
    feed = parse(json_feed(*({"id": str(n)} for n in range(MAX_ENTRIES + 5))))

    assert len(feed.entries) == MAX_ENTRIES
    assert "5 items beyond" in feed.problems[0]


def test_broken_xml_gives_what_it_has_and_says_so() -> None:
    feed = parse(
        "<rss version='2.0'><channel><title>T</title><item><title>One &nbsp; <b>unclosed</title></item>"
    )

    assert feed.entries[0].title.startswith("One")
    assert feed.problems


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "java\nscript:x",
        "file:///etc/passwd",
        "http://user:pw@x.example/",
    ],
)
def test_links_that_no_reader_may_click_are_dropped(link: str) -> None:
    assert parse(json_feed({"id": "1", "url": link})).entries[0].url in {None, "http://x.example/"}


HTML = [
    ("plain text", "plain text"),
    ("AT&amp;T", "AT&T"),
    ("a &lt; b", "a < b"),
    ("<p>One</p><p>Two</p>", "One\n\nTwo"),
    ("One<br/>Two", "One\nTwo"),
    ("<ul><li>a</li><li>b</li></ul>", "a\n\nb"),
    ("x<script>alert(1)</script>y<style>p{}</style>", "xy"),
    ("<b>bo</b>ld", "bold"),
    ("a<!-- secret -->b", "ab"),
    ("<iframe srcdoc='<script>x</script>'>z</iframe>q", "q"),
    ("&lt;img src=x onerror=1&gt;", "<img src=x onerror=1>"),
    ("", ""),
]


@pytest.mark.parametrize(("markup", "text"), HTML)
def test_markup_becomes_text(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


def test_titles_are_one_line() -> None:
    assert html_to_line("<b>a</b>\n &amp;\u202e b\x00") == "a & b"


DATES = [
    ("2026-05-30T12:00:00+02:00", AT),
    ("2026-05-30T10:00:00", AT),
    ("Sat, 30 May 2026 10:00:00 GMT", AT),
    ("Sat, 30 May 2026 12:00:00 +0200", AT),
    *((text, None) for text in ["", " ", "yesterday", "1970-01-01T00:00:00Z", "Wed, 32 May 2026 10:00:00 GMT", "9999-12-31T23:59:59-14:00", "25:61:61 +9999", "99999-01-01", "2026-02-30", "0000-00-00"]),
    (None, None),
    (12, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "moment"), DATES)
def test_dates_are_read_and_never_raise(text: object, moment: datetime | None) -> None:
    """RELIABILITY D4."""
    assert parse_date(text) == moment
