"""explain --alert as a user meets it: whatever became of an alert, and why there was none."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from watcher.alerts.silences import Silence
from watcher.cli.main import app
from watcher.config.load import load_config
from watcher.intake.outcomes import store_noticed, store_outcome
from watcher.model import Article, DigestKind, Notification, NotificationState
from watcher.parts import plan_of
from watcher.pipeline import Pipeline
from watcher.place import STORE_NAME
from watcher.store.engine import Store, open_store

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Desk:
    """A configuration, its store, and a pipeline that fills it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "config"
        (self.folder / "rules").mkdir(parents=True)
        root = {
            "data": "../data",
            "receivers": [{"id": "desk", "type": "stdout"}, {"id": "chief", "type": "stdout"}],
            "routes": [
                {"receivers": ["desk"], "escalate": [{"after": "30m", "receivers": ["chief"]}]}
            ],
        }
        rules = {
            "rules": [{"id": "launch", "when": "rocket", "alert": {"nothing_heard_for": "3d"}}]
        }
        (self.folder / "watcher.yaml").write_text(yaml.safe_dump(root))
        (self.folder / "rules" / "all.yaml").write_text(yaml.safe_dump(rules))
        (folder / "data").mkdir()
        self.store: Store = open_store(folder / "data" / STORE_NAME)
        self.pipeline = Pipeline(plan_of(load_config(self.folder, {})))
        self.pipeline.begin(NOW)

    def take(self, name: str, title: str) -> list[str]:
        """Ids of the alerts."""
        article = Article(
            name, "f", f"https://{name}.example/1", title, "", NOW, publisher=name, family=name,
            lang="en",
        )  # fmt: skip
        outcome = self.pipeline.process(article, NOW)
        with self.store.begin() as tx:
            tx.articles.add(article, name)
            store_outcome(tx, outcome, NOW)
        return [alert.id for alert in outcome.alerts]

    def explain(self, name: str) -> Any:
        found = CliRunner().invoke(
            app, ["--config", str(self.folder), "explain", "--alert", name, "--json"]
        )
        assert found.exit_code == 0, found.output
        return json.loads(found.output)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()


def steps(chain: Any, kind: str) -> list[Any]:
    return [step for step in chain["steps"] if step["step"] == kind]


def drill() -> Silence:
    body = {"id": "s1", "match": {"rules": "launch"}, "author": "Kim", "comment": "drill"}
    return Silence.model_validate(body | {"from": NOW, "until": NOW + 9 * DAY})


def test_a_silenced_alert_names_who_wanted_that_and_who_was_spared(desk: Desk) -> None:
    desk.pipeline.silences = (drill(),)
    (alert,) = desk.take("a1", "A rocket rises")
    chain = desk.explain(alert)

    (silenced,) = steps(chain, "silenced")
    (way,) = steps(chain, "route")
    assert silenced["detail"] == "s1 by Kim until 2026-06-08 12:00 UTC: drill"
    assert (way["receiver"], way["state"]) == ("desk", "would have been told")


def test_a_silenced_gap_names_it_too(desk: Desk) -> None:
    desk.pipeline.silences = (drill(),)
    (noticed,) = desk.pipeline.notice(NOW + 3 * DAY)
    with desk.store.begin() as tx:
        store_noticed(tx, noticed)

    assert [s["detail"] for s in steps(desk.explain(noticed.alert.id), "silenced")] == [
        "s1 by Kim until 2026-06-08 12:00 UTC: drill"
    ]


def test_what_waits_says_for_what(desk: Desk) -> None:
    (alert,) = desk.take("a1", "A rocket rises")

    ways = steps(desk.explain(alert), "route")
    assert [(way["receiver"], way["reason"], way["state"]) for way in ways] == [
        ("desk", "immediate", "waits"),
        ("chief", "not acknowledged within 30m", "waits"),
    ]


@pytest.mark.parametrize("name", ["a2", "https://a2.example/1"])
def test_an_article_that_raised_nothing_says_why_and_what_was_told_before(
    desk: Desk, name: str
) -> None:
    (alert,) = desk.take("a1", "A rocket rises over the bay")
    desk.take("a2", "A rocket rises over the bay today")

    (chain,) = desk.explain(name)["decisions"]
    assert [step["step"] for step in chain["steps"]] == [
        "article", "match", "story", "decision", "told of the story",
    ]  # fmt: skip
    assert steps(chain, "decision")[0]["reason"] == "nothing new against the story so far"
    assert steps(chain, "told of the story")[0]["alert"] == alert


def test_an_article_leads_to_its_alert(desk: Desk) -> None:
    (alert,) = desk.take("a1", "A rocket rises")

    (chain,) = desk.explain("a1")["decisions"]
    assert chain["alert"] == alert
    assert len(steps(chain, "route")) == 2


def test_each_part_of_a_message_has_its_deliveries(desk: Desk) -> None:
    (alert,) = desk.take("a1", "A rocket rises")
    key = f"alert:{alert}:desk"
    with desk.store.begin() as tx:
        for part in ("one@example.org", "two@example.org"):
            tx.outbox.enqueue(
                Notification(f"{key}#{part}", "desk", DigestKind.ALERT, part, {}, NOW, NOW)
            )
        tx.alerts.composed([(alert, "desk")], key)
        (first, _) = tx.outbox.claim_due(NOW, DAY, 2)
        tx.outbox.sent(first.key, first.attempt, NOW, "250 queued")

    chain = desk.explain(alert)
    assert [message["state"] for message in steps(chain, "message")] == [
        NotificationState.SENT,
        NotificationState.LEASED,
    ]
    assert [tried["detail"] for tried in steps(chain, "delivery")] == ["250 queued"]


@pytest.mark.parametrize("match", [{"languages": "en"}, {"publishers": "a1"}])
def test_a_stored_alert_is_routed_by_what_its_article_is(desk: Desk, match: dict[str, str]) -> None:
    (alert,) = desk.take("a1", "A rocket rises")
    written = desk.folder / "watcher.yaml"
    root = yaml.safe_load(written.read_text())
    root["routes"] = [{"match": match, "receivers": ["chief"]}, {"receivers": ["desk"]}]
    written.write_text(yaml.safe_dump(root))

    found = CliRunner().invoke(
        app, ["--config", str(desk.folder), "route", "test", "--alert", alert, "--json"]
    )
    assert [sent["receiver"] for sent in json.loads(found.output)["sent"]] == ["chief"]


@pytest.mark.parametrize(
    ("name", "says"), [("a9", "no such alert or article"), ("a1", "no rule matched")]
)
def test_what_has_no_decision_is_told_in_one_line(desk: Desk, name: str, says: str) -> None:
    desk.take("a1", "A train leaves")
    found = CliRunner().invoke(app, ["--config", str(desk.folder), "explain", "--alert", name])

    assert found.exit_code == 1
    assert says in found.output
