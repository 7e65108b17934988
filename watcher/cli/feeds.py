"""feeds list, feeds check, feeds parse."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from watcher.cli.context import FAILED, MISUSED, configuration, opened_store, told_errors
from watcher.cli.output import cell, complain, listing, print_json, say
from watcher.config.load import Config
from watcher.errors import ParseError, SourceError
from watcher.identity import Kind, Why, identify, identity_keys
from watcher.intake.feed_words import feed_words
from watcher.model import FeedState, FeedStatus, ParsedFeed
from watcher.pace import begun, spoken
from watcher.place import clock_of, store_path
from watcher.sources.index_page import read_index
from watcher.sources.naming import address_of
from watcher.sources.parse import parse_feed
from watcher.sources.report import report
from watcher.sources.settings import FeedSettings, PageSettings
from watcher.text import host_of

if TYPE_CHECKING:
    from watcher.intake.checkup import Finding, Seen

app = typer.Typer(help="Feeds: what they are and how they are.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Items = Annotated[
    str | None,
    typer.Option("--items", metavar="SELECTOR", help="A page: the CSS selector of its entries."),
]


@app.command("list")
def list_feeds(
    context: typer.Context,
    trouble: Annotated[
        bool, typer.Option("--trouble", help="Only those that somebody should look at.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Every configured feed: how it is, how often it publishes, when it is polled next and why."""
    config = configuration(context)
    now = clock_of(config).now()
    with opened_store(config) as store, store.read() as tx:
        states = {state.feed: state for state in tx.feeds.all()}
        pushed, held = tx.subscriptions.pushed(now), tx.held.counts()
    rows = [
        {
            **_row(feed, states.get(feed.id), now, held.get(feed.id, 0)),
            "pushed": pushed.get(feed.id),
        }
        for feed in config.feeds
    ]
    columns = {
        "feed": "feed",
        "state": "status",
        "rhythm": "publishes",
        "last_new": "last new",
        "next_poll": "next poll",
        "why": "because of",
        **({"pushed": "pushed until"} if pushed else {}),
        "error": "error",
    }
    empty = "no feeds: add some to feeds.yaml"
    if trouble and rows:
        rows = [row for row in rows if row["trouble"]]
        empty = f"no feed is in trouble, of {len(config.feeds)}"
    listing(rows, columns, as_json=as_json, empty=empty)


def _row(feed: FeedSettings, state: FeedState | None, now: datetime, held: int) -> dict[str, Any]:
    words = feed_words(state, now, held)
    return {
        "feed": feed.id,
        "title": feed.title,
        "url": feed.url,
        "polled_at": state.url if state else feed.url,
        "status": state.status.value if state else "never polled",
        "state": words.status,
        "trouble": words.trouble,
        "held_back": held,
        "rhythm": words.rhythm,
        "last_new": state.newest_at if state else None,
        "last_success": state.last_success_at if state else None,
        "next_poll": state.next_poll_at if state and state.status is not FeedStatus.GONE else None,
        "why": words.why,
        "failures": state.failures if state else 0,
        "failing_since": state.failing_since if state else None,
        "error": state.last_error if state else None,
    }


@app.command("check")
def check_feed(
    context: typer.Context,
    feed: Annotated[str, typer.Argument(help="Address, or id of a configured feed.")],
    as_json: AsJson = False,
    items: Items = None,
) -> None:
    """Fetch a feed and say in words what it is and what is wrong with it; stores nothing."""
    from watcher.intake.checkup import checkup

    page = _page(items)
    config = configuration(context)
    known = next((f for f in config.feeds if feed in {f.id, f.url}), None)
    url = known.url if known else address_of(feed)
    try:
        seen = asyncio.run(_fetch(config, url, known, page))
    except SourceError as error:
        complain(f"{url}: {error}")
        hint_of_scheme(feed, url, error)
        if error.reason == "not_a_feed":
            complain(f"look for its feeds: watcher feeds discover {url}")
        raise typer.Exit(FAILED) from error
    every = known.every if known and known.every else config.settings.poll.every
    findings = checkup(seen, every=every)
    stored = _stored(config, known, seen) if known else {}
    if as_json:
        told = [{"flaw": finding.flaw.value, "text": finding.text} for finding in findings]
        answers_at = {"url": url, "answers_at": seen.fetched.url, "bytes": len(seen.fetched.body)}
        print_json({**report(seen.parsed), **answers_at, **stored, "findings": told})
        return
    _print_check(seen, findings)
    if known and stored:
        known_here = f"{stored['stored']} of these entries are stored, {stored['new']} would be new"
        say(f"here: {stored['state']}; {known_here}")
        if stored["renamed"]:
            say(f"note: {stored['renamed']} have a known title under another guid and link")
        if stored["held_back"]:
            say(f"note: see what is held back: watcher feeds quarantine {known.id}")


