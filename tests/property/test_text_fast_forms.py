"""The fast forms of `text` say what the slow ones say."""

from hypothesis import given
from hypothesis import strategies as st

from watcher import text

words = st.text(alphabet="aB1 \n\t\r\x1c\u00a0\u2028é中.", max_size=40)
links = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["http://", "https://", "HTTPS://", "//", "ftp://", "mailto:", ""]),
    st.sampled_from(["", "www.", "www.www.", "user@", "-"]),
    st.sampled_from(
        ["a.example", "A.example", "a.example.", "a..b", "a", "", "[::1]", "a.example:80"]
    ),
    st.text(alphabet="/ab.?&=#%;[]\\\n é", max_size=12),
    st.sampled_from(["", "/", "?utm_source=a&b=1", "#top", "/" + "x" * 2048]),
)


@given(words)
def test_one_line_is_all_words_with_a_space_between(given_text: str) -> None:
    assert text.one_line(given_text) == " ".join(given_text.split())


@given(links)
def test_a_link_that_is_taken_as_it_is_would_be_judged_to_be_just_that(link: str) -> None:
    assert (text.safe_link(link) or None) == (text._judged_link(link, 2048) if link else None)


@given(links)
def test_a_plain_link_has_the_canonical_form_that_taking_it_apart_gives(link: str) -> None:
    assert text.canonical_url(link) == text._canonical_url(link)
