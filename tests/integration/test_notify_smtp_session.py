"""Several mails over one connection: reused, renewed, never a mail more or less than without."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from test_notify_email import DROP, NOW, ScriptedServer, at_once, notes, receiver, scripted

from watcher.errors import DeliveryError, StoreFullError, WatcherError
from watcher.model import DigestKind
from watcher.notify import _smtp
from watcher.ports import Settled
from watcher.render.sample import sample_digest


@dataclass
class Drained:
    """Outcomes in order, what the server heard, and whether each outcome was a receipt."""

    outcomes: list[object]
    server: ScriptedServer

    def heard(self, verb: str) -> int:
        return sum(line.startswith(verb) for line in self.server.seen)


def drain(
    count: int,
    script: Mapping[str, str] | None = None,
    *,
    settled: Settled = at_once,
    **later: str,
) -> Drained:
    """`count` mails in one `kept()`; `later` changes the script after the first of them."""

    async def scenario() -> Drained:
        changing = dict(script or {})
        async with scripted(changing) as (port, sink):
            mail = receiver(port)
            (note,) = notes(mail, sample_digest(kind=DigestKind.ALERT))
            outcomes: list[object] = []
            async with mail.kept(settled):
                for _ in range(count):
                    try:
                        outcomes.append(await mail.send(note, at=NOW))
                    except WatcherError as error:
                        outcomes.append(error)
                    changing.update(later)
            await asyncio.sleep(0.02)
            return Drained(outcomes, sink)

    return asyncio.run(scenario())


def test_mails_that_wait_together_share_a_connection() -> None:
    done = drain(5)

    assert len(done.server.accepted) == 5
    assert (done.heard("EHLO"), done.heard("RSET"), done.heard("QUIT")) == (1, 0, 1)


def test_a_connection_is_renewed_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_smtp, "MOST_PER_CONNECTION", 2)

    done = drain(5)

    assert len(done.server.accepted) == 5
    assert (done.heard("EHLO"), done.heard("QUIT")) == (3, 3)


def test_a_connection_the_server_closed_meanwhile_costs_no_attempt() -> None:
    """The first command of the next mail names its sender: lost there, nothing of it was said."""
    done = drain(3, {"AGAIN MAIL": DROP})

    assert not [o for o in done.outcomes if isinstance(o, Exception)]
    assert len(done.server.accepted) == 3
    assert done.heard("EHLO") == 3


def test_a_421_between_mails_costs_no_attempt() -> None:
    done = drain(3, {"AGAIN MAIL": "421 too many"})

    assert len(done.server.accepted) == 3


def test_a_server_that_takes_one_mail_per_connection_gets_another_one() -> None:
    done = drain(3, {"AGAIN MAIL": "503 one is enough"})

    assert len(done.server.accepted) == 3
    assert done.heard("EHLO") == 3


def test_a_sender_that_is_refused_on_a_fresh_connection_is_refused() -> None:
    done = drain(2, {"MAIL": "550 not you"})

    assert [type(outcome).__name__ for outcome in done.outcomes] == ["PermanentDeliveryError"] * 2


def test_a_connection_lost_after_the_dot_is_not_sent_again_by_the_session() -> None:
    """Its outcome is unknown: the outbox decides, with the next attempt's number."""
    done = drain(2, DOT=f"{DROP} after")

    assert [isinstance(o, Exception) for o in done.outcomes] == [False, True]
    assert len(done.server.accepted) == 2


def test_a_refused_mail_leaves_the_connection_for_the_next() -> None:
    done = drain(3, {"RCPT": "550 no such user"})

    assert all(isinstance(o, DeliveryError) for o in done.outcomes)
    assert (done.heard("EHLO"), done.heard("RSET")) == (1, 2)


def test_outside_a_drain_each_mail_has_a_connection_of_its_own() -> None:
    async def scenario() -> ScriptedServer:
        async with scripted({}) as (port, sink):
            mail = receiver(port)
            (note,) = notes(mail, sample_digest(kind=DigestKind.ALERT))
            for _ in range(2):
                await mail.send(note, at=NOW)
            return sink

    server = asyncio.run(scenario())

    assert [line.split()[0] for line in server.seen].count("QUIT") == 2


def test_nothing_of_a_message_is_sent_before_the_one_before_is_marked() -> None:
    """What the server doesn't have, it can't accept: a kill now repeats one message, not two."""

    async def refuses() -> None:
        raise StoreFullError("no room for the mark")

    done = drain(2, settled=refuses)

    assert [type(outcome) for outcome in done.outcomes] == [StoreFullError, StoreFullError]
    assert (done.heard("DATA"), done.server.accepted) == (2, [])
