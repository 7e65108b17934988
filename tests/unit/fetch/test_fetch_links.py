"""Link headers, as servers write them."""

import time

import pytest

from watcher.fetch.links import links

BASE = "https://news.example/section/feed"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('<https://hub.example/>; rel="hub"', {"hub": "https://hub.example/"}),
        ("<https://hub.example/>;rel=hub", {"hub": "https://hub.example/"}),
        ('<../x>; type="a,b"; rel="SELF alternate"', {"self": "https://news.example/x", "alternate": "https://news.example/x"}),
        ('<https://a.example/>; rel=hub, <https://b.example/>; rel="hub", </f>; rel=self',
         {"hub": "https://a.example/", "self": "https://news.example/f"}),
        ('<https://a.example/a,b>; title="x; rel=hub"; rel=next', {"next": "https://a.example/a,b"}),
        ("<https://a.example/>; rel=next; rel=hub", {"next": "https://a.example/"}),
        ('<https://a.example/>; rel=hub; anchor="https://other.example/"', {}),
        ("<javascript:alert(1)>; rel=hub", {}),
        ("<https://user@[::1>; rel=hub", {}),
        ("https://a.example/; rel=hub", {}),
        ("", {}),
        (None, {}),
    ],
)  # fmt: skip
def test_the_first_address_of_each_relation_is_found(
    header: str | None, found: dict[str, str]
) -> None:
    assert links(header, BASE) == found


@pytest.mark.parametrize(
    "piece", ["<", "<a>;", '<a>; rel="', "<a>" + ";" * 9, '"<', "<a>; rel=hub,"]
)
def test_no_header_takes_long(piece: str) -> None:
    began = time.process_time()
    links(piece * (64 * 1024 // len(piece)), BASE)

    assert time.process_time() - began < 1
