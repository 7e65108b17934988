"""What a reader's link does to the store: labels, silences, acknowledgements, and their undoing.

Doing twice what is done changes nothing, and only what came by such a link can be undone by one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from watcher.alerts.routes import RouteMatch
from watcher.alerts.silences import Silence
from watcher.labels import WORDS, label_of
from watcher.model import Alert, Article
from watcher.store.engine import Transaction
from watcher.web.links import Action, Grant

SPANS = {"24h": timedelta(hours=24), "7d": timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a form asks for; the first of each is what an empty one means."""

    undo: bool = False
    whole_rule: bool = False
    span: timedelta = SPANS["24h"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a link is about, as the page shows it; `done` says what holds now, empty if nothing."""

    title: str
    publisher: str
    rule: str
    has_story: bool
    done: str = ""
    can_undo: bool = False


def look(tx: Transaction, grant: Grant, titles: Mapping[str, str], now: datetime) -> Subject | None:
    """None when the alert is no longer kept, or what it was about."""
    alert = tx.alerts.get(grant.alert)
    article = tx.articles.find(grant.article) if grant.article else None
    if alert is None or (grant.article and article is None):
        return None
    done, can_undo = _state(tx, grant, alert, titles, now)
    return Subject(
        title=_title(alert, article),
        publisher=article.publisher if article else "",
        rule=titles.get(alert.rule, alert.rule),
        has_story=alert.story is not None,
        done=done,
        can_undo=can_undo,
    )


def _title(alert: Alert, article: Article | None) -> str:
    if article is None:
        return ". ".join(alert.new) or alert.reason
    return article.title or article.url or "(no title)"


def act(tx: Transaction, grant: Grant, wish: Wish, now: datetime) -> None:
    """Do or undo it; nothing happens when what it is about is gone."""
    alert = tx.alerts.get(grant.alert)
    if alert is None:
        return
    if grant.action in WORDS:
        article = tx.articles.find(grant.article)
        if article is not None:
            _label(tx, grant, alert, article, wish, now)
    elif grant.action is Action.MUTE:
        _mute(tx, grant, alert, wish, now)
    elif wish.undo:
        tx.alerts.unacknowledge(alert.id, grant.holder)
    else:
        tx.alerts.acknowledge(alert.id, grant.holder, "", now)


def _label(
    tx: Transaction, grant: Grant, alert: Alert, article: Article, wish: Wish, now: datetime
) -> None:
    relevant = WORDS[grant.action]
    if not wish.undo:
        tx.labels.put(label_of(alert.rule, article, relevant, now))
    elif tx.labels.get(alert.rule, article.id) is relevant:
        tx.labels.remove(alert.rule, article.id)


def _mute(tx: Transaction, grant: Grant, alert: Alert, wish: Wish, now: datetime) -> None:
    mine = _silences_of(tx, grant, now)
    if wish.undo:
        for silence in mine:
            tx.silences.end(silence.id, now)
        return
    if alert.story is None or wish.whole_rule:
        match = RouteMatch(rules=(alert.rule,))
    else:
        match = RouteMatch(stories=_names_of(tx, alert.story))
    until = now + wish.span
    # A second click, or a form sent again, a while after the first.
    if any(s.match == match and s.until > until - timedelta(hours=1) for s in mine):
        return
    name = f"{grant.alert}\0{grant.receiver}\0{match!r}\0{now.isoformat()}"
    tx.silences.add(
        Silence.model_validate(
            {
                "id": "r" + sha256(name.encode()).hexdigest()[:7],
                "match": match,
                "author": grant.holder,
                "comment": _comment(grant),
                "from": now,
                "until": until,
            }
        )
    )


def _names_of(tx: Transaction, story: str) -> tuple[str, ...]:
    """Its id, and that of the story it has become part of since."""
    found = tx.stories.get(story)
    return (story, found.merged_into) if found and found.merged_into else (story,)


def _silences_of(tx: Transaction, grant: Grant, now: datetime) -> list[Silence]:
    return [
        silence
        for silence in tx.silences.current(now)
        if (silence.author, silence.comment) == (grant.holder, _comment(grant))
    ]


def _comment(grant: Grant) -> str:
    return f"muted in a message about {grant.alert}"


def _state(
    tx: Transaction, grant: Grant, alert: Alert, titles: Mapping[str, str], now: datetime
) -> tuple[str, bool]:
    """What holds now, in words, and whether the holder may undo it."""
    rule = titles.get(alert.rule, alert.rule)
    if grant.action in WORDS:
        if tx.labels.get(alert.rule, grant.article) is not WORDS[grant.action]:
            return "", False
        return f"Marked as {grant.action} for “{rule}”.", True
    if grant.action is Action.MUTE:
        mine = max(_silences_of(tx, grant, now), key=lambda s: s.until, default=None)
        if mine is None:
            return "", False
        what = "this story" if mine.match.stories else f"“{rule}”"
        return f"No alerts about {what} until {mine.until:%d %B %Y, %H:%M} UTC.", True
    known = tx.alerts.acknowledged([alert.id]).get(alert.id)
    if known is None:
        return "", False
    by, _, at = known
    return f"Acknowledged by {by} at {at:%H:%M} UTC on {at:%d %B}.", by == grant.holder
