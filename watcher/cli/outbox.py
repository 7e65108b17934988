"""outbox list, show, retry: what waits, what failed, and sending it again."""

from typing import Annotated, Any

import typer

from watcher.cli.context import FAILED, MISUSED, configuration, opened_store, told_errors
from watcher.cli.output import cell, complain, listing, print_json, say
from watcher.model import Notification, NotificationState
from watcher.place import clock_of

app = typer.Typer(help="Messages waiting, sent and given up.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_messages(
    context: typer.Context,
    state: Annotated[NotificationState | None, typer.Option("--state", help="Only these.")] = None,
    receiver: Annotated[str | None, typer.Option("--receiver", help="Only to this one.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """Messages, newest first."""
    with opened_store(configuration(context)) as store, store.read() as tx:
        found = tx.outbox.recent(state, receiver, limit)
    columns = {
        "key": "key",
        "receiver": "receiver",
        "state": "state",
        "attempt": "tries",
        "due_at": "due",
        "subject": "subject",
        "last_error": "error",
    }
    listing([_row(n) for n in found], columns, as_json=as_json, empty="nothing there")


def _row(notification: Notification) -> dict[str, Any]:
    return {
        "key": notification.key,
        "receiver": notification.receiver,
        "kind": notification.kind.value,
        "state": notification.state.value,
        "attempt": notification.attempt,
        "created_at": notification.created_at,
        "due_at": notification.due_at,
        "sent_at": notification.sent_at,
        "subject": notification.subject,
        "last_error": notification.last_error,
    }


@app.command("show")
def show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="As `outbox list` prints it.")],
    as_json: AsJson = False,
) -> None:
    """One message: its body as frozen, and every attempt to send it."""
    with opened_store(configuration(context)) as store, store.read() as tx:
        found = tx.outbox.get(key)
        attempts = tx.outbox.deliveries(key)
    if found is None:
        complain(f"{key}: no such message: see `watcher outbox list`")
        raise typer.Exit(FAILED)
    if as_json:
        print_json({**_row(found), "payload": dict(found.payload), "deliveries": attempts})
        return
    for name, value in _row(found).items():
        say(f"{name.replace('_', ' ')}: {cell(value)}")
    for attempt in attempts:
        say(
            f"  {cell(attempt['at'])}  attempt {attempt['attempt']}: {attempt['outcome']}  {attempt['detail']}"
        )
    text = found.payload.get("text")
    if isinstance(text, str):
        say(f"\n{text}")


@app.command("retry")
def retry(
    context: typer.Context,
    key: Annotated[str | None, typer.Argument(help="One message.")] = None,
    receiver: Annotated[
        str | None, typer.Option("--receiver", help="All dead letters of a receiver; unparks it.")
    ] = None,
) -> None:
    """Send again what was given up: same body, same id."""
    if (key is None) == (receiver is None):
        complain("name one message, or a receiver with --receiver")
        raise typer.Exit(MISUSED)
    config = configuration(context)
    now = clock_of(config).now()
    with told_errors(), opened_store(config) as store, store.begin() as tx:
        if receiver is not None:
            unparked = tx.outbox.unpark(receiver)
            dead = tx.outbox.recent(NotificationState.DEAD, receiver, 10_000)
            done = sum(tx.outbox.replay(n.key, now) for n in dead)
            say(f"{receiver}: {done} messages due again" + (", unparked" if unparked else ""))
        elif key is not None and tx.outbox.replay(key, now):
            say(f"{key}: due again")
        else:
            complain(f"{key}: is not waiting or dead: see `watcher outbox show {key}`")
            raise typer.Exit(FAILED)
