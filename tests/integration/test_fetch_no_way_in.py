"""RELIABILITY §3 C: every address a stranger can spell, through every door, and no packet leaves.

Canaries listen on the machine's own addresses, and an audit hook sees every connection that is
so much as begun, also to addresses where no canary can stand.
"""

import asyncio
import html
import io
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from raw_origin import Origin, reply

from watcher.errors import DeliveryError, FetchError
from watcher.fetch.door import GuardedDoor
from watcher.fetch.feed import fetch_feed
from watcher.fetch.hub import ask_hub
from watcher.intake.discovery import discover
from watcher.intake.full_text import fetch_article
from watcher.model import DigestKind, FeedState, HttpRequest, Notification
from watcher.notify import load
from watcher.notify.settings import Tools
from watcher.render.templates import TemplateRenderer
from watcher.sources.naming import address_of
from watcher.sources.pool import ParserPool

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)


def words(text: str) -> list[str]:
    return text.split()


REFUSED_V4 = words("""
0.0.0.0 0.0.0.1 0.255.255.255 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.254
127.0.0.1 127.0.0.2 127.0.1.1 127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254
169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.0.192 192.0.2.1 192.31.196.1
192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255
198.51.100.1 203.0.113.1 224.0.0.1 224.0.0.251 239.255.255.250 240.0.0.1 255.255.255.255
""")
REFUSED_V6 = words("""
:: ::1 ::2 ::7f00:1 ::127.0.0.1 ::a00:1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:169.254.169.254
::ffff:8.8.8.8 ::ffff:0:127.0.0.1 ::ffff:0:0:1 0:0:0:0:0:ffff:10.0.0.1 64:ff9b::7f00:1
64:ff9b::a9fe:a9fe 64:ff9b::808:808 64:ff9b:1::1 64:ff9b:1:ffff::7f00:1 100::1 100:0:0:1::1 200::1
2001::1 2001:0:4136:e378:8000:63bf:80ff:fffe 2001:2::1 2001:10::1 2001:1f::1 2001:20::1
2001:30::1 2001:db8::1 2001:db8:ffff::1 2002:7f00:1:: 2002:a9fe:a9fe:: 2002:808:808::1
2620:4f:8000::1 3fff::1 3fff:fff::1 4000::1 5f00::1 8000::1 fc00::1 fd00:ec2::254 fd12:3456::1
fdff:ffff::1 fe80::1 fe80::a9fe:a9fe febf::1 fec0::1 feff::1 ff02::1 ff02::fb ff05::2 ff0e::1
""")
SPELLINGS = words("""
127.1 127.0.1 0 0.0 2130706433 0x7f000001 0x7F000001 017700000001 0177.0.0.1 0x7f.0.0.1 0x7f.1
127.0.0.1. 127.0.0.01 0127.0.0.1 00127.0.0.1 127.000.000.001 0x7f.0x0.0x0.0x1 4294967297 1.2.3.4.5
169.254.43518 2852039166 0xa9fea9fe 0251.0376.0251.0376 0xa9.0xfe.0xa9.0xfe 10.1 192.168.1 0xc0a80001
①②⑦.⓪.⓪.① １２７.０.０.１ 127。0。0。1 127．0．0．1 127｡0｡0｡1 ⅠⅡ７.0.0.1 127%2e0%2e0%2e1 %31%32%37.0.0.1
[::1%25lo] [::1%lo] [fe80::1%25eth0] [v1.127] [::ffff:127.0.0.1.] [127.0.0.1] [::1
localhost LOCALHOST localhost. ｌocalhost lⓄcalhost localhost.localdomain ip6-localhost
localtest.example 127.0.0.1.wild.example metadata.google.internal. metadata instance-data
kubernetes.default.svc router.lan printer.local db _gateway xn--localhost a.b.c.d.e.f
""")
WHOLE_URLS = [
    "http://a\\@{host}/", "http://{host}\\@sample.example/", "http://sample.example@{host}/",
    "http://user:word@{host}/", "http://@{host}/", "http://{host}#@sample.example/", "http://{host}?@sample.example/",
    "http:/\\{host}/", "http:\\\\{host}/", "http:///{host}/", "http:{host}/", "//{host}/", "HTTP://{host}/",
    "http://{host}:0/", "http://{host}:70000/", "http://{host}:-1/", "http://{host}:８０/", "http://{host}:80:80/",
    "http://{host}\t/", "http://\t{host}/", "http://{host}\r\n/", "http://{host}\0/", "http://{host} /", " http://{host}/",
    "https://{host}/", "ftp://{host}/", "gopher://{host}/_x", "file://{host}/etc/passwd", "file:///etc/passwd",
    "dict://{host}/", "ldap://{host}/", "unix:///run/x.sock", "ws://{host}/", "jar:http://{host}!/", "data:text/xml,<rss/>",
    "javascript:alert(1)", "view-source:http://{host}/", "feed://{host}/", "feed:http://{host}/",
    "http://{host}/%2e%2e/", "http://{host}:22/", "http://{host}:25/", "http://{host}:5432/", "http://{host}:6379/", "http://{host}:11211/",
]  # fmt: skip

