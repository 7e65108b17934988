"""Which links readers may click, and in which form (RELIABILITY C7, H1, H10)."""

import pytest

from watcher.text import safe_link

LINKS = {
    "http://sample.example/my page.html?q=a b#c d": "http://sample.example/my%20page.html?q=a%20b#c%20d",
    " http://sample.example/a ": "http://sample.example/a",
    "http://sam ple.example/a": None,
    "http:// sample.example/a": None,
    "http://user:word@sample.example/a": "http://sample.example/a",
    "HTTP://Sample.example:80/a": "http://sample.example/a",
    "http://sample.example/a\tb": None,
    "java\nscript:alert(1)": None,
    "java script:alert(1)": None,
    "javascript:alert(1)": None,
    "http://sample.example\\@other.example/": None,
    "http://sample.example/\\a": None,
    "mailto:jo@sample.example?subject=a b": "mailto:jo@sample.example?subject=a%20b",
    "http://sample.example/" + "a" * 2048: None,
    "http://sample.example/" + "a " * 900: None,
}


@pytest.mark.parametrize(("given", "link"), LINKS.items())
def test_a_link_is_made_safe_or_left_out(given: str, link: str | None) -> None:
    assert safe_link(given) == link


@pytest.mark.parametrize("link", [link for link in LINKS.values() if link])
def test_a_safe_link_stays_as_it_is(link: str) -> None:
    assert safe_link(link) == link
