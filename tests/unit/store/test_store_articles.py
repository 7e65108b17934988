from dataclasses import replace

from store_samples import HOUR, NOW, article, match

from watcher.store.articles import KEPT_REVISIONS
from watcher.store.engine import Store


def test_an_article_comes_back_as_it_was_stored(store: Store) -> None:
    stored = article(title="Zürich 北京 \U0001f680", tags=("a", "ü"), updated=NOW, revision=0)
    with store.begin() as tx:
        tx.articles.add(stored, "h1")

        loaded = tx.articles.get("a1")

    assert loaded == stored


def test_known_keys_name_their_article_in_that_feed_only(store: Store) -> None:
    keys = [f"k{n}" for n in range(1203)]
    with store.begin() as tx:
        tx.articles.remember_all([("alpha", key, "a1") for key in keys], NOW)

        here = tx.articles.known("alpha", [*keys, "other"])
        elsewhere = tx.articles.known("beta", keys)

    assert here == dict.fromkeys(keys, "a1")
    assert elsewhere == {}


def test_the_first_article_to_show_a_key_keeps_it(store: Store) -> None:
    with store.begin() as tx:
        tx.articles.remember_all([("alpha", "k", "a1")], NOW)
        tx.articles.remember_all([("alpha", "k", "a2")], NOW)

        owner = tx.articles.known("alpha", ["k"])

    assert owner == {"k": "a1"}


def test_identities_are_counted_by_article(store: Store) -> None:
    with store.begin() as tx:
        tx.articles.remember_all([("alpha", "k1", "a1"), ("alpha", "k2", "a1")], NOW)
        tx.articles.remember_all([("alpha", "k3", "a2")], NOW)
        tx.articles.remember_all([("beta", "k4", "a3")], NOW)

        count = tx.articles.identity_count("alpha")

    assert count == 2


def test_a_revision_keeps_the_old_text_and_the_first_seen_time(store: Store) -> None:
    with store.begin() as tx:
        tx.articles.add(article(), "h1")
        changed = article(text="Postponed to Friday.", first_seen=NOW + HOUR)
        revised = tx.articles.revise(changed, "h2", NOW + HOUR)

        loaded = tx.articles.get("a1")
        (kept,) = tx.articles.revisions_of("a1")
        hashes = tx.articles.content_hashes(["a1", "missing"])

    assert loaded == revised == replace(changed, first_seen=NOW, revision=1)
    assert (kept.revision, kept.text, kept.replaced_at) == (0, article().text, NOW + HOUR)
    assert hashes == {"a1": "h2"}


def test_a_text_that_flips_between_two_versions_is_kept_once_each(store: Store) -> None:
    with store.begin() as tx:
        tx.articles.add(article(text="one"), "h1")
        for n in range(10):
            text, digest = (("two", "h2"), ("one", "h1"))[n % 2]
            tx.articles.revise(article(text=text), digest, NOW + n * HOUR)

        kept = tx.articles.revisions_of("a1")

    assert sorted(r.text for r in kept) == ["one", "two"]


def test_a_text_that_changes_for_ever_keeps_its_latest_versions(store: Store) -> None:
    with store.begin() as tx:
        tx.articles.add(article(text="0"), "h0")
        for n in range(1, 50):
            tx.articles.revise(article(text=str(n)), f"h{n}", NOW)

        kept = tx.articles.revisions_of("a1")

    assert [r.text for r in kept] == [str(n) for n in range(49 - KEPT_REVISIONS, 49)]


def test_an_article_is_found_by_id_and_by_any_form_of_its_link(store: Store) -> None:
    with store.begin() as tx:
        tx.articles.add(article(), "h1")

        by_id = tx.articles.find("a1")
        by_link = tx.articles.find("http://www.alpha.example/a1/?utm_source=x#top")
        nothing = tx.articles.find("https://alpha.example/a2")

    assert by_id == by_link == article()
    assert nothing is None


def test_articles_between_come_oldest_first_and_end_before_the_end(store: Store) -> None:
    with store.begin() as tx:
        for n in (2, 0, 3, 1):
            tx.articles.add(article(f"a{n}", first_seen=NOW + n * HOUR), "h")

        found = [a.id for a in tx.articles.between(NOW + HOUR, NOW + 3 * HOUR)]

    assert found == ["a1", "a2"]


def test_purging_takes_old_text_and_no_identity(store: Store) -> None:
    with store.begin() as tx:
        tx.articles.add(article("old", text="卫星 before", first_seen=NOW), "h")
        tx.articles.revise(article("old", text="卫星 after", first_seen=NOW), "h2", NOW)
        tx.articles.add(article("new", text="fresh words", first_seen=NOW + HOUR), "h")
        tx.articles.remember_all([("alpha", "k", "old")], NOW)
        tx.matches.add([match(article_id="old")], NOW)

        purged = tx.articles.purge_text(NOW + HOUR)
        again = tx.articles.purge_text(NOW + HOUR)
        old, new = tx.articles.get("old"), tx.articles.get("new")
        known = tx.articles.known("alpha", ["k"])
        found = [len(tx.articles.search(q)) for q in ("before", "after", "卫星", "fresh", "rocket")]
        revisions = tx.articles.revisions_of("old")

    assert (purged, again) == (1, 0)
    assert old is not None
    assert new is not None
    assert (old.text, old.title, new.text) == ("", article().title, "fresh words")
    assert known == {"k": "old"}
    assert found == [0, 0, 0, 1, 2]
    assert revisions == []


def test_articles_are_counted_since_a_time(store: Store) -> None:
    with store.begin() as tx:
        tx.articles.add(article("a1"), "h")
        tx.articles.add(article("a2", first_seen=NOW + HOUR), "h")
    with store.read() as tx:
        counts = tx.articles.count(), tx.articles.count(NOW + HOUR)

    assert counts == (2, 1)


def test_a_revision_of_what_was_never_stored_stores_nothing(store: Store) -> None:
    with store.begin() as tx:
        tx.articles.revise(article(), "h", NOW)

        stored = tx.articles.get("a1")

    assert stored is None
