"""silence, alerts and route as a user meets them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from watcher.cli.main import app
from watcher.config.load import load_config
from watcher.intake.outcomes import store_outcome
from watcher.model import Article
from watcher.parts import plan_of
from watcher.pipeline import Pipeline
from watcher.place import STORE_NAME
from watcher.store.engine import open_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = tmp_path / "config"
    (config / "rules").mkdir(parents=True)
    root = {
        "data": "../data",
        "receivers": [{"id": "desk", "type": "stdout"}, {"id": "chief", "type": "stdout"}],
        "routes": [
            {"match": {"tags": ["space"]}, "receivers": ["desk"],
             "escalate": [{"after": "30m", "receivers": ["chief"]}]},
            {"receivers": ["chief"], "send": {"digest": "0 7 * * *"}},
        ],
    }  # fmt: skip
    (config / "watcher.yaml").write_text(yaml.safe_dump(root))
    rules = {
        "rules": [
            {"id": "launch", "when": "rocket", "tags": ["space"]},
            {"id": "trip", "when": "train"},
        ]
    }
    (config / "rules" / "all.yaml").write_text(yaml.safe_dump(rules))
    return config


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(folder), *words])


def test_route_test_tells_who_when_and_why_not(folder: Path) -> None:
    found = run(folder, "route", "test", "--rule", "trip", "--at", "2026-05-30T23:00+00:00")

    assert "route 0: no: tags" in found.output
    assert "→ chief: 2026-05-31 07:00 UTC (digest 0 7 * * * UTC)" in found.output


def test_route_test_shows_escalations(folder: Path) -> None:
    found = run(
        folder, "route", "test", "--rule", "launch", "--at", "2026-05-30T23:00+00:00", "--json"
    )

    sent = json.loads(found.output)["sent"]
    assert [(s["receiver"], s["reason"]) for s in sent] == [
        ("desk", "immediate"),
        ("chief", "not acknowledged within 30m"),
    ]


def test_a_silence_is_made_listed_and_ended(folder: Path) -> None:
    who = ("--author", "Kim", "--comment", "drill")
    made = run(folder, "silence", "add", "--rule", "launch", "--until", "2d", *who)
    name = made.output.split()[0]
    listed = json.loads(run(folder, "silence", "list", "--json").output)
    ended = run(folder, "silence", "end", name)
    after = run(folder, "silence", "list")

    assert (made.exit_code, ended.exit_code) == (0, 0)
    assert [(s["id"], s["holds"], s["match"]) for s in listed] == [
        (name, True, {"rules": ["launch"]})
    ]
    assert after.output.strip() == "none"


def test_one_story_can_be_silenced(folder: Path) -> None:
    who = ("--author", "Kim", "--comment", "enough of it")
    run(folder, "silence", "add", "--story", "s123", "--until", "2d", *who)
    (listed,) = json.loads(run(folder, "silence", "list", "--json").output)

    assert listed["match"] == {"stories": ["s123"]}


def test_a_silence_can_come_again_every_week(folder: Path) -> None:
    who = ("--author", "Kim", "--comment", "weekends")
    hours = ("--every", "Sat,Sun 00:00-24:00", "--zone", "Europe/Berlin")
    made = run(folder, "silence", "add", "--rule", "launch", "--until", "90d", *hours, *who)
    (listed,) = json.loads(run(folder, "silence", "list", "--json").output)

    assert " every sat,sun 00:00-24:00 Europe/Berlin until " in made.output
    assert listed["every"] == "sat,sun 00:00-24:00 Europe/Berlin"


def test_explain_alert_tells_the_whole_way(folder: Path) -> None:
    config = load_config(folder, {})
    (folder / "../data").resolve().mkdir()
    store = open_store(folder / "../data" / STORE_NAME)
    now = datetime(2026, 5, 30, 12, tzinfo=UTC)
    article = Article(
        "a1", "f", "https://sample.example/1", "A rocket rises", "", now, publisher="Sample"
    )
    outcome = Pipeline(plan_of(config)).process(article, now)
    with store.begin() as tx:
        tx.articles.add(article, "hash")
        store_outcome(tx, outcome, now)
    store.close()
    (alert,) = outcome.alerts

    found = run(folder, "explain", "--alert", alert.id, "--json")
    acked = run(folder, "alerts", "ack", alert.id[:8], "--by", "Kim")
    shown = run(folder, "explain", "--alert", alert.id)

    steps = json.loads(found.output)["steps"]
    assert [step["step"] for step in steps] == [
        "article",
        "match",
        "story",
        "decision",
        "route",
        "route",
    ]
    assert steps[3]["reason"] == "first report of a new story"
    assert acked.exit_code == 0
    assert "acknowledged:" in shown.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["silence", "add", "--until", "2d"], "match is empty"),
        (["silence", "add", "--rule", "lunch", "--until", "2d"], "no rule 'lunch': did you mean 'launch'?"),
        (["silence", "add", "--rule", "launch", "--until", "soon"], "'soon'"),
        (["silence", "add", "--rule", "launch", "--until", "2d", "--zone", "UTC"], "--zone goes with"),
        (["silence", "add", "--rule", "launch", "--until", "2d", "--every", "sat"], "write days, hours"),
        (["silence", "end", "s1"], "s1: no such silence"),
        (["alerts", "ack", "t1", "--by", "Kim"], "t1: no such alert"),
        (["silence", "add", "--rule", "launch", "--until", "30"], "--until: 30 has no unit"),
        (["alerts", "list", "--since", "soon"], "--since: 'soon' is not a duration"),
        (["explain", "--alert", "t1"], "t1: no such alert or article"),
        (["route", "test", "--at", "noon"], "--at: 'noon' is not a date"),
        (["route", "test", "--rule", "lunch"], "no rule 'lunch': did you mean 'launch'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line(folder: Path, words: list[str], told: str) -> None:
    who = ["--author", "Kim", "--comment", "drill"] if words[1] == "add" else []
    found = run(folder, *words, *who)

    assert found.exit_code in (1, 2)
    assert told in found.output
