"""search, digest preview: looking at what is stored."""

import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.context import MISUSED, configuration, opened_store
from watcher.cli.output import complain, listing, say
from watcher.compose import Composer
from watcher.faults import Faults
from watcher.notices import Notices
from watcher.parts import build_receivers, open_door, plan_of
from watcher.place import clock_of

digest = typer.Typer(help="Digests before they go out.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help='Words; "…" for a phrase, word* for a beginning.')],
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """Search the archive, best first."""
    with opened_store(configuration(context)) as store, store.read() as tx:
        hits = tx.articles.search(query, limit)
    rows = [
        {
            "id": hit.article.id,
            "at": hit.article.at,
            "publisher": hit.article.publisher,
            "title": hit.article.title,
            "snippet": hit.snippet,
            "url": hit.article.url,
        }
        for hit in hits
    ]
    columns = {
        "id": "article",
        "at": "published",
        "publisher": "publisher",
        "title": "title",
        "snippet": "found",
    }
    listing(rows, columns, as_json=as_json, empty="nothing found")


@digest.command("preview")
def preview(
    context: typer.Context,
    receiver: Annotated[str, typer.Argument(help="Id of a receiver in watcher.yaml.")],
    out: Annotated[Path | None, typer.Option("--out", help="File for the HTML.")] = None,
    browser: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="Invented stories instead of what waits.")
    ] = False,
) -> None:
    """The digest that would go out now, from what waits for the receiver."""
    from watcher.preview import render_preview
    from watcher.render.sample import sample_digest

    config = configuration(context)
    if receiver not in config.receivers:
        complain(f"receiver {receiver!r} is unknown: choose one of {', '.join(config.receivers)}")
        raise typer.Exit(MISUSED)
    now = clock_of(config).now()
    zone = config.receivers[receiver].zone
    if sample:
        found = sample_digest(receiver=receiver, zone=zone)
    else:
        composer = Composer(Notices(clock_of(config)), Faults())
        composer.use(
            config.rules, build_receivers(config, open_door(config)), plan_of(config).receivers
        )
        with opened_store(config) as store, store.read() as tx:
            waiting = composer.preview(tx, receiver, now)
        if waiting is None:
            say(f"nothing waits for {receiver}: try --sample")
            return
        found = waiting
    html, text = render_preview(config, found)
    target = out or Path(tempfile.gettempdir()) / f"watcher-preview-{receiver}.html"
    target.write_text(html, encoding="utf-8")
    say(text)
    say(f"\n{target}")
    if browser:
        webbrowser.open(target.absolute().as_uri())