HOSTS = [*REFUSED_V4, *(f"[{address}]" for address in REFUSED_V6), *SPELLINGS]
STATUSES = ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent")


def urls(port: int | None) -> list[str]:
    """Every vector as a whole address, on the canary's port or the usual one."""
    at = f":{port}" if port else ""
    return [
        *(f"http://{host}{at}/" for host in HOSTS),
        *(url.replace("{host}", "127.0.0.1") for url in WHOLE_URLS),
        *(url.replace("{host}", "169.254.169.254") for url in WHOLE_URLS if "{host}" in url),
    ]


def test_there_are_enough_vectors() -> None:
    assert len(set(urls(80))) >= 220
    assert len(set(REFUSED_V4 + REFUSED_V6)) >= 85


# ── who would see a packet ──


@dataclass
class Watch:
    """Connections that were begun anywhere, but to the origin that may be asked."""

    hooked: bool = False
    on: bool = False
    allowed: set[tuple[str, int]] = field(default_factory=set)
    begun: list[Any] = field(default_factory=list)

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.on and event in {"socket.connect", "socket.sendto"}:
            address = args[1]
            if not isinstance(address, tuple) or address[:2] not in self.allowed:
                self.begun.append(address)


_WATCH = Watch()


@pytest.fixture
def watch() -> Iterator[Watch]:
    if not _WATCH.hooked:
        sys.addaudithook(_WATCH)  # there is no taking it back; it sleeps when not `on`
        _WATCH.hooked = True
    _WATCH.begun, _WATCH.allowed, _WATCH.on = [], set(), True
    yield _WATCH
    _WATCH.on = False


@asynccontextmanager
async def canaries() -> AsyncIterator[tuple[int, list[str]]]:
    """Listeners on every loopback address of both families; what connects is written down."""
    seen: list[str] = []

    async def sing(_reader: Any, writer: asyncio.StreamWriter) -> None:
        seen.append(str(writer.get_extra_info("peername")))
        writer.close()

    four = await asyncio.start_server(sing, "0.0.0.0", 0)  # all of 127/8
    port = four.sockets[0].getsockname()[1]
    servers = [four]
    with suppress(OSError):  # a machine without IPv6
        servers.append(await asyncio.start_server(sing, "::1", port))
    try:
        yield port, seen
    finally:
        for server in servers:
            server.close()


def test_the_canaries_and_the_hook_would_tell(watch: Watch) -> None:
    async def run() -> tuple[int, list[str]]:
        async with canaries() as (port, seen), door_to(f"127.0.0.1:{port}") as guard:
            with pytest.raises(FetchError):
                await guard.request(HttpRequest(f"http://127.0.0.1:{port}/"))
            return port, seen

    port, seen = asyncio.run(run())

    assert (len(seen), watch.begun) == (1, [("127.0.0.1", port)])


# ── the doors ──

Door = Callable[[GuardedDoor, str], Awaitable[object]]
TEMPLATES = Path(__file__).parents[2] / "templates"


async def by_feed(door: GuardedDoor, url: str) -> object:
    return await fetch_feed(door, FeedState("f", url, NOW), now=NOW)


