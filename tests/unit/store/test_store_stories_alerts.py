from store_samples import HOUR, NOW, alert, article, dispatch, match, story

from watcher.model import Role, Story, StoryStatus
from watcher.store.engine import Store
from watcher.stories.changes import ChangeKind, StoryChange


def test_matches_come_back_with_their_evidence(store: Store) -> None:
    with store.begin() as tx:
        tx.matches.add([match(), match(rule="coast")], NOW)

        found = tx.matches.of_article("a1")

    assert found == [match(rule="coast"), match()]


def test_a_later_match_of_the_same_rule_and_article_replaces_the_first(store: Store) -> None:
    with store.begin() as tx:
        tx.matches.add([match()], NOW)
        tx.matches.add([match()], NOW + HOUR)

        found = tx.matches.of_rule("launch", NOW + HOUR)

    assert found == [match()]


def test_matches_are_counted_per_rule_since_a_time(store: Store) -> None:
    with store.begin() as tx:
        tx.matches.add([match(article_id="a1"), match("coast", "a1")], NOW - HOUR)
        tx.matches.add([match(article_id="a2"), match(article_id="a3")], NOW)

        counts = tx.matches.counts(NOW)

    assert counts == {"launch": 2}


def test_a_story_is_replaced_as_a_whole(store: Store) -> None:
    later = story(status=StoryStatus.QUIET, updated=NOW + HOUR, articles=5)
    with store.begin() as tx:
        tx.stories.save(story())
        tx.stories.save(later)

        loaded = tx.stories.get("s1")

    assert loaded == later


def test_open_stories_come_with_their_articles_in_the_order_they_joined(store: Store) -> None:
    with store.begin() as tx:
        for name in ("a1", "a2", "a3"):
            tx.articles.add(article(name), "h")
        tx.stories.save(story("s1"))
        tx.stories.save(story("closed", status=StoryStatus.CLOSED))
        tx.stories.save(story("stale", updated=NOW - HOUR))
        tx.stories.save(story("empty", opened=NOW - HOUR))
        tx.stories.add_article("s1", "a2", Role.FIRST, NOW, 1.0)
        tx.stories.add_article("s1", "a1", Role.COPY, NOW + HOUR, 0.9)
        tx.stories.add_article("s1", "a1", Role.REPORT, NOW, 0.1)
        tx.stories.add_article("closed", "a3", Role.FIRST, NOW, 1.0)

        found = tx.stories.open_since(NOW)
        of_article = tx.stories.of_article("a1")
        times = [at for _, _, at in tx.stories.articles_of("s1")]

    assert found == [
        (story("empty", opened=NOW - HOUR), []),
        (story(), [(article("a2"), Role.FIRST), (article("a1"), Role.COPY)]),
    ]
    assert of_article == "s1"
    assert times == [NOW, NOW + HOUR]


def test_recent_stories_come_last_updated_first(store: Store) -> None:
    with store.begin() as tx:
        for n in range(3):
            tx.stories.save(story(f"s{n}", updated=NOW + n * HOUR))

        recent = [s.id for s in tx.stories.recent(2)]
        nothing = tx.stories.get("absent"), tx.stories.of_article("absent")

    assert recent == ["s2", "s1"]
    assert nothing == (None, None)


def test_an_alert_is_stored_once(store: Store) -> None:
    with store.begin() as tx:
        first = tx.alerts.add(alert())
        second = tx.alerts.add(alert(reason="other"))

        loaded = tx.alerts.get("t1")

    assert (first, second) == (True, False)
    assert loaded == alert()


def test_alerts_are_listed_by_time_rule_and_story(store: Store) -> None:
    with store.begin() as tx:
        tx.alerts.add(alert("t2", at=NOW + HOUR))
        tx.alerts.add(alert("t1"))
        tx.alerts.add(alert("t3", rule="coast", story=None))
        tx.alerts.add(alert("t0", at=NOW - HOUR))

        since = [a.id for a in tx.alerts.since(NOW)]
        of_rule = [a.id for a in tx.alerts.since(NOW, "launch")]
        of_story = [a.id for a in tx.alerts.of_story("s1")]

    assert since == ["t1", "t3", "t2"]
    assert of_rule == ["t1", "t2"]
    assert of_story == ["t0", "t1", "t2"]


