"""The pipeline's memory, rebuilt from the store: at start, and after a transaction that failed."""

from datetime import datetime

from watcher.alerts.policy import HISTORY, Reason
from watcher.alerts.rhythm import SPAN, UNHEARD, Heard, watches
from watcher.model import AlertKind
from watcher.pipeline import Memory, Pipeline
from watcher.store.engine import Transaction
from watcher.stories.grouping import LONGEST


def restore_memory(pipeline: Pipeline, tx: Transaction, now: datetime) -> None:
    """Replace the memory with what is committed; stories within the window, alerts within a month."""
    memory: Memory = pipeline.empty_memory()
    stories = tx.stories.open_since(now - pipeline.plan.story_window)
    memory.index.restore(stories)
    for story, articles in stories:
        for article, role in articles:
            matches = tx.matches.of_article(article.id)
            memory.index.note_topics(story.id, [match.rule for match in matches])
            for match in matches:
                memory.note_match(match.rule, story.id, article, role, article.first_seen)
    for kept, other in tx.stories.splits_since(now - LONGEST):
        memory.index.keep_apart(kept, other)
    silenced = tx.alerts.with_verdict(Reason.SILENCED, now - HISTORY)
    for alert in tx.alerts.since(now - HISTORY):
        key = (alert.rule, alert.articles[-1] if alert.articles else alert.id)
        memory.note_alert(alert.rule, alert.story, alert.at, silenced=key in silenced)
    pipeline.memory = memory
    restore_heard(pipeline, tx, now)


def restore_heard(pipeline: Pipeline, tx: Transaction, now: datetime) -> None:
    """What rules with a burst or a silence have heard; those met first begin to watch now."""
    for rule in pipeline.plan.rules:
        if not watches(rule):
            continue
        key = f"watching:{rule.id}"
        began = tx.meta.get(key)
        if began is None:
            tx.meta.set(key, now.isoformat())
        heard = Heard(datetime.fromisoformat(began) if began else now)
        for at in tx.alerts.decided(rule.id, now - SPAN, UNHEARD):
            heard.note_match(at)
        heard.last_at = heard.last_at or tx.alerts.last_decided(rule.id, UNHEARD)
        for kind in (AlertKind.BURST, AlertKind.NOTHING_HEARD):
            told = tx.alerts.last_of(rule.id, kind)
            if told is not None:
                heard.note_alert(kind, told)
        pipeline.memory.heard[rule.id] = heard