async def by_page(door: GuardedDoor, url: str) -> object:
    """`explain` and whatever else reads a page."""
    return await door.request(HttpRequest(url))


async def by_full_text(door: GuardedDoor, url: str) -> object:
    """The link of an entry, which whoever writes the feed chooses; no port is refused for its number."""
    async with ParserPool() as parser:
        return await fetch_article(door, parser, url, feed_url=url, headers={})


async def by_discovery(door: GuardedDoor, url: str) -> object:
    """`watcher feeds discover` and `watcher feeds add`, whatever is pasted."""
    async with ParserPool() as parser:
        return await discover(door, parser, address_of(url), now=NOW)


def by_receiver(kind: str) -> Door:
    async def send(door: GuardedDoor, url: str) -> object:
        module = load(kind)
        settings = module.Settings.model_validate({"id": "desk", "type": kind, "url": url})
        tools = Tools(door, TemplateRenderer([TEMPLATES]), Path(), io.StringIO())
        payload = {"body": "{}", "type": "x", "message": {}, "reduced": {}}
        note = Notification(
            key="k", receiver="desk", kind=DigestKind.DIGEST, subject="x",
            payload=payload, created_at=NOW, due_at=NOW, alerts=(),
        )  # fmt: skip
        return await module.Receiver(settings, tools).send(note, at=NOW)

    return send


async def by_hub(door: GuardedDoor, url: str) -> object:
    """A feed names its hub, and a hub another one."""
    return await ask_hub(door, url, {"hub.mode": "subscribe"}, now=NOW)


DOORS: dict[str, Door] = {
    "feed": by_feed,
    "page": by_page,
    "full text": by_full_text,
    "hub": by_hub,
    "discovery": by_discovery,
    "webhook": by_receiver("webhook"),
    "slack": by_receiver("slack"),
}
REFUSALS = (FetchError, DeliveryError, ValidationError, ValueError)


async def hostile(_host: str, _port: int) -> list[str]:
    """A resolver in the attacker's hands: every name is this machine."""
    return ["127.0.0.1"]


def door_to(*allow: str, lookup: Any = hostile) -> GuardedDoor:
    return GuardedDoor(user_agent="t", allow=allow, lookup=lookup, host_spacing=timedelta(0))


@pytest.mark.parametrize("door", DOORS)
def test_no_spelling_of_a_refused_address_is_reached(door: str, watch: Watch) -> None:
    """C1, C2, C3, C7."""

    async def run() -> tuple[list[str], list[str]]:
        let_in = []
        async with canaries() as (port, seen), door_to() as guard:
            for url in [*urls(port), *urls(None)]:
                try:
                    await DOORS[door](guard, url)
                    let_in.append(url)
                except REFUSALS:
                    pass
            return let_in, seen

    let_in, seen = asyncio.run(run())

    assert (let_in, seen, watch.begun) == ([], [], [])


@pytest.mark.parametrize("door", DOORS)
def test_no_redirect_leads_to_a_refused_address(door: str, watch: Watch) -> None:
    """C6: all five statuses in turn; what a receiver is redirected to is never followed."""

    async def run() -> tuple[list[str], list[str], int]:
        location, status, let_in = "", "", []

        async def answer(reader: Any, writer: asyncio.StreamWriter, head: bytes) -> None:
            size = next((int(x[15:]) for x in head.split(b"\r\n") if x[:15].lower() == b"content-length:"), 0)  # fmt: skip
            await reader.readexactly(size)
            raw = location.encode("utf-8", "surrogateescape")
            bare = b"".join(raw.split(b"\r\n")).replace(b"\0", b"")
            writer.write(reply(b"", status).replace(b"\r\n\r\n", b"\r\nLocation: " + bare + b"\r\n\r\n"))  # fmt: skip

        async with canaries() as (port, seen), Origin(answer) as origin:
            here = f"127.0.0.1:{origin.port}"
            watch.allowed = {("127.0.0.1", origin.port)}
            async with door_to(here) as guard:
                for n, target in enumerate([*urls(port), *urls(None)]):
                    status = STATUSES[n % len(STATUSES)]
                    # Like a Location without a scheme, some of these mean a path on the origin.
                    if not target.strip().lower().startswith(("http://", "https://", "//", "file:", "ftp:", "gopher:")):  # fmt: skip
                        continue
                    location = target.strip("\t ")
                    try:
                        await DOORS[door](guard, f"http://{here}/")
                        let_in.append(target)
                    except REFUSALS:
                        pass
            return let_in, seen, len(origin.requests)

    let_in, seen, asked = asyncio.run(run())

    assert asked > 200
    assert (seen, watch.begun) == ([], [])
    assert let_in == []


