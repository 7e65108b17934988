"""Every error that watcher raises on purpose.

    WatcherError
    ├── ConfigError            something the user wrote; carries every Problem at once
    │   └── LayoutError        nothing can be inserted into a file written like this
    ├── SourceError            one feed: recorded on that feed, the others go on
    │   ├── FetchError         the network or the server
    │   │   └── BlockedError   the outbound door refused the address
    │   └── ParseError         the bytes are not a feed
    ├── StoreError             the database: polling pauses
    │   ├── StoreLockedError   another daemon holds this store
    │   └── StoreFullError     no room; nothing is sent whose mark can't be kept
    ├── ListenError            the address to serve at can't be had
    ├── RenderError            a template
    └── DeliveryError          one receiver: the others go on
        ├── TemporaryDeliveryError   try again later
        └── PermanentDeliveryError   trying again can't help

Messages say *where: what is wrong: what to do*, lower case, no final period,
and never hold a secret: of a webhook URL they show the host only.
"""

from dataclasses import dataclass
from datetime import timedelta


class WatcherError(Exception):
    """Base of every error raised on purpose."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in one place of one file; line and column count from 1, line 0 means no line."""

    file: str
    line: int
    column: int
    path: str
    what: str
    todo: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        parts = [where, self.path, self.what, self.todo]
        return ": ".join(part for part in parts if part)


class ConfigError(WatcherError):
    """The configuration can't be used; `problems` holds all of them, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)))


class LayoutError(ConfigError):
    """The file is sound, but what is new has to be added by hand."""


class SourceError(WatcherError):
    """A feed could not be read; `reason` is a stable word for logs and status."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class FetchError(SourceError):
    """The request failed; `status` is None when no response was read."""

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        status: int | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(reason, detail)
        self.status = status
        self.retry_after = retry_after


class BlockedError(FetchError):
    """The outbound door refused the URL or the address it resolved to; nothing was sent."""


class ParseError(SourceError):
    """The bytes could not be read as a feed."""


class StoreError(WatcherError):
    """The database refused or is damaged."""


class StoreLockedError(StoreError):
    """Another daemon runs on this store."""


class StoreFullError(StoreError):
    """The disk is full or read-only."""


class ListenError(WatcherError):
    """The address of `web.listen` can't be used."""


class RenderError(WatcherError):
    """A template failed; the message names template and line."""


class DeliveryError(WatcherError):
    """A receiver did not accept a notification; `code` is a stable word or a status."""

    def __init__(self, detail: str, *, code: str = "") -> None:
        self.detail = detail
        self.code = code
        super().__init__(f"{code}: {detail}" if code else detail)


class TemporaryDeliveryError(DeliveryError):
    """Worth retrying, not before `retry_after` when the peer said so."""

    def __init__(
        self, detail: str, *, code: str = "", retry_after: timedelta | None = None
    ) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class PermanentDeliveryError(DeliveryError):
    """Retrying can't help; `park` says the whole receiver is unusable (401, 403, 404, 410)."""

    def __init__(self, detail: str, *, code: str = "", park: bool = False) -> None:
        super().__init__(detail, code=code)
        self.park = park
