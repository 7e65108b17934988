"""An encoder of one's own beside the words."""

from collections.abc import Sequence

import pytest

from watcher.stories.similarity import Encoder, similarity


class Subjects:
    """Two dimensions: the sea and money."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked.append([*texts])
        return [[float("sea" in t), float("bank" in t)] for t in texts]


SAME = ("Storm at sea", "Rough sea tonight")
OTHER = ("Storm at sea", "The bank lends")


def test_meaning_lifts_what_shares_no_words_and_lowers_the_rest() -> None:
    encoder: Encoder = Subjects()

    assert similarity(*SAME, encoder) > similarity(*SAME)
    assert similarity(*OTHER, encoder) <= similarity(*OTHER)


def test_it_stays_symmetric_and_asks_once() -> None:
    encoder = Subjects()

    assert similarity(*SAME, encoder) == similarity(*reversed(SAME), encoder)
    assert encoder.asked[0] == encoder.asked[1]
    assert len(encoder.asked) == 2


def test_the_same_words_need_no_model() -> None:
    encoder = Subjects()

    assert similarity("Storm at sea", "Storm at sea", encoder) == 1.0
    assert encoder.asked == []


@pytest.mark.parametrize("vector", [[0.0, 0.0], [-1.0, 0.0], [1e308, 1e308], []])
def test_whatever_a_model_gives_the_score_stays_within_bounds(vector: list[float]) -> None:
    class Odd:
        def encode(self, texts: Sequence[str]) -> list[list[float]]:
            return [vector, [1.0] * len(vector)]

    assert 0.0 <= similarity(*SAME, Odd()) <= 1.0