def test_no_page_leads_discovery_to_a_refused_address(watch: Watch) -> None:
    """C6, C7: every vector as the address of a declared feed, of a linked one, and as the base."""

    async def run() -> tuple[list[str], list[str], set[str]]:
        page, let_in, refusals = b"", [], set()

        async def answer(_reader: Any, writer: asyncio.StreamWriter, head: bytes) -> None:
            status = "200 OK" if head.startswith(b"GET / ") else "404 Not Found"
            writer.write(reply(page, status))

        async with canaries() as (port, seen), Origin(answer) as origin, ParserPool() as parser:
            here = f"127.0.0.1:{origin.port}"
            watch.allowed = {("127.0.0.1", origin.port)}
            vectors = [*urls(port), *urls(None)]
            async with door_to(here) as guard:
                for group in (vectors[n : n + 5] for n in range(0, len(vectors), 5)):
                    links = [html.escape(vector) for vector in group]
                    markup = "".join(
                        f'<link rel=feed href="{link}"><a href="{link}feed.rss">RSS</a>'
                        for link in links
                    )
                    markup += f'<base href="{links[0]}"><a href="/rss.xml">RSS</a>'
                    page = markup.encode("utf-8", "replace")
                    found = await discover(guard, parser, f"http://{here}/", now=NOW)
                    let_in += [feed.url for feed in found.feeds]
                    refusals |= {miss.url for miss in found.tried if "blocked" in miss.error}
            return let_in, seen, refusals

    let_in, seen, refusals = asyncio.run(run())

    assert (let_in, seen, watch.begun) == ([], [], [])
    assert len(refusals) > 200


ANSWERS: dict[str, Callable[[str], list[str]]] = {
    "alone": lambda bad: [bad],
    "after a public one": lambda bad: ["93.184.216.34", bad],
    "before a public one": lambda bad: [bad, "2606:4700:4700::1111"],
    "twice": lambda bad: [bad, bad],
}


@pytest.mark.parametrize("form", ANSWERS)
@pytest.mark.parametrize("door", DOORS)
def test_no_name_that_resolves_to_a_refused_address_is_reached(
    door: str, form: str, watch: Watch
) -> None:
    """C4: one bad answer spoils the good ones beside it."""

    async def run() -> tuple[list[str], list[str]]:
        answers: list[str] = []
        let_in = []

        async def lookup(_host: str, _port: int) -> list[str]:
            return answers

        async with canaries() as (port, seen), door_to(lookup=lookup) as guard:
            for bad in (*REFUSED_V4, *REFUSED_V6, "fe80::1%lo", "127.1", "", "localhost"):
                answers = ANSWERS[form](bad)
                try:
                    await DOORS[door](guard, f"http://news.example:{port}/")
                    let_in.append(bad)
                except REFUSALS:
                    pass
            return let_in, seen

    let_in, seen = asyncio.run(run())

    assert (let_in, seen, watch.begun) == ([], [], [])


