"""Markup to text: the short way gives what the tree gives."""

import sys
from random import Random

import pytest

from watcher import text as text_module
from watcher.sources.html import _text_by_tree, html_to_text
from watcher.sources.plain_html import plain_text
from watcher.text import clean_text

NAMES = str.split(
    """p p p div div ul ol li li li dl dt dd h1 h2 a b i em span strong blockquote figure
    figcaption pre br hr img section address table script"""
)
BITS = (
    *("text", "more words", " ", "\n", "&amp;", "&#8217;", "&nbsp;", "&copy", "&foo;", "a & b"),
    *("x", "<!-- c -->", "<!-- a--b -->", "&lt;b&gt;", "&#128;", "&#xe9;", " \n y", "1 < 2", "<"),
)


def made_up(rng: Random) -> str:
    def piece() -> str:
        name, kind = rng.choice(NAMES), rng.random()
        if kind < 0.3:
            return f"<{name}>"
        if kind < 0.36:
            return f'<{name} class="x>y" id=a>'
        return f"</{name}>" if kind < 0.6 else rng.choice(BITS)

    return "".join(piece() for _ in range(rng.randrange(2, 16)))


def read(text: str) -> str:
    return clean_text("\n".join(line.strip() for line in text.split("\n")))


def test_the_short_way_gives_what_the_tree_gives() -> None:
    rng = Random(20260530)
    markups = [made_up(rng) for _ in range(15_000)]
    short = [(markup, text) for markup in markups if (text := plain_text(markup)) is not None]

    wrong = [markup for markup, text in short if read(text) != read(_text_by_tree(markup))]

    assert wrong == []
    assert len(short) > 1_000


@pytest.mark.parametrize(
    "markup",
    [
        "<table><tr><td>a</td></tr></table>",
        "a</div>b",
        "<li>a<ul>b</li>c</ul>",
        "<p>a <script>b</script></p>",
        "<b>1 < 2</b>",
        "<b>&copy 2026</b>",
        "<b>&#128;</b>",
        "<p title=it's>a</p>",
        "<B>a</B>",
        "<p>a\r\nb</p>",
        "<!-- a -- b --><p>c</p>",
        "<div>" * 300,
    ],
)
def test_what_takes_a_tree_gets_one(markup: str) -> None:
    assert plain_text(markup) is None


@pytest.mark.parametrize("piece", ["<", "<a ", "<a b", "<a b=", "<!--", "<!-- -", "&", "&#", "<p>"])
def test_no_markup_costs_more_than_its_length(piece: str) -> None:
    """RELIABILITY 19: quadratic work on 400,000 characters would not end within the time limit."""
    assert isinstance(html_to_text("<b>x</b>" + piece * (400_000 // len(piece))), str)


def test_what_can_be_printed_needs_no_repair() -> None:
    """`clean_text` takes a short way for such text."""
    odd = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if character.isprintable()
        and character != " "
        and any(
            pattern.search(character)
            for pattern in (
                text_module._SURROGATE,
                text_module._INVISIBLE,
                text_module._CONTROL_TEXT,
                text_module._CONTROL_LINE,
                text_module._NEWLINE,
                text_module._SPACES,
            )
        )
    ]

    assert odd == []


def test_towers_of_marks_are_cut() -> None:
    assert clean_text("Za" + "\u0300" * 100_000 + "lgo") == "Za" + "\u0300" * 4 + "lgo"
