"""Write each digest into a folder: to keep, to publish with any web server, to test with.

    - id: archive
      type: file
      folder: digests             # relative to the folder of watcher.yaml
      formats: [html, txt, json]

Names are made of our own time and key only (`20260530T220000Z-4f2a91c05b7e.html`), never
of feed text. A file is written beside its place, synced, then renamed: a reader sees a
whole file or none, and sending twice gives the same file.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from watcher.errors import PermanentDeliveryError, TemporaryDeliveryError
from watcher.model import Digest, Draft, Notification, Receipt
from watcher.notify._inert import inert
from watcher.notify._json import digest_json
from watcher.notify._kit import short_hash
from watcher.notify.settings import ReceiverSettings, Tools

# No later try will do better until somebody mends the folder.
IN_THE_WAY = (PermissionError, FileExistsError, NotADirectoryError, IsADirectoryError)

Format = Literal["html", "txt", "json"]


class Settings(ReceiverSettings):
    """`folder` is made when missing."""

    folder: str = Field(min_length=1)
    formats: tuple[Format, ...] = Field(default=("html", "txt"), min_length=1)
    # Files are published or kept: who finds one later shouldn't be able to mute.
    links: bool = False


class Receiver:
    """See the module's docstring."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._settings = settings
        self._render = tools.render
        self._folder = tools.root / settings.folder

    def compose(self, digest: Digest) -> list[Draft]:
        digest = inert(digest)
        name = f"{digest.at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{short_hash(digest.key)}"
        files = {f"{name}.{form}": self._content(form, digest) for form in self._settings.formats}
        return [Draft({"files": files})]

    def _content(self, form: Format, digest: Digest) -> str:
        if form == "json":
            return json.dumps(digest_json(digest), ensure_ascii=False, indent=2) + "\n"
        return self._render.render(f"{self._settings.template}.{form}.j2", digest, standalone=True)

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:  # noqa: ARG002
        files: Mapping[str, str] = notification.payload["files"]
        try:
            await asyncio.to_thread(write_all, self._folder, files)
        except IN_THE_WAY as error:
            what = f"the folder {self._settings.folder!r} can't be written: {error.strerror}"
            raise PermanentDeliveryError(what, code="folder", park=True) from error
        except OSError as error:
            what = f"the folder {self._settings.folder!r}: {error.strerror}"
            raise TemporaryDeliveryError(what, code="disk") from error
        return Receipt(", ".join(files))


def write_all(folder: Path, files: Mapping[str, str]) -> None:
    """All files of one digest, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_whole(folder / Path(name).name, content.encode())
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, content: bytes) -> None:
    """Temporary file, sync, rename."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
