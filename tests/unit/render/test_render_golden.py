"""The sample digest in every form, kept word for word.

After a change that is meant run this file with Python, then read the diff.
"""

import json
from pathlib import Path

import pytest

from watcher.model import DigestKind
from watcher.notify._blocks import message
from watcher.notify._pages import Page
from watcher.render.sample import sample_digest, with_links
from watcher.render.templates import TemplateRenderer

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "data" / "golden"


def rendered(name: str) -> str:
    kind = DigestKind.ALERT if name.startswith("alert") else DigestKind.DIGEST
    digest = sample_digest(kind=kind)
    if ".links." in name:
        digest = with_links(digest)
    if name.endswith(".slack.json"):
        built = message(digest, Page(digest.stories), mark="4f2a91c0", title=None)
        return json.dumps(built, ensure_ascii=False, indent=1) + "\n"
    form = name.rsplit(".", 1)[1]
    standalone = name.startswith("page")
    text = TemplateRenderer([ROOT / "templates"]).render(
        f"digest.{form}.j2", digest, standalone=standalone
    )
    return text.rstrip() + "\n"


NAMES = [
    "alert.html",
    "alert.links.html",
    "alert.links.slack.json",
    "alert.links.txt",
    "alert.slack.json",
    "alert.txt",
    "digest.html",
    "digest.links.slack.json",
    "digest.links.txt",
    "digest.slack.json",
    "digest.txt",
    "page.html",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_looks_as_it_did(name: str) -> None:
    assert rendered(name) == (GOLDEN / name).read_text()


if __name__ == "__main__":
    for name in NAMES:
        (GOLDEN / name).write_text(rendered(name))