@pytest.mark.parametrize("door", DOORS)
def test_a_proxy_of_the_environment_is_ignored(
    door: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C8."""

    async def run() -> list[str]:
        async with canaries() as (port, seen), door_to() as guard:
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
            for url in ("http://10.0.0.1/", "https://news.example/", f"http://127.0.0.1:{port}/"):
                with suppress(*REFUSALS):
                    await DOORS[door](guard, url)
            return seen

    assert (asyncio.run(run()), watch.begun) == ([], [])


def test_our_own_listener_is_refused_even_when_it_is_allowed(watch: Watch) -> None:
    """C8, CVE-2025-46341: no feed or webhook talks to our own page, whatever http.allow says."""

    async def run() -> list[str]:
        async with canaries() as (port, seen):
            allow = [f"127.0.0.1:{port}", f"[::1]:{port}"]
            async with GuardedDoor(
                user_agent="t",
                allow=allow,
                own=[f"0.0.0.0:{port}"],
                lookup=hostile,
                host_spacing=timedelta(0),
            ) as guard:
                for host in ("127.0.0.1", "[::1]", "news.example"):
                    for door in DOORS.values():
                        with pytest.raises(REFUSALS):
                            await door(guard, f"http://{host}:{port}/")
            return seen

    assert (asyncio.run(run()), watch.begun) == ([], [])


def test_a_library_that_dials_by_itself_is_held_to_the_same_addresses() -> None:
    """I5: Apprise and whatever it uses, in the threads it works in."""

    def dial(address: str, port: int) -> None:
        socket.create_connection((address, port), timeout=1).close()

    async def run() -> tuple[list[str], list[str], list[str]]:
        reached = []
        async with canaries() as (port, seen):
            guard = door_to(f"127.0.0.9:{port}")
            with guard.guarding() as guarded:
                for address in (*REFUSED_V4, *REFUSED_V6):
                    with pytest.raises(PermissionError):
                        guarded.check((address, port))
                for address in ("127.0.0.1", "127.1.2.3", "::1", "127.0.0.9"):
                    with suppress(OSError):
                        await asyncio.to_thread(dial, address, port)
                        reached.append(address)
            await asyncio.to_thread(dial, "127.0.0.1", port)  # and only while it is guarded
            await asyncio.sleep(0)
            return reached, seen, guarded.refused

    reached, seen, refused = asyncio.run(run())

    assert reached == ["127.0.0.9"]
    assert len(seen) <= 2
    assert len(refused) >= len(REFUSED_V4)


# ── controls: what must stay possible ──

PUBLIC = words("""
1.1.1.1 8.8.8.8 9.9.9.9 11.0.0.1 99.255.255.255 100.63.255.254 100.128.0.1 126.255.255.255 128.0.0.1
151.101.1.81 168.63.129.15 169.253.255.255 169.255.0.1 172.15.255.255 172.32.0.1 185.199.108.153
191.255.255.255 192.0.1.1 192.0.3.1 192.88.98.255 192.88.100.1 192.167.255.255 192.169.0.1
198.17.255.255 198.20.0.1 198.51.99.255 198.51.101.1 203.0.112.255 203.0.114.1 223.255.255.255
193.0.6.139 212.58.244.1 104.16.0.1 2001:4860:4860::8888 2606:4700:4700::1111 2620:fe::fe
2a00:1450:4001:800::200e 2a04:4e42::81 2400:cb00::1 2003::1 2800:3f0::1 2c0f:fb50::1 2001:200::1
""")


@pytest.mark.parametrize("named", [True, False], ids=["by name", "by address"])
def test_public_addresses_are_reached_and_exactly_those_that_were_judged(
    named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is led to a server of ours; what it was meant for is written down."""

    async def run() -> list[str]:
        meant: list[str] = []
        answers: list[str] = []

        async def lookup(_host: str, _port: int) -> list[str]:
            return answers

        async def serve(_reader: Any, writer: asyncio.StreamWriter, _head: bytes) -> None:
            writer.write(reply(Connection="close"))

        async with Origin(serve) as origin, door_to(lookup=lookup) as guard:
            from watcher.fetch import dial

            connect = dial.start_connection

            async def led(infos: Any, **options: Any) -> Any:
                meant.extend(info[4][0] for info in infos)
                info = dial._info("127.0.0.1", origin.port)
                return await connect([info], **options)

            monkeypatch.setattr(dial, "start_connection", led)
            for address in PUBLIC:
                answers = [address]
                shown = f"[{address}]" if ":" in address else address
                host = "news.example" if named else shown
                assert (await guard.request(HttpRequest(f"http://{host}/"))).status == 200
        return meant

    assert len(PUBLIC) >= 40
    assert [ip_address(a) for a in asyncio.run(run())] == [ip_address(a) for a in PUBLIC]
