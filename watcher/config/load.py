"""A folder of files and an environment → one `Config`, or every problem in one go."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from watcher.alerts.routes import RouteSettings
from watcher.config import checks
from watcher.config.environment import merged, overrides
from watcher.config.feeds import read_feeds, read_publishers
from watcher.config.files import ROOT, Files, read_files
from watcher.config.problems import inert
from watcher.config.reader import Reader
from watcher.config.receivers import read_receivers
from watcher.config.rules import read_rules, unique_ids
from watcher.config.secrets import Secrets
from watcher.config.settings import WatcherSettings
from watcher.config.yaml import Document
from watcher.errors import ConfigError, Problem
from watcher.garbage import collector_paused
from watcher.notify.settings import ReceiverSettings
from watcher.rules import clauses as c
from watcher.rules.compile import Rule
from watcher.sources.settings import FeedSettings
from watcher.stories.publishers import PublisherTable


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the user wrote, checked. Disabled rules and feeds are left out, disabled receivers are not.

    `fingerprint` changes with any byte of any file, any override and any secret; it is no secret
    itself but is not for display either.
    """

    folder: Path
    settings: WatcherSettings
    feeds: tuple[FeedSettings, ...]
    rules: tuple[Rule, ...]
    concepts: Mapping[str, c.Any]
    publishers: PublisherTable
    receivers: Mapping[str, ReceiverSettings]
    routes: tuple[RouteSettings, ...]
    warnings: tuple[Problem, ...]
    fingerprint: str

    @property
    def data(self) -> Path:
        """The folder of the store."""
        return self.folder / self.settings.data

    @property
    def templates(self) -> Path | None:
        """The folder of the user's own templates."""
        return self.folder / self.settings.templates if self.settings.templates else None


def load_config(
    folder: Path, environ: Mapping[str, str], *, instead: Mapping[str, bytes] | None = None
) -> Config:
    """Read everything, check everything. Raises ConfigError with every problem of every file.

    `instead` holds what files are to be read as: what they would be after an edit.
    """
    with collector_paused():
        return _load(folder, environ, instead or {})


def _load(folder: Path, environ: Mapping[str, str], instead: Mapping[str, bytes]) -> Config:
    files = read_files(folder)
    files = replace(files, contents={**files.contents, **instead})
    reader = Reader(folder, files)
    secrets = Secrets(folder, environ)
    root = _root(reader, secrets)
    publishers = read_publishers(reader)
    table = PublisherTable(publishers)
    book = read_rules(reader, files.rules, table.countries)
    feeds = read_feeds(reader, secrets)
    checks.check_root(reader, root, book, {p.family_id for p in publishers})
    if reader.problems:
        raise ConfigError([inert(problem) for problem in dict.fromkeys(reader.problems)])
    return Config(
        folder=folder,
        settings=root.settings,
        feeds=feeds,
        rules=book.rules,
        concepts=book.concepts,
        publishers=table,
        receivers=root.receivers,
        routes=root.settings.routes,
        warnings=tuple(sorted(map(inert, reader.warnings))),
        fingerprint=_fingerprint(files, root.overrides, secrets),
    )


def _root(reader: Reader, secrets: Secrets) -> checks.Root:
    """watcher.yaml under the environment."""
    document = reader.document(ROOT, "run `watcher init DIR` for a working start")
    document = document or Document(str(reader.folder / ROOT), None)
    over = overrides(reader, secrets.environ)
    written = document.data if isinstance(document.data, dict) else {}
    data = merged(written, over)
    settings, kept = reader.model(document, data, WatcherSettings, "routes")
    unique_ids(reader, document, "receivers", {})
    entries = data.get("receivers")
    receivers = {}
    if isinstance(entries, list):
        receivers = read_receivers(reader, document, entries, secrets)
    return checks.Root(
        document=document,
        # Checked receivers take over here: the mappings may hold secrets in clear.
        settings=(settings or WatcherSettings()).model_copy(update={"receivers": ()}),
        overrides=over,
        entries=entries if isinstance(entries, list) else [],
        receivers=receivers,
        route_places=tuple(kept),
    )


def _fingerprint(files: Files, over: Mapping[str, Any], secrets: Secrets) -> str:
    digest = sha256()
    parts: list[bytes] = [json.dumps(over, sort_keys=True, default=str).encode()]
    for name, content in sorted(files.contents.items()):
        parts += [name.encode(), content]
    for name, value in sorted(secrets.found.items()):
        parts += [name.encode(), value.encode("utf-8", "surrogateescape")]
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
