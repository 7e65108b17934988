"""`watcher`: global options and the commands of the other files."""

from pathlib import Path
from typing import Annotated

import typer

from watcher import __version__
from watcher.cli import (
    archive,
    backtest,
    explain,
    feeds,
    feeds_edit,
    labels,
    lint,
    outbox,
    routing,
    rules,
    schema,
    service,
    stories,
)
from watcher.cli.context import Options

app = typer.Typer(
    name="watcher",
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
    context.obj = Options(config)
    del version


service.add_to(app)
rules.add_to(app)
labels.add_to(app)
app.command()(backtest.backtest)
app.command()(lint.lint)
app.command("explain")(explain.explain_article)
archive.add_to(app)
app.command()(schema.schema)
feeds_edit.add_to(feeds.app)
app.add_typer(feeds.app, name="feeds")
app.add_typer(outbox.app, name="outbox")
app.add_typer(archive.digest, name="digest")
app.add_typer(routing.alerts, name="alerts")
app.add_typer(routing.silence, name="silence")
app.add_typer(routing.route, name="route")
app.add_typer(stories.app, name="stories")


def main() -> None:
    """The console script."""
    app()
