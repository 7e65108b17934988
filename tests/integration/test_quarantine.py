"""Entries held back after a mass change: seen, let through or dropped, each once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from test_ingest import Newsroom
from typer.testing import CliRunner, Result

from watcher.cli.main import app
from watcher.intake.release import STEP, Releases
from watcher.place import STORE_NAME

OLD = {"date": "Mon, 04 May 2026 10:00:00 GMT"}


class Room(Newsroom):
    """With the operator's commands on the same store."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder
        (folder / STORE_NAME).symlink_to(folder / "store.db")
        (folder / "watcher.yaml").write_text("data: .\n")
        (folder / "feeds.yaml").write_text(f"feeds: [{{id: sample, url: '{self.feed.url}'}}]\n")
        self.releases = Releases(
            self.store, self.recorder, self.pipeline, self.recorder._composer, self.clock
        )

    def run(self, *args: str) -> Result:
        return CliRunner().invoke(app, ["--config", str(self.folder), "feeds", *args])

    def held(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.run("quarantine", "sample", "--json").stdout)
        return found

    def replay(self, *titles: str, known: int = 30) -> None:
        """A feed of some age shows these entries, old ones that we never saw."""
        self.poll(*((f"Filler number {n}", OLD) for n in range(known)))
        more = [f"Archive piece {n}" for n in range(known)]
        self.poll(*((title, OLD) for title in (*titles, *more)))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.writer.close()
    made.store.close()


def test_what_is_held_back_says_why_and_which_rules_asked_for_it(room: Room) -> None:
    room.replay("Rocket rises")

    shown = room.run("quarantine", "sample").stdout
    assert len(room.held()) == 31
    assert room.held()[0]["title"] == "Rocket rises"
    assert "dated before the polls" in shown
    assert "launch" in shown
    assert "sample" in room.run("quarantine").stdout
    assert "31 entries held back" in room.run("list", "--trouble").stdout


def test_released_entries_are_told_as_at_first_sight_and_once(room: Room) -> None:
    room.replay("Rocket rises over the harbour", "Bakery failed its hygiene inspection")
    quiet = list(room.told)
    room.run("release", "sample")
    left = [room.releases.step(), room.releases.step()]
    room.run("release", "sample")
    room.releases.step()

    assert quiet == []
    assert left == [0, 0]
    assert sorted(room.told) == [
        "Bakery failed its hygiene inspection",
        "Rocket rises over the harbour",
    ]
    assert room.held() == []


def test_a_story_of_which_all_reports_were_held_is_told_as_one(room: Room) -> None:
    """Its first report alerts and so does what is new; what says the same again does not."""
    text = {**OLD, "text": "The rocket left the pad at noon and reached its orbit an hour later."}
    more = "The rocket that reached its orbit lost a stage over Busan, where 14 people were killed."
    room.poll(*((f"Filler number {n}", OLD) for n in range(30)))
    room.poll(
        *((f"Rocket reaches orbit{mark}", {**text, "guid": f"r{mark}"}) for mark in (".", "!")),
        ("Rocket reaches orbit, 14 killed in Busan", {**OLD, "guid": "r14", "text": more}),
        *((f"Archive piece {n}", OLD) for n in range(30)),
    )
    room.run("release", "sample")
    room.releases.step()

    assert room.told == [
        "Rocket reaches orbit.",
        "Update: Rocket reaches orbit, 14 killed in Busan",
    ]


def test_after_a_restart_the_release_goes_on(room: Room) -> None:
    from watcher.restore import restore_memory

    room.replay("Rocket rises")
    room.run("release", "sample")
    with room.store.begin() as tx:
        restore_memory(room.pipeline, tx, room.clock.now())
    room.releases.step()

    assert room.told == ["Rocket rises"]


def test_only_the_named_are_released(room: Room) -> None:
    room.replay("Rocket rises over the harbour", "Bakery failed its hygiene inspection")
    names = {row["title"]: row["article"] for row in room.held()}
    done = room.run("release", "sample", names["Bakery failed its hygiene inspection"])
    room.releases.step()

    assert "1 let through" in done.stdout
    assert "by `watcher run --once`" in done.stdout
    assert room.told == ["Bakery failed its hygiene inspection"]
    assert len(room.held()) == 31


def test_dropped_entries_are_told_to_nobody_and_stay_stored(room: Room) -> None:
    room.replay("Rocket rises")
    done = room.run("release", "sample", "--drop")
    room.run("release", "sample")
    room.releases.step()
    room.poll("Rocket rises", *(f"Archive piece {n}" for n in range(30)))

    with room.store.read() as tx:
        stored = tx.articles.count()
    assert "31 dropped" in done.stdout
    assert room.told == []
    assert stored == 61


def test_a_revision_told_meanwhile_is_not_told_again(room: Room) -> None:
    room.replay("Countdown goes on")
    long = {**OLD, "text": "The rocket has left the pad, officials in the capital said on Friday."}
    room.poll(("Countdown goes on", long), *((f"Archive piece {n}", OLD) for n in range(30)))
    before = list(room.told)
    room.run("release", "sample")
    room.releases.step()

    assert before == room.told == ["Countdown goes on"]


def test_many_are_let_through_in_steps(room: Room) -> None:
    room.replay("Rocket rises", known=STEP + 5)
    room.run("release", "sample")

    assert room.releases.step() == 6
    assert room.releases.step() == 0
    assert room.told == ["Rocket rises"]


def test_a_step_that_fails_is_taken_up_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.replay("Rocket rises")
    room.run("release", "sample")
    with monkeypatch.context() as patch:
        patch.setattr("watcher.store.held.HeldBack.done", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            room.releases.step()
    room.releases.step()

    assert room.told == ["Rocket rises"]


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("sample",), 0, "nothing is held back"),
        (("other",), 1, "not among the feeds"),
        (("sample", "a123"), 1, "a123: is not held back of sample"),
    ],
)
def test_what_is_not_held_back_is_not_released(
    room: Room, args: tuple[str, ...], code: int, words: str
) -> None:
    room.poll("One")
    done = room.run("release", *args)

    assert done.exit_code == code
    assert words in done.output


def test_what_nobody_asked_for_goes_with_its_text(room: Room) -> None:
    room.replay("Rocket rises")
    with room.store.begin() as tx:
        gone = [
            tx.held.purge(datetime(2026, 5, 30, tzinfo=UTC)),
            tx.held.purge(room.clock.now() + timedelta(days=1)),
        ]

    assert gone == [0, 31]
    assert room.held() == []
