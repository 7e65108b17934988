"""kill -9 at random moments under load: is anything lost, does anything come twice?

    python -m benchmarks.chaos [ROUNDS] [--seed N]

Each round publishes news in a local feed, starts the daemon and kills it: half the time at a random
moment, half the time within a few milliseconds of a message's arrival, when it may be acknowledged and
not yet marked. Webhook and SMTP sink note every arrival. After each kill the store says which messages
it holds as not sent; of those, the ones that have arrived are *in the window*: RELIABILITY §0 lets them,
and no others, come again, with the same id.

A kill may leave one message per receiver there, no more.

Exit 1 when anything is lost, comes under two ids, comes again outside the window, when more than one
message of a receiver is in the window, or the store is damaged.
"""

import argparse
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from random import Random
from zlib import crc32

import yaml

from benchmarks._sinks import Arrival, Sinks
from watcher.notify._json import message_id
from watcher.notify.email import message_id as mail_id

SPEED = 20
PER_ROUND = 6
# No machine is so busy that a start with a poll and its first message takes longer.
LONGEST = 8.0
# A feed with more news than this at once looks like one that changed all its entries.
MOST_UNREAD = 15
_LETTERS = "bdfgklmnprstvz"
# Shares no factor with the number of words there are.
_STEP = 61_803_397
_TOKEN = re.compile(r"token\d{6}")
RULES = """
rules:
  - id: kestrel
    title: Kestrel
    when: {all: [kestrelmark]}
    alert: {follow_ups: all}
"""


@dataclass
class Report:
    """What came of it; `window` counts messages in the window at a kill, `most_in_window` per receiver."""

    rounds: int
    items: int = 0
    lost: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    same_id: int = 0
    window: int = 0
    most_in_window: int = 0
    damaged: str = ""
    starts: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def sound(self) -> bool:
        return not (self.lost or self.bad or self.damaged or self.most_in_window > 1)

    def __str__(self) -> str:
        slowest = max(self.starts, default=0.0)
        lines = [
            f"{self.rounds} kills in {self.seconds:.0f} s, {self.items} items x 2 receivers",
            f"lost                    {len(self.lost):5}  {' '.join(self.lost[:5])}",
            f"duplicates              {len(self.bad):5}  {' '.join(self.bad[:5])}",
            f"same-id duplicates      {self.same_id:5}  all among the {self.window} acknowledged "
            f"and not yet marked at a kill (at most {self.most_in_window} of a receiver)",
            f"store                   {self.damaged or '   ok'}",
            f"slowest first message after a start: {slowest:.2f} s",
        ]
        return "\n".join(lines)


