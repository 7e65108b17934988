"""explain --alert: from the article to the delivery, each decision with its reason; and why nothing was told."""

from collections.abc import Iterable, Iterator
from typing import Any

import typer

from watcher.alerts.policy import WORDS, Reason
from watcher.cli.context import FAILED, opened_store
from watcher.cli.find import find_article
from watcher.cli.output import cell, complain, print_json, say
from watcher.compose import ACKNOWLEDGED
from watcher.config.load import Config
from watcher.model import Alert, Article, Notification
from watcher.store.alerts import MUTED
from watcher.store.engine import Transaction

Step = dict[str, Any]


def explain_alert(config: Config, name: str, *, as_json: bool) -> None:
    """An alert, or an article and what each rule decided about it. Exit 1 when nothing is stored."""
    with opened_store(config) as store, store.read() as tx:
        alert = tx.alerts.find(name)
        article = None if alert else find_article(tx, name)
        if alert is not None:
            chains = [_told(tx, alert)]
        else:
            chains = list(_decisions(tx, article)) if article else []
    if alert is None and article is None:
        complain(f"{name}: no such alert or article: see watcher alerts list")
        raise typer.Exit(FAILED)
    if article is not None and not chains:
        complain(f"{article.id}: no rule matched: watcher explain {article.id} says why")
        raise typer.Exit(FAILED)
    if as_json:
        print_json(chains[0] if alert else {"article": name, "decisions": chains})
        return
    for chain in chains:
        _print(chain)


def _print(chain: dict[str, Any]) -> None:
    say("  ".join(str(value) for key, value in chain.items() if key != "steps" and value))
    for step in chain["steps"]:
        rest = "  ".join(cell(value) for key, value in step.items() if key != "step" and value)
        say(f"  {step['step']}: {rest}")


def _told(tx: Transaction, alert: Alert) -> dict[str, Any]:
    head = {"severity": alert.severity.value, "kind": alert.kind.value, "rule": alert.rule}
    return {"alert": alert.id, **head, "steps": list(_chain(tx, alert))}


def _decisions(tx: Transaction, article: Article) -> Iterator[dict[str, Any]]:
    """One for each rule that matched: its alert's way, or why there is none."""
    for verdict in tx.alerts.verdicts_of(article.id):
        raised = tx.alerts.since(article.first_seen, verdict["rule"])
        own = next((alert for alert in raised if alert.articles[-1:] == (article.id,)), None)
        if own is not None:
            yield _told(tx, own)
        else:
            steps = [*_found(tx, verdict["rule"], [article.id]), *_untold(tx, verdict)]
            yield {"rule": verdict["rule"], "told": "not told", "steps": steps}


def _untold(tx: Transaction, verdict: dict[str, Any]) -> Iterator[Step]:
    yield from _story(tx, verdict["story"])
    yield {"step": "decision", "at": verdict["at"], "reason": _words(verdict["reason"]),
           "detail": verdict["detail"]}  # fmt: skip
    for alert in tx.alerts.of_story(verdict["story"]) if verdict["story"] else ():
        if alert.rule == verdict["rule"]:
            yield {"step": "told of the story", "at": alert.at, "kind": alert.kind.value,
                   "alert": alert.id}  # fmt: skip


def _chain(tx: Transaction, alert: Alert) -> Iterator[Step]:
    yield from _found(tx, alert.rule, alert.articles)
    yield from _story(tx, alert.story)
    yield {"step": "decision", "at": alert.at, "reason": alert.reason, "new": "; ".join(alert.new)}
    reports = tx.stories.articles_of(alert.story) if alert.story else []
    decided = [alert.id, *alert.articles, *(article.id for article, _, _ in reports)]
    for name in dict.fromkeys(decided):
        yield from _not_told(tx, alert, name)
    yield from _ways(tx, alert)


def _found(tx: Transaction, rule: str, articles: Iterable[str]) -> Iterator[Step]:
    """The articles, and what the rule found in them."""
    for article_id in articles:
        article = tx.articles.find(article_id)
        if article is not None:
            yield {"step": "article", "at": article.first_seen, "title": article.title,
                   "publisher": article.publisher, "id": article.id}  # fmt: skip
        for match in tx.matches.of_article(article_id):
            if match.rule == rule:
                words = dict.fromkeys(e.text for e in match.evidence)
                yield {"step": "match", "score": match.score, "words": ", ".join(words)}


def _story(tx: Transaction, name: str | None) -> Iterator[Step]:
    story = tx.stories.get(name) if name else None
    if story is not None:
        yield {"step": "story", "id": story.id, "title": story.title}


def _not_told(tx: Transaction, alert: Alert, name: str) -> Iterator[Step]:
    """What kept the alert from going out, or reports of the story that raised nothing."""
    for verdict in tx.alerts.verdicts_of(name):
        if verdict["rule"] != alert.rule or verdict["sent"]:
            continue
        if verdict["reason"] == Reason.SILENCED and name in {alert.id, *alert.articles[-1:]}:
            yield {"step": "silenced", "at": verdict["at"], "detail": verdict["detail"]}
        else:
            yield {"step": "not told", "at": verdict["at"], "article": name,
                   "reason": _words(verdict["reason"]), "detail": verdict["detail"]}  # fmt: skip


def _ways(tx: Transaction, alert: Alert) -> Iterator[Step]:
    for dispatch, key in tx.alerts.dispatches_of(alert.id):
        yield {"step": "route", "receiver": dispatch.receiver, "due": dispatch.send_at,
               "reason": dispatch.reason, "state": _state(key), "message": key}  # fmt: skip
        for message in tx.outbox.parts(key) if key else ():
            yield from _message(tx, message)
    for by, note, at in tx.alerts.acknowledged([alert.id]).values():
        yield {"step": "acknowledged", "at": at, "by": by, "note": note}


def _state(key: str | None) -> str:
    if key is None:
        return "waits"
    if key.startswith(MUTED):
        return "would have been told"
    if key == ACKNOWLEDGED:
        return "not needed"
    return "composed"


def _message(tx: Transaction, message: Notification) -> Iterator[Step]:
    """A message and its attempts; one that was merged goes on with the other."""
    yield {"step": "message", "state": message.state.value, "subject": message.subject}
    for tried in tx.outbox.deliveries(message.key):
        yield {"step": "delivery", "at": tried["at"], "outcome": tried["outcome"],
               "detail": tried["detail"]}  # fmt: skip


def _words(reason: str) -> str:
    return WORDS[Reason(reason)] if reason in set(Reason) else reason
