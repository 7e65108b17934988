"""Reading a body: output bytes are counted in our own loop, so a bomb stops at the limit."""

import zlib

import aiohttp

from watcher.errors import FetchError

_CHUNK = 64 * 1024


async def read_body(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """The decoded body. One encoding layer, gzip or deflate; raises `FetchError` past `limit`."""
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    decoder = _decoder(encoding)
    out = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        if decoder is None:
            out += chunk
        else:
            _inflate(decoder, chunk, out, limit)
        if len(out) > limit:
            raise FetchError("too_large", f"more than {limit} bytes", status=answer.status)
    if decoder is not None and out and not decoder.eof:
        raise FetchError("truncated", "the compressed body ended early", status=answer.status)
    return bytes(out)


def _decoder(encoding: str) -> "zlib._Decompress | None":
    if encoding in {"", "identity"}:
        return None
    if encoding in {"gzip", "x-gzip", "deflate"}:
        # 32 + 15: gzip or zlib by their header.
        return zlib.decompressobj(32 + zlib.MAX_WBITS)
    raise FetchError("bad_encoding", f"{encoding[:40]!r} was not asked for")


def _inflate(decoder: "zlib._Decompress", chunk: bytes, out: bytearray, limit: int) -> None:
    data = chunk
    while data and not decoder.eof:
        try:
            out += decoder.decompress(data, limit + 1 - len(out))
        except zlib.error as error:
            raise FetchError("bad_encoding", "the compressed body is damaged") from error
        if len(out) > limit:
            return
        data = decoder.unconsumed_tail
    if decoder.unused_data.strip(b"\0"):
        # Dropping what follows would lose entries without a word.
        raise FetchError("bad_encoding", "something follows the compressed body")
