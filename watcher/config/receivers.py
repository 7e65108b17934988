"""`receivers:` of watcher.yaml: each is checked by the module its `type` names, secrets filled in."""

import pkgutil
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

import watcher.notify
from watcher.config.problems import Loc, explain, nearest
from watcher.config.reader import Reader
from watcher.config.secrets import SecretError, Secrets, secret_fields
from watcher.config.yaml import Document
from watcher.errors import Problem
from watcher.notify.settings import ReceiverSettings

LIST = "receivers"


def read_receivers(
    reader: Reader, document: Document, entries: Sequence[Any], secrets: Secrets
) -> dict[str, ReceiverSettings]:
    """The sound receivers by id."""
    receivers: dict[str, ReceiverSettings] = {}
    for n, entry in enumerate(entries):
        if not isinstance(entry, dict):
            continue
        settings = _Entry(reader, document, n, entry, secrets).read()
        if settings is not None:
            receivers.setdefault(settings.id, settings)
    return receivers


def known_types() -> list[str]:
    """Modules of `watcher.notify` that are a channel."""
    names = (module.name for module in pkgutil.iter_modules(watcher.notify.__path__))
    return sorted(name for name in names if not name.startswith("_") and _channel(name))


def settings_of(kind: str) -> type[ReceiverSettings]:
    """The Settings of a receiver type. Raises ImportError when there is no such type."""
    model: type[ReceiverSettings] = watcher.notify.load(kind).Settings
    return model


def _channel(name: str) -> bool:
    try:
        settings_of(name)
    except ImportError:
        return False
    return True


class _Entry:
    """One receiver on its way from a mapping to its Settings."""

    def __init__(
        self,
        reader: Reader,
        document: Document,
        place: int,
        entry: Mapping[str, Any],
        secrets: Secrets,
    ) -> None:
        self._reader = reader
        self._document = document
        self._loc: Loc = (LIST, place)
        self._entry = dict(entry)
        self._secrets = secrets
        self._values: set[str] = set()
        self._written: dict[str, str] = {}
        self._lacking: set[str] = set()
        self._enabled = entry.get("enabled", True) not in (False, "false", "no", "off")

    def read(self) -> ReceiverSettings | None:
        model = self._model()
        if model is None:
            return None
        before = len(self._reader.problems)
        self._resolve(model)
        try:
            settings = model.model_validate(self._entry)
        except ValidationError as error:
            self._reader.problems += self._explained(error, model)
            return None if self._enabled or len(self._reader.problems) > before else self._base()
        except Exception as error:  # noqa: BLE001  (validators of a channel may be anybody's code)
            self._problem((), f"the settings can't be checked ({type(error).__name__})", "")
            return None
        return settings if len(self._reader.problems) == before else None

    def _model(self) -> type[ReceiverSettings] | None:
        kind = self._entry.get("type")
        if kind is None:
            self._problem((), "the key 'type' is missing", f"add one of {', '.join(known_types())}")
            return None
        try:
            return settings_of(str(kind))
        except ImportError:
            todo = nearest(str(kind), known_types())
            self._problem(("type",), f"there is no receiver type {kind!r}", todo)
        except Exception as error:  # noqa: BLE001  (a dotted path may name anybody's code)
            what = f"the module {kind!r} can't be loaded ({type(error).__name__})"
            self._problem(("type",), what, "mend it, or name another")
        return None

    def _base(self) -> ReceiverSettings:
        """A disabled receiver needs no secret; what routes must know of it is here."""
        shared = {k: v for k, v in self._entry.items() if k in ReceiverSettings.model_fields}
        return ReceiverSettings.model_validate(shared)

    def _resolve(self, model: type[ReceiverSettings]) -> None:
        """Values for secrets; a channel that has `token_file` for a key of its own sees both."""
        for name in sorted(secret_fields(model)):
            keys = (name, f"{name}_env", f"{name}_file")
            given = [key for key in keys if self._entry.get(key) is not None]
            if len(given) > 1:
                self._problem((given[1],), f"{given[0]} and {given[1]} are both given", "keep one")
                self._lacking.add(name)
            elif given == [name]:
                self._literal(name)
            elif given:
                self._fill(name, given[0])
            for key in keys[1:]:
                if key not in model.model_fields:
                    self._entry.pop(key, None)

    def _literal(self, name: str) -> None:
        self._values.add(str(self._entry[name]))
        if self._enabled:
            what = f"the secret {name!r} stands in the file"
            todo = f"use {name}_env or {name}_file"
            self._reader.warning(self._document, (*self._loc, name), what, todo)

    def _fill(self, name: str, key: str) -> None:
        find = self._secrets.from_env if key.endswith("_env") else self._secrets.from_file
        self._written[name] = key
        try:
            self._entry[name] = find(self._entry[key])
            self._values.add(self._entry[name])
        except SecretError as error:
            if self._enabled:
                self._problem((key,), error.what, error.todo)
            self._lacking.add(name)

    def _explained(self, error: ValidationError, model: type[ReceiverSettings]) -> list[Problem]:
        """Without what follows from a secret that is missing anyway; blaming the key that was written."""
        hidden = self._lacking if self._enabled else secret_fields(model)
        errors = []
        for found in error.errors(include_url=False):
            loc = found["loc"]
            if hidden.intersection(map(str, loc)) or (self._lacking and not loc):
                continue
            if loc and loc[0] in self._written:
                found["loc"] = (self._written[str(loc[0])], *loc[1:])
            errors.append(found)
        return explain(errors, self._document, model, prefix=self._loc, secrets=self._values)

    def _problem(self, loc: Loc, what: str, todo: str) -> None:
        self._reader.problem(self._document, (*self._loc, *loc), what, todo)
