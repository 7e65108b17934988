"""`watcher backtest` as a user types it."""

import json
from pathlib import Path

import pytest
from workbench_folder import RULES, article, make_folder, watcher

ARTICLES = [
    article(1, "Korea rocket launch seen at dawn", hours=50, publisher="One"),
    article(2, "Korea: rocket launch seen at dawn", hours=49, publisher="Two"),
    article(3, "Korea readies a carrier vehicle", hours=30, publisher="One"),
    article(4, "Ferry late", hours=2, publisher="One"),
]
DRAFT = """
rules:
  - {id: launch, when: {all: [korea, {any: [carrier, satellite]}]}, enabled: false}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "mine", ARTICLES)


def test_the_rule_as_written_is_compared_with_what_was_recorded(folder: Path) -> None:
    done = watcher(folder, "backtest", "--rule", "launch")

    assert done.exit_code == 0
    assert "launch: 4 articles in 2.0 days" in done.stdout
    assert "as written: 2 matches (1.0 a day), 1 alerts (0.5 a day)" in done.stdout
    assert "recorded: 2 matches (1.0 a day), 1 alerts (0.5 a day)" in done.stdout
    assert "newly caught (as written against recorded): 0" in done.stdout
    assert "new story: first report of a new story" in done.stdout
    assert "1 × the same text was told already" in done.stdout


def test_an_edit_shows_what_it_would_have_changed(folder: Path) -> None:
    (folder / "rules" / "rules.yaml").write_text(RULES.replace("korea, {", "readies, {"), "utf-8")

    done = watcher(folder, "backtest", "--rule", "launch", "--json")

    found = json.loads(done.stdout)
    assert (found["newly_caught"]["count"], found["newly_dropped"]["count"]) == (0, 2)
    assert [one["article"] for one in found["newly_dropped"]["articles"]] == [
        one.id for one in ARTICLES[:2]
    ]


def test_a_draft_is_compared_with_the_rule_in_use_and_changes_nothing(
    folder: Path, tmp_path: Path
) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(DRAFT, "utf-8")

    done = watcher(folder, "backtest", "--rule", "launch", "--draft", str(draft))
    again = watcher(folder, "backtest", "--rule", "launch")

    assert "newly caught (draft.yaml against in use): 1" in done.stdout
    assert "One: Korea readies a carrier vehicle" in done.stdout
    assert "newly dropped (draft.yaml against in use): 2" in done.stdout
    assert "recorded: 2 matches" in again.stdout


def test_a_rule_is_compared_with_another_folder(folder: Path, tmp_path: Path) -> None:
    other = make_folder(tmp_path / "other", [], RULES.replace("rocket, launch*", "rocket, dawn"))

    done = watcher(folder, "backtest", "--rule", "launch", "--against", str(other))

    assert "other: 2 matches" in done.stdout
    assert "(as written against other)" in done.stdout


def test_only_what_was_published_since_counts(folder: Path) -> None:
    found = json.loads(
        watcher(folder, "backtest", "--rule", "launch", "--since", "40h", "--format", "json").stdout
    )

    assert found["articles"] == 2
    assert found["edited"]["matches"] == 0


def test_an_empty_span_is_told(folder: Path) -> None:
    done = watcher(folder, "backtest", "--rule", "launch", "--since", "1m")

    assert done.exit_code == 0
    assert "no article since 2026-05-30 17:59 is stored" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--rule", "lunch"], "did you mean 'launch'?"),
        (["--rule", "launch", "--since", "yesterday"], "--since: 'yesterday' is not a duration"),
        (["--rule", "launch", "--draft", "nosuch.yaml"], "nosuch.yaml: can't be read"),
        (["--rule", "ferry", "--draft", "DRAFT"], "has no rule 'ferry'"),
        (["--rule", "launch", "--draft", "BROKEN"], "unknown concept $nowhere"),
    ],
)
def test_what_is_wrong_is_said(
    folder: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    (tmp_path / "DRAFT").write_text(DRAFT, "utf-8")
    (tmp_path / "BROKEN").write_text("rules: [{id: launch, when: $nowhere}]", "utf-8")
    words = [str(tmp_path / word) if word.isupper() else word for word in words]

    done = watcher(folder, "backtest", *words)

    assert done.exit_code == 2
    assert message in done.stderr
