"""A rule is tried over the archive beside another version of itself."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from watcher import backtest
from watcher.backtest import Backtest, Recorded, Tried
from watcher.model import Alert, AlertKind, Article, Severity
from watcher.pipeline import Plan
from watcher.rules.compile import Rule, compile_rule
from watcher.rules.schema import RuleSpec

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
FIRST = "Rocket launch from Sohae seen by radar at dawn"
# Reports of one event, its copy, and another event three days later.
TITLES = [
    (0.0, "One", FIRST),
    (1.0, "Two", FIRST),
    (2.0, "Three", "Ferry late"),
    (80.0, "One", "Toy rocket shop opens its doors in the harbour"),
]


def rule(when: Any, name: str = "rocket", **alert: Any) -> Rule:
    made, issues = compile_rule(
        RuleSpec.model_validate({"id": name, "when": when, "alert": alert}), {}
    )
    assert made is not None, issues
    return made


def articles() -> list[Article]:
    return [
        Article(
            f"a{n}", "feed", "", title, "", NOW + timedelta(hours=hours),
            publisher=publisher, family=publisher, lang="en",
        )
        for n, (hours, publisher, title) in enumerate(TITLES)
    ]  # fmt: skip


def plan(*rules: Rule) -> Plan:
    return Plan(rules, (), {})


def compared(edited: Rule, saved: Rule | None) -> Backtest:
    whole = plan(rule("ferry", "ferry"), *([saved] if saved else []))
    run = Backtest(Tried(whole, "rocket", edited), Tried(whole, "rocket", saved))
    run.run(articles())
    return run


def test_stories_tell_what_was_reported_and_what_the_reader_would_have_got() -> None:
    run = compared(rule("rocket"), rule("rocket"))

    first, second = run.edited.stories
    assert [line.article for line in first.reports.values()] == ["a0", "a1"]
    assert [kind for _, kind, _ in first.alerts] == ["new_story"]
    assert [line.title for line in second.reports.values()] == [TITLES[3][2]]
    assert run.articles == 4


def test_noise_is_told_by_day_by_publisher_and_by_what_was_held_back() -> None:
    figures = compared(rule("rocket"), None).edited.figures

    assert figures.matches == {date(2026, 5, 30): 2, date(2026, 6, 2): 1}
    assert figures.alerts.total() == 2
    assert figures.busiest() == (date(2026, 5, 30), 2, 1)
    assert figures.publishers == {"One": 2, "Two": 1}
    assert figures.untold.total() == 1


def test_the_policy_of_the_edited_rule_is_in_force() -> None:
    run = compared(rule("rocket", min_publishers=2), rule("rocket"))

    assert run.edited.figures.alerts.total() < run.saved.figures.alerts.total()
    assert (run.caught_count, run.dropped_count) == (0, 0)


def test_what_one_version_alone_catches_is_listed() -> None:
    run = compared(rule({"any": ["launch", "ferry"]}), rule("rocket"))

    assert [line.article for line in run.caught] == ["a2"]
    assert [line.article for line in run.dropped] == ["a3"]


def test_a_rule_that_was_not_there_caught_nothing() -> None:
    run = compared(rule("rocket"), None)

    assert run.caught_count == 3
    assert run.saved.figures.matches.total() == 0


def test_the_record_of_the_daemon_is_a_version_too() -> None:
    alert = Alert("t", AlertKind.NEW_STORY, "rocket", "s", Severity.NORMAL, NOW, "", ("a0",))
    saved = Recorded({"a0", "a2"}, [alert])
    run = Backtest(Tried(plan(), "rocket", rule("rocket")), saved)

    run.run(articles())

    assert [line.article for line in run.caught] == ["a1", "a3"]
    assert [line.article for line in run.dropped] == ["a2"]
    assert (saved.figures.matches.total(), saved.figures.alerts.total()) == (2, 1)


def test_beyond_the_limits_only_counts_go_on(monkeypatch: Any) -> None:
    monkeypatch.setattr(backtest, "KEPT_STORIES", 1)
    monkeypatch.setattr(backtest, "KEPT_REPORTS", 1)
    monkeypatch.setattr(backtest, "KEPT_CHANGES", 1)

    run = compared(rule("rocket"), None)

    assert (len(run.edited.stories), run.edited.story_count) == (1, 2)
    assert (len(run.edited.stories[0].reports), run.edited.stories[0].count) == (1, 2)
    assert (len(run.caught), run.caught_count) == (1, 3)


def test_an_empty_archive_has_figures_too() -> None:
    run = Backtest(Tried(plan(), "rocket", rule("rocket")), Recorded(set(), []))

    run.run([])

    assert run.to_json()["edited"]["matches_per_day"] == 0.0
    assert run.days == 1.0
