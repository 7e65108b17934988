"""`watcher`: global options, and the commands of the other files, each loaded when it is called."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from watcher import __version__

# Where a command is, and what its own help begins with (`test_cli.py` compares): loading all of
# them to print this list took a second.
COMMANDS = {
    "run": (
        "service:run",
        "Start the daemon. Ends on SIGTERM or Ctrl-C, reloads on SIGHUP and when a file changes.",
    ),
    "check": (
        "service:check",
        "Check every file of the configuration; exit 2 with all problems in one go.",
    ),
    "status": (
        "service:status",
        "What is stored, which feeds are in trouble, what waits to be sent.",
    ),
    "init": (
        "service:init",
        "Start a configuration of your own from the shipped one. Overwrites nothing.",
    ),
    "demo": ("service:demo", "A bundled news day through the real daemon, on this machine only."),
    "backup": ("service:backup", "Copy the store while the daemon runs."),
    "restore": ("service:restore", "Put a backup in the store's place. The daemon must not run."),
    "send-test": (
        "service:send_test",
        "Send a test message to a receiver, at once and without the outbox.",
    ),
    "test": (
        "rules:run_rule_tests",
        "Run the tests stored in the rules; exit 1 when one fails, with the clause that decided.",
    ),
    "replay": (
        "rules:replay",
        "The whole pipeline over a file of dated articles, with a simulated clock.",
    ),
    "label": (
        "labels:label",
        "Say whether an article is relevant to a rule or noise; `watcher score` judges rules by it.",
    ),
    "score": (
        "labels:score",
        "Precision and recall of rules by your labels, their tests and files, with every mistake.",
    ),
    "backtest": (
        "backtest:backtest",
        "What a rule would have told over the archive, story by story, and how that differs.",
    ),
    "lint": (
        "lint:lint",
        "Clauses that can never hold, exceptions that always cancel, terms that add nothing.",
    ),
    "explain": (
        "explain:explain_article",
        "Why rules match an article or not, what came nearest, and what became of it.",
    ),
    "search": ("archive:search", "Search the archive, best first."),
    "schema": (
        "schema:schema",
        "Print the JSON Schema of a kind of file, or write all of them into a folder.",
    ),
    "feeds": ("feeds_edit:app", "Feeds: what they are and how they are."),
    "outbox": ("outbox:app", "Messages waiting, sent and given up."),
    "digest": ("archive:digest", "Digests before they go out."),
    "alerts": ("routing:alerts", "What was raised, and who has seen to it."),
    "silence": ("routing:silence", "Mute alerts for a while."),
    "route": ("routing:route", "Try the routes."),
    "stories": ("stories:app", "Stories: articles that report the same event."),
}


def load(name: str) -> Any:
    """The command itself, with all it imports."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    found = getattr(import_module(f"watcher.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        return get_group(found)
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return get_command(alone)


class Commands(TyperGroup):
    """Names and first lines; a command is loaded when it is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else command, rest


app = typer.Typer(
    name="watcher",
    cls=Commands,
    help="Watchlist alerting: polls feeds, matches watch rules, groups stories, delivers alerts.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"watcher {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path, typer.Option("--config", "-c", help="Folder with watcher.yaml.", metavar="DIR")
    ] = Path("config"),
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj = config
    del version


def _listed() -> None:
    """Stands for a command in the list."""


for _name, (_, _help) in COMMANDS.items():
    app.command(_name, help=_help)(_listed)


def main() -> None:
    """The console script."""
    app()
