"""kill -9 at random moments under load: everything arrives, and a second copy has the first one's id."""

from benchmarks.chaos import chaos

# `make chaos` runs hundreds; these few keep the harness itself honest.
ROUNDS = 8
SEED = 20260530


def test_random_kills_lose_nothing_and_repeat_only_with_the_same_id() -> None:
    report = chaos(ROUNDS, SEED)

    assert report.items >= ROUNDS, "the load never came"
    assert report.sound, str(report)
    assert report.same_id <= report.window
