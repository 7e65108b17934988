"""silence add, list, end; alerts list, ack; route test: who is told, and who has seen to it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from watcher.alerts.silences import Silence, find_silence
from watcher.alerts.trial import RouteTrial, try_routes
from watcher.cli.context import FAILED, MISUSED, configuration, opened_store
from watcher.cli.find import chosen, one_rule
from watcher.cli.output import complain, listing, print_json, say
from watcher.cli.times import ago, from_now, moment
from watcher.model import Alert, AlertKind, Severity
from watcher.parts import plan_of
from watcher.place import clock_of

silence = typer.Typer(help="Mute alerts for a while.", no_args_is_help=True)
alerts = typer.Typer(help="What was raised, and who has seen to it.", no_args_is_help=True)
route = typer.Typer(help="Try the routes.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Rules = Annotated[list[str] | None, typer.Option("--rule", help="Id of a rule; may be repeated.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="May be repeated.")]
Languages = Annotated[list[str] | None, typer.Option("--lang", help="May be repeated.")]
Publishers = Annotated[list[str] | None, typer.Option("--publisher", help="A family.")]


def _table(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """Every key a column."""
    columns = {key: key for key in rows[0]} if rows else {}
    listing(rows, columns, as_json=as_json, empty="none")


@silence.command("add")
def add(
    context: typer.Context,
    until: Annotated[str, typer.Option("--until", help="2d, or a date; UTC unless it has a zone.")],
    author: Annotated[str, typer.Option("--author", help="Who wants it.")],
    comment: Annotated[str, typer.Option("--comment", help="Why.")],
    rule: Rules = None,
    tag: Tags = None,
    severity: Annotated[list[Severity] | None, typer.Option("--severity")] = None,
    lang: Languages = None,
    publisher: Publishers = None,
    story: Annotated[
        list[str] | None, typer.Option("--story", help="As `watcher stories` prints it.")
    ] = None,
    start: Annotated[str, typer.Option("--from", help="When it begins.")] = "0s",
    every: Annotated[
        str | None,
        typer.Option("--every", help="Only then: 'sat,sun 00:00-24:00', 'mon-fri 22:00-06:00'."),
    ] = None,
    zone: Annotated[str | None, typer.Option("--zone", help="Of --every; UTC.")] = None,
) -> None:
    """Alerts that match all that is given are kept, but sent to nobody; takes effect at once."""
    config = configuration(context)
    now = clock_of(config).now()
    names = [one_rule(config, name).id for name in rule or ()]
    match = {"rules": names, "tags": tag, "severity": severity, "languages": lang}
    match |= {"publishers": publisher, "stories": story}
    if zone and not every:
        complain("--zone goes with --every: say the hours")
        raise typer.Exit(MISUSED)
    body: dict[str, Any] = {
        "match": {key: value for key, value in match.items() if value},
        "author": author,
        "comment": comment,
        "from": from_now(start, now, "--from"),
        "until": from_now(until, now, "--until"),
        "every": f"{every} {zone or ''}" if every else None,
    }
    body["id"] = "s" + sha256(f"{now.isoformat()}\0{body}".encode()).hexdigest()[:7]
    try:
        made = Silence.model_validate(body)
    except ValidationError as error:
        complain("; ".join(e["msg"].removeprefix("Value error, ") for e in error.errors()))
        raise typer.Exit(MISUSED) from error
    with opened_store(config) as store, store.begin() as tx:
        tx.silences.add(made)
    hours = f" every {made.every}" if made.every else ""
    say(f"{made.id}{hours} until {made.until:%Y-%m-%d %H:%M} UTC")


@silence.command("list")
def list_silences(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Ended ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Silences of watcher.yaml and those made by hand."""
    config = configuration(context)
    now = clock_of(config).now()
    with opened_store(config) as store, store.read() as tx:
        found = (*config.settings.silences, *tx.silences.all())
    rows = [
        {
            "id": s.id,
            "match": s.match.model_dump(mode="json", exclude_defaults=True),
            "from": s.start,
            "until": s.until,
            "every": str(s.every or ""),
            "author": s.author,
            "comment": s.comment,
            "holds": s.holds(now),
        }
        for s in found
        if every or s.until > now
    ]
    _table(rows, as_json=as_json)


@silence.command("end")
def end(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="As `silence list` prints it.")],
) -> None:
    """End one that was made by hand."""
    config = configuration(context)
    with opened_store(config) as store, store.begin() as tx:
        ended = tx.silences.end(name, clock_of(config).now())
    if not ended:
        kept = any(s.id == name for s in config.settings.silences)
        complain(f"{name}: {'is in watcher.yaml: remove it there' if kept else 'no such silence'}")
        raise typer.Exit(FAILED)
    say(f"{name} ended")


