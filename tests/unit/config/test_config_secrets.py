"""Secrets are looked up by name, and never told."""

from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from watcher.config.secrets import MAX_BYTES, SecretError, Secrets, secret_fields


def test_spaces_inside_and_before_are_part_of_a_secret(tmp_path: Path) -> None:
    assert Secrets(tmp_path, {"A": " a b\n\n"}).from_env("A") == " a b"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b" \n", "the file 's' is empty: put the secret into it"),
        (b"hunter2 \xff", "the file 's' can't be read (not utf-8 text): check the path"),
        (b"x" * (MAX_BYTES + 1), "the file 's' is too large for a secret: check the path"),
    ],
)
def test_a_file_that_holds_no_secret_is_told_without_its_content(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    (tmp_path / "s").write_bytes(content)

    with pytest.raises(SecretError) as refused:
        Secrets(tmp_path, {}).from_file("s")

    assert str(refused.value) == expected


@pytest.mark.parametrize("name", ["", "A=B", None, 7, ["A"]])
def test_what_can_be_no_variable_is_not_looked_up(tmp_path: Path, name: object) -> None:
    with pytest.raises(SecretError, match="not the name of an environment variable"):
        Secrets(tmp_path, {"A": "x"}).from_env(name)


def test_a_path_that_no_system_has_is_told(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="can't be read"):
        Secrets(tmp_path, {}).from_file("a\0b")


def test_secret_fields_are_found_inside_options() -> None:
    class Settings(BaseModel):
        plain: str
        needed: SecretStr
        optional: SecretStr | None = None

    assert secret_fields(Settings) == {"needed", "optional"}
