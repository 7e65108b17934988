"""Print each digest as plain text: for a first look, and for `watcher run --dry-run`.

    - id: screen
      type: stdout

Control characters, escape sequences and reordering marks are gone before anything is
printed, so a headline can't move the cursor or colour the terminal.
"""

import asyncio
import errno
from datetime import datetime

from watcher.errors import PermanentDeliveryError, TemporaryDeliveryError
from watcher.model import Digest, Draft, Notification, Receipt
from watcher.notify._inert import inert
from watcher.notify.settings import ReceiverSettings, Tools

RULE = "─" * 76


class Settings(ReceiverSettings):
    """Nothing of its own."""

    # What is printed ends in logs.
    links: bool = False


class Receiver:
    """See the module's docstring."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._settings = settings
        self._render = tools.render
        self._out = tools.stdout

    def compose(self, digest: Digest) -> list[Draft]:
        text = self._render.render(f"{self._settings.template}.txt.j2", inert(digest))
        return [Draft({"text": text.strip("\n")})]

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:  # noqa: ARG002
        block = f"{RULE}\n{notification.payload['text']}\n{RULE}\n"
        try:
            await asyncio.to_thread(self._print, block)
        except BrokenPipeError as error:
            raise PermanentDeliveryError("nobody reads it", code="epipe", park=True) from error
        except (OSError, ValueError) as error:
            name = errno.errorcode.get(getattr(error, "errno", 0) or 0, type(error).__name__)
            raise TemporaryDeliveryError("standard output can't be written", code=name) from error
        return Receipt("printed")

    def _print(self, block: str) -> None:
        encoding = self._out.encoding or "utf-8"
        self._out.write(block.encode(encoding, "replace").decode(encoding))
        self._out.flush()
