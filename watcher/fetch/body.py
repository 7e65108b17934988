"""Reading a body: output bytes are counted in our own loop, so a bomb stops at the limit."""

import zlib

from watcher.errors import FetchError

# gzip may be written in pieces (RFC 1952 §2.2), but nobody needs many.
_PIECES = 100


class Body:
    """The decoded body as it arrives: one encoding layer, gzip or deflate.

    Every method raises `FetchError` for what can't be decoded or is more than `limit` bytes.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        """`encoding` is the Content-Encoding, of all its fields."""
        self._limit = limit
        self._received = 0
        self._out = bytearray()
        self._inflater = _inflater(encoding.strip().lower())

    def feed(self, data: bytes) -> None:
        self._received += len(data)
        if self._inflater is None:
            self._out += data
        else:
            self._inflater.feed(data, self._out, self._limit)
        # Compressed bytes count too: some inflate to nothing, for ever.
        if max(self._received, len(self._out)) > self._limit:
            raise FetchError("too_large", f"more than {self._limit} bytes")

    def whole(self) -> bytes:
        """Everything, once the last byte has arrived; nothing of it is kept here."""
        if self._inflater is not None and not self._inflater.whole:
            raise FetchError("truncated", "the compressed body ended early")
        body, self._inflater = bytes(self._out), None
        self._out.clear()
        return body


class _Inflater:
    """gzip or zlib by their header, else, for `deflate`, the bare stream that some servers send."""

    def __init__(self, *, deflate: bool) -> None:
        self._deflate = deflate
        self._begin = b""
        self._decoder: zlib._Decompress | None = None
        self._pieces = 0

    @property
    def whole(self) -> bool:
        """No piece was cut; no bytes at all are whole too."""
        return self._decoder.eof if self._decoder is not None else not self._begin

    def feed(self, data: bytes, out: bytearray, limit: int) -> None:
        """Stops soon after `limit`; the caller raises."""
        while data and len(out) <= limit:
            if self._decoder is None or self._decoder.eof:
                data = self._begun(data)
                if self._decoder is None or not data:
                    return
            try:
                out += self._decoder.decompress(data, limit + 1 - len(out))
            except zlib.error as error:
                raise FetchError("bad_encoding", "the compressed body is damaged") from error
            data = self._decoder.unconsumed_tail or self._decoder.unused_data

    def _begun(self, data: bytes) -> bytes:
        """Choose the decoder of the next piece; two bytes tell, and wait for each other."""
        if self._pieces:
            # What follows the end is padding, or another gzip piece.
            data = data.lstrip(b"\0")
            if data:
                self._decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
        else:
            data, self._begin = self._begin + data, b""
            if len(data) < 2:
                self._begin = data
                return b""
            bare = self._deflate and not _has_header(data)
            self._decoder = zlib.decompressobj(-zlib.MAX_WBITS if bare else 32 + zlib.MAX_WBITS)
        self._pieces += bool(data)
        if self._pieces > _PIECES:
            raise FetchError("bad_encoding", f"more than {_PIECES} compressed pieces")
        return data


def _has_header(data: bytes) -> bool:
    """gzip's magic, or zlib's method and check bits (RFC 1950 §2.2)."""
    zlib_header = data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    return zlib_header or data[:2] == b"\x1f\x8b"


def _inflater(encoding: str) -> _Inflater | None:
    if encoding in {"", "identity"}:
        return None
    if encoding in {"gzip", "x-gzip", "deflate"}:
        return _Inflater(deflate=encoding == "deflate")
    raise FetchError("bad_encoding", f"{encoding[:40]!r} was not asked for")
