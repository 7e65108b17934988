"""Which feeds a page may have: declared, known of its site, linked, usual; hostile pages cost little."""

import time

import pytest

from watcher.sources.discover import MAX_ANCHORS, MAX_LINKS, WELL_KNOWN, Why, find_feeds

PAGE = "https://news.example/"


def found(markup: str, url: str = PAGE, *whys: Why) -> list[str]:
    wanted = whys or (Why.DECLARED, Why.SITE, Why.LINKED)
    return [c.url for c in find_feeds(markup, url) if c.why in wanted]


@pytest.mark.parametrize(
    "kind",
    [
        "application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json",
        "APPLICATION/RSS+XML; charset=utf-8", "application/x-rss", "text/rss", "application/x.atom+xml",
    ],
)  # fmt: skip
def test_a_page_declares_its_feeds_by_type(kind: str) -> None:
    markup = f'<link rel="alternate" type="{kind}" title=" All  news " href="/all">'

    (candidate,) = [c for c in find_feeds(markup, PAGE) if c.why == Why.DECLARED]
    assert (candidate.url, candidate.title) == ("https://news.example/all", "All news")


@pytest.mark.parametrize(
    "link",
    [
        '<link rel="alternate" type="text/html" hreflang="ko" href="/ko">',
        '<link rel="alternate stylesheet" type="application/rss+xml" href="/a.css">',
        '<link rel="alternate" type="application/json+oembed" href="/oembed?format=json">',
        '<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/2">',
        '<link rel="alternate" type="application/atom+xml;type=entry" href="/post.atom">',
        '<link rel="icon" type="application/rss+xml" href="/icon.png">',
        '<link rel="feed" type="text/html" href="/">',
        '<link rel="alternate" type="application/rss+xml">',
        '<!-- <link rel="alternate" type="application/rss+xml" href="/old"> -->',
        '<script>"<link rel=alternate type=application/rss+xml href=/js>"</script>',
        '<a href="/sitemap.xml">Map</a>',
        '<a href="/feedback">Write to us</a>',
        '<a href="https://reader.example/add?url=https%3A%2F%2Fnews.example%2Frss">Add</a>',
        '<a href="#rss">RSS</a>',
        '<a href="mailto:rss@news.example">RSS</a>',
    ],
)
def test_what_only_looks_alike_is_no_candidate(link: str) -> None:
    assert found(link) == []


def test_the_order_is_declared_known_linked_usual_and_comments_last() -> None:
    markup = """
        <a href="/politics/rss">Politics</a>
        <link rel=alternate type=application/rss+xml title="News » Comments Feed" href=/comments/feed/>
        <link rel=alternate type=application/rss+xml href=/feed/>
        <a href="/comments.rss">RSS</a>
    """

    order = [c.url for c in find_feeds(markup, "https://news.example/@desk")]
    assert order[:3] == [
        "https://news.example/feed/",
        "https://news.example/@desk.rss",
        "https://news.example/politics/rss",
    ]
    assert order[3] == "https://news.example/@desk/feed"
    assert order[-2:] == [
        "https://news.example/comments/feed/",
        "https://news.example/comments.rss",
    ]


@pytest.mark.parametrize(
    "title", ["댓글", "Kommentare zu", "Comentários", "コメント", "Комментарии", "Comments on: x"]
)
def test_comments_are_known_in_other_languages_too(title: str) -> None:
    markup = f'<link rel=alternate type=application/rss+xml title="{title}" href=/x>'

    assert find_feeds(markup, PAGE)[-1].comments


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("/de/", "https://news.example/de/rss.xml"),
        ("https://cdn.example/", "https://cdn.example/rss.xml"),
        ("javascript:alert(1)", "https://news.example/a/rss.xml"),
        ("http://[", "https://news.example/a/rss.xml"),
    ],
)
def test_relative_links_follow_the_base_of_the_page(base: str, expected: str) -> None:
    markup = f'<base href="{base}"><link rel=alternate type=text/rss href=rss.xml>'

    assert found(markup, "https://news.example/a/b") == [expected]


