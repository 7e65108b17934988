"""Whatever a feed says, a browser sees the elements of our own templates and no others."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from watcher.model import Digest, Passage
from watcher.notify._inert import inert
from watcher.render.sample import sample_digest
from watcher.render.templates import TemplateRenderer
from watcher.web.acts import Subject

RENDERER = TemplateRenderer([Path(__file__).parents[3] / "templates"])
ALLOWED = {"href", "class", "style", "lang", "dir", "role", "width", "align", "aria-hidden"}
# Pictures are drawn here; `elements` sees to it that `src` is nothing else.
ALLOWED |= {"src", "alt", "height"}
ALLOWED |= {"border", "cellpadding", "cellspacing", "charset", "name", "content"}

# RELIABILITY §2 cases 19 to 25 and §3 H1: what got past other sanitizers.
PAYLOADS = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=a()&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<iframe srcdoc='&lt;script&gt;alert(1)&lt;/script&gt;'></iframe>",
    "<form action=//evil.example><input name=q></form>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css'; body{display:none}</style>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<!--[if gte mso 9]><script>alert(1)</script><![endif]-->",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "&lt;img src=x onerror=alert(1)&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "<a href='java\nscript:alert(1)'>x</a>",
    "</td></tr></table></body></html><h1>watcher notice: send your password",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<textarea><script>alert(1)</script>",
    "<xmp><script>alert(1)</script></xmp>",
    "{{ digest.__class__ }}{% for x in y %}",
]
LINKS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    'https://a.example/"onclick="alert(1)',
    "https://a.example/'><script>alert(1)</script>",
    "https://user:pass@a.example/",
    "//evil.example/x",
    "https://a.example\\@evil.example/",
]


def digest_of(text: str, url: str = "https://a.example/x") -> Digest:
    """Every text a feed can bring is `text`, every link `url`."""
    digest = sample_digest()
    story = replace(
        digest.stories[0],
        title=text,
        publisher=text,
        url=url,
        new=(text, text),
        tags=(text,),
        passages=(Passage("body", text, ((0, 3),)), Passage("body", text, ())),
        reports=tuple(
            replace(report, title=text, publisher=text, url=url, family=f"f{n}", copy_of=None)
            for n, report in enumerate(digest.stories[0].reports)
        ),
    )
    return inert(replace(digest, title=text, stories=(story,), silent_rules=(text,)))


def elements(digest: Digest) -> tuple[Counter[str], set[str], list[str]]:
    """Element names, attribute names and links, as an HTML parser finds them."""
    html = RENDERER.render("digest.html.j2", digest, standalone=True)
    names: Counter[str] = Counter()
    attributes: set[str] = set()
    links = []
    for node in LexborHTMLParser(html).root.traverse():  # type: ignore[union-attr]
        names[str(node.tag)] += 1
        attributes |= set(node.attributes)
        source = node.attributes.get("src")
        assert source is None or source.startswith("data:image/png;base64,")
        if node.attributes.get("href"):
            links.append(str(node.attributes["href"]))
    return names, attributes, links


PLAIN, _, _ = elements(digest_of("plain words"))


@pytest.mark.parametrize("text", PAYLOADS)
def test_no_payload_becomes_an_element(text: str) -> None:
    names, attributes, _ = elements(digest_of(text))

    assert names == PLAIN
    assert attributes <= ALLOWED


@given(
    st.lists(
        st.sampled_from([*PAYLOADS, "<", ">", '"', "'", "&", "`", "--", "]]>", "\x00", "a ", "북"]),
        min_size=1,
        max_size=8,
    ).map("".join)
    | st.text(min_size=3, max_size=80)
)
@settings(max_examples=150, deadline=None)
def test_no_text_at_all_becomes_an_element(text: str) -> None:
    names, attributes, _ = elements(digest_of(f"abc {text}"))

    assert names == PLAIN
    assert attributes <= ALLOWED


@pytest.mark.parametrize("url", LINKS)
def test_links_lead_to_the_web_or_nowhere(url: str) -> None:
    _, attributes, links = elements(digest_of("plain words", url))

    assert attributes <= ALLOWED
    assert all(link.startswith(("https://a.example/", "http://a.example/")) for link in links)
    assert not [link for link in links if "@" in link or '"' in link or "<" in link]


@pytest.mark.parametrize("action", ["noise", "mute", "ack"])
@pytest.mark.parametrize("done", ["", "Done."])
def test_no_payload_adds_an_element_to_a_page_behind_a_link(action: str, done: str) -> None:
    """RELIABILITY §2 case 22: what a page says of a feed is escaped like everything else."""

    def tags(text: str) -> Counter[str]:
        subject = Subject(text, text, text, has_story=True, done=done and text, can_undo=True)
        page = RENDERER.page("_feedback.html.j2", action=action, subject=subject)
        nodes = LexborHTMLParser(page).css("*")
        return Counter(f"{node.tag} {sorted(node.attributes)}" for node in nodes)

    plain = tags("a headline")

    assert [payload for payload in PAYLOADS if tags(payload) != plain] == []
