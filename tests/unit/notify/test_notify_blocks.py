"""Feed text inside Slack's markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.model import DigestKind
from watcher.notify._blocks import escape, link, message
from watcher.notify._pages import Page
from watcher.render.sample import sample_digest


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
