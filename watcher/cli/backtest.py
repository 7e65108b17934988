"""backtest: what a rule would have told over the archive."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from watcher.backtest import (
    Backtest,
    Figures,
    Line,
    Recorded,
    StoryTold,
    Tried,
    Version,
    rule_in,
)
from watcher.cli.context import MISUSED, configuration, opened_store, told_errors
from watcher.cli.find import one_rule
from watcher.cli.output import cell, complain, print_json, progress, say
from watcher.cli.times import ago
from watcher.config.drafts import read_draft
from watcher.config.load import Config
from watcher.parts import plan_of
from watcher.place import clock_of
from watcher.rules.compile import Rule
from watcher.store.engine import Transaction

REPORTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which versions are compared, and how they are called."""

    edited: Rule
    edited_name: str
    saved_name: str
    saved: Rule | None = None
    recorded: bool = False


def backtest(
    context: typer.Context,
    rule: Annotated[str, typer.Option("--rule", help="Id of the rule.")],
    since: Annotated[
        str, typer.Option("--since", help="How far back: 30d, 12h, or a day like 2026-05-01.")
    ] = "30d",
    draft: Annotated[
        Path | None,
        typer.Option("--draft", help="A file with the rule as edited, not yet in use."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="Compare with the rule in this file or folder."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Listed of each kind.")] = 20,
    form: Annotated[
        Literal["text", "json"], typer.Option("--format", help="How to print.")
    ] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
) -> None:
    """What a rule would have told over the archive, story by story, and how that differs.

    It is compared with what the daemon recorded; with --draft, the draft is compared with the rule
    in use; with --against, with the rule as it is there. Nothing is stored or sent.
    """
    config = configuration(context)
    begin = ago(since, clock_of(config).now(), "--since")
    with told_errors():
        asked = _asked(config, rule, draft, against)
        run = _run(config, asked, rule, begin)
    if as_json or form == "json":
        print_json(
            {
                "rule": rule,
                "since": begin,
                "versions": {"edited": asked.edited_name, "saved": asked.saved_name},
                **run.to_json(),
            }
        )
    else:
        _print(run, asked, begin, limit)


def _asked(config: Config, name: str, draft: Path | None, against: Path | None) -> _Asked:
    edited = rule_in(read_draft(draft, config.folder, os.environ), name) if draft else None
    if draft and edited is None:
        complain(f"{draft}: has no rule {name!r}: name the rule it holds with --rule")
        raise typer.Exit(MISUSED)
    edited = edited or one_rule(config, name)
    edited_name = draft.name if draft else "as written"
    if against is not None:
        saved = rule_in(read_draft(against, config.folder, os.environ), name)
        return _Asked(edited, edited_name, against.name or str(against), saved)
    if draft is not None:
        return _Asked(edited, edited_name, "in use", rule_in(config.rules, name))
    return _Asked(edited, edited_name, "recorded", recorded=True)


def _run(config: Config, asked: _Asked, name: str, begin: datetime) -> Backtest:
    plan = plan_of(config)
    with opened_store(config) as store, store.read() as tx:
        saved: Version = (
            _recorded(tx, name, begin) if asked.recorded else Tried(plan, name, asked.saved)
        )
        run = Backtest(Tried(plan, name, asked.edited), saved)
        with progress("backtest", tx.articles.count(begin)) as step:
            run.run(_counted(tx, begin, step))
    return run


def _recorded(tx: Transaction, name: str, begin: datetime) -> Recorded:
    return Recorded(tx.matches.articles_of(name), tx.alerts.since(begin, name))


def _counted(tx: Transaction, begin: datetime, step: Any) -> Any:
    for article in tx.articles.published_since(begin):
        yield article
        step()


# ── on a terminal ──


def _print(run: Backtest, asked: _Asked, begin: datetime, limit: int) -> None:
    days = run.days
    if not run.articles:
        say(f"no article since {cell(begin)} is stored: go further back with --since")
        return
    span = "1 day" if days == 1 else f"{days:.1f} days"
    say(f"{asked.edited.id}: {run.articles} articles in {span}\n")
    versions = ((asked.edited_name, run.edited), (asked.saved_name, run.saved))
    for name, version in versions:
        say(f"{name}: {_rates(version.figures, days)}")
    say(f"\nstories: {run.edited.story_count}")
    _print_noise(run.edited.figures)
    beside = f"{asked.edited_name} against {asked.saved_name}"
    _print_lines(f"newly caught ({beside})", run.caught, run.caught_count, limit)
    _print_lines(f"newly dropped ({beside})", run.dropped, run.dropped_count, limit)
    if run.edited.stories and limit:
        say("\nstory by story")
    for told in run.edited.stories[:limit]:
        _print_story(told)
    if run.edited.story_count > limit:
        say(f"\n… and {run.edited.story_count - limit} more stories: see --limit or --format json")


def _rates(figures: Figures, days: float) -> str:
    matches, alerts = figures.matches.total(), figures.alerts.total()
    return f"{matches} matches ({matches / days:.1f} a day), {alerts} alerts ({alerts / days:.1f} a day)"


def _print_noise(figures: Figures) -> None:
    busiest = figures.busiest()
    if busiest:
        day, matches, alerts = busiest
        say(f"busiest day: {day} with {alerts} alerts of {matches} matches")
    if figures.publishers:
        top = ", ".join(f"{name} {count}" for name, count in figures.publishers.most_common(5))
        say(f"most from: {top}")
    if figures.untold:
        reasons = "; ".join(f"{count} × {why}" for why, count in figures.untold.most_common())
        say(f"matched and not told: {reasons}")


def _print_lines(heading: str, lines: Sequence[Line], count: int, limit: int) -> None:
    say(f"\n{heading}: {count}")
    for line in lines[:limit]:
        say(f"  {cell(line.at)}  {line.article}  {line.publisher}: {line.title}")
    if count > limit:
        say(f"  … and {count - limit} more")


def _print_story(told: StoryTold) -> None:
    reports = "1 report" if told.count == 1 else f"{told.count} reports"
    say(f"\n{cell(told.first.at)}  {told.first.title} ({reports})")
    for at, kind, why in told.alerts:
        say(f"  told {cell(at)}  {kind.replace('_', ' ')}: {why}")
    if not told.alerts:
        say("  not told")
    shown = list(told.reports.values())[:REPORTS_SHOWN]
    for line in shown:
        say(f"    {cell(line.at)}  {line.article}  {line.publisher}: {line.title}")
    if told.count > len(shown):
        say(f"    … and {told.count - len(shown)} more")
