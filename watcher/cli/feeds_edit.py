"""feeds discover, feeds add, feeds import, feeds export."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from watcher.cli.context import FAILED, MISUSED, configuration, told_errors
from watcher.cli.feeds import hint_of_scheme
from watcher.cli.feeds_held import app
from watcher.cli.output import complain, listing, print_json, say
from watcher.config.append import FeedsOnDisk, by_hand, editing_feeds
from watcher.config.load import Config
from watcher.config.subscriptions import Plan, known_as, plan_import, wrong_with
from watcher.errors import LayoutError, SourceError
from watcher.intake.discovery import Discovery, Found, discover
from watcher.sources.discover import Why
from watcher.sources.naming import address_of, free_id
from watcher.sources.opml import MAX_BYTES, NESTED, read_opml, write_opml
from watcher.sources.pool import ParserPool
from watcher.text import clean_line

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Group = Annotated[str | None, typer.Option("--group", help="For listings; 'A / B' nests.")]
# Of long lists so many lines are shown.
SHOWN = 50
_WHYS = {
    None: "the address itself",
    Why.DECLARED: "declared by the page",
    Why.SITE: "known of this site",
    Why.LINKED: "linked on the page",
    Why.USUAL: "a usual place",
}


@app.command("discover")
def discover_feeds(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Address of a page, a site or a feed.")],
    as_json: AsJson = False,
) -> None:
    """Which feeds a page has; each is fetched and read. Exit 1 when there is none."""
    found = _discovered(configuration(context), url)
    if as_json:
        print_json(asdict(found))
    elif found.feeds:
        _print_found(found)
    if not found.feeds:
        _complain_of_nothing(found)
        raise typer.Exit(FAILED)


def _discovered(config: Config, typed: str) -> Discovery:
    from watcher.parts import open_door

    url = address_of(typed)

    async def ask() -> Discovery:
        async with AsyncExitStack() as stack:
            door = await stack.enter_async_context(open_door(config))
            parser = await stack.enter_async_context(ParserPool())
            return await discover(door, parser, url, now=datetime.now(UTC))

    try:
        return asyncio.run(ask())
    except SourceError as error:
        complain(f"{url}: {error}")
        hint_of_scheme(typed, url, error)
        raise typer.Exit(FAILED) from error


def _print_found(found: Discovery) -> None:
    if found.is_feed:
        say(f"{found.url} is a feed")
    rows = [
        {
            "title": feed.title or "(no title)",
            "format": feed.format,
            "entries": feed.entries,
            "often": _how_often(feed),
            "url": feed.url,
            "why": _WHYS[feed.why] + (", comments" if feed.comments else ""),
        }
        for feed in found.feeds
    ]
    columns = {"title": "title", "format": "format", "entries": "entries", "often": "how often"}
    listing(rows, columns | {"url": "address", "why": "why"}, as_json=False, empty="")


def _how_often(feed: Found) -> str:
    if feed.per_day is None:
        return "no dates" if feed.newest is None else "one dated entry"
    return f"{feed.per_day:g} a day" if feed.per_day >= 1 else f"{feed.per_day * 7:.1f} a week"


def _complain_of_nothing(found: Discovery) -> None:
    complain(f"{found.url}: no feed found; tried:")
    for miss in found.tried:
        complain(f"  {clean_line(f'{miss.url}: {miss.error}')}")


@app.command("add")
def add_feed(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Address of a feed, or of a page that has one.")],
    id: Annotated[
        str | None, typer.Option("--id", help="Its name; by default made of its title.")
    ] = None,
    group: Group = None,
    title: Annotated[str | None, typer.Option("--title", help="Instead of the feed's own.")] = None,
    every: Annotated[
        str | None, typer.Option("--every", help="The longest wait between polls, like 15m.")
    ] = None,
    initial: Annotated[
        int | None, typer.Option("--initial", help="Articles of the first poll that may alert.")
    ] = None,
    publisher: Annotated[str | None, typer.Option("--publisher", help="Who writes it.")] = None,
    lang: Annotated[str | None, typer.Option("--lang", help="Its language, like ko.")] = None,
    unasked: Annotated[
        bool, typer.Option("--unasked", help="Add the address as it is; nothing is fetched.")
    ] = False,
) -> None:
    """Add a feed to feeds.yaml; comments and layout stay. A running daemon takes it up by itself."""
    config = configuration(context)
    address = address_of(url)
    options: dict[str, Any] = {"id": id, "url": address, "title": title, "group": group}
    options |= {"lang": lang, "publisher": publisher, "every": every, "initial": initial}
    entry = {key: value for key, value in options.items() if value is not None}
    _refuse(wrong_with({"id": "a"} | entry))
    _refuse_known(FeedsOnDisk(config.folder, os.environ), address)
    how = ""
    if not unasked:
        feed = _chosen(_discovered(config, url))
        how = f" ({_WHYS[feed.why]})" if feed.why else ""
        entry["url"] = feed.url
        entry.setdefault("title", feed.title)
    with told_errors(), editing_feeds(config.folder, os.environ) as on_disk:
        _refuse_known(on_disk, entry["url"])
        taken = {str(known.get("id")) for known in on_disk.entries}
        entry.setdefault("id", free_id(entry.get("title", ""), entry["url"], taken))
        if entry["id"] in taken:
            _refuse([f"--id: {entry['id']!r} is taken: choose another"])
        written = {key: entry[key] for key in options if entry.get(key) not in {None, ""}}
        _append(on_disk, [written])
    say(f"added {written['id']}: {written.get('title', '(no title)')}, {written['url']}{how}")


def _refuse(problems: list[str]) -> None:
    for problem in problems:
        complain(problem)
    if problems:
        raise typer.Exit(MISUSED)


def _refuse_known(on_disk: FeedsOnDisk, url: str) -> None:
    if known := known_as(url, on_disk.entries):
        complain(f"{url}: is among the feeds as {known}")
        raise typer.Exit(FAILED)


def _chosen(found: Discovery) -> Found:
    """The likeliest of a page; the others are named."""
    feeds = [feed for feed in found.feeds if not feed.comments]
    if found.feeds and not feeds:
        complain(f"{found.url}: only comments have feeds; add one by its own address:")
        for feed in found.feeds:
            complain(f"  {clean_line(f'{feed.url} {feed.title}')}")
        raise typer.Exit(FAILED)
    if not feeds:
        _complain_of_nothing(found)
        raise typer.Exit(FAILED)
    for other in feeds[1:]:
        say(f"also there: {other.url}  {other.title}")
    return feeds[0]


def _append(on_disk: FeedsOnDisk, entries: Sequence[Mapping[str, Any]]) -> None:
    try:
        on_disk.append(entries)
    except LayoutError as error:
        complain(str(error))
        complain(by_hand(entries))
        raise typer.Exit(MISUSED) from error


@app.command("import")
def import_feeds(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="An OPML file, or - for standard input.")],
    group: Group = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be added, and change nothing.")
    ] = False,
) -> None:
    """Add the feeds of an OPML file to feeds.yaml. Exit 1 when the file has no feed that can be read."""
    config = configuration(context)
    try:
        with sys.stdin.buffer if file == "-" else Path(file).open("rb") as stream:
            opml = read_opml(stream.read(MAX_BYTES + 1))
    except OSError as error:
        complain(f"{file}: can't be read ({(error.strerror or str(error)).lower()})")
        raise typer.Exit(MISUSED) from error
    except SourceError as error:
        complain(f"{file}: {error}")
        raise typer.Exit(FAILED) from error
    with told_errors(), editing_feeds(config.folder, os.environ) as on_disk:
        plan = plan_import(opml, on_disk.entries, group=group)
        if dry_run:
            columns = {"id": "id", "title": "title", "group": "group", "url": "address"}
            listing(plan.new, columns, as_json=False, empty="no new feeds")
        elif plan.new:
            _append(on_disk, plan.new)
    _print_plan(plan, "would be added" if dry_run else "added")
    if not plan.new and not plan.known:
        raise typer.Exit(FAILED)


def _print_plan(plan: Plan, done: str) -> None:
    for left_out, why in ((plan.known, "known already"), (plan.broken, "skipped")):
        for line in left_out[:SHOWN]:
            complain(f"{why}: {clean_line(line)}")
        if len(left_out) > SHOWN:
            complain(f"{why}: {len(left_out) - SHOWN} more")
    say(f"{len(plan.new)} {done}, {len(plan.known)} known already, {len(plan.broken)} skipped")


@app.command("export")
def export_feeds(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file instead of standard output.")
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", help="This group only, with those inside it.")
    ] = None,
) -> None:
    """Print all feeds as OPML 2.0, disabled ones too, headers never."""
    config = configuration(context)
    entries = FeedsOnDisk(config.folder, os.environ).entries
    if group is not None:
        inside = f"{group}{NESTED}"
        entries = [e for e in entries if f"{e.get('group', '')}{NESTED}".startswith(inside)]
        if not entries:
            complain(f"{group!r}: no feed is in this group: see `watcher feeds list`")
            raise typer.Exit(FAILED)
    text = write_opml(entries, created=datetime.now(UTC))
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        complain(f"{output}: can't be written ({(error.strerror or str(error)).lower()})")
        raise typer.Exit(MISUSED) from error
    say(f"{len(entries)} feeds written to {output}")
