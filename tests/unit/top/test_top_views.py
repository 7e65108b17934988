"""What a reader sees of an article: passages with their marks, and one text out of two."""

from top_world import article

from watcher.model import Evidence
from watcher.normalise import join_text
from watcher.views import passages


def marked(text: str, *words: str, field: str = "body") -> list[Evidence]:
    return [Evidence(w, field, text.index(w), text.index(w) + len(w), w) for w in words]


def test_marks_move_with_their_passage() -> None:
    text = "x " * 200 + "the rocket\ncarried a satellite" + " y" * 200

    (found,) = passages(article(1, text=text), marked(text, "rocket", "satellite"))

    assert [found.text[a:b] for a, b in found.marks] == ["rocket", "satellite"]
    assert found.text.startswith("… ")
    assert found.text.endswith(" …")
    assert "\n" not in found.text


def test_far_apart_finds_are_two_passages() -> None:
    text = "rocket " + "x " * 400 + "satellite"

    found = passages(article(1, text=text), marked(text, "rocket", "satellite"))

    assert [[p.text[a:b] for a, b in p.marks] for p in found] == [["rocket"], ["satellite"]]


def test_overlapping_marks_are_one() -> None:
    text = "North Korea rocket"

    (found,) = passages(
        article(1, text=text), [Evidence("a", "body", 0, 11, ""), Evidence("b", "body", 6, 18, "")]
    )

    assert found.marks == ((0, 18),)


def test_a_match_in_the_headline_still_shows_the_opening() -> None:
    one = article(1, text="The rocket rose at noon. " * 20)

    found = passages(one, marked(one.title, "rocket", field="title"))

    assert [p.field for p in found] == ["title", "body"]
    assert found[1].text.startswith("The rocket rose")


def test_summary_and_content_do_not_repeat_each_other() -> None:
    assert (
        join_text("The rocket  rose at noon", "The rocket rose at noon, and fell.")
        == "The rocket rose at noon, and fell."
    )
    assert (
        join_text("In short: a launch", "The rocket rose.")
        == "In short: a launch\n\nThe rocket rose."
    )
    assert join_text("", "text") == join_text("text", "") == "text"
