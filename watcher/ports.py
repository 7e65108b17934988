"""The seams: what the top floor asks of the edges. Small Protocols, no implementation."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar, runtime_checkable

from watcher.model import (
    Digest,
    Draft,
    HttpRequest,
    HttpResponse,
    Notification,
    ParsedFeed,
    Receipt,
)

Result = TypeVar("Result")
Work = Callable[[bytes, str, str | None], Result]


class Clock(Protocol):
    """Where time comes from; replay and demo bring their own."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...


class Door(Protocol):
    """The only way out: judges scheme, host and every resolved address, also of redirects."""

    async def request(self, request: HttpRequest) -> HttpResponse:
        """Send once and read to the end within the deadline.

        Returns any HTTP status. Raises `BlockedError` before a byte is sent to a
        refused address, `FetchError` for everything the network can do.
        """
        ...

    def guarding(self) -> AbstractContextManager["Guarded"]:
        """Hold what a library connects to by itself, in this task and its threads, to the same rules."""
        ...


class Guarded(Protocol):
    """`refused` lists where a library wanted to connect and was not let."""

    @property
    def refused(self) -> Sequence[str]: ...


class FeedParser(Protocol):
    """Bytes to entries; hostile bytes must not hurt or block the caller."""

    async def parse(self, body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
        """Raise `ParseError` when the bytes are not a feed or cost too much."""
        ...

    async def ask(
        self, work: "Work[Result]", body: bytes, *, url: str, content_type: str | None = None
    ) -> Result:
        """What `work`, a function of a module or a `partial` of one, makes of body, address and type."""
        ...


class Renderer(Protocol):
    """Templates to text; the escape rules follow the template's extension."""

    def render(self, template: str, digest: Digest, **context: object) -> str:
        """Raise `RenderError` naming template and line."""
        ...


class Receiver(Protocol):
    """A named destination. Implementations live one per file in `watcher.notify`."""

    def compose(self, digest: Digest) -> list[Draft]:
        """Freeze the message in this channel's form. Pure: same digest, same drafts."""
        ...

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:
        """Deliver once, carrying `notification.key`.

        A payload with a `thread` has in `reply_to` the `Receipt.handle` of the first message
        of that thread, once there is one.

        Returns only after the peer's final positive reply. Raises
        `TemporaryDeliveryError` or `PermanentDeliveryError`, never anything else.
        Safe to run concurrently with other receivers; cancels cleanly.
        """
        ...


# Returns when the outcome of the message before is stored; raises `StoreError` when it can't be.
Settled = Callable[[], Awaitable[None]]


@runtime_checkable
class Keeping(Protocol):
    """What a `Receiver` may add: something worth keeping open over several messages."""

    def kept(self, settled: Settled) -> AbstractAsyncContextManager[None]:
        """Sends inside it come one at a time and may share a connection; never raises.

        A send may begin while the message before is still being marked, and awaits `settled`
        before the peer can have all of its own; the `StoreError` of that is passed on.
        """
        ...