def hint_of_scheme(typed: str, asked: str, error: SourceError) -> None:
    """No scheme means https, which some sites don't have."""
    if error.reason in {"connect", "tls"} and asked == f"https://{typed.strip()}":
        plain = f"http://{typed.strip()}"
        complain(f"an address without a scheme is asked by https: has the site none, write {plain}")


def _stored(config: Config, feed: FeedSettings, seen: "Seen") -> dict[str, Any]:
    """How a configured feed stands, and which of its entries are known; nothing before its first poll."""
    if not store_path(config).exists():
        return {}
    keys = [identity_keys(entry, feed.identity) for entry in seen.parsed.entries]
    with opened_store(config) as store, store.read() as tx:
        state = tx.feeds.get(feed.id)
        known = tx.articles.known(feed.id, (key for own in keys for key in own.all))
        held = tx.held.counts().get(feed.id, 0)
    judged = identify(feed.id, seen.parsed.entries, known, {}, keys=keys)
    new = [item for item in judged if item.kind is Kind.NEW]
    return {
        "state": feed_words(state, seen.now, held).status,
        "held_back": held,
        "stored": len(judged) - len(new),
        "new": len(new),
        "renamed": sum(item.reason is Why.KNOWN_TITLE for item in new),
    }


def _page(items: str | None) -> PageSettings | None:
    """What `--items` asks for."""
    if items is None:
        return None
    try:
        return PageSettings(items=items)
    except ValidationError as error:
        complain(f"--items: {error.errors()[0]['msg'].removeprefix('Value error, ')}")
        raise typer.Exit(MISUSED) from error


async def _fetch(
    config: Config, url: str, known: FeedSettings | None = None, page: PageSettings | None = None
) -> "Seen":
    from watcher.fetch.feed import fetch_feed
    from watcher.intake.checkup import Seen
    from watcher.intake.ingest import read_feed
    from watcher.parts import open_door
    from watcher.sources.pool import ParserPool

    now, begun_at = datetime.now(UTC), monotonic()
    headers = {k: v.get_secret_value() for k, v in known.headers.items()} if known else {}
    async with AsyncExitStack() as stack:
        door = await stack.enter_async_context(open_door(config))
        parser = await stack.enter_async_context(ParserPool())
        fetched = await fetch_feed(door, FeedState("check", url, now), now=now, headers=headers)
        took = timedelta(seconds=monotonic() - begun_at)
        parsed = await read_feed(parser, page or (known.page if known else None), fetched)
        return Seen(url, fetched, parsed, took, now, bool(known and known.full_text))


def _print_check(seen: "Seen", findings: Sequence["Finding"]) -> None:
    fetched, parsed = seen.fetched, seen.parsed
    say(
        f"{parsed.title or '(no title)'}  [{parsed.format}, {parsed.encoding}, {len(fetched.body)} bytes]"
    )
    dates = [entry.published for entry in parsed.entries]
    newest = max((date for date in dates if date and date <= seen.now), default=None)
    say(
        f"{_counted(len(parsed.entries), 'entry', 'entries')}, {spoken(begun(dates, seen.now), seen.now)}, "
        f"newest {cell(newest)} UTC"
    )
    validators = [
        n for n, v in (("ETag", fetched.etag), ("Last-Modified", fetched.last_modified)) if v
    ]
    if validators:
        say(f"can be asked for changes only: {' and '.join(validators)}")
    _print_hub(seen)
    for finding in findings:
        say(
            f"problem: {finding.text}"
            if finding.flaw.value == "damaged"
            else f"note: {finding.text}"
        )
    if not findings:
        say("nothing is wrong with it")
    for entry in parsed.entries[:5]:
        say(f"  {cell(entry.published)}  {entry.title}")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _print_hub(seen: "Seen") -> None:
    from watcher.intake.hubs import named_by

    named = named_by(seen.fetched, seen.parsed)
    if named is not None and named.hub:
        say(f"names a hub, {host_of(named.hub)}: it is pushed where web.public_url is set")


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
    items: Items = None,
) -> None:
    """What would be stored of each file, one JSON object a line; exit 1 if one is no feed."""
    failed, page = False, _page(items)
    for name in files:
        try:
            parsed = _parse_one(context, name, base, content_type, page)
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
    context: typer.Context,
    name: str,
    base: str | None,
    content_type: str | None,
    page: PageSettings | None,
) -> ParsedFeed:
    if name.startswith(("http://", "https://")):
        return asyncio.run(_fetch(configuration(context), name, page=page)).parsed
    body = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    if len(body) > 10 * 1024 * 1024:
        raise ParseError("too_large", "more than 10 MiB")
    if page is not None:
        return read_index(page, body, base or "", content_type)
    return parse_feed(body, url=base or "", content_type=content_type)
