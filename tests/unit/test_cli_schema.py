"""`watcher schema`."""

import json
from pathlib import Path

from typer.testing import CliRunner

from watcher.cli.main import app
from watcher.config.schema import KINDS, json_schema


def test_a_schema_is_printed_as_it_is() -> None:
    result = CliRunner().invoke(app, ["schema", "rules"])

    assert result.exit_code == 0
    assert json.loads(result.stdout) == json_schema("rules")


def test_all_schemas_are_written_into_a_folder(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["schema", "--out", str(tmp_path / "schemas")])

    assert result.exit_code == 0
    assert {p.name for p in (tmp_path / "schemas").iterdir()} == {f"{k}.schema.json" for k in KINDS}


def test_an_unknown_kind_is_wrong_use() -> None:
    result = CliRunner().invoke(app, ["schema", "ruels"])

    assert result.exit_code == 2
    assert "'ruels' is no kind of file: choose one of watcher" in result.stderr


def test_neither_kind_nor_folder_is_wrong_use() -> None:
    assert CliRunner().invoke(app, ["schema"]).exit_code == 2
