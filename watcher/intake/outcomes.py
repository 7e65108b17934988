"""What the pipeline decided goes into the store."""

from datetime import datetime

from watcher.alerts.policy import Reason
from watcher.pipeline import Noticed, Outcome
from watcher.store.engine import Transaction


def store_outcome(tx: Transaction, outcome: Outcome, now: datetime) -> None:
    """Everything the pipeline decided about one article."""
    assignment = outcome.assignment
    if assignment is None:
        return
    article = outcome.article
    for change in assignment.changes:
        tx.stories.apply(change)
    tx.stories.save(assignment.story)
    tx.stories.add_article(
        assignment.story.id, article.id, assignment.role, now, assignment.similarity
    )
    tx.matches.add(outcome.matches, now)
    for verdict in outcome.verdicts:
        decision = verdict.decision
        if decision.reason is Reason.REVISION:
            continue  # what was decided of the earlier version stands
        tx.alerts.note_verdict(
            rule=verdict.match.rule,
            article=article.id,
            story=assignment.story.id,
            sent=decision.send,
            reason=decision.reason,
            detail=decision.detail,
            at=now,
        )
        if verdict.alert is not None and tx.alerts.add(verdict.alert):
            tx.alerts.add_dispatches(verdict.dispatches)
            tx.alerts.add_muted(verdict.muted)


def store_noticed(tx: Transaction, noticed: Noticed) -> None:
    """What a rule tells of itself; its decision is found by the alert, for there is no article."""
    tx.alerts.note_verdict(
        rule=noticed.alert.rule,
        article=noticed.alert.id,
        story=None,
        sent=noticed.decision.send,
        reason=noticed.decision.reason,
        detail=noticed.decision.detail,
        at=noticed.alert.at,
    )
    if tx.alerts.add(noticed.alert):
        tx.alerts.add_dispatches(noticed.dispatches)
        tx.alerts.add_muted(noticed.muted)
