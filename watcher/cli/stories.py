"""stories, stories show: what was grouped, who reported it when, and why it was grouped so."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from watcher.cli.context import FAILED, configuration, opened_store
from watcher.cli.output import complain, listing, print_json, say
from watcher.model import Alert, Article, Role, Story
from watcher.store.engine import Transaction
from watcher.stories.changes import ChangeKind, StoryChange

app = typer.Typer(help="Stories: articles that report the same event.")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reports = list[tuple[Article, Role, datetime]]


@app.callback(invoke_without_command=True)
def recent(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """Stories, last updated first."""
    if context.invoked_subcommand is not None:
        return
    with opened_store(configuration(context)) as store, store.read() as tx:
        rows = [_row(found) for found in tx.stories.recent(limit)]
    columns = {
        "id": "story",
        "updated": "updated",
        "status": "status",
        "articles": "reports",
        "publishers": "publishers",
        "title": "title",
    }
    listing(rows, columns, as_json=as_json, empty="no stories yet")


@app.command()
def show(
    context: typer.Context,
    story: Annotated[str, typer.Argument(help="Id of a story, or of one of its articles.")],
    as_json: AsJson = False,
) -> None:
    """Who reported it when, what was revised and alerted, and how it merged or split."""
    with opened_store(configuration(context)) as store, store.read() as tx:
        found = tx.stories.current(story) or tx.stories.current(tx.stories.of_article(story) or "")
        if found is None:
            complain(f"{story}: no such story: see `watcher stories`")
            raise typer.Exit(FAILED)
        reports = tx.stories.articles_of(found.id)
        timeline = [_report(tx, *report) for report in reports]
        changes = [_change(change, found.id) for change in tx.stories.changes_of(found.id)]
        alerts = [_alert(alert) for alert in tx.alerts.of_story(found.id)]
    if as_json:
        extra = {"first": _first(reports), "changes": changes, "alerts": alerts}
        print_json({**_row(found), "reports": timeline, **extra})
        return
    _print_head(found, story, reports)
    columns = {"at": "seen", "role": "role", "publisher": "publisher", "title": "title"}
    listing(
        timeline, {**columns, "note": "note", "id": "article"}, as_json=False, empty="no reports"
    )
    _print_part("alerts", alerts, {"at": "at", "kind": "kind", "rule": "rule", "what": "new"})
    _print_part("merges and splits", changes, {"at": "at", "what": "what", "why": "why"})


def _print_head(story: Story, asked: str, reports: Reports) -> None:
    say(story.title)
    if asked not in (story.id, *(a.id for a, _, _ in reports)):
        say(f"{asked} was merged into {story.id}")
    publishers = len(story.families)
    say(
        f"{story.id}  {story.status}  {story.articles} reports by {publishers} independent "
        f"{'publisher' if publishers == 1 else 'publishers'}"
    )
    if first := _first(reports):
        say(f"first report: {first['publisher']}, {first['at']:%Y-%m-%d %H:%M} UTC")
    say("")


def _print_part(title: str, rows: Sequence[dict[str, Any]], columns: dict[str, str]) -> None:
    if rows:
        say(f"\n{title}")
        listing(rows, columns, as_json=False, empty="")


def _row(story: Story) -> dict[str, Any]:
    return {
        "id": story.id,
        "title": story.title,
        "opened": story.opened,
        "updated": story.updated,
        "status": story.status.value,
        "articles": story.articles,
        "families": sorted(story.families),
        "publishers": len(story.families),
    }


def _first(reports: Reports) -> dict[str, Any] | None:
    """Whoever published first, which need not be whom we saw first."""
    if not reports:
        return None
    article = min((a for a, _, _ in reports), key=lambda a: (a.at, a.id))
    return {"article": article.id, "publisher": article.publisher, "at": article.at}


def _report(tx: Transaction, article: Article, role: Role, at: datetime) -> dict[str, Any]:
    revisions = [
        {"title": old.title, "replaced_at": old.replaced_at}
        for old in tx.articles.revisions_of(article.id)
    ]
    note = f"revised {article.revision}×" if article.revision else ""
    if revisions and revisions[-1]["title"] != article.title:
        note += f", was “{revisions[-1]['title']}”"
    return {
        "at": at,
        "published": article.published,
        "role": role.value,
        "publisher": article.publisher,
        "title": article.title,
        "id": article.id,
        "url": article.url,
        "note": note,
        "revisions": revisions,
    }


def _change(change: StoryChange, story: str) -> dict[str, Any]:
    """In words for people, with all that was stored for programs."""
    count = f"{len(change.articles)} {'report' if len(change.articles) == 1 else 'reports'}"
    words = ", ".join(change.words)
    if change.kind is ChangeKind.MERGED:
        here = change.story.id == story
        what = f"took {count} of {change.other.id}" if here else f"went into {change.story.id}"
        why = f"{change.similarity:.0%} alike; both speak of {words}"
    else:
        here = change.story.id == story
        what = f"gave {count} to {change.other.id}" if here else f"split off {change.story.id}"
        why = f"{change.similarity:.0%} alike; they speak of {words}"
    return {
        "at": change.at,
        "kind": change.kind.value,
        "story": change.story.id,
        "other": change.other.id,
        "similarity": change.similarity,
        "articles": list(change.articles),
        "words": list(change.words),
        "what": what,
        "why": why,
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "at": alert.at,
        "kind": alert.kind.value,
        "rule": alert.rule,
        "what": ", ".join(alert.new) or alert.reason,
    }
