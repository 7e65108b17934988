"""run, check, status, send-test, init, demo, backup, restore."""

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.context import (
    COULD_NOT,
    FAILED,
    MISUSED,
    configuration,
    opened_store,
    told_errors,
)
from watcher.cli.lint import findings
from watcher.cli.output import complain, listing, print_json, say
from watcher.config.load import Config
from watcher.errors import DeliveryError
from watcher.intake.feed_words import feed_words
from watcher.logs import configure
from watcher.matching.matcher import ENGINE
from watcher.place import clock_of, store_path

if TYPE_CHECKING:
    from watcher.intake.polled import PollReport

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def run(
    context: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="Poll every feed once, deliver, end.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --once: work on a copy, print instead of send.")
    ] = False,
) -> None:
    """Start the daemon. Ends on SIGTERM or Ctrl-C, reloads on SIGHUP and when a file changes."""
    from watcher.daemon import collect_rarely, run_daemon, run_once

    if dry_run and not once:
        complain("--dry-run goes with --once: add it")
        raise typer.Exit(MISUSED)
    config = configuration(context)
    configure(config.settings.log.format, config.settings.log.level)
    collect_rarely()
    with told_errors():
        if not once:
            asyncio.run(run_daemon(config, os.environ))
            return
        reports = asyncio.run(run_once(config, dry_run=dry_run))
        _print_reports(reports)
        if reports and all(report.error for report in reports):
            raise typer.Exit(FAILED)


def _print_reports(reports: "list[PollReport]") -> None:
    rows = [
        {
            "feed": r.feed,
            "outcome": r.outcome,
            "entries": r.entries,
            "new": r.new,
            "matched": r.matched,
            "alerts": r.alerts,
        }
        for r in sorted(reports, key=lambda r: r.feed)
    ]
    columns = {key: key for key in ("feed", "outcome", "entries", "new", "matched", "alerts")}
    listing(rows, columns, as_json=False, empty="no feeds: add some to feeds.yaml")


def check(context: typer.Context) -> None:
    """Check every file of the configuration; exit 2 with all problems in one go."""
    from watcher.preview import template_problems

    config = configuration(context)
    odd = findings(config)
    for warning in sorted({*config.warnings, *odd.warnings}):
        complain(f"warning: {warning}")
    problems = template_problems(config)
    for problem in problems:
        complain(problem)
    if problems:
        raise typer.Exit(MISUSED)
    enabled = [name for name, settings in config.receivers.items() if settings.enabled]
    say(
        f"{context.find_root().params['config']}: {len(config.feeds)} feeds, {len(config.rules)} rules, "
        f"{len(config.concepts)} concepts, {len(enabled)} receivers ({', '.join(enabled) or 'none'}): "
        "all right"
    )
    if odd.hints:
        say(f"{len(odd.hints)} hints about superfluous terms: see `watcher lint`")


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """What is stored, which feeds are in trouble, what waits to be sent."""
    config = configuration(context)
    now = clock_of(config).now()
    with opened_store(config) as store, store.read() as tx:
        feeds, held = tx.feeds.all(), tx.held.counts()
        facts = {
            "store": str(store_path(config)),
            "matching": ENGINE,
            "articles": tx.articles.count(),
            "alerts_today": len(tx.alerts.since(now.replace(hour=0, minute=0, second=0))),
            "feeds": len(feeds),
            "feeds_in_trouble": {
                f.feed: f.last_error or words.status
                for f in feeds
                if (words := feed_words(f, now, held.get(f.feed, 0))).trouble
            },
            "hubs": tx.subscriptions.counts(now),
            "waiting_dispatches": len(tx.alerts.waiting()),
            "outbox": {f"{r}:{s}": n for (r, s), n in sorted(tx.outbox.counts().items())},
            "parked": {r: why for r, (_, why) in tx.outbox.parked(now).items()},
        }
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        if isinstance(value, dict):
            say(f"{name.replace('_', ' ')}: {'none' if not value else ''}")
            for key, detail in value.items():
                say(f"  {key}: {detail}")
        else:
            say(f"{name.replace('_', ' ')}: {value}")


def send_test(
    context: typer.Context,
    receiver: Annotated[str, typer.Argument(help="Id of a receiver in watcher.yaml.")],
) -> None:
    """Send a test message to a receiver, at once and without the outbox."""
    config = configuration(context)
    settings = config.receivers.get(receiver)
    if settings is None or not settings.enabled:
        state = "is disabled" if settings else "is unknown"
        complain(f"receiver {receiver!r} {state}: choose one of {', '.join(_enabled(config))}")
        raise typer.Exit(MISUSED)
    try:
        asyncio.run(_send_test(config, receiver))
    except DeliveryError as error:
        complain(f"{receiver}: {error}")
        raise typer.Exit(FAILED) from error
    say(f"{receiver}: sent")


async def _send_test(config: Config, name: str) -> None:
    from watcher.compose import notice_of_test
    from watcher.notices import freeze
    from watcher.parts import build_receivers, open_door

    now = datetime.now(UTC)
    async with AsyncExitStack() as stack:
        door = await stack.enter_async_context(open_door(config))
        receiver = build_receivers(config, door)[name]
        digest = notice_of_test(name, config.receivers[name].zone, now)
        for notification in freeze(digest, receiver, ()):
            await receiver.send(notification, at=now)


def _enabled(config: Config) -> list[str]:
    return [name for name, settings in config.receivers.items() if settings.enabled]


def init(
    folder: Annotated[Path, typer.Argument(help="Where the configuration goes.")],
    templates: Annotated[bool, typer.Option("--templates", help="Copy the templates too.")] = False,
) -> None:
    """Start a configuration of your own from the shipped one. Overwrites nothing."""
    from watcher.init import init_folder

    try:
        started = init_folder(folder, templates=templates)
    except OSError as error:
        complain(f"{folder}: can't be written ({error.strerror}): choose another folder")
        raise typer.Exit(COULD_NOT) from error
    for path in started.kept:
        say(f"kept   {path}")
    for path in started.written:
        say(f"wrote  {path}")
    say(f"\nnext:  watcher --config {folder} check\n       watcher --config {folder} run")


def demo(
    out: Annotated[Path | None, typer.Option("--out", help="Where the messages are left.")] = None,
) -> None:
    """A bundled news day through the real daemon, on this machine only."""
    from watcher.demo.run import run_demo

    sys.exit(run_demo(out))


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where the copy goes.")],
) -> None:
    """Copy the store while the daemon runs."""
    with told_errors(), opened_store(configuration(context)) as store:
        store.backup(file)
    say(f"{file}: written")


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file made by `watcher backup`.")],
) -> None:
    """Put a backup in the store's place. The daemon must not run."""
    from watcher.store.backup import restore as put_back

    config = configuration(context)
    with told_errors():
        put_back(file, store_path(config))
    say(f"{store_path(config)}: restored from {file}")
