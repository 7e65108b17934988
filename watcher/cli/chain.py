"""explain --alert: from the article to the delivery, each decision with its reason."""

from collections.abc import Iterator
from typing import Any

import typer

from watcher.cli.context import FAILED, opened_store
from watcher.cli.output import cell, complain, print_json, say
from watcher.config.load import Config
from watcher.model import Alert
from watcher.store.engine import Transaction

Step = dict[str, Any]


def explain_alert(config: Config, name: str, *, as_json: bool) -> None:
    """Exit 1 when no such alert is stored."""
    with opened_store(config) as store, store.read() as tx:
        alert = tx.alerts.find(name)
        steps = list(_chain(tx, alert)) if alert is not None else []
    if alert is None:
        complain(f"{name}: no such alert: see watcher alerts list")
        raise typer.Exit(FAILED)
    if as_json:
        print_json({"alert": alert.id, "steps": steps})
        return
    say(f"{alert.id}  {alert.severity.value}  {alert.kind.value}  {alert.rule}")
    for step in steps:
        rest = "  ".join(cell(value) for key, value in step.items() if key != "step" and value)
        say(f"  {step['step']}: {rest}")


def _chain(tx: Transaction, alert: Alert) -> Iterator[Step]:
    for article_id in alert.articles:
        article = tx.articles.find(article_id)
        if article is not None:
            yield {"step": "article", "at": article.first_seen, "title": article.title,
                   "publisher": article.publisher, "id": article.id}  # fmt: skip
        for match in tx.matches.of_article(article_id):
            if match.rule == alert.rule:
                words = dict.fromkeys(e.text for e in match.evidence)
                yield {"step": "match", "score": match.score, "words": ", ".join(words)}
    story = tx.stories.get(alert.story) if alert.story else None
    if story is not None:
        yield {"step": "story", "id": story.id, "title": story.title}
    yield {"step": "decision", "at": alert.at, "reason": alert.reason, "new": "; ".join(alert.new)}
    reports = tx.stories.articles_of(story.id) if story else []
    for article_id in dict.fromkeys([*alert.articles, *(a.id for a, _, _ in reports)]):
        yield from _not_told(tx, alert, article_id)
    yield from _ways(tx, alert)


def _not_told(tx: Transaction, alert: Alert, article_id: str) -> Iterator[Step]:
    """Reports of the story that raised nothing, or what kept an alert from going out."""
    for verdict in tx.alerts.verdicts_of(article_id):
        if verdict["rule"] == alert.rule and not verdict["sent"]:
            yield {"step": "not told", "at": verdict["at"], "article": article_id,
                   "reason": verdict["reason"], "detail": verdict["detail"]}  # fmt: skip


def _ways(tx: Transaction, alert: Alert) -> Iterator[Step]:
    for dispatch, key in tx.alerts.dispatches_of(alert.id):
        yield {"step": "route", "receiver": dispatch.receiver, "due": dispatch.send_at,
               "reason": dispatch.reason, "message": key}  # fmt: skip
        message = tx.outbox.get(key) if key else None
        if message is not None:
            yield {"step": "message", "state": message.state.value, "subject": message.subject}
        for tried in tx.outbox.deliveries(key) if key else ():
            yield {"step": "delivery", "at": tried["at"], "outcome": tried["outcome"],
                   "detail": tried["detail"]}  # fmt: skip
    for by, note, at in tx.alerts.acknowledged([alert.id]).values():
        yield {"step": "acknowledged", "at": at, "by": by, "note": note}
