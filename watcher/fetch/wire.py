"""HTTP/1.1 over one connection, one request at a time; llhttp reads what comes back."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import httptools

from watcher.errors import FetchError
from watcher.fetch.body import Body
from watcher.fetch.urls import Target

MAX_HEADER_BYTES = 64 * 1024
# Policies fill headers of many KB, but not of many lines.
MAX_HEADERS = 256
_UNSENDABLE = re.compile("[\0\r\n]")


@dataclass(frozen=True, slots=True)
class Answer:
    """Read to the end and decoded; header names in lower case, the last of several wins."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def request_bytes(
    method: str, target: Target, headers: Mapping[str, str], body: bytes | None
) -> bytes:
    """Raises `FetchError` for a header that would end its line."""
    lines = [f"{method} {target.path} HTTP/1.1", f"Host: {target.authority}"]
    for name, value in headers.items():
        line = f"{name}: {value}"
        if _UNSENDABLE.search(line):
            raise FetchError("protocol", f"the value of {name[:40]!r} can't be a header")
        lines.append(line)
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    return head.encode("utf-8", "surrogateescape") + (body or b"")


class Connection(asyncio.Protocol):
    """Asks and answers in turn until either side has enough.

    `reusable` says that another request may follow; `silent` that nothing has come back yet.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        # As browsers read: some servers end lines with LF alone.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        self._done: asyncio.Future[Answer] | None = None
        self.reusable = True
        self._begin(0)

    def _begin(self, limit: int) -> None:
        self.silent = True
        self._limit = limit
        self._status = 0
        self._head_size = 0
        self._headers: dict[str, str] = {}
        self._encodings: list[str] = []
        self._lines = self._line_bytes = 0
        self._ends_with_connection = True
        self._body: Body | None = None

    async def ask(self, message: bytes, limit: int) -> Answer:
        """Raises `FetchError`; the connection is closed unless it can be used again."""
        if not self.reusable:
            raise FetchError("protocol", "closed before it was asked")
        self._begin(limit)
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        try:
            return await self._done
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.reusable = False
        self._transport.abort()

    # ── asyncio.Protocol ──

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._done is None or self._done.done():
            self.close()  # nobody asked
            return
        self.silent = False
        if self._body is None:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(FetchError("protocol", "switched to another protocol"))
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            self._fail(cause if isinstance(cause, FetchError) else FetchError("protocol"))
        except httptools.HttpParserError as error:
            # llhttp's own words; it repeats none of the server's bytes.
            self._fail(FetchError("protocol", str(error)))
        if self._body is None and self._head_size > MAX_HEADER_BYTES:
            self._fail(_too_much_head())  # and no end of it yet

    def connection_lost(self, error: Exception | None) -> None:
        self.reusable = False
        if self._body is None:
            self._fail(FetchError("protocol", "closed without an answer"))
        elif self._ends_with_connection and error is None:
            self._finish()
        else:
            self._fail(FetchError("truncated", "the body ended early", status=self._status))

    # ── llhttp's callbacks ──

    def on_message_begin(self) -> None:
        if self._done is not None and self._done.done():
            self.reusable = False  # a second answer to one request

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines += 1
        self._line_bytes += len(name) + len(value)
        if self._lines > MAX_HEADERS or self._line_bytes > MAX_HEADER_BYTES:
            raise _too_much_head()
        key = name.decode("latin-1").lower()
        text = value.decode("utf-8", "surrogateescape").strip(" \t")
        # Of most names the last counts; servers write one Link for each relation.
        joined = key == "link" and key in self._headers
        self._headers[key] = f"{self._headers[key]}, {text}" if joined else text
        if key == "content-encoding":
            self._encodings.append(text)
        elif key in {"content-length", "transfer-encoding"}:
            self._ends_with_connection = False

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200:
            self._status = status
            try:
                self._body = Body(",".join(self._encodings), self._limit)
            except FetchError as error:
                error.status = status
                raise

    def on_body(self, data: bytes) -> None:
        if self._body is not None:
            try:
                self._body.feed(data)
            except FetchError as error:
                error.status = self._status
                raise

    def on_message_complete(self) -> None:
        if self._body is None:
            self._begin(self._limit)  # 100 Continue, 103 Early Hints: the answer follows
            return
        self.reusable = self.reusable and self._parser.should_keep_alive()
        self._finish()

    def _finish(self) -> None:
        if self._done is None or self._done.done() or self._body is None:
            return
        try:
            self._done.set_result(Answer(self._status, self._headers, self._body.whole()))
        except FetchError as error:
            error.status = self._status
            self._fail(error)

    def _fail(self, error: FetchError) -> None:
        self.reusable = False
        if self._done is not None and not self._done.done():
            self._done.set_exception(error)


def _too_much_head() -> FetchError:
    limits = f"more than {MAX_HEADERS} headers, or {MAX_HEADER_BYTES} bytes of them"
    return FetchError("too_large", limits)
