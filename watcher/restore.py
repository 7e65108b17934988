"""The pipeline's memory, rebuilt from the store: at start, and after a transaction that failed."""

from datetime import datetime

from watcher.alerts.policy import HISTORY
from watcher.pipeline import Memory, Pipeline
from watcher.store.engine import Transaction


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
    for alert in tx.alerts.since(now - HISTORY):
        memory.note_alert(alert.rule, alert.story, alert.at)
    pipeline.memory = memory
