"""One file to one model, with every problem; what is sound goes on to the cross checks."""

from copy import copy
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from watcher.config.files import Files
from watcher.config.problems import explain, problem_at
from watcher.config.yaml import Document, read_yaml
from watcher.errors import Problem

Model = TypeVar("Model", bound=BaseModel)


class Reader:
    """Collects problems and warnings over all files."""

    def __init__(self, folder: Path, files: Files) -> None:
        self.folder = folder
        self._contents = files.contents
        self.problems: list[Problem] = list(files.problems)
        self.warnings: list[Problem] = list(files.warnings)

    def document(self, name: str, todo: str = "fill it, or delete it") -> Document | None:
        """None when there is no such file; an empty one is a problem."""
        if name not in self._contents:
            return None
        document = read_yaml(self._contents[name], str(self.folder / name))
        self.problems += document.problems
        if document.problems:
            return document
        if document.root is None:
            self.problems.append(problem_at(document, (), "the file is empty", todo))
        elif not isinstance(document.data, dict):
            what, todo = "the file is not a mapping", "write 'key: value' lines"
            self.problems.append(problem_at(document, (), what, todo))
        return document

    def model(
        self, document: Document, data: Any, model: type[Model], items: str = ""
    ) -> tuple[Model | None, list[int]]:
        """The model without its broken parts, and the places kept of its list `items`."""
        if not isinstance(data, dict):
            return None, []
        kept = list(range(len(data[items]))) if isinstance(data.get(items), list) else []
        try:
            return model.model_validate(data), kept
        except ValidationError as error:
            self.problems += explain(error, document, model)
            sound, dropped = _without(data, error)
        kept = [n for n in kept if n not in dropped.get(items, ())]
        try:
            return model.model_validate(sound), kept
        except ValidationError:
            return None, []

    def has_problem(self, name: str) -> bool:
        """Something is wrong in this file, as far as it was read."""
        file = str(self.folder / name)
        return any(problem.file == file for problem in self.problems)

    def problem(self, document: Document, loc: tuple[str | int, ...], what: str, todo: str) -> None:
        self.problems.append(problem_at(document, loc, what, todo))

    def warning(self, document: Document, loc: tuple[str | int, ...], what: str, todo: str) -> None:
        self.warnings.append(problem_at(document, loc, what, todo))


def _without(
    data: dict[str, Any], error: ValidationError
) -> tuple[dict[str, Any], dict[str, set[Any]]]:
    """The data without the list items, entries or keys that have an error, and what was dropped."""
    dropped: dict[str, set[Any]] = {}
    sound = copy(data)
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        top, *rest = found["loc"] or ("",)
        value = data.get(str(top))
        if rest and isinstance(value, list | dict) and _has(value, rest[0]):
            dropped.setdefault(str(top), set()).add(rest[0])
        else:
            sound.pop(str(top), None)
    for top, gone in dropped.items():
        value = sound.get(top)
        if isinstance(value, list):
            sound[top] = [item for n, item in enumerate(value) if n not in gone]
        elif isinstance(value, dict):
            sound[top] = {key: item for key, item in value.items() if key not in gone}
    return sound, dropped


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return part in value
