"""feeds quarantine, feeds release: entries kept from readers because a feed changed too much at once."""

from typing import Annotated

import typer

from watcher.cli import feeds
from watcher.cli.context import FAILED, configuration, opened_store, told_errors
from watcher.cli.output import complain, listing, say
from watcher.config.load import Config
from watcher.identity import OldSign
from watcher.place import clock_of, store_path

#: The commands below join those that are there.
app = feeds.app

_SIGNS = {
    OldSign.KNOWN_TITLE: "a known title under another guid and link",
    OldSign.OLD_DATE: "dated before the polls that should have shown it",
    OldSign.NO_DATE: "no date",
}


@app.command("quarantine")
def list_held(
    context: typer.Context,
    feed: Annotated[
        str | None, typer.Argument(help="Id of a feed: what is held back of it.")
    ] = None,
    as_json: feeds.AsJson = False,
) -> None:
    """Entries that nobody was alerted of, since their feed seemed to replay its archive."""
    config = configuration(context)
    if feed is None:
        _list_feeds(config, as_json=as_json)
        return
    with opened_store(config) as store, store.read() as tx:
        found = tx.held.of_feed(feed)
        rules = {
            one.article.id: [m.rule for m in tx.matches.of_article(one.article.id)] for one in found
        }
    if not found:
        _refuse_unknown(config, feed)
    rows = [
        {
            "article": one.article.id,
            "title": one.article.title,
            "url": one.article.url,
            "published": one.article.published,
            "held_since": one.at,
            "sign": one.sign.value,
            "why": _SIGNS[one.sign],
            "rules": rules[one.article.id] if as_json else ", ".join(rules[one.article.id]),
        }
        # What no rule asked for alerts nobody either way.
        for one in sorted(found, key=lambda one: not rules[one.article.id])
    ]
    columns = {
        "article": "article",
        "published": "published",
        "why": "looks old by",
        "rules": "rules",
        "title": "title",
    }
    listing(rows, columns, as_json=as_json, empty=f"{feed}: nothing is held back")


def _list_feeds(config: Config, *, as_json: bool) -> None:
    with opened_store(config) as store, store.read() as tx:
        rows = [{"feed": feed, "held": held} for feed, held in tx.held.counts().items()]
    columns = {"feed": "feed", "held": "held back"}
    listing(rows, columns, as_json=as_json, empty="nothing is held back")
    if rows and not as_json:
        say("see them: watcher feeds quarantine FEED; alert of them: watcher feeds release FEED")


@app.command("release")
def release_held(
    context: typer.Context,
    feed: Annotated[str, typer.Argument(help="Id of a feed.")],
    articles: Annotated[
        list[str] | None, typer.Argument(help="Only these, by their ids; all without any.")
    ] = None,
    drop: Annotated[
        bool, typer.Option("--drop", help="Alert nobody of them: they are old, and stay stored.")
    ] = False,
) -> None:
    """Let entries out of quarantine: rules decide about them as if they were seen for the first time."""
    config = configuration(context)
    now = clock_of(config).now()
    with told_errors(), opened_store(config) as store, store.begin() as tx:
        if articles:
            _refuse_others(articles, {one.article.id for one in tx.held.of_feed(feed)}, feed)
        wanted = articles or None
        done = tx.held.drop(feed, wanted) if drop else tx.held.release(feed, wanted, now)
    if not done:
        _refuse_unknown(config, feed)
        say(f"{feed}: nothing is held back")
    elif drop:
        say(f"{feed}: {done} dropped: they stay stored, and nobody is alerted")
    else:
        say(f"{feed}: {done} let through: {_when(config)}")


def _refuse_others(articles: list[str], held: set[str], feed: str) -> None:
    others = [name for name in articles if name not in held]
    for name in others:
        complain(f"{name}: is not held back of {feed}: see `watcher feeds quarantine {feed}`")
    if others:
        raise typer.Exit(FAILED)


def _refuse_unknown(config: Config, feed: str) -> None:
    if all(feed != known.id for known in config.feeds):
        complain(f"{feed}: is not among the feeds: see `watcher feeds list`")
        raise typer.Exit(FAILED)


def _when(config: Config) -> str:
    from watcher.store.lock import is_held

    if is_held(store_path(config)):
        return "the running daemon decides about them now"
    return "they are decided about when the daemon runs, or by `watcher run --once`"