def test_dispatches_wait_until_due_and_composed(store: Store) -> None:
    with store.begin() as tx:
        tx.alerts.add_dispatches([dispatch(), dispatch(receiver="slack", send_at=NOW + HOUR)])
        tx.alerts.add_dispatches([dispatch(send_at=NOW + 9 * HOUR)])
        due = tx.alerts.due_dispatches(NOW)
        tx.alerts.composed([("t1", "mail")], "k1")

        waiting = tx.alerts.waiting()

    assert due == [dispatch()]
    assert waiting == [dispatch(receiver="slack", send_at=NOW + HOUR)]


def test_the_latest_verdict_on_a_rule_and_article_is_kept(store: Store) -> None:
    with store.begin() as tx:
        for reason in ("baseline", "throttled"):
            tx.alerts.note_verdict(
                rule="launch",
                article="a1",
                story="s1",
                sent=False,
                reason=reason,
                detail="",
                at=NOW,
            )

        (verdict,) = tx.alerts.verdicts_of("a1")

    assert (verdict["reason"], verdict["sent"], verdict["at"]) == ("throttled", False, NOW)


def test_meta_keeps_the_latest_value(store: Store) -> None:
    with store.begin() as tx:
        tx.meta.set("k", "1")
        tx.meta.set("k", "2")

        values = tx.meta.get("k"), tx.meta.get("absent")

    assert values == ("2", None)


def change(kind: ChangeKind, kept: Story, other: Story, *articles: str) -> StoryChange:
    return StoryChange(kind, kept, other, NOW, 0.2, articles, ("rocket", "sea"))


def test_a_merged_story_gives_its_reports_decisions_and_alerts_to_the_older(store: Store) -> None:
    gone = story("s2", status=StoryStatus.CLOSED, merged_into="s1")
    with store.begin() as tx:
        for name in ("a1", "a2"):
            tx.articles.add(article(name), "h")
        tx.stories.save(story("s1"))
        tx.stories.save(story("s2"))
        tx.stories.add_article("s1", "a1", Role.FIRST, NOW, 1.0)
        tx.stories.add_article("s2", "a2", Role.FIRST, NOW, 1.0)
        tx.alerts.add(alert("t2", story="s2"))
        merged = change(ChangeKind.MERGED, story("s1", articles=2), gone, "a2")

        tx.stories.apply(merged)
        members = [(a.id, role) for a, role, _ in tx.stories.articles_of("s1")]

        assert members == [("a1", Role.FIRST), ("a2", Role.REPORT)]
        assert [a.id for a in tx.alerts.of_story("s1")] == ["t2"]
        assert tx.stories.articles_of("s2") == []
        assert tx.stories.current("s2") == tx.stories.get("s1")
        assert [s.id for s in tx.stories.recent(9)] == ["s1"]
        assert tx.stories.changes_of("s1") == tx.stories.changes_of("s2") == [merged]


def test_a_split_story_gives_some_reports_to_the_new_one(store: Store) -> None:
    with store.begin() as tx:
        for name in ("a1", "a2", "a3"):
            tx.articles.add(article(name), "h")
            tx.stories.add_article("s1", name, Role.REPORT, NOW, 1.0)
        tx.stories.save(story("s1"))
        split = change(ChangeKind.SPLIT, story("s1"), story("s3"), "a2", "a3")

        tx.stories.apply(split)
        tx.stories.apply(split)

        assert [a.id for a, _, _ in tx.stories.articles_of("s1")] == ["a1"]
        assert [(a.id, role) for a, role, _ in tx.stories.articles_of("s3")] == [
            ("a2", Role.FIRST),
            ("a3", Role.REPORT),
        ]
        assert tx.stories.changes_of("s3") == [split]
        assert tx.stories.splits_since(NOW) == [("s1", "s3")]
        assert tx.stories.splits_since(NOW + HOUR) == []
