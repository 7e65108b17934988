"""feeds list, feeds check, feeds parse."""

import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watcher.cli.context import FAILED, configuration, opened_store, told_errors
from watcher.cli.output import cell, complain, listing, print_json, say
from watcher.config.load import Config
from watcher.errors import ParseError, SourceError
from watcher.model import FeedState, ParsedFeed
from watcher.place import clock_of
from watcher.sources.parse import parse_feed
from watcher.sources.report import report

if TYPE_CHECKING:
    from watcher.fetch.feed import FetchedFeed

app = typer.Typer(help="Feeds: what they are and how they are.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_feeds(context: typer.Context, as_json: AsJson = False) -> None:
    """Every configured feed, and how its last poll went."""
    config = configuration(context)
    with opened_store(config) as store, store.read() as tx:
        states = {state.feed: state for state in tx.feeds.all()}
        pushed = tx.subscriptions.pushed(clock_of(config).now())
    rows = [
        {**_row(feed.id, feed.title, feed.url, states.get(feed.id)), "pushed": pushed.get(feed.id)}
        for feed in config.feeds
    ]
    columns = {
        "feed": "feed",
        "status": "status",
        "last_success": "last success",
        "next_poll": "next poll",
        **({"pushed": "pushed until"} if pushed else {}),
        "error": "error",
    }
    listing(rows, columns, as_json=as_json, empty="no feeds: add some to feeds.yaml")


def _row(name: str, title: str, url: str, state: FeedState | None) -> dict[str, Any]:
    return {
        "feed": name,
        "title": title,
        "url": url,
        "status": state.status.value if state else "never polled",
        "last_success": state.last_success_at if state else None,
        "next_poll": state.next_poll_at if state else None,
        "failures": state.failures if state else 0,
        "error": state.last_error if state else None,
    }


@app.command("check")
def check_feed(
    context: typer.Context,
    feed: Annotated[str, typer.Argument(help="Address, or id of a configured feed.")],
    as_json: AsJson = False,
) -> None:
    """Fetch a feed and say in words what it is and what would be stored; stores nothing."""
    config = configuration(context)
    url = next((f.url for f in config.feeds if f.id == feed), feed)
    try:
        fetched, parsed = asyncio.run(_fetch(config, url))
    except SourceError as error:
        complain(f"{url}: {error}")
        raise typer.Exit(FAILED) from error
    if as_json:
        print_json(report(parsed))
        return
    _print_check(url, fetched, parsed)


async def _fetch(config: Config, url: str) -> "tuple[FetchedFeed, ParsedFeed]":
    from watcher.app import open_door
    from watcher.fetch.feed import fetch_feed
    from watcher.sources.pool import ParserPool

    now = datetime.now(UTC)
    headers = next(
        (
            {k: v.get_secret_value() for k, v in f.headers.items()}
            for f in config.feeds
            if f.url == url
        ),
        {},
    )
    async with AsyncExitStack() as stack:
        door = await stack.enter_async_context(open_door(config))
        parser = await stack.enter_async_context(ParserPool())
        fetched = await fetch_feed(door, FeedState("check", url, now), now=now, headers=headers)
        parsed = await parser.parse(
            fetched.body, url=fetched.url, content_type=fetched.content_type
        )
        return fetched, parsed


def _print_check(url: str, fetched: "FetchedFeed", parsed: ParsedFeed) -> None:
    say(
        f"{parsed.title or '(no title)'}  [{parsed.format}, {parsed.encoding}, {len(fetched.body)} bytes]"
    )
    if fetched.url != url:
        say(f"answers at {fetched.url}")
    dates = sorted(e.published for e in parsed.entries if e.published)
    if len(dates) > 1:
        days = (dates[-1] - dates[0]).total_seconds() / 86400
        say(
            f"{len(parsed.entries)} entries, about {len(dates) / max(days, 1 / 24):.1f} a day, "
            f"newest {cell(dates[-1])} UTC"
        )
    else:
        say(f"{len(parsed.entries)} entries, {len(dates)} of them dated")
    validators = [
        n for n, v in (("ETag", fetched.etag), ("Last-Modified", fetched.last_modified)) if v
    ]
    say(
        f"can be asked for changes only: {' and '.join(validators) or 'no, every poll costs the whole feed'}"
    )
    without = sum(not e.text and not e.summary for e in parsed.entries)
    if without:
        say(f"{without} entries have a headline only: rules see no text there")
    for problem in parsed.problems:
        say(f"problem: {problem}")
    for entry in parsed.entries[:5]:
        say(f"  {cell(entry.published)}  {entry.title}")


@app.command("revive")
def revive_feed(
    context: typer.Context,
    feed: Annotated[str, typer.Argument(help="Id of a configured feed.")],
) -> None:
    """Poll a feed at once that was given up (410 Gone) or put off after failures."""
    config = configuration(context)
    now = clock_of(config).now()
    with told_errors(), opened_store(config) as store, store.begin() as tx:
        if not tx.feeds.revive(feed, now):
            complain(f"{feed}: is not among the feeds: see `watcher feeds list`")
            raise typer.Exit(FAILED)
    say(f"{feed}: is due now")


@app.command("parse")
def parse_files(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(help="Files, addresses, or - for standard input.")],
    base: Annotated[
        str | None, typer.Option("--base", help="Address that links are relative to.")
    ] = None,
    content_type: Annotated[
        str | None, typer.Option("--content-type", help="As the server says.")
    ] = None,
) -> None:
    """What would be stored of each file, one JSON object a line; exit 1 if one is no feed."""
    failed = False
    for name in files:
        try:
            parsed = _parse_one(context, name, base, content_type)
        except (SourceError, OSError) as error:
            failed = True
            reason = error.reason if isinstance(error, SourceError) else "unreadable"
            result: dict[str, Any] = {"error": reason, "problems": [str(error)]}
        else:
            result = report(parsed)
        print_json({"file": name, **result} if len(files) > 1 else result)
    if failed:
        raise typer.Exit(FAILED)


def _parse_one(
    context: typer.Context, name: str, base: str | None, content_type: str | None
) -> ParsedFeed:
    if name.startswith(("http://", "https://")):
        return asyncio.run(_fetch(configuration(context), name))[1]
    body = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    if len(body) > 10 * 1024 * 1024:
        raise ParseError("too_large", "more than 10 MiB")
    return parse_feed(body, url=base or "", content_type=content_type)
