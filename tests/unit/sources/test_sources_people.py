"""All authors of an entry, in their order and each once, whichever parser reads the feed."""

import json

import pytest

from watcher.sources.parse import parse_feed
from watcher.sources.people import MOST, people_line

SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
)
JO = "<author><name>Jo Sample</name><email>jo@sample.example</email></author>"
AL = "<author><name>Al Other</name></author>"

RSS = {
    "<dc:creator>Jo Sample</dc:creator><dc:creator>Al Other</dc:creator>": "Jo Sample, Al Other",
    "<dc:creator>Jo Sample</dc:creator><dc:creator>jo  sample </dc:creator>": "Jo Sample",
    "<author>jo@sample.example (Jo Sample)</author><itunes:author>Jo Sample</itunes:author>": "jo@sample.example (Jo Sample)",
    "<itunes:author>Al Other</itunes:author><author>jo@sample.example (Jo Sample)</author>": "Al Other, jo@sample.example (Jo Sample)",
    "<author>jo@sample.example</author><author>al@sample.example</author>": "jo@sample.example, al@sample.example",
    "<author/><dc:creator> </dc:creator><dc:creator>Al Other</dc:creator>": "Al Other",
    "<dc:creator>Jo Sample, Al Other</dc:creator>": "Jo Sample, Al Other",
    "": None,
}  # fmt: skip
ATOM = {
    JO + AL: "Jo Sample (jo@sample.example), Al Other",
    AL + JO: "Al Other, Jo Sample (jo@sample.example)",
    JO + JO: "Jo Sample (jo@sample.example)",
    JO + "<author><uri>http://al.example/</uri></author>" + AL: "Jo Sample (jo@sample.example), Al Other",
    JO + "<author><email>al@sample.example</email></author>": "Jo Sample (jo@sample.example), al@sample.example",
    JO + "<source><title>Wire</title><author><name>The Wire</name></author></source>": "Jo Sample (jo@sample.example)",
}  # fmt: skip


def author(body: str, *, fast: bool) -> str | None:
    feed = parse_feed(body.encode(), url="https://sample.example/feed", fast=fast)
    assert feed.parser == ("fast" if fast else "feedparser")
    return feed.entries[0].author


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "feedparser"])
@pytest.mark.parametrize(("people", "line"), RSS.items())
def test_authors_of_rss_are_all_named(people: str, line: str | None, fast: bool) -> None:
    body = f"<rss version='2.0' {SPACES}><channel><title>S</title><item><title>T</title>{people}</item></channel></rss>"

    assert author(body, fast=fast) == line


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "feedparser"])
@pytest.mark.parametrize(("people", "line"), ATOM.items())
def test_authors_of_atom_are_all_named(people: str, line: str | None, fast: bool) -> None:
    body = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>S</title><entry><id>1</id><title>T</title>{people}</entry></feed>"

    assert author(body, fast=fast) == line


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "feedparser"])
@pytest.mark.parametrize(
    ("people", "line"), [("", "Jo Sample (jo@sample.example)"), (AL, "Al Other"), ("<author/>", "Jo Sample (jo@sample.example)")]
)  # fmt: skip
def test_the_author_of_an_atom_feed_wrote_what_names_nobody(
    people: str, line: str, fast: bool
) -> None:
    """RFC 4287 §4.2.1."""
    body = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>S</title>{JO}<entry><id>1</id><title>T</title>{people}</entry></feed>"

    assert author(body, fast=fast) == line


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "feedparser"])
def test_the_editor_of_a_channel_did_not_write_its_items(fast: bool) -> None:
    body = f"<rss version='2.0' {SPACES}><channel><title>S</title><managingEditor>ed@sample.example</managingEditor><itunes:author>S</itunes:author><item><title>T</title></item></channel></rss>"

    assert author(body, fast=fast) is None


def test_authors_of_json_are_all_named() -> None:
    names = [{"name": "Jo Sample"}, {"name": "Al Other"}, {"name": "Jo Sample"}, {"url": "/x"}, 7]
    item = {"id": "1", "title": "T", "authors": names, "author": {"name": "Old Form"}}
    body = json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": "S", "items": [item]}
    )

    assert author(body, fast=True) == "Jo Sample, Al Other"


def test_a_list_of_authors_without_end_is_cut() -> None:
    line = people_line([{"text": f"Author {n}"} for n in range(10_000)])

    assert line is not None
    assert line.count(",") == MOST - 1