@pytest.mark.parametrize(
    "link",
    [
        "/feed", "/feeds/", "/blog/feed/atom", "/rss", "/x.rss", "/rss.xml", "/atom.xml", "/index.xml",
        "/news-feed.xml", "/feed.json", "/rss.php?id=1", "/?feed=rss2", "/list?format=rss", "/index.rdf",
        "https://feeds.example/world", "feed:https://news.example/rss",
    ],
)  # fmt: skip
def test_links_that_look_like_feeds_are_candidates(link: str) -> None:
    assert len(found(f'<a href="{link}">here</a>', PAGE, Why.LINKED)) == 1


def test_xml_counts_when_the_link_says_that_it_is_a_feed() -> None:
    assert found('<a href="/wires.xml">RSS: wires</a>') == ["https://news.example/wires.xml"]


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)//rss", "file:///etc/feed", "data:text/xml,rss/", "ftp://a.example/rss",
"http://a.example\\@b.example/rss", "http://[::1/rss", "/r\x01/rss\\", "",
    ],
)  # fmt: skip
def test_only_plain_web_addresses_come_out(href: str) -> None:
    markup = f'<link rel=alternate type=text/rss href="{href}"><a href="{href}">RSS</a>'

    assert found(markup) == []


def test_an_address_loses_user_and_password() -> None:
    assert found('<a href="http://user:word@a.example/rss">') == ["http://a.example/rss"]


@pytest.mark.parametrize(
    ("page", "feed"),
    [
        ("https://www.youtube.com/channel/UC" + "a" * 22 + "/videos", "https://www.youtube.com/feeds/videos.xml?channel_id=UC" + "a" * 22),
        ("https://www.youtube.com/playlist?list=PLx-1", "https://www.youtube.com/feeds/videos.xml?playlist_id=PLx-1"),
        ("https://old.reddit.com/r/space/new/", "https://old.reddit.com/r/space/.rss"),
        ("https://github.com/desk/tool", "https://github.com/desk/tool/releases.atom"),
        ("https://github.com/desk/tool/tags", "https://github.com/desk/tool/tags.atom"),
        ("https://social.example/@desk", "https://social.example/@desk.rss"),
        ("https://bsky.app/profile/desk.example", "https://bsky.app/profile/desk.example/rss"),
        ("https://medium.com/@desk/story-1", "https://medium.com/feed/@desk"),
    ],
)  # fmt: skip
def test_sites_whose_pages_declare_nothing_are_known(page: str, feed: str) -> None:
    assert feed in found("", page, Why.SITE)


def test_usual_places_are_below_the_page_and_at_the_root() -> None:
    usual = found("", "https://news.example/world/asia", Why.USUAL)

    assert usual[0] == "https://news.example/world/asia/feed"
    assert usual[-len(WELL_KNOWN) :] == [f"https://news.example/{name}" for name in WELL_KNOWN]
    assert found("", "https://news.example/a.html", Why.USUAL) == usual[-len(WELL_KNOWN) :]


def test_an_address_comes_once_for_its_best_reason() -> None:
    markup = "<a href=/feed>RSS</a><link rel=alternate type=text/rss href=/feed#top>"

    whys = [c.why for c in find_feeds(markup, PAGE) if c.url == "https://news.example/feed"]
    assert whys == [Why.DECLARED]


BOLD = "".join(f"<b id={n}>" for n in range(240))
HOSTILE = {
    "deep": "<div>" * 190_000,
    "formatting": BOLD + "<p>x" * 200_000,
    "declarations": "<link rel=alternate type=text/rss href=/1>" * 20_000,
    "links": "".join(f"<a href=/{n}/rss>x" for n in range(50_000)),
    "one long text": "<a href=/rss>" + "x" * 2_000_000,
    "attributes": "<link rel=alternate " + "a=1 " * 200_000 + "href=/x>",
    "open": "<link rel='alternate " * 40_000,
    "tables": "<table><tr><td>" * 60_000,
    "bases": "<base href=/x/>" * 60_000,
    "long address": f"<a href='/rss/{'a/' * 400_000}rss'>x",
    "no text": "\0\ud800" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_costs_little_and_gives_few(name: str) -> None:
    start = time.process_time()
    given = find_feeds(HOSTILE[name], PAGE)

    assert time.process_time() - start < 3
    assert len(given) <= MAX_LINKS + MAX_ANCHORS + len(WELL_KNOWN)
