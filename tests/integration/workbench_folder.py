"""A folder with rules and an archive, and the commands on it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from typer.testing import CliRunner, Result

from watcher.cli.main import app
from watcher.config.load import load_config
from watcher.intake.outcomes import store_outcome
from watcher.model import Article
from watcher.parts import plan_of
from watcher.pipeline import Pipeline
from watcher.place import STORE_NAME
from watcher.store.engine import open_store

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
SETTINGS = """
data: data
clock: "2026-05-30T18:00:00Z*1"
operator: desk
receivers:
  - {id: desk, type: stdout}
routes:
  - {receivers: [desk], send: immediate}
"""
RULES = """
rules:
  - id: launch
    when: {all: [korea, {near: {within: 3, terms: [rocket, launch*]}}]}
    unless: [toy]
    tests: {match: ["Korea rocket launch"], no_match: ["Korea toy rocket launch"]}
  - {id: ferry, when: ferry, tests: {match: [ferry], no_match: [train]}}
"""


def article(n: int, title: str, *, hours: float, text: str = "", publisher: str = "") -> Article:
    """Its id ends in n; it was published that many hours before `NOW`."""
    at = NOW - timedelta(hours=hours)
    return Article(
        f"a{n:019d}", "sample", f"https://sample.example/{n}", title, text, at,
        published=at, publisher=publisher, family=publisher.casefold(), lang="en",
    )  # fmt: skip


def make_folder(folder: Path, articles: Sequence[Article], rules: str = RULES) -> Path:
    """What the daemon would have stored of the articles."""
    (folder / "rules").mkdir(parents=True)
    (folder / "watcher.yaml").write_text(SETTINGS, "utf-8")
    (folder / "rules" / "rules.yaml").write_text(rules, "utf-8")
    pipeline = Pipeline(plan_of(load_config(folder, {})))
    store = open_store(folder / "data" / STORE_NAME)
    with store.begin() as tx:
        for one in sorted(articles, key=lambda a: a.at):
            tx.articles.add(one, one.id)
            store_outcome(tx, pipeline.process(one, one.at), one.at)
    store.close()
    return folder


def watcher(folder: Path, *words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["--config", str(folder), *words], input=stdin)
