"""Hand each digest to a program of your own.

    - id: pager
      type: exec
      command: [/usr/local/bin/page, --queue, desk]

The digest is JSON on standard input, in the form of `docs/webhook.schema.json`; its `id`
is the same in every attempt. There is no shell: `command` is a list, and nothing from a
feed is ever in it. The program gets no environment but PATH and LANG.

Exit 0 means sent. 65 (bad data) gives the message up, 77 and 78 (permission,
configuration) or a program that can't be started park the receiver, anything else is
tried again for five days. After `timeout` the program and its children are killed.
"""

import asyncio
import json
import os
import signal
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import Field

from watcher.errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError
from watcher.fields import Duration
from watcher.model import Digest, Draft, Notification, Receipt
from watcher.notify._inert import inert
from watcher.notify._json import to_event
from watcher.notify._pages import Page
from watcher.notify.settings import ReceiverSettings, Tools
from watcher.text import clean_line

_BAD_DATA = 65
_PARK = {77, 78}
_KEEP = 500


class Settings(ReceiverSettings):
    """`command` is the program and its arguments; relative programs are looked up in PATH."""

    command: tuple[str, ...] = Field(min_length=1)
    timeout: Duration = timedelta(seconds=60)


class Receiver:
    """See the module's docstring."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._settings = settings
        self._root = tools.root

    def compose(self, digest: Digest) -> list[Draft]:
        digest = inert(digest)
        return [Draft({"body": json.dumps(to_event(digest, Page(digest.stories)))})]

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:  # noqa: ARG002
        process = await self._start()
        try:
            async with asyncio.timeout(self._settings.timeout.total_seconds()):
                said = await _converse(process, str(notification.payload["body"]).encode())
                code = await process.wait()
        except TimeoutError as error:
            raise TemporaryDeliveryError(
                f"{self._name} did not end in time", code="timeout"
            ) from error
        finally:
            await _end(process)
        if code:
            raise self._refusal(code, said)
        return Receipt("exit 0")

    async def _start(self) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *self._settings.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                cwd=self._root if self._root.is_dir() else None,
                env={"PATH": os.defpath + ":/usr/local/bin", "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "not a command"
            what = f"{self._name} can't be started: {why.lower()}"
            raise PermanentDeliveryError(what, code="not_started", park=True) from error

    @property
    def _name(self) -> str:
        return Path(self._settings.command[0]).name

    def _refusal(self, code: int, said: bytes) -> DeliveryError:
        last = clean_line(said.decode("utf-8", "replace"), 160)
        what = f"{self._name} ended with {code}" + (f": {last}" if last else "")
        if code == _BAD_DATA or code in _PARK:
            return PermanentDeliveryError(what, code=str(code), park=code in _PARK)
        return TemporaryDeliveryError(what, code=str(code))


async def _converse(process: asyncio.subprocess.Process, body: bytes) -> bytes:
    """Write while reading, or both sides could wait for ever; returns the end of stderr."""
    _, said = await asyncio.gather(_write(process.stdin, body), _tail(process.stderr))
    return said


async def _write(pipe: asyncio.StreamWriter | None, body: bytes) -> None:
    assert pipe is not None
    # A program may stop reading when it has seen enough.
    with suppress(BrokenPipeError, ConnectionResetError):
        pipe.write(body)
        await pipe.drain()
    pipe.close()


async def _tail(pipe: asyncio.StreamReader | None) -> bytes:
    assert pipe is not None
    kept = b""
    while piece := await pipe.read(65536):
        kept = (kept + piece)[-_KEEP:]
    return kept


async def _end(process: asyncio.subprocess.Process) -> None:
    """Nothing of the group outlives the attempt."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(asyncio.CancelledError):
        await process.wait()
