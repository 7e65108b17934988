"""schema: what editors need to complete and check the configuration."""

import json
from pathlib import Path
from typing import Annotated

import typer

from watcher.cli.context import COULD_NOT, MISUSED
from watcher.cli.output import complain, say
from watcher.config.schema import KINDS, json_schema


def schema(
    kind: Annotated[str | None, typer.Argument(help=f"One of {', '.join(KINDS)}.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A folder: write every schema there.")
    ] = None,
) -> None:
    """Print the JSON Schema of a kind of file, or write all of them into a folder."""
    if (kind is None) == (out is None):
        complain(f"name one of {', '.join(KINDS)}, or a folder with --out")
        raise typer.Exit(MISUSED)
    if out is not None:
        _write(out)
        return
    found = next((known for known in KINDS if known == kind), None)
    if found is None:
        complain(f"{kind!r} is no kind of file: choose one of {', '.join(KINDS)}")
        raise typer.Exit(MISUSED)
    # Not through the console: a schema is long, and an editor reads it.
    typer.echo(json.dumps(json_schema(found), indent=2, ensure_ascii=False))


def _write(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            path = folder / f"{kind}.schema.json"
            content = json.dumps(json_schema(kind), indent=2, ensure_ascii=False)
            path.write_text(content + "\n", encoding="utf-8")
            say(f"wrote  {path}")
    except OSError as error:
        complain(f"{folder}: can't be written ({error.strerror}): choose another folder")
        raise typer.Exit(COULD_NOT) from error