class Nursery:
    """The process that forks daemons."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks._nursery", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._began = time.monotonic()
        self._epoch = datetime.now(UTC)

    def start(self) -> int:
        passed = timedelta(seconds=(time.monotonic() - self._began) * SPEED)
        self._tell(f"{(self._epoch + passed).isoformat()}*{SPEED}")
        pid = int(self._hear() or 0)
        if pid <= 1:
            raise RuntimeError("the nursery died: does `import watcher.daemon` work?")
        return pid

    def gone(self) -> int:
        """The exit of the daemon that was started last; waits for it."""
        return int(self._hear() or -1)

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(10)
        if self._process.stdout:
            self._process.stdout.close()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


class Chaos:
    """One run: the sinks are the truth about what arrived, the store about what it knows."""

    def __init__(self, folder: Path, sinks: Sinks, rng: Random) -> None:
        self._folder = folder
        self._sinks = sinks
        self._rng = rng
        self._items: list[str] = []
        self._window: set[str] = set()
        # From a start to its first message, as it goes on this machine today.
        self._usual = 1.0
        self._read = {"mail": 0, "webhook": 0}
        # Per sink: token → ids it came under; id → how often.
        self._ids: dict[str, dict[str, set[str]]] = {
            "mail": defaultdict(set),
            "webhook": defaultdict(set),
        }
        self._copies: dict[str, Counter[str]] = {"mail": Counter(), "webhook": Counter()}

    def run(self, rounds: int) -> Report:
        report = Report(rounds)
        began = time.monotonic()
        self._configure()
        nursery = Nursery(self._folder)
        try:
            self._publish(0)
            self._first_poll(nursery)
            for n in range(rounds):
                self._publish(PER_ROUND)
                self._round(nursery, report)
                if n % 25 == 24 and not report.damaged:
                    report.damaged = self._check()
            self._drain(nursery)
        finally:
            nursery.close()
        report.damaged = report.damaged or self._check()
        self._balance(report)
        report.seconds = time.monotonic() - began
        return report

    # ── a round ──

    def _round(self, nursery: Nursery, report: Report) -> None:
        before = self._arrived()
        began = time.monotonic()
        pid = nursery.start()
        if self._rng.random() < 0.5:
            time.sleep(self._rng.uniform(0.0, 1.5 * self._usual))
        else:
            wanted = before + self._rng.randint(1, PER_ROUND * 2)
            self._wait(lambda: self._arrived() >= wanted, LONGEST)
            time.sleep(self._rng.uniform(0.0, 0.02))
        os.kill(pid, signal.SIGKILL)
        nursery.gone()
        first = min((a.at for a in self._since(before)), default=None)
        if first is not None:
            report.starts.append(first - began)
            self._usual += 0.2 * (first - began - self._usual)
        self._note_window(report)

    def _note_window(self, report: Report) -> None:
        time.sleep(0.01)  # what the dead process wrote last may still be on its way
        self._read_arrivals()
        unsent = {name for key in self._unsent() for name in _names(key)}
        for copies in self._copies.values():
            found = unsent & copies.keys()
            report.window += len(found)
            report.most_in_window = max(report.most_in_window, len(found))
            self._window |= found

    def _first_poll(self, nursery: Nursery) -> None:
        """The first poll alerts nobody: it only learns what the feed holds."""
        pid = nursery.start()
        self._wait(lambda: "polled" in self._log(), 30)
        os.kill(pid, signal.SIGTERM)
        nursery.gone()

    def _drain(self, nursery: Nursery) -> None:
        """Everything arrives, and the daemon ends in order."""
        pid = nursery.start()
        self._wait(lambda: not self._missing(), 60)
        time.sleep(0.5)
        os.kill(pid, signal.SIGTERM)
        nursery.gone()
        self._read_arrivals()

    def _wait(self, condition: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not condition():
            time.sleep(0.002)

    # ── what arrived, and what the store knows ──

    def _arrived(self) -> int:
        return len(self._sinks.mail) + len(self._sinks.webhook)

    def _since(self, before: int) -> list[Arrival]:
        arrivals = sorted([*self._sinks.mail, *self._sinks.webhook], key=lambda a: a.at)
        return arrivals[before:]

    def _read_arrivals(self) -> None:
        for name, arrivals in (("mail", self._sinks.mail), ("webhook", self._sinks.webhook)):
            fresh = arrivals[self._read[name] :]  # more may come while these are read
            for arrival in fresh:
                for token in _tokens(name, arrival):
                    self._ids[name][token].add(arrival.id)
                self._copies[name][arrival.id] += 1
            self._read[name] += len(fresh)

    def _missing(self) -> list[str]:
        self._read_arrivals()
        return [
            f"{name}:{token}"
            for name, ids in self._ids.items()
            for token in self._items
            if token not in ids
        ]

    def _unsent(self) -> list[str]:
        if not self._store.exists():
            return []
        with closing(sqlite3.connect(self._store)) as db:
            return [row[0] for row in db.execute("SELECT key FROM outbox WHERE state != 'sent'")]

    def _check(self) -> str:
        with closing(sqlite3.connect(self._store)) as db:
            found = db.execute("PRAGMA integrity_check").fetchone()[0]
        return "" if found == "ok" else str(found)

    def _balance(self, report: Report) -> None:
        report.items = len(self._items)
        report.lost = self._missing()
        for name, ids in self._ids.items():
            report.bad += [f"{name}:{token}" for token, some in ids.items() if len(some) > 1]
            for message, times in self._copies[name].items():
                report.same_id += times - 1
                if times > 1 and message not in self._window:
                    report.bad.append(f"{name}:{message}")

    # ── the world ──

    @property
    def _store(self) -> Path:
        return self._folder / "data" / "watcher.db"

    def _log(self) -> str:
        path = self._folder / "daemon.log"
        return path.read_text("utf-8") if path.exists() else ""

    def _publish(self, count: int) -> None:
        """Items stay in the feed until both receivers have them; old ones keep them company."""
        missing = {entry.split(":")[1] for entry in self._missing()}
        room = max(MOST_UNREAD - len(missing), 0)
        fresh = [f"token{len(self._items) + n:06}" for n in range(min(count, room))]
        self._items += fresh
        missing |= set(fresh)
        shown = [t for t in self._items if t in missing or t in self._items[-60:]]
        items = "".join(map(_item, reversed(shown))) + "".join(_old(n) for n in range(30))
        feed = f"<rss version='2.0'><channel><title>Sample</title>{items}</channel></rss>"
        self._sinks.feed = feed.encode()
        self._sinks.etag = f'"{crc32(self._sinks.feed)}"'

    def _configure(self) -> None:
        config = self._folder / "config"
        (config / "rules").mkdir(parents=True)
        (config / "rules" / "rules.yaml").write_text(RULES, "utf-8")
        http = f"127.0.0.1:{self._sinks.http_port}"
        feeds = [{"id": "news", "url": f"http://{http}/news"}]
        (config / "feeds.yaml").write_text(yaml.safe_dump({"feeds": feeds}), "utf-8")
        root = {
            "data": "../data",
            "http": {"allow": [http], "timeout": "3s"},
            "poll": {"every": "5s", "min": "5s", "max": "5s", "host_spacing": "0s"},
            "log": {"format": "json"},
            "receivers": [
                {"id": "hook", "type": "webhook", "url": f"http://{http}/hook"},
                {
                    "id": "mail",
                    "type": "email",
                    "host": "127.0.0.1",
                    "port": self._sinks.mail_port,
                    "tls": "none",
                    "from": "watcher@sample.example",
                    "to": ["reader@sample.example"],
                },
            ],
            "routes": [{"receivers": ["hook", "mail"]}],
        }
        (config / "watcher.yaml").write_text(yaml.safe_dump(root), "utf-8")


def _item(token: str) -> str:
    """Words of its own, so that it is a story of its own.

    No two items may share one: a follow-up lists the story's reports, and would look like a duplicate.
    """
    number = int(token.removeprefix("token"))
    words = " ".join(_word(6 * number + n) for n in range(6))
    return (
        f"<item><title>{token} {words}</title><guid isPermaLink='false'>{token}</guid>"
        f"<link>https://sample.example/{token}</link>"
        f"<description>Kestrelmark {words}.</description></item>"
    )


def _word(number: int) -> str:
    """Another one for every number, and not like its neighbours'."""
    left = number * _STEP % len(_LETTERS) ** 7
    word = ""
    for _ in range(7):
        left, letter = divmod(left, len(_LETTERS))
        word += _LETTERS[letter]
    return word


def _old(number: int) -> str:
    return (
        f"<item><title>Old harbour news {number}</title>"
        f"<link>https://sample.example/old/{number}</link></item>"
    )


def _tokens(sink: str, arrival: Arrival) -> set[str]:
    if sink == "webhook":
        return set(_TOKEN.findall(arrival.body.decode()))
    plain = message_from_bytes(arrival.body, policy=policy.default).get_body(("plain",))
    return set(_TOKEN.findall(plain.get_content() if plain else ""))


def _names(key: str) -> tuple[str, str]:
    """What a message with this key is called at either sink."""
    return message_id(key), mail_id(key, "sample.example")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("rounds", nargs="?", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--quick", action="store_true", help="20 rounds")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    report = chaos(20 if given.quick else given.rounds, given.seed)
    print(report)
    sys.exit(0 if report.sound else 1)


def chaos(rounds: int, seed: int) -> Report:
    """A whole run in a throw-away folder."""
    with tempfile.TemporaryDirectory(prefix="watcher-chaos-") as folder, Sinks() as sinks:
        return Chaos(Path(folder), sinks, Random(seed)).run(rounds)


if __name__ == "__main__":
    main()
