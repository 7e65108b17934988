"""WebSub over real sockets: an honest hub, and hubs that lie, die or flood."""

import asyncio
import gzip
import io
import time
import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import structlog
from aiohttp import web
from hub_house import MINUTE, NOW, House, Net, document, free_port, played

from watcher.config.load import load_config
from watcher.errors import FetchError
from watcher.fetch.feed import FetchedFeed
from watcher.intake.hubs import Hubs
from watcher.intake.pushed import MAX_A_MINUTE, MAX_WAITING
from watcher.intake.subscriber import form_of
from watcher.model import FeedState
from watcher.parts import hubs_of
from watcher.sources.parse import parse_feed
from watcher.sources.settings import FeedSettings, PageSettings
from watcher.store.engine import Transaction, open_store
from watcher.websub.pushes import PING_SPACING
from watcher.websub.subscription import MISSES, Reason, State
from watcher.writer import Batches, Writer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEWS = "New rocket"


# ── subscribing ──


def test_a_poll_finds_the_hub_and_the_hub_is_asked(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[list[dict[str, str]], str, str]:
        house.net.serve("One")
        await house.poll()
        return await house.tick(), house.net.topic, house.base

    (form,), topic, base = played(tmp_path, scenario)

    assert (form["hub.mode"], form["hub.topic"]) == ("subscribe", topic)
    assert form["hub.lease_seconds"] == "864000"
    assert form["hub.callback"].startswith(f"{base}/websub/")
    assert len(form["hub.callback"].rpartition("/")[2]) >= 40
    assert 40 <= len(form["hub.secret"]) < 200


def test_link_headers_count_before_what_the_feed_says(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[str, str]:
        house.net.serve("One", hub="https://elsewhere.example/")
        topic = f"{house.net.base}/other"
        house.net.headers = {"Link": f"<{house.net.hub}>; rel=hub, <{topic}>; rel=self"}
        await house.poll()
        return (await house.tick())[0]["hub.topic"], topic

    assert len(set(played(tmp_path, scenario))) == 1


def test_a_verification_is_echoed_as_inert_text(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[int, str, dict[str, str], State]:
        house.net.serve("One")
        await house.poll()
        await house.tick()
        said = await house.verify(challenge="<b>1</b>")
        return *said, house.subscription.state

    status, text, headers, state = played(tmp_path, scenario)

    assert (status, text, state) == (200, "<b>1</b>", State.LIVE)
    assert headers["content-type"].startswith("text/plain")
    assert headers["x-content-type-options"] == "nosniff"


LIES: dict[str, dict[str, str]] = {
    "another topic": {"topic": "https://other.example/feed"},
    "no topic": {"topic": ""},
    "leaving, which nobody wanted": {"mode": "unsubscribe"},
    "another mode": {"mode": "publish"},
    "no lease": {"lease_seconds": "0"},
    "a lease that is no number": {"lease_seconds": "soon"},
    "no challenge": {"challenge": ""},
    "a long challenge": {"challenge": "x" * 5000},
    "a challenge with control characters": {"challenge": "a\r\nSet-Cookie: b"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_verification_that_is_not_as_asked_for_is_not_found(tmp_path: Path, lie: str) -> None:
    async def scenario(house: House) -> tuple[int, str, State]:
        house.net.serve("One")
        await house.poll()
        await house.tick()
        status, text, _ = await house.verify(**LIES[lie])
        return status, text, house.subscription.state

    assert played(tmp_path, scenario) == (404, "not found\n", State.PENDING)


def test_verifications_at_other_addresses_and_in_other_ways_are_not_found(tmp_path: Path) -> None:
    async def scenario(house: House) -> list[int]:
        house.net.serve("One")
        await house.poll()
        (form,) = await house.tick()
        guessed = {**form, "hub.callback": f"{house.base}/websub/{'x' * 43}"}
        answers = [await house.verify(guessed), await house.verify(method="HEAD")]
        twice = f"{form['hub.callback']}?hub.topic=x"
        answers += [await house.verify({**form, "hub.callback": twice})]
        assert house.subscription.state is State.PENDING
        return [status for status, _, _ in answers]

    assert played(tmp_path, scenario) == [404, 404, 404]


def test_an_absurd_lease_is_cut_and_a_short_one_renewed_in_time(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[timedelta, int]:
        await house.subscribed("One", lease="99999999999")
        long = (house.subscription.lease_until or house.clock.now()) - house.clock.now()
        await house.verify(lease_seconds="600")
        asked = await house.tick(after=9 * MINUTE)
        return long, len(asked)

    assert played(tmp_path, scenario) == (30 * DAY, 1)


def test_a_hub_may_verify_before_it_answers(tmp_path: Path) -> None:
    async def scenario(house: House) -> State:
        async def verify_first(_request: web.Request) -> web.Response:
            await house.verify()
            return web.Response(status=202)

        house.net.answer = verify_first
        house.net.serve("One")
        await house.poll()
        await house.tick()
        return house.subscription.state

    assert played(tmp_path, scenario) is State.LIVE


def test_a_hub_may_verify_hours_later(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[int, State]:
        house.net.serve("One")
        await house.poll()
        (form,) = await house.tick()
        await house.tick(after=2 * HOUR)
        status, _, _ = await house.verify(form)
        return status, house.subscription.state

    assert played(tmp_path, scenario) == (200, State.LIVE)


def test_a_denied_subscription_is_left_alone_for_a_week(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[int, State, int, int]:
        await house.subscribed("One")
        status, _, _ = await house.verify(mode="denied", reason="no")
        push = await house.push(document(NEWS))
        return status, house.subscription.state, push.status, len(await house.tick(after=6 * DAY))

    assert played(tmp_path, scenario) == (200, State.DENIED, 410, 0)


def test_a_hub_that_is_down_or_refuses_is_asked_again_later(tmp_path: Path) -> None:
    async def scenario(house: House) -> list[tuple[State, Reason]]:
        async def refuse(_request: web.Request) -> web.Response:
            return web.Response(status=503, headers={"Retry-After": "7200"})

        house.net.answer = refuse
        house.net.serve("One")
        await house.poll()
        seen = []
        for after, asked in ((0 * HOUR, 1), (HOUR, 0), (2 * HOUR, 1)):
            assert len(await house.tick(after=after)) == asked
            seen.append((house.subscription.state, house.subscription.reason))
        return seen

    assert played(tmp_path, scenario) == [(State.DUE, Reason.REFUSED)] * 3


@pytest.mark.parametrize("status", [307, 308])
def test_a_hub_that_has_moved_is_followed(tmp_path: Path, status: int) -> None:
    async def scenario(house: House) -> tuple[list[str], State]:
        async def move(request: web.Request) -> web.Response:
            if request.match_info["hub"] == "hub":
                return web.Response(status=status, headers={"Location": "/newer"})
            await house.verify()
            return web.Response(status=202)

        house.net.answer = move
        house.net.serve("One")
        await house.poll()
        forms = await house.tick()
        return [form["hub.secret"] for form in forms], house.subscription.state

    secrets, state = played(tmp_path, scenario)

    assert (len(secrets), len(set(secrets)), state) == (2, 1, State.LIVE)


def test_a_feed_cannot_make_us_ask_ourselves(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[int, Reason]:
        house.net.serve("One", hub=f"{house.base}/healthz")
        await house.poll()
        return len(await house.tick()), house.subscription.reason

    assert played(tmp_path, scenario) == (0, Reason.UNREACHABLE)


def test_a_quiet_feed_is_read_in_full_once_to_look_for_its_hub(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[list[str], list[bool], int]:
        house.net.serve("One")
        await house.writer(house.use, house.settings.model_copy(update={"websub": False}))
        outcomes = [(await house.poll()).outcome, (await house.poll()).outcome]
        await house.writer(house.use, house.settings)
        outcomes += [(await house.poll()).outcome, (await house.poll()).outcome]
        conditional = ["If-None-Match" in headers for headers in house.net.polls]
        return outcomes, conditional, len(await house.tick())

    outcomes, conditional, asked = played(tmp_path, scenario)

    assert outcomes == ["ok", "not_modified", "ok", "not_modified"]
    assert conditional == [False, True, False, True]
    assert asked == 1


def test_a_feed_that_opted_out_or_names_no_hub_is_only_polled(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[int, list[State]]:
        house.net.serve("One", hub=house.net.hub if not house.settings.websub else "")
        await house.poll()
        return len(await house.tick(after=DAY)), [one.state for one in house.stored]

    assert played(tmp_path / "a", scenario, websub=False) == (0, [])
    assert played(tmp_path / "b", scenario) == (0, [State.NONE])


# ── pushes ──


def test_a_push_is_stored_and_told_without_a_poll(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[int, list[str], int]:
        await house.subscribed("One")
        before, polls = house.state, len(house.net.polls)
        answer = await house.push(document(NEWS))
        after = house.state
        assert (after.etag, after.body_hash, after.last_polled_at) == (
            before.etag,
            before.body_hash,
            before.last_polled_at,
        )
        return answer.status, house.told, len(house.net.polls) - polls

    assert played(tmp_path, scenario) == (202, [NEWS], 0)


def test_what_was_pushed_is_not_told_again_by_a_poll(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[int, list[str]]:
        await house.subscribed("One")
        await house.push(document(NEWS))
        house.net.serve(NEWS, "One")
        report = await house.poll()
        return report.new, house.told

    assert played(tmp_path, scenario) == (0, [NEWS])


def test_a_push_and_a_poll_at_the_same_moment_tell_once(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[list[str], int]:
        await house.subscribed("One")
        body = house.net.serve(NEWS, "One")
        busy = asyncio.create_task(house.writer(time.sleep, 0.2))
        await asyncio.gather(house.poll(), house.push(body), house.push(body), busy)
        return house.told, house.articles

    assert played(tmp_path, scenario) == ([NEWS], 2)


FORGED: dict[str, dict[str, Any]] = {
    "another secret": {"secret": "guessed"},
    "no signature": {"secret": ""},
    "an empty signature": {"X_Hub_Signature": ""},
    "an algorithm of no use": {"X_Hub_Signature": "md5=d41d8cd98f00b204e9800998ecf8427e"},
    "a digest without a key": {"X_Hub_Signature": "sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709"},
}


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_push_is_answered_like_a_good_one_and_ignored(
    tmp_path: Path, forgery: str
) -> None:
    async def scenario(house: House) -> tuple[int, int, Any, int]:
        await house.subscribed("One")
        due = house.state.next_poll_at
        answer = await house.push(document(NEWS), **FORGED[forgery])
        same = house.state.next_poll_at == due
        return answer.status, house.articles, same, house.stored[0].ignored

    assert played(tmp_path, scenario) == (202, 1, True, 1)


def test_a_flood_of_forgeries_is_counted_in_few_transactions(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[int, int]:
        await house.subscribed("One")
        for _ in range(20):
            await house.push(document(NEWS), secret="guessed")
        at_first = house.stored[0].ignored
        house.wait(2 * MINUTE)
        await house.push(document(NEWS), secret="guessed")
        return at_first, house.stored[0].ignored

    assert played(tmp_path, scenario) == (1, 21)


def test_pushes_nobody_asked_for_are_not_read(tmp_path: Path) -> None:
    async def scenario(house: House) -> list[int]:
        house.net.serve("One")
        await house.poll()
        (form,) = await house.tick()
        pending = (await house.push(document(NEWS))).status
        await house.verify()
        house.wait(11 * DAY)
        over = (await house.push(document(NEWS))).status
        form["hub.callback"] = f"{house.base}/websub/{'x' * 43}"
        unknown = (await house.push(document(NEWS))).status
        assert house.articles == 1
        return [pending, over, unknown]

    assert played(tmp_path, scenario) == [410, 410, 404]


@pytest.mark.parametrize("told", ["with its length", "in chunks"])
def test_a_huge_push_is_cut_off(tmp_path: Path, told: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * 10_000

    async def scenario(house: House) -> tuple[int, int]:
        await house.subscribed("One")
        body = io.BytesIO(b"x" * 500_000) if told == "with its length" else chunks()
        return (await house.push(body)).status, house.articles

    assert played(tmp_path, scenario) == (413, 1)


def test_a_compressed_push_is_read_and_a_bomb_is_only_a_ping(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[list[int], list[str], bool]:
        await house.subscribed("One")
        house.wait(5 * MINUTE)
        bodies = [gzip.compress(document(NEWS)), gzip.compress(b"<rss>" + b" " * 10**8)]
        answers = [await house.push(body, Content_Encoding="gzip") for body in bodies]
        return (
            [a.status for a in answers],
            house.told,
            house.state.next_poll_at <= house.clock.now(),
        )

    assert played(tmp_path, scenario) == ([202, 202], [NEWS], True)


THIN = {"nothing": b"", "spaces": b" \n", "a page": b"<html><p>x</p>", "json": b'{"a": 1}', "noise": zlib.compress(b"x")}  # fmt: skip


@pytest.mark.parametrize("body", THIN)
def test_a_push_without_a_feed_makes_the_feed_due(tmp_path: Path, body: str) -> None:
    async def scenario(house: House) -> tuple[int, timedelta]:
        await house.subscribed("One")
        house.wait(5 * MINUTE)
        status = (await house.push(THIN[body])).status
        return status, house.state.next_poll_at - house.clock.now()

    assert played(tmp_path, scenario) == (202, timedelta(0))


def test_a_feed_pushed_for_a_page_is_only_a_ping(tmp_path: Path) -> None:
    """What is wanted of a page its selectors tell."""

    async def scenario(house: House) -> tuple[int, int, bool]:
        await house.subscribed("One")
        page = house.settings.model_copy(update={"page": PageSettings(items="li")})
        await house.writer(house.use, page)
        house.wait(5 * MINUTE)
        status = (await house.push(document(NEWS))).status
        return status, house.articles, house.state.next_poll_at <= house.clock.now()

    assert played(tmp_path, scenario) == (202, 1, True)


def test_full_texts_keep_a_hub_waiting_for_seconds_only(tmp_path: Path) -> None:
    asked = []

    class Pages:
        async def of(self, *_: object, within: timedelta = HOUR) -> dict[str, str]:
            asked.append(within)
            return {}

    async def scenario(house: House) -> int:
        await house.subscribed("One")
        house.ingest._full_text = Pages()  # type: ignore[assignment]
        return (await house.push(document(NEWS))).status

    assert played(tmp_path, scenario) == 202
    assert asked == [timedelta(seconds=10)]


def test_pings_in_a_row_do_not_hammer_the_publisher(tmp_path: Path) -> None:
    async def scenario(house: House) -> timedelta:
        await house.subscribed("One")
        await house.poll()
        for _ in range(5):
            await house.push(b"")
        return house.state.next_poll_at - (house.state.last_polled_at or house.clock.now())

    assert played(tmp_path, scenario) == PING_SPACING


def test_a_ping_during_a_poll_is_not_forgotten(tmp_path: Path) -> None:
    async def scenario(house: House) -> timedelta:
        await house.subscribed("One")
        house.wait(30 * MINUTE)  # due, and maybe fetched already
        await house.push(b"")
        await house.poll(after=timedelta(0))
        return house.state.next_poll_at - house.clock.now()

    assert played(tmp_path, scenario) == PING_SPACING


def test_a_hub_without_tls_gets_no_secret_and_its_pushes_are_pings(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[bool, int, int, bool]:
        house.hubs._keeps_secrets = lambda hub: hub.startswith("https:")
        await house.subscribed("One")
        house.wait(5 * MINUTE)
        status = (await house.push(document(NEWS))).status
        due = house.state.next_poll_at <= house.clock.now()
        return "hub.secret" in house.net.forms[0], status, house.articles, due

    assert played(tmp_path, scenario) == (False, 202, 1, True)


def test_a_push_of_another_feed_of_the_site_is_only_a_ping(tmp_path: Path) -> None:
    """Themes copy the whole site's address into the feeds of its sections."""

    async def scenario(house: House) -> tuple[int, bool]:
        house.net.headers = {"Link": f"<{house.net.base}/all>; rel=self"}
        await house.subscribed("One")
        house.wait(5 * MINUTE)
        await house.push(document(NEWS))
        return house.articles, house.state.next_poll_at <= house.clock.now()

    assert played(tmp_path, scenario) == (1, True)


def test_old_pushes_sent_again_change_nothing(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[list[str], int, bool]:
        await house.subscribed("One")
        old = document(NEWS, text="before")
        await house.push(old)
        house.net.serve(NEWS, "One", text="after")
        revised = (await house.poll()).revised
        house.wait(5 * MINUTE)
        await house.push(old)
        with house.store.read() as tx:
            texts = [row.text for row in tx.connection.exec_driver_sql("SELECT text FROM article")]
        due = house.state.next_poll_at <= house.clock.now()
        assert "before" not in texts
        return house.told, revised, due

    assert played(tmp_path, scenario) == ([NEWS], 2, True)


def test_a_push_of_a_whole_archive_under_new_names_is_held_back(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[int, list[str]]:
        await house.subscribed(*(f"Rocket {n} of old" for n in range(30)))
        body = document(*(f"Rocket {n} of old" for n in range(30)))
        renamed = body.replace(b"<guid isPermaLink='false'>", b"<guid isPermaLink='false'>v2-")
        status = (
            await house.push(renamed.replace(b"sample.example/", b"sample.example/v2/"))
        ).status
        return status, house.told

    assert played(tmp_path, scenario) == (202, [])


def test_too_many_pushes_at_once_are_told_to_come_back(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[list[int], set[str | None], int]:
        await house.subscribed("One")
        house.reader.slow = asyncio.Event()
        pushes = [
            asyncio.create_task(house.push(document(f"Rocket number {n} of {n * 37}")))
            for n in range(MAX_WAITING + 3)
        ]
        _, late = await asyncio.wait(pushes, timeout=0.5)
        house.reader.slow.set()
        answers = [await push for push in pushes]
        assert len(late) == MAX_WAITING
        busy = {a.headers.get("Retry-After") for a in answers if a.status == 503}
        return sorted(a.status for a in answers), busy, house.articles

    statuses, busy, articles = played(tmp_path, scenario)

    assert statuses == [202] * MAX_WAITING + [503] * 3
    assert (busy, articles) == ({"60"}, 1 + MAX_WAITING)


def test_a_hub_that_pushes_without_a_pause_is_slowed_down(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[list[int], int]:
        await house.subscribed("One")
        house.wait(MINUTE)
        statuses = [(await house.push(b"")).status for _ in range(MAX_A_MINUTE + 2)]
        house.wait(MINUTE)
        return statuses, (await house.push(document(NEWS))).status

    assert played(tmp_path, scenario) == ([202] * MAX_A_MINUTE + [503] * 2, 202)


def test_a_hub_that_hangs_up_within_its_push_leaves_nothing_behind(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[int, int, int]:
        await house.subscribed("One")
        path = house.net.forms[-1]["hub.callback"].removeprefix(house.base)
        host, _, port = house.listen.rpartition(":")
        for _ in range(MAX_WAITING + 1):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n<rss".encode()
            )
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(0.02)
        status = (await house.push(document(NEWS))).status
        return status, len(house.callbacks._waiting), len(house.callbacks._turns)

    with structlog.testing.capture_logs() as lines:
        assert played(tmp_path, scenario) == (202, 0, 0)
    assert "request_failed" not in {line["event"] for line in lines}


def test_a_push_that_cannot_be_stored_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub sends it again, and nothing in memory says that it was here."""

    async def scenario(house: House) -> tuple[int, int, list[str], bool]:
        await house.subscribed("One")
        with monkeypatch.context() as broken:
            broken.setattr("watcher.store.feeds.Feeds.note_news", _full)
            failed = (await house.push(document(NEWS))).status
        agrees = house.stored == [house.subscription]
        again = (await house.push(document(NEWS))).status
        return failed, again, house.told[-1:], agrees

    assert played(tmp_path, scenario) == (503, 202, [NEWS], True)


def _full(*_: object) -> None:
    from watcher.errors import StoreFullError

    raise StoreFullError("no room")


# ── belief ──


def test_a_hub_that_proved_itself_spares_polls_until_it_misses_news(tmp_path: Path) -> None:
    async def scenario(house: House) -> list[str]:
        await house.subscribed("One")
        reasons = []

        async def polled(*titles: str) -> None:
            house.net.serve(*titles)
            await house.poll(after=HOUR)
            reasons.append(house.state.reason)

        await polled("One")
        await house.push(document(NEWS))
        await polled(NEWS, "One")
        for n in range(MISSES):
            await polled(*(f"Unheard of {k}" for k in range(n + 1)))
        return reasons

    assert played(tmp_path, scenario) == ["rhythm", "pushed", "pushed", "pushed", "rhythm"]


# ── changes ──


def test_another_hub_takes_over_and_the_old_one_is_left(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[list[str], set[str], list[State]]:
        await house.subscribed("One")
        house.net.serve("Two", "One", hub=f"{house.net.base}/other")
        await house.poll(after=2 * HOUR)
        forms = await house.tick()
        leaving = next(f for f in forms if f["hub.mode"] == "unsubscribe")
        assert (await house.verify(leaving))[0] == 200
        assert (await house.verify(leaving))[0] == 404
        modes = sorted(form["hub.mode"] for form in forms)
        return modes, {f["hub.callback"] for f in forms}, [one.state for one in house.stored]

    modes, callbacks, states = played(tmp_path, scenario)

    assert modes == ["subscribe", "unsubscribe"]
    assert (len(callbacks), states) == (2, [State.PENDING])


def test_a_feed_that_is_removed_or_opts_out_is_unsubscribed(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[list[str], int, list[Any]]:
        await house.subscribed("One")
        await house.writer(house.use, house.settings.model_copy(update={"websub": False}))
        forms = await house.tick()
        pushed = (await house.push(document(NEWS))).status
        await house.verify(forms[0])
        return [f["hub.mode"] for f in forms], pushed, house.stored

    assert played(tmp_path, scenario) == (["unsubscribe"], 410, [])


def test_a_subscription_outlives_a_restart(tmp_path: Path) -> None:
    async def run() -> tuple[int, list[str], int]:
        port = free_port()
        async with Net().open() as net:
            async with House(tmp_path, net, port).open() as first:
                await first.subscribed("One")
                now = first.clock.now()
            async with House(tmp_path, net, port, now=now).open() as second:
                status = (await second.push(document(NEWS))).status
                return status, second.told, len(await second.tick())

    assert asyncio.run(run()) == (202, [NEWS], 0)


def test_another_public_address_is_subscribed_anew(tmp_path: Path) -> None:
    async def run() -> tuple[list[str], list[State]]:
        async with Net().open() as net:
            async with House(tmp_path, net, free_port()).open() as first:
                await first.subscribed("One")
            async with House(tmp_path, net, free_port()).open() as second:
                forms = await second.tick()
                assert forms[0]["hub.callback"].startswith(second.base)
                return [f["hub.mode"] for f in forms], [one.state for one in second.stored]

    assert asyncio.run(run()) == (["subscribe"], [State.PENDING])


def test_neither_token_nor_secret_is_in_any_line_of_the_log(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[str, str]:
        await house.subscribed("One")
        await house.push(document(NEWS))
        await house.push(b"")
        await house.push(b"x", secret="guessed")
        await house.verify(topic="https://other.example/")
        house.net.answer = _broken
        await house.tick(after=9 * DAY)
        return house.subscription.token, house.subscription.secret

    with structlog.testing.capture_logs() as lines:
        token, secret = played(tmp_path, scenario)
    shown = repr(lines)

    assert {"hub_asked", "hub_said", "pushed", "pinged", "push_ignored", "verification_refused",
            "hub_failed"} <= {line["event"] for line in lines}  # fmt: skip
    assert token not in shown
    assert secret not in shown


async def _broken(request: web.Request) -> web.Response:
    return web.Response(status=400, text=await request.text())


def test_a_failed_transaction_leaves_memory_as_the_store_is(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[State, State]:
        house.net.serve("One")
        await house.poll()

        def fail(tx: Transaction) -> None:
            house.hubs.claim(tx, house.clock.now(), 9)
            raise RuntimeError

        def change() -> None:
            with house.hubs.changing(house.store) as tx:
                fail(tx)

        with pytest.raises(RuntimeError):
            await house.writer(change)
        return house.subscription.state, house.stored[0].state

    assert played(tmp_path, scenario) == (State.DUE, State.DUE)


def test_feeds_of_one_name_share_no_subscription(tmp_path: Path) -> None:
    async def scenario(house: House) -> tuple[int, int]:
        other = FeedSettings(id="other", url=house.net.topic)
        await house.writer(house.use, house.settings, other)
        house.net.serve("One")
        with house.store.begin() as tx:
            states = tx.feeds.all()
        for state in states:
            await house.ingest.poll(state)
        forms = await house.tick()
        return len({f["hub.callback"] for f in forms}), len({f["hub.secret"] for f in forms})

    assert played(tmp_path, scenario) == (2, 2)


# ── when there is nobody to call ──


def configured(folder: Path, **web: str) -> Hubs | None:
    lines = "".join(f"  {key}: {value}\n" for key, value in web.items())
    (folder / "rules").mkdir()
    allow = "http: {allow: ['127.0.0.1:8080']}\n"
    (folder / "watcher.yaml").write_text(allow + (f"web:\n{lines}" if web else ""))
    return hubs_of(load_config(folder, {}), Random(1))


def test_without_a_public_address_there_are_no_hubs(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert configured(tmp_path / "a") is None
    assert configured(tmp_path / "b", listen="127.0.0.1:8000") is None


def test_secrets_go_over_tls_or_to_hubs_inside(tmp_path: Path) -> None:
    hubs = configured(tmp_path, listen="127.0.0.1:8000", public_url="https://me.example")
    assert hubs is not None

    assert hubs._keeps_secrets("https://hub.example/")
    assert hubs._keeps_secrets("http://127.0.0.1:8080/hub")
    assert not hubs._keeps_secrets("http://hub.example/")
    assert not hubs._keeps_secrets("http://127.0.0.1/")


def test_a_batch_never_holds_two_of_one_feed(tmp_path: Path) -> None:
    async def run() -> list[list[str]]:
        writer, seen = Writer(tmp_path, reserve_bytes=0), []

        def work(items: Sequence[str]) -> list[int]:
            seen.append(list(items))
            return [0] * len(items)

        batches = Batches[str, int](writer, work, limit=99, apart=lambda item: item[0])
        await asyncio.gather(*(batches.add(item) for item in ("a1", "b1", "a2", "c1", "a3")))
        writer.close()
        return seen

    assert asyncio.run(run()) == [["a1", "b1"], ["a2", "c1"], ["a3"]]


def test_a_hub_named_without_tls_is_asked_in_clear_once_tls_has_failed(tmp_path: Path) -> None:
    """Only when the feed names it so, and it has never answered with TLS."""
    hubs = Hubs("https://me.example", keeps_secrets=lambda hub: hub.startswith("https:"), rng=Random(1))  # fmt: skip
    store = open_store(Path(":memory:"))
    with store.begin() as tx:
        hubs.use(tx, ["a", "b"], NOW)
        for name, hub in (("a", "http://hub.example/"), ("b", "https://hub.example/")):
            found = FetchedFeed(False, "https://news.example/", hub=hub)
            parsed = parse_feed(document("One"), url=found.url)
            state = FeedState(name, found.url, NOW)
            hubs.after_poll(tx, state, found, parsed, news=True, now=NOW)
        for step in hubs.claim(tx, NOW, 9):
            hubs.turned_down(tx, step.subscription, FetchError("tls", "no"), NOW)
        asked = [
            (step.subscription.address, "hub.secret" in form_of(step.subscription, step.action))
            for step in hubs.claim(tx, NOW + HOUR, 9)
        ]
    store.close()

    assert asked == [("http://hub.example/", False), ("https://hub.example/", True)]
