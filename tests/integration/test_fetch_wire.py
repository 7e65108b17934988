"""HTTP/1.1 as it is spoken out there: encodings, kept connections, odd servers, TLS."""

import asyncio
import gzip
import os
import shutil
import ssl
import subprocess
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from raw_origin import Handler, Origin, ask, opened, refusal, reply, says

from watcher.errors import FetchError
from watcher.fetch.dial import Dialer
from watcher.fetch.urls import check_url
from watcher.fetch.wire import request_bytes
from watcher.model import HttpRequest

TEXT = b"A feed's text. " * 400


def bare_deflate(data: bytes) -> bytes:
    squeezed = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return squeezed.compress(data) + squeezed.flush()


BODIES: list[tuple[str, str, bytes]] = [
    ("zlib", "deflate", zlib.compress(TEXT)),
    ("bare deflate", "deflate", bare_deflate(TEXT)),
    ("gzip called deflate", "deflate", gzip.compress(TEXT)),
    ("zlib called gzip", "gzip", zlib.compress(TEXT)),
    ("gzip in pieces", "gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
    ("padded gzip", "x-gzip", gzip.compress(TEXT) + b"\0" * 512),
    ("padded between", "gzip", gzip.compress(TEXT[:9]) + b"\0\0" + gzip.compress(TEXT[9:])),
]


@pytest.mark.parametrize("size", [1, 7, 100_000], ids=["by byte", "by seven", "at once"])
@pytest.mark.parametrize(("name", "encoding", "body"), BODIES, ids=[case[0] for case in BODIES])
def test_a_compressed_body_is_read_however_it_comes(
    name: str, encoding: str, body: bytes, size: int
) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\n\r\n".encode()
    pieces = [body[at : at + size] for at in range(0, len(body), size)]

    assert ask(says(head, *pieces)).body == TEXT


DAMAGED: list[tuple[str, str, bytes, str]] = [
    ("bare deflate bomb", "deflate", bare_deflate(b"\0" * 50_000_000), "too_large"),
    ("bomb in the second piece", "gzip", gzip.compress(b"a") + gzip.compress(b"\0" * 9**8), "too_large"),
    ("a thousand pieces", "gzip", gzip.compress(b"a") * 1000, "bad_encoding"),
    ("text after the end", "gzip", gzip.compress(b"a") + b"and more", "bad_encoding"),
    ("second piece cut", "gzip", gzip.compress(b"a") + gzip.compress(TEXT)[:-20], "truncated"),
    ("bare deflate cut", "deflate", bare_deflate(os.urandom(5000))[:-20], "truncated"),
    ("one byte", "gzip", b"\x1f", "truncated"),
    ("no deflate", "deflate", b"plain text", "bad_encoding"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "encoding", "body", "reason"), DAMAGED, ids=[case[0] for case in DAMAGED]
)
def test_a_compressed_body_that_lies_is_refused(
    name: str, encoding: str, body: bytes, reason: str
) -> None:
    """RELIABILITY B4."""
    assert refusal(says(reply(body, Content_Encoding=encoding))).reason == reason


ODD: list[tuple[str, bytes]] = [
    ("lines ended by LF", b"HTTP/1.1 200 OK\nContent-Length: 5\nX-Odd: one\n\nhello"),
    ("HTTP/1.0", b"HTTP/1.0 200 OK\r\nX-Odd: one\r\n\r\nhello"),
    ("no phrase", b"HTTP/1.1 200\r\nX-Odd: one\r\nContent-Length: 5\r\n\r\nhello"),
    ("early hints", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-Odd: one\r\nContent-Length: 5\r\n\r\nhello"),
    ("continue", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Odd:   one \r\nContent-Length: 5\r\n\r\nhello"),
    ("chunks", b"HTTP/1.1 200 OK\r\nX-Odd: one\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nT: t\r\n\r\n"),
    ("more than asked for", b"HTTP/1.1 200 OK\r\nX-Odd: one\r\nContent-Length: 5\r\n\r\nhello and more"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer"), ODD, ids=[case[0] for case in ODD])
def test_odd_servers_are_understood(name: str, answer: bytes) -> None:
    found = ask(says(answer))

    assert (found.status, found.body, found.headers["x-odd"]) == (200, b"hello", "one")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
    ],
)
def test_what_no_server_may_say_is_refused(answer: bytes) -> None:
    assert refusal(says(answer)).reason == "protocol"


def test_no_header_can_smuggle_a_line() -> None:
    """CVE-2019-11236."""
    target = check_url("http://sample.example/")

    for headers in ({"X": "a\r\nB: c"}, {"X": "a\nB"}, {"X\r\nB": "a"}, {"X": "a\0b"}):
        with pytest.raises(FetchError):
            request_bytes("GET", target, headers, None)


# ── connections that are kept ──


def twice(answer: Handler, method: str = "GET") -> tuple[list[bytes], int, list[str]]:
    """Two requests after each other: what the origin saw, its connections, what came of them."""

    async def run() -> tuple[list[bytes], int, list[str]]:
        outcomes = []
        async with Origin(answer) as origin, opened(origin.port) as door:
            for _ in range(2):
                url = f"http://127.0.0.1:{origin.port}/"
                body = b"x" if method == "POST" else None
                try:
                    found = await door.request(HttpRequest(url, method=method, body=body))
                    outcomes.append(found.body.decode())
                except FetchError as error:
                    outcomes.append(error.reason)
            return origin.requests, origin.connections, outcomes

    return asyncio.run(run())


def test_a_connection_is_used_again() -> None:
    requests, connections, _ = twice(says(reply(), close=False))

    assert (len(requests), connections) == (2, 1)


def test_a_server_that_hangs_up_between_requests_is_asked_anew() -> None:
    closing = False

    async def answer(_reader: Any, writer: asyncio.StreamWriter, _head: bytes) -> None:
        nonlocal closing
        if closing:  # the second request on this connection
            closing = False
            writer.transport.abort()
            return
        closing = True
        writer.write(reply())

    requests, connections, outcomes = twice(answer)

    assert (len(requests), connections, outcomes) == (3, 2, ["hello", "hello"])


def test_a_message_is_never_sent_twice() -> None:
    """Silence may mean that a POST was received: the outbox decides, with the same id."""
    closing = False

    async def answer(_reader: Any, writer: asyncio.StreamWriter, _head: bytes) -> None:
        nonlocal closing
        if closing:
            writer.transport.abort()
            return
        closing = True
        writer.write(reply())

    requests, _, outcomes = twice(answer, "POST")

    assert (len(requests), outcomes[0], len(outcomes)) == (2, "hello", 2)
    assert outcomes[1] != "hello"


def test_messages_close_together_share_a_connection() -> None:
    requests, connections, _ = twice(says(reply(), close=False), "POST")

    assert (len(requests), connections) == (2, 1)


def test_a_message_does_not_go_over_a_connection_that_rested(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("watcher.fetch.door.FRESH_SECONDS", -1.0)

    requests, connections, _ = twice(says(reply(), close=False), "POST")

    assert (len(requests), connections) == (2, 2)


def test_few_connections_wait_for_one_origin() -> None:
    """Each message that dialled anew left one behind: a thousand messages, a thousand sockets."""

    async def run() -> int:
        answer = says(reply(), close=False)
        async with Origin(answer) as origin, opened(origin.port) as door:
            request = HttpRequest(f"http://127.0.0.1:{origin.port}/", method="POST", body=b"x")
            await asyncio.gather(*(door.request(request) for _ in range(40)))
            return sum(len(waiting) for waiting in door._dialer._kept.values())

    assert asyncio.run(run()) <= 8


def test_what_nobody_asked_for_ends_the_connection() -> None:
    two_answers = reply() + reply(b"smuggled")

    _, connections, outcomes = twice(says(two_answers, close=False))

    assert (connections, outcomes) == (2, ["hello", "hello"])


def test_a_deadline_leaves_no_connection_behind() -> None:
    async def silent(_reader: Any, _writer: Any, _head: bytes) -> None:
        await asyncio.sleep(30)

    async def run() -> tuple[int, bool]:
        async with Origin(silent) as origin, opened(origin.port) as door:
            request = HttpRequest(
                f"http://127.0.0.1:{origin.port}/", timeout=timedelta(seconds=0.2)
            )
            for _ in range(2):
                with pytest.raises(FetchError):
                    await door.request(request)
            return origin.connections, bool(door._dialer._kept)

    assert asyncio.run(run()) == (2, False)


# ── TLS ──


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("openssl"):
        pytest.skip("needs the openssl command")
    folder = tmp_path_factory.mktemp("tls")
    key = "openssl ecparam -name prime256v1 -genkey -noout -out key.pem"
    subprocess.run(key.split(), cwd=folder, check=True, capture_output=True)
    for name, days, host in (
        ("good", 2, "sample.example"),
        ("other", 2, "other.example"),
        ("expired", -1, "sample.example"),
    ):
        (folder / "names").write_text(f"subjectAltName=DNS:{host}\n")
        for command in (
            "openssl req -new -key key.pem -subj /CN=x -out request",
            f"openssl x509 -req -in request -signkey key.pem -days {days} -extfile names -out {name}.pem",
        ):
            subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


def over_tls(folder: Path, name: str, *, trusted: bool, old: bool = False) -> str:
    """The body, or the reason why there is none, of https://sample.example."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / f"{name}.pem", folder / "key.pem")
    if old:
        serving.set_ciphers("ALL:@SECLEVEL=0")
        serving.minimum_version = serving.maximum_version = ssl.TLSVersion.TLSv1
    trusting = ssl.create_default_context(cafile=str(folder / f"{name}.pem") if trusted else None)

    async def here(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply(b"private", Connection="close"))
        writer.close()

    async def run() -> str:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=serving)
        port = server.sockets[0].getsockname()[1]
        async with server, opened(port, lookup=here) as door:
            door._dialer._tls = trusting
            try:
                found = await door.request(HttpRequest(f"https://sample.example:{port}/"))
            except FetchError as error:
                return error.reason
            return str(found.body.decode())

    return asyncio.run(run())


def test_a_trusted_certificate_of_that_name_is_accepted(certificates: Path) -> None:
    assert over_tls(certificates, "good", trusted=True) == "private"


@pytest.mark.parametrize(
    ("name", "trusted", "old"),
    [
        ("good", False, False),
        ("other", True, False),
        ("expired", True, False),
        ("good", True, True),
    ],
    ids=["self-signed", "another name", "expired", "TLS 1.0"],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated")
def test_anything_else_is_refused_without_a_word(
    certificates: Path, name: str, trusted: bool, old: bool
) -> None:
    """RELIABILITY A13."""
    assert over_tls(certificates, name, trusted=trusted, old=old) == "tls"


def test_the_machines_certificates_are_the_ones_trusted() -> None:
    async def nobody(_host: str, _port: int) -> list[str]:
        return []

    context = Dialer(lambda _address, _port: True, nobody)._context()

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
