"""What may stand in feeds.yaml of one feed."""

import pytest
from pydantic import ValidationError

from watcher.sources.settings import FeedSettings

URL = "https://sample.example/feed"


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("Authorization", True),
        ("cookie", True),
        ("X-Api-Key", True),
        ("X-Auth-Token", True),
        ("Host", False),
        ("X-Forwarded-For", False),
        ("Transfer-Encoding", False),
        ("Authorization\r\nHost", False),
    ],
)
def test_a_feed_takes_few_headers(name: str, taken: bool) -> None:
    """RELIABILITY §2 11: no feed makes us somebody else."""
    if taken:
        assert FeedSettings(id="f", url=URL, headers={name: "v"}).headers
        return
    with pytest.raises(ValidationError, match="is not allowed"):
        FeedSettings(id="f", url=URL, headers={name: "v"})


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://a.example/", "//a.example/", "https://user:secret@a.example/"],
)
def test_a_feed_has_a_web_address_without_credentials(url: str) -> None:
    with pytest.raises(ValidationError):
        FeedSettings(id="f", url=url)
