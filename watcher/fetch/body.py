"""Reading a body: output bytes are counted in our own loop, so a bomb stops at the limit."""

import zlib

import aiohttp

from watcher.errors import FetchError

_CHUNK = 64 * 1024
# gzip may be written in pieces (RFC 1952 §2.2), but nobody needs many.
_MEMBERS = 100


async def read_body(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """The decoded body. One encoding layer, gzip or deflate; raises `FetchError` past `limit`."""
    inflater = _inflater(answer)
    out, received = bytearray(), 0
    async for chunk in answer.content.iter_chunked(_CHUNK):
        received += len(chunk)
        if inflater is None:
            out += chunk
        else:
            inflater.feed(chunk, out, limit)
        # Compressed bytes count too: some inflate to nothing, for ever.
        if max(received, len(out)) > limit:
            raise FetchError("too_large", f"more than {limit} bytes", status=answer.status)
    if inflater is not None and not inflater.whole:
        raise FetchError("truncated", "the compressed body ended early", status=answer.status)
    return bytes(out)


class _Inflater:
    """gzip or zlib, by their header; what follows the end must be another gzip piece."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(32 + zlib.MAX_WBITS)
        self._members = 0

    @property
    def whole(self) -> bool:
        """No piece was cut; no bytes at all are whole too."""
        return self._members == 0 or self._decoder.eof

    def feed(self, data: bytes, out: bytearray, limit: int) -> None:
        """Stops soon after `limit`; the caller raises."""
        while data and len(out) <= limit:
            if self._decoder.eof:
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
                self._members += 1
            self._members = self._members or 1
            if self._members > _MEMBERS:
                raise FetchError("bad_encoding", f"more than {_MEMBERS} compressed pieces")
            try:
                out += self._decoder.decompress(data, limit + 1 - len(out))
            except zlib.error as error:
                raise FetchError("bad_encoding", "the compressed body is damaged") from error
            data = self._decoder.unconsumed_tail or self._decoder.unused_data


def _inflater(answer: aiohttp.ClientResponse) -> _Inflater | None:
    layers = ",".join(answer.headers.getall("Content-Encoding", ()))
    encoding = layers.strip().lower()
    if encoding in {"", "identity"}:
        return None
    if encoding in {"gzip", "x-gzip", "deflate"}:
        return _Inflater()
    raise FetchError("bad_encoding", f"{encoding[:40]!r} was not asked for")
