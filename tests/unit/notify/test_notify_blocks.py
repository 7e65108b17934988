"""Feed text inside Slack's markup."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.model import DigestKind, Passage
from watcher.notify._blocks import _cut, escape, link, message
from watcher.notify._pages import Page
from watcher.render.sample import sample_digest, with_links


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
        ("*bold* _it_ ~no~ `code`", "∗bold∗ ˍitˍ ∼no∼ ˋcodeˋ"),
        ("snake_case 2*3 a~b", "snake_case 2*3 a~b"),
        ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
    ],
)
def test_text_is_only_text(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text(max_size=40))
def test_no_text_opens_a_tag(text: str) -> None:
    assert "<" not in escape(text)
    assert ">" not in escape(text)


@given(st.text(max_size=40))
def test_a_label_can_not_end_its_link(label: str) -> None:
    made = link("https://a.example/x?a=1&b=2", label)

    assert made.count("<") == made.count(">") == made.count("|") == 1


def test_a_story_without_a_link_is_plain() -> None:
    assert link("", "a <b>") == "a &lt;b&gt;"


def test_an_alert_shows_its_story_in_the_notification() -> None:
    digest = sample_digest(kind=DigestKind.ALERT)
    built = message(digest, Page(digest.stories), mark="4f2a91c0", title="Desk")

    assert built["text"].startswith("[Desk] Update: ")
    assert built["text"].endswith("(id 4f2a91c0)")
    assert built["blocks"][0]["type"] == "section"
    assert built["unfurl_links"] is False


def test_matched_words_are_bold_only_where_slack_can_show_it() -> None:
    digest = sample_digest()
    built = message(digest, Page(digest.stories), mark="0", title=None)
    said = str(built["blocks"])

    assert "*Pyongyang*" in said
    assert "燃料タンク車が" in said


def test_a_link_longer_than_slack_takes_is_left_out() -> None:
    assert link("https://a.example/?" + "a&" * 900, "title") == "title"


@given(st.text(alphabet="<>&;|x \n", min_size=40, max_size=200))
def test_cutting_never_leaves_half_a_link_or_entity(text: str) -> None:
    safe = f"{link('https://a.example/x', text)} {escape(text)}"
    cut = _cut(safe, 60)
    tail = cut.rsplit("&", 1)[-1] if "&" in cut else ";"

    assert len(cut) <= 60
    assert cut.count("<") == cut.count(">")
    assert ";" in tail


def test_the_longest_story_is_still_a_section() -> None:
    digest = sample_digest(kind=DigestKind.ALERT)
    story = replace(
        digest.stories[0],
        title="&" * 300,
        url="https://a.example/?" + "&" * 2000,
        passages=(Passage("body", "<" * 700, ()), Passage("body", ">" * 700, ())),
        note="&" * 2000,
        new=("&" * 300,) * 9,
    )
    built = message(replace(digest, stories=(story,)), Page((story,)), mark="0", title=None)

    assert all(len(b["text"]["text"]) <= 3000 for b in built["blocks"] if b["type"] == "section")
    assert "&amp;" in built["blocks"][0]["text"]["text"]


def test_a_reader_may_mute_from_slack_and_no_block_is_spent_on_it() -> None:
    digest = sample_digest(kind=DigestKind.ALERT)
    shown = [
        message(one, Page(one.stories), mark="4f2a91c0", title=None, buttons=True)["blocks"]
        for one in (digest, with_links(digest))
    ]

    buttons = [e for block in shown[1] for e in block.get("elements", ()) if e["type"] == "button"]
    assert len(shown[0]) == len(shown[1])
    assert buttons[-1]["text"]["text"] == "Mute"
    assert buttons[-1]["url"].startswith("https://watcher.example.org/f/mute/")
