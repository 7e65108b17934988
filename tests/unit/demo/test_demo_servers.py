"""The demo's own servers keep to their protocols: the real daemon talks to them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.message import EmailMessage

import aiohttp
import aiosmtplib
import pytest

from watcher.clock import ManualClock
from watcher.demo.newsday import DAY, news_day
from watcher.demo.server import DayServer, serving
from watcher.demo.sinks import MAX_MAIL, HookSinks, MailSink


def talked(*lines: str) -> tuple[list[str], MailSink]:
    """Send lines one by one, collect each answer's last line."""

    async def talk() -> tuple[list[str], MailSink]:
        sink, answers = MailSink(), []
        async with sink.serving() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await reader.readline()
            for line in lines:
                writer.write(line.encode() + b"\r\n")
                while (answer := (await reader.readline()).decode()) and answer[3] == "-":
                    pass
                answers.append(answer.strip())
            writer.close()
        return answers, sink

    return asyncio.run(talk())


def test_a_mail_arrives_as_it_was_sent() -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Sample", "a@b.example", "c@d.example"
    message.set_content("first\n.\n..dots at the start\nend\n")

    async def send() -> MailSink:
        sink = MailSink()
        async with sink.serving() as port:
            await aiosmtplib.send(message, hostname="127.0.0.1", port=port, start_tls=False)
        return sink

    mail = asyncio.run(send()).mails[0]

    assert (mail.sender, mail.recipients) == ("a@b.example", ("c@d.example",))
    assert b"first\r\n.\r\n..dots at the start\r\nend" in mail.content


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        (["NOOP", "VRFY x", "HELO me"], ["250", "502", "250"]),
        (["MAIL FROM:<a@b.example>"], ["503"]),
        (["EHLO me", "RCPT TO:<a@b.example>"], ["250", "503"]),
        (["EHLO me", "MAIL FROM:<a@b.example>", "DATA"], ["250", "250", "503"]),
        (["EHLO me", "MAIL FROM:<a@b.example>", "MAIL FROM:<c@d.example>"], ["250", "250", "503"]),
        (["EHLO me", "MAIL FROM:<a@b.example>", "RSET", "RCPT TO:<x@y.example>"],
         ["250", "250", "250", "503"]),
        (["EHLO me", f"MAIL FROM:<a@b.example> SIZE={MAX_MAIL + 1}"], ["250", "552"]),
        (["EHLO me", "MAIL TO:<a@b.example>", "MAIL FROM:<>"], ["250", "501", "250"]),
        (["EHLO me", "QUIT"], ["250", "221"]),
    ],
    ids=lambda value: " ".join(value)[:60],
)  # fmt: skip
def test_smtp_commands_are_answered_in_their_order(lines: list[str], codes: list[str]) -> None:
    answers, _ = talked(*lines)

    assert [answer[:3] for answer in answers] == codes


def test_a_peer_that_leaves_inside_data_leaves_nothing() -> None:
    answers, sink = talked(
        "EHLO me", "MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "DATA"
    )  # fmt: skip

    assert answers[-1].startswith("354")
    assert not sink.mails


def asked(routes: list, ask: Callable[[aiohttp.ClientSession, str], Awaitable[object]]) -> object:
    async def go() -> object:
        async with serving(routes) as port, aiohttp.ClientSession() as session:
            return await ask(session, f"http://127.0.0.1:{port}")

    return asyncio.run(go())


def test_a_feed_holds_what_is_published_by_now() -> None:
    day, clock = news_day(), ManualClock(DAY)
    server = DayServer(day, clock)

    async def ask(session: aiohttp.ClientSession, base: str) -> list[str]:
        texts = []
        for hours in (0, 1):
            clock.turn_to(DAY + timedelta(hours=hours))
            async with session.get(f"{base}/sample-wire/feed") as response:
                texts.append(await response.text())
        return texts

    before, after = asked(server.routes(), ask)

    assert "notifies Japan" not in before
    assert "notifies Japan" in after


def test_an_unchanged_feed_is_a_304() -> None:
    server = DayServer(news_day(), ManualClock(DAY))

    async def ask(session: aiohttp.ClientSession, base: str) -> list[int]:
        async with session.get(f"{base}/sample-wire/feed") as first:
            tag = first.headers["ETag"]
        headers = {"If-None-Match": tag}
        async with session.get(f"{base}/sample-wire/feed", headers=headers) as second:
            return [first.status, second.status]

    assert asked(server.routes(), ask) == [200, 304]
    assert server.unchanged == 1


def test_an_article_has_a_page_once_it_is_published() -> None:
    day = news_day()
    piece = day.published("sample-wire", DAY + timedelta(hours=1))[0]
    clock = ManualClock(piece.at - timedelta(minutes=1))

    async def ask(session: aiohttp.ClientSession, base: str) -> list[int]:
        found = []
        for moment in (clock.now(), piece.at):
            clock.turn_to(moment)
            async with session.get(f"{base}/{piece.outlet}{piece.path}") as response:
                found.append(response.status)
        return found

    assert asked(DayServer(day, clock).routes(), ask) == [404, 200]


def test_webhooks_keep_what_they_get_and_refuse_what_slack_would() -> None:
    sinks = HookSinks()

    async def ask(session: aiohttp.ClientSession, base: str) -> list[tuple[int, str]]:
        found = []
        for path, body in [
            ("/slack/T0", {"text": "hello"}),
            ("/slack/T0", {}),
            ("/hook", {"a": 1}),
        ]:
            async with session.post(base + path, json=body) as response:
                found.append((response.status, await response.text()))
        return found

    answers = asked(sinks.routes(), ask)

    assert answers == [(200, "ok"), (400, "invalid_payload"), (204, "")]
    assert [post.body for post in sinks.slack + sinks.hooks] == [{"text": "hello"}, {"a": 1}]
