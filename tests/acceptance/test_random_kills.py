"""kill -9 at random moments under load: everything arrives, and a second copy has the first one's id."""

from collections import Counter
from random import Random
from time import sleep

from tests.acceptance.stage import Stage, rss, until
from watcher.demo.newsday import DAY, Noise, read_outlets

OLD = ("Old harbour news", "Nothing of interest.")
RULE = """
rules:
  - id: kestrel
    title: Kestrel
    when: {all: [kestrelmark]}
    alert: {follow_ups: all}
"""
ROUNDS = 6
PER_ROUND = 3
SEED = 20260530


def invented(count: int) -> list[tuple[str, str]]:
    """Everyday articles, each with a token of its own."""
    noise, outlet = Noise(Random(SEED)), read_outlets()["sample-wire"]
    pieces = [noise.piece(outlet, DAY) for _ in range(count)]
    return [(f"token{n:03} {p.title}", f"Kestrelmark. {p.text}") for n, p in enumerate(pieces)]


def test_random_kills_lose_nothing_and_repeat_only_with_the_same_id(stage: Stage) -> None:
    rng = Random(SEED)
    items = invented(ROUNDS * PER_ROUND)
    stage.feeds["news"] = rss(OLD)
    stage.configure(rules=RULE)
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))

    for n in range(1, ROUNDS + 1):
        stage.feeds["news"] = rss(*reversed(items[: n * PER_ROUND]), OLD)
        daemon = stage.start()
        sleep(rng.uniform(0.9, 2.2))
        daemon.process.kill()
        daemon.process.wait(10)

    tokens = [title.split()[0] for title, _ in items]
    with stage.daemon():
        until(lambda: all(set(tokens) <= set(seen) for seen in ledger(stage).values()), 60)

    for channel, seen in ledger(stage).items():
        # One id per token, however many copies: a receiver can drop what it has.
        assert {token: len(ids) for token, ids in seen.items()} == dict.fromkeys(tokens, 1), channel
    copies = Counter(headers["webhook-id"] for headers, _ in stage.calls("hook"))
    assert sum(copies.values()) - len(tokens) <= ROUNDS


def ledger(stage: Stage) -> dict[str, dict[str, set[str]]]:
    """What arrived: per channel, each token with the ids it came under."""
    mails: dict[str, set[str]] = {}
    for mail in list(stage.mailbox.messages):
        mails.setdefault(token_of(str(mail["Subject"])), set()).add(mail["Message-ID"])
    hooks: dict[str, set[str]] = {}
    for headers, body in stage.calls("hook"):
        title = body["data"]["stories"][0]["title"]
        hooks.setdefault(token_of(title), set()).add(headers["webhook-id"])
    return {"mail": mails, "hook": hooks}


def token_of(text: str) -> str:
    return next(word for word in text.split() if word.startswith("token"))
