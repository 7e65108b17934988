"""silence, alerts and route as a user meets them."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from watcher.cli.main import app


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


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["silence", "add", "--until", "2d"], "match is empty"),
        (["silence", "add", "--rule", "lunch", "--until", "2d"], "unknown rule 'lunch'"),
        (["silence", "add", "--rule", "launch", "--until", "soon"], "'soon'"),
        (["silence", "end", "s1"], "s1: no such silence"),
        (["alerts", "ack", "t1", "--by", "Kim"], "t1: no such alert"),
        (["alerts", "list", "--since", "soon"], "--since: 'soon' is not a duration"),
        (["route", "test", "--at", "noon"], "'noon' is not a time with a zone"),
        (["route", "test", "--rule", "lunch"], "lunch: no such rule"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line(folder: Path, words: list[str], told: str) -> None:
    who = ["--author", "Kim", "--comment", "drill"] if words[1] == "add" else []
    found = run(folder, *words, *who)

    assert found.exit_code in (1, 2)
    assert told in found.output
