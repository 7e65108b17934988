"""Secrets from the environment or from files. Values go to the models only, never into a message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

# A secret is a line, not a document: a wrong path must not swallow a database.
MAX_BYTES = 64 * 1024


class SecretError(Exception):
    """The secret can't be had; names the variable or file, never a value."""

    def __init__(self, what: str, todo: str) -> None:
        self.what, self.todo = what, todo
        super().__init__(f"{what}: {todo}")


@dataclass(slots=True)
class Secrets:
    """Looks secrets up and remembers them: a rotated one changes the configuration's fingerprint."""

    folder: Path
    environ: Mapping[str, str]
    found: dict[str, str] = field(default_factory=dict)

    def from_env(self, name: object) -> str:
        if not isinstance(name, str) or not name or "=" in name:
            raise SecretError("this is not the name of an environment variable", "write its name")
        if name not in self.environ:
            raise SecretError(f"the environment variable {name} is not set", "set it")
        return self._keep(f"env {name}", self.environ[name], f"the environment variable {name}")

    def from_file(self, path: object) -> str:
        """`path` is relative to the configuration's folder."""
        if not isinstance(path, str) or not path:
            raise SecretError("this is not the path of a file", "write its path")
        try:
            with (self.folder / path).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
            if len(content) > MAX_BYTES:
                raise SecretError(f"the file {path!r} is too large for a secret", "check the path")
            text = content.decode("utf-8-sig")
        except (OSError, ValueError) as error:
            why = (
                error.strerror
                if isinstance(error, OSError) and error.strerror
                else "not UTF-8 text"
            )
            raise SecretError(
                f"the file {path!r} can't be read ({why.lower()})", "check the path"
            ) from error
        return self._keep(f"file {path}", text, f"the file {path!r}")

    def _keep(self, key: str, value: str, name: str) -> str:
        value = value.rstrip("\r\n")
        if not value.strip():
            raise SecretError(f"{name} is empty", "put the secret into it")
        self.found[key] = value
        return value


def secret_fields(model: type[BaseModel]) -> set[str]:
    """The fields of a model that hold a secret."""
    return {name for name, info in model.model_fields.items() if _holds_secret(info.annotation)}


def _holds_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(map(_holds_secret, get_args(annotation)))
