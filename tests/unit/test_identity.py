"""Identity by the cases that hurt others (RELIABILITY 38–40, B6, I6, I7)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from watcher.identity import (
    Identified,
    Kind,
    Policy,
    Why,
    identify,
    identity_keys,
    is_mass_change,
    quarantined,
)
from watcher.model import Entry

NOW = datetime(2026, 5, 27, 6, 0, tzinfo=UTC)
BODY = "Officials on the coast said the vehicle stood ready at its pad."


class Feed:
    """Remembers between polls what the store would."""

    def __init__(self, policy: Policy = "auto") -> None:
        self.policy: Policy = policy
        self.known: dict[str, str] = {}
        self.hashes: dict[str, str] = {}

    def poll(self, *entries: Entry) -> list[Identified]:
        items = identify("alpha", entries, self.known, self.hashes, self.policy)
        for item in items:
            for key in item.keys.all:
                self.known.setdefault(key, item.article)
            if item.kind in {Kind.NEW, Kind.REVISION}:
                self.hashes[item.article] = item.content_hash
        return items

    def kinds(self, *entries: Entry) -> list[Kind]:
        return [item.kind for item in self.poll(*entries)]


def entry(n: int = 1, **changes: object) -> Entry:
    made = Entry(
        guid=f"tag:alpha,{n}",
        url=f"https://alpha.example/{n}",
        title=f"Rocket {n} readied",
        text=f"{BODY} It is number {n}.",
        published=NOW - timedelta(hours=n),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_the_same_entry_again_is_the_same() -> None:
    feed = Feed()
    (first,) = feed.poll(entry())

    (again,) = feed.poll(entry())

    assert (first.kind, first.reason) == (Kind.NEW, Why.UNKNOWN)
    assert (again.kind, again.article, again.reason) == (Kind.SAME, first.article, Why.GUID)


@pytest.mark.parametrize(
    "changes",
    [
        {"published": NOW + timedelta(days=9000)},
        {"published": None, "updated": NOW},
        {"text": f"  {BODY}   It is\n number 1. "},
        {"tags": ("x",), "author": "B"},
    ],
)
def test_a_change_of_anything_but_words_is_nothing(changes: dict[str, object]) -> None:
    feed = Feed()
    feed.poll(entry())

    assert feed.kinds(entry(**changes)) == [Kind.SAME]


@pytest.mark.parametrize("changes", [{"title": "Rocket 1 delayed"}, {"text": BODY + " Not yet."}])
def test_changed_words_are_a_revision_once(changes: dict[str, object]) -> None:
    feed = Feed()
    (first,) = feed.poll(entry())

    (revised,) = feed.poll(entry(**changes))
    (after,) = feed.poll(entry(**changes))

    assert (revised.kind, revised.article) == (Kind.REVISION, first.article)
    assert after.kind is Kind.SAME


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"guid": "other"}, Why.LINK),
        ({"guid": "other", "title": "Rocket 1: update"}, Why.LINK),
        ({"guid": None}, Why.LINK),
        ({"url": "https://alpha.example/moved/1"}, Why.GUID),
        ({"url": None}, Why.GUID),
        ({"guid": "other", "url": "https://new.example/1"}, Why.CONTENT),
        ({"url": "http://www.alpha.example/1/?utm_source=rss#x", "guid": "other"}, Why.LINK),
    ],
)
def test_an_article_is_recognised_though_its_guid_or_link_changed(
    changes: dict[str, object], why: Why
) -> None:
    feed = Feed()
    (first,) = feed.poll(entry())

    (again,) = feed.poll(entry(**changes))

    assert (again.article, again.reason) == (first.article, why)


def test_a_guid_that_flips_between_http_and_https_is_the_same() -> None:
    feed = Feed()
    feed.poll(entry(guid="http://alpha.example/?p=1", url=None))

    assert feed.kinds(entry(guid="https://alpha.example/?p=1", url=None)) == [Kind.SAME]


def test_a_reused_guid_with_another_link_and_title_is_new() -> None:
    feed = Feed()
    (first,) = feed.poll(entry(1, guid="fixed"))

    (second,) = feed.poll(entry(2, guid="fixed"))
    both = feed.kinds(entry(2, guid="fixed"), entry(1, guid="fixed"))

    assert (second.kind, second.reason) == (Kind.NEW, Why.REUSED_GUID)
    assert second.article != first.article
    assert both == [Kind.SAME, Kind.SAME]


def test_one_guid_on_all_entries_hides_none_of_them() -> None:
    feed = Feed()
    entries = [entry(n, guid="https://alpha.example/") for n in range(4)]

    assert feed.kinds(*entries[:3]) == [Kind.NEW] * 3
    assert feed.kinds(*entries) == [Kind.SAME] * 3 + [Kind.NEW]


def test_one_guid_on_all_entries_without_links_hides_none_of_them() -> None:
    feed = Feed()
    entries = [entry(n, guid="1", url=None) for n in range(4)]

    assert feed.kinds(*entries[:3]) == [Kind.NEW] * 3
    assert feed.kinds(*entries) == [Kind.SAME] * 3 + [Kind.NEW]


@pytest.mark.parametrize("link", ["https://alpha.example/", "https://alpha.example/news#latest"])
@pytest.mark.parametrize("guids", [True, False])
def test_one_link_on_all_entries_hides_none_of_them(link: str, guids: bool) -> None:
    feed = Feed()
    changes: dict[str, object] = {"url": link} if guids else {"url": link, "guid": None}
    entries = [entry(n, **changes) for n in range(4)]

    assert feed.kinds(*entries[:3]) == [Kind.NEW] * 3
    assert feed.kinds(*entries) == [Kind.SAME] * 3 + [Kind.NEW]


def test_a_link_that_was_shared_once_stays_no_identity() -> None:
    feed = Feed()
    link = "https://alpha.example/live"
    feed.poll(*(entry(n, url=link) for n in (1, 2)))

    edited = feed.kinds(entry(2, url=link, title="Rocket 2 delayed", text=BODY))
    alone = feed.kinds(entry(3, url=link))

    assert edited == [Kind.REVISION]
    assert alone == [Kind.NEW]


def test_a_feed_of_one_entry_linking_home_shows_each_as_new() -> None:
    feed = Feed()
    one, two = (entry(n, url="https://alpha.example", text="Short.") for n in (1, 2))

    assert feed.kinds(one) == [Kind.NEW]
    assert feed.kinds(two) == [Kind.NEW]


def test_a_shared_guid_gives_way_to_the_link_that_agrees_with_the_words() -> None:
    feed = Feed()
    feed.poll(entry(1, guid="fixed"))
    (second,) = feed.poll(entry(2, guid="fixed"))

    (again,) = feed.poll(entry(2, guid="fixed", text=BODY + " Corrected."))

    assert (again.article, again.kind, again.reason) == (
        second.article,
        Kind.REVISION,
        Why.LINK,
    )


def test_a_feed_polled_for_the_first_time_has_no_mass_change() -> None:
    items = Feed().poll(*archive(1, 100))

    assert not quarantined(items, known_articles=0, last_success=None, now=NOW)


def test_a_guid_that_all_entries_have_tells_none_though_their_links_are_made_of_it() -> None:
    """RELIABILITY B6: a thousand items, one guid, no links."""
    same = {"guid": "same", "url": "https://alpha.example/same", "text": ""}
    feed = Feed()

    kinds = feed.kinds(*(entry(n, **same) for n in range(1000)))
    again = feed.kinds(entry(1000, **same), *(entry(n, **same) for n in range(999)))

    assert kinds == [Kind.NEW] * 1000
    assert again == [Kind.NEW] + [Kind.SAME] * 999


def test_an_entry_twice_in_one_document_is_one_article() -> None:
    kinds = Feed().kinds(entry(), entry(), entry(title="Rocket 1 delayed"))

    assert kinds == [Kind.NEW, Kind.SAME, Kind.SAME]


def test_a_bare_title_that_recurs_is_new_each_time() -> None:
    feed = Feed()
    first = entry(1, title="Market update", text="Read more")
    second = entry(2, title="Market update", text="Read more")

    assert feed.kinds(first) == [Kind.NEW]
    (again,) = feed.poll(second)
    assert (again.kind, again.reason) == (Kind.NEW, Why.KNOWN_TITLE)


def test_a_bare_title_with_its_date_is_recognised_under_new_names() -> None:
    feed = Feed()
    feed.poll(entry(text=""))

    assert feed.kinds(entry(text="", guid="n", url="https://n.example/1")) == [Kind.SAME]


def test_entries_without_guid_and_link_are_known_by_their_words() -> None:
    feed = Feed()
    bare = [Entry(guid=None, url=None, title=title) for title in ("One", "Two")]

    assert feed.kinds(*bare) == [Kind.NEW, Kind.NEW]
    assert feed.kinds(*bare) == [Kind.SAME, Kind.SAME]


@pytest.mark.parametrize(
    "empty",
    [Entry(None, None, ""), Entry("", "", " \n "), Entry("  ", None, "", published=NOW)],
)
def test_an_entry_without_any_identity_is_skipped_and_the_others_are_not(empty: Entry) -> None:
    assert Feed().kinds(empty, entry()) == [Kind.SKIP, Kind.NEW]


def test_a_guid_as_long_as_a_book_makes_a_short_key() -> None:
    keys = identity_keys(entry(guid="x" * 1_000_000, url="https://alpha.example/" + "y" * 9000))

    assert max(map(len, keys.all)) == 35


@pytest.mark.parametrize(
    ("policy", "changes", "kind"),
    [
        ("guid", {"url": "https://b.example/x", "title": "Other", "text": ""}, Kind.REVISION),
        ("guid", {"guid": "other"}, Kind.NEW),
        ("link", {"guid": "other", "title": "Other", "text": ""}, Kind.REVISION),
        ("link", {"url": "https://alpha.example/2"}, Kind.NEW),
        ("content", {"guid": "other", "url": "https://b.example/x"}, Kind.SAME),
        ("content", {"title": "Other"}, Kind.NEW),
    ],
)
def test_a_feed_may_say_what_counts(policy: Policy, changes: dict[str, object], kind: Kind) -> None:
    feed = Feed(policy)
    feed.poll(entry())

    assert feed.kinds(entry(**changes)) == [kind]


@pytest.mark.parametrize("policy", ["guid", "link", "content"])
def test_a_policy_falls_back_where_an_entry_lacks_its_key(policy: Policy) -> None:
    feed = Feed(policy)
    only_title = Entry(None, None, "Only a title")

    assert feed.kinds(only_title) == [Kind.NEW]
    assert feed.kinds(only_title) == [Kind.SAME]


def test_the_same_words_have_the_same_hash_whatever_the_spacing() -> None:
    spaced = identity_keys(entry(text=f"{BODY}\n\n It is number 1."))

    assert identity_keys(entry()).text == spaced.text
    assert identity_keys(entry()).text != identity_keys(entry(title="Rocket 1 Readied")).text


def test_keys_stay_as_they_are_for_ever() -> None:
    """Stores are full of them: another spelling of any would make all that is known news."""
    address = "http://www.alpha.example/a/?b=1&utm_id=2"
    keys = identity_keys(Entry("g-1", address, "One", text="Two \n three", published=NOW))

    assert (*keys.all, keys.text) == (
        "g:b9817549cc546b0ee549a42a97b94811",
        "l:390621d5f3f0ab4bbdbb46ffa9a16ec1",
        "c:96216e1d743c254d638b4f5b69d12ea1",
        "b:a7bdec08e80d4c210626526cdd4cf8ad",
        "t:7692c3ad3540bb803c020b3aee66cd88",
        "sg:b9817549cc546b0ee549a42a97b94811",
        "sl:390621d5f3f0ab4bbdbb46ffa9a16ec1",
        "h:6aaf2bb26baf1ee5b1462907dfd847ce",
    )


# ── mass changes ──


def archive(first: int, last: int, **changes: object) -> list[Entry]:
    return [entry(n, **changes) for n in range(first, last)]


def held_back(feed: Feed, entries: list[Entry], *, since: timedelta) -> int:
    items = feed.poll(*entries)
    held = quarantined(items, known_articles=len(feed.hashes), last_success=NOW - since, now=NOW)
    return len(held)


def used_feed() -> Feed:
    feed = Feed()
    feed.poll(*archive(1, 51))
    return feed


def test_an_archive_replayed_under_new_guids_and_links_is_all_known() -> None:
    feed = used_feed()
    renamed = [
        entry(n, guid=f"new-{n}", url=f"https://new.example/{n}", published=NOW)
        for n in range(1, 51)
    ]

    kinds = feed.kinds(*renamed, entry(900, published=NOW))

    assert kinds == [Kind.SAME] * 50 + [Kind.NEW]


def test_old_entries_never_seen_are_held_back_and_the_real_news_is_told() -> None:
    old = archive(1000, 1500)
    news = entry(9999, published=NOW)
    feed = used_feed()

    items = feed.poll(news, *old)
    held = quarantined(items, known_articles=50, last_success=NOW - timedelta(minutes=30), now=NOW)

    assert items[0].kind is Kind.NEW
    assert items[0].article not in held
    assert len(held) == 500


def test_known_titles_under_new_names_and_dates_are_held_back() -> None:
    feed = Feed()
    feed.poll(*archive(1, 51, text=""))
    redated = [
        entry(n, text="", guid=f"n{n}", url=f"https://n.example/{n}", published=NOW)
        for n in range(1, 51)
    ]

    assert held_back(feed, redated, since=timedelta(minutes=30)) == 50


def test_the_news_of_three_days_of_downtime_is_told() -> None:
    entries = [entry(n, published=NOW - timedelta(hours=n - 100)) for n in range(100, 150)]

    assert held_back(used_feed(), entries, since=timedelta(days=3)) == 0


def test_undated_news_is_told_after_a_pause_and_held_back_without_one() -> None:
    entries = archive(100, 150, published=None)

    assert held_back(used_feed(), entries, since=timedelta(days=3)) == 0
    assert held_back(used_feed(), entries, since=timedelta(minutes=30)) == 50


def short_list(titles: int, **changes: object) -> list[Entry]:
    """Entries of a page: a link, a headline, seldom more."""
    links = {"text": "", "published": None, **changes}
    return [entry(n, guid=f"x{n}", url=f"https://x.example/{n}", **links) for n in range(titles)]


@pytest.mark.parametrize(
    ("titles", "changes", "since", "held"),
    [
        (8, {}, timedelta(hours=1), 8),
        (8, {"published": NOW - timedelta(days=9)}, timedelta(hours=1), 8),
        (4, {}, timedelta(hours=1), 0),
        (8, {}, timedelta(days=2), 0),
        (8, {"published": NOW}, timedelta(hours=1), 0),
        (8, {"title": "Market update"}, timedelta(hours=1), 0),
    ],
    ids=["renamed", "with dates", "too few", "after a pause", "dated anew", "one heading"],
)
def test_a_short_list_under_new_names_is_held_back(
    titles: int, changes: dict[str, object], since: timedelta, held: int
) -> None:
    feed = Feed()
    feed.poll(*archive(0, titles, text="", published=None), entry(77, title="Market update"))

    assert held_back(feed, short_list(titles, **changes), since=since) == held


def test_a_few_known_headings_among_news_are_news() -> None:
    feed = Feed()
    feed.poll(*archive(0, 6, text="", published=None))

    assert held_back(feed, [*short_list(6), *archive(50, 57)], since=timedelta(hours=1)) == 0


@pytest.mark.parametrize(
    ("known", "entries", "new", "mass"),
    [
        (20, 39, 20, True),
        (20, 40, 20, False),
        (20, 19, 19, False),
        (19, 500, 500, False),
        (500, 1000, 501, True),
    ],
)
def test_a_mass_change_is_most_of_a_document_and_many(
    known: int, entries: int, new: int, mass: bool
) -> None:
    assert is_mass_change(known, entries, new) is mass