@alerts.command("list")
def list_alerts(
    context: typer.Context,
    since: Annotated[str, typer.Option("--since", help="How far back: 2d, or a date.")] = "1d",
    as_json: AsJson = False,
) -> None:
    """Alerts, oldest first, and who acknowledged them."""
    config = configuration(context)
    begin = ago(since, clock_of(config).now(), "--since")
    with opened_store(config) as store, store.read() as tx:
        found = tx.alerts.since(begin)
        known = tx.alerts.acknowledged([alert.id for alert in found])
    rows = [
        {
            "id": alert.id,
            "at": alert.at,
            "severity": alert.severity.value,
            "kind": alert.kind.value,
            "rule": alert.rule,
            "story": alert.story,
            "acknowledged": known[alert.id][0] if alert.id in known else None,
        }
        for alert in found
    ]
    _table(rows, as_json=as_json)


@alerts.command("ack")
def acknowledge(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Id of an alert, or its beginning.")],
    by: Annotated[str, typer.Option("--by", help="Who has seen to it.")],
    note: Annotated[str, typer.Option("--note", help="What was done.")] = "",
) -> None:
    """Say that somebody has seen to an alert: nobody is told by escalation any more."""
    config = configuration(context)
    with opened_store(config) as store, store.begin() as tx:
        alert = tx.alerts.find(name)
        if alert is None:
            complain(f"{name}: no such alert: see watcher alerts list")
            raise typer.Exit(FAILED)
        first = tx.alerts.acknowledge(alert.id, by, note, clock_of(config).now())
        who = tx.alerts.acknowledged([alert.id])[alert.id][0]
    say(f"{alert.id} acknowledged" + ("" if first else f" by {who} before"))


@route.command("test")
def try_route(
    context: typer.Context,
    name: Annotated[str | None, typer.Option("--alert", help="A stored alert.")] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Id of a rule.")] = None,
    severity: Annotated[Severity | None, typer.Option("--severity")] = None,
    kind: Annotated[AlertKind, typer.Option("--kind")] = AlertKind.NEW_STORY,
    lang: Languages = None,
    publisher: Publishers = None,
    at: Annotated[
        str | None, typer.Option("--at", help="A date and time; UTC unless it has a zone.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Which way an alert goes through the routes, when it is sent, and what did not match."""
    config = configuration(context)
    now = moment(at, "--at") if at else clock_of(config).now()
    plan = plan_of(config)
    made = (
        Alert("test", kind, r.id, None, severity or r.severity, now, "", (), r.tags)
        for r in chosen(config, rule)
    )
    with opened_store(config) as store, store.read() as tx:
        alert = next(made, None) if name is None else tx.alerts.find(name)
        # What a stored alert goes by is known.
        article = tx.articles.get(alert.articles[-1]) if alert and alert.articles else None
        silences = (*plan.silences, *tx.silences.current(now))
    if alert is None:
        complain(f"{name}: no such alert: see watcher alerts list" if name else "there is no rule")
        raise typer.Exit(FAILED)
    languages = lang or ([article.lang] if article and article.lang else [])
    publishers = publisher or ([article.family] if article else [])
    trial = try_routes(
        plan.routes, alert, languages=languages, publishers=publishers,
        receivers=plan.receivers, now=now,
    )  # fmt: skip
    quiet = find_silence(silences, alert, now, languages=languages, publishers=publishers)
    if quiet is not None:
        trial = replace(trial, dispatches=())
        complain(f"silenced by {quiet.id} ({quiet.author}): {quiet.comment}")
    if as_json:
        print_json(_as_data(trial))
    else:
        say(f"{alert.rule}, {alert.severity.value}, {alert.kind.value}")
        _show(trial, now)


def _as_data(trial: RouteTrial) -> dict[str, Any]:
    sent = [{"receiver": d.receiver, "at": d.send_at, "reason": d.reason} for d in trial.dispatches]
    steps = [{"route": step.path, "missed": step.missed} for step in trial.steps]
    return {"routes": steps, "sent": sent, "unreachable": list(trial.unreachable)}


def _show(trial: RouteTrial, now: datetime) -> None:
    for step in trial.steps:
        say(f"  route {step.path}: {f'no: {step.missed}' if step.missed else 'matches'}")
    for sent in trial.dispatches:
        wait = sent.send_at - now
        when = "at once" if wait <= timedelta(0) else f"{sent.send_at:%Y-%m-%d %H:%M} UTC"
        say(f"→ {sent.receiver}: {when} ({sent.reason})")
    for receiver in trial.unreachable:
        say(f"✗ {receiver}: disabled or unknown")
    if not trial.dispatches:
        say("nobody would be told")
