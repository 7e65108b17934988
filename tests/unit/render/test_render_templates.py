"""Templates: sandboxed, escaped, explained when they are wrong."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from watcher.errors import RenderError
from watcher.model import Digest, DigestKind
from watcher.render.sample import sample_digest
from watcher.render.templates import TemplateRenderer

SHIPPED = Path(__file__).parents[3] / "templates"
DIGEST = sample_digest()


def render(folder: Path, source: str, name: str = "mine.txt.j2", digest: Digest = DIGEST) -> str:
    (folder / name).write_text(source)
    return TemplateRenderer([folder, SHIPPED]).render(name, digest)


def test_the_shipped_templates_are_sound() -> None:
    assert TemplateRenderer([SHIPPED]).check(DIGEST) == []


def test_a_folder_of_ones_own_comes_first(tmp_path: Path) -> None:
    (tmp_path / "_foot.txt.j2").write_text("mine")
    (tmp_path / "_foot.html.j2").write_text("<tr><td>my own foot</td></tr>")

    assert "my own foot" in TemplateRenderer([tmp_path, SHIPPED]).render("digest.html.j2", DIGEST)


def test_one_rule_can_look_different(tmp_path: Path) -> None:
    (tmp_path / "_story.kim-jong-un-state-trip.txt.j2").write_text("TRIP: {{ story.title }}\n")
    text = TemplateRenderer([tmp_path, SHIPPED]).render("digest.txt.j2", DIGEST)

    assert "TRIP: 김정은" in text
    assert "CRITICAL · North Korea: satellite launch" in text


def test_html_is_escaped_and_text_is_not(tmp_path: Path) -> None:
    hostile = replace(DIGEST, title="<script>&")

    assert render(tmp_path, "{{ digest.title }}", digest=hostile) == "<script>&"
    assert "&lt;script&gt;&amp;" in render(
        tmp_path, "<p>{{ digest.title }}</p>", "mine.html.j2", hostile
    )


def test_feed_text_is_never_a_template(tmp_path: Path) -> None:
    hostile = replace(DIGEST, title="{{7*7}}{% raw %}${7*7}#{7*7}{0.__class__}")

    assert render(tmp_path, "{{ digest.title }}", digest=hostile) == hostile.title


def test_control_and_bidi_characters_never_leave_a_template(tmp_path: Path) -> None:
    hostile = replace(DIGEST, title="a\x1b[31mb\u202ec\x00\u200bd")

    assert render(tmp_path, "{{ digest.title }}", digest=hostile) == "a [31mbc d"


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ digest.__class__.__init__.__globals__ }}",
        "{{ digest.title.format.__globals__ }}",
        "{{ '{0.__class__}'.format(digest) }}",
        "{{ '{x.__class__}'.format_map({'x': digest}) }}",
        "{{ digest|attr('__class__') }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ lipsum.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ range(999999999) }}",
        "{% include '/etc/passwd' %}",
        "{% include '../../etc/passwd' %}",
        "{% import 'os' as os %}",
        "{{ digest.stories.append(1) }}",
    ],
)
def test_a_template_can_not_leave_its_sandbox(tmp_path: Path, source: str) -> None:
    """CVE-2024-32651, CVE-2016-10745, CVE-2019-10906."""
    with pytest.raises(RenderError):
        render(tmp_path, source)


@pytest.mark.parametrize(
    ("source", "where", "what"),
    [
        ("one\n{{ digest.titel }}", "mine.txt.j2:2", "titel"),
        ("one\ntwo\n{% if %}", "mine.txt.j2:3", "Expected an expression"),
        ("{{ digest.title|shout }}", "mine.txt.j2:1", "shout"),
        ("\n\n{{ nothing }}", "mine.txt.j2:3", "'nothing' is undefined"),
        ("\n{{ 1 / 0 }}", "mine.txt.j2:2", "division"),
        ("\n{{ digest.__class__ }}", "mine.txt.j2:2", "not allowed"),
        ("{% include 'no.j2' %}", "mine.txt.j2", "no template 'no.j2'"),
    ],
)
def test_an_error_names_template_and_line(
    tmp_path: Path, source: str, where: str, what: str
) -> None:
    with pytest.raises(RenderError) as caught:
        render(tmp_path, source)

    assert str(caught.value).startswith(where)
    assert what in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_an_error_in_a_part_names_the_part(tmp_path: Path) -> None:
    (tmp_path / "_foot.html.j2").write_text("\n\n{{ digest.nothing }}")

    with pytest.raises(RenderError, match=r"^_foot\.html\.j2:3: "):
        TemplateRenderer([tmp_path, SHIPPED]).render("digest.html.j2", DIGEST)


def test_check_tells_every_problem_at_once(tmp_path: Path) -> None:
    (tmp_path / "one.txt.j2").write_text("{{ nothing }}")
    (tmp_path / "_part.txt.j2").write_text("{% for %}")

    assert len(TemplateRenderer([tmp_path, SHIPPED]).check(DIGEST)) == 2


@pytest.mark.parametrize("name", ["../x.j2", "a/b.j2", "digest.html", "", "/etc/passwd", ".j2"])
def test_names_are_no_paths(name: str) -> None:
    with pytest.raises(RenderError):
        TemplateRenderer([SHIPPED]).render(name, DIGEST)


@pytest.mark.parametrize("kind", list(DigestKind))
def test_mail_loads_nothing_from_anywhere(kind: DigestKind) -> None:
    html = TemplateRenderer([SHIPPED]).render("digest.html.j2", sample_digest(kind=kind))

    assert not re.search(r"<(link|script|iframe|object|embed|base|form|svg)\b", html)
    assert not re.search(r'<img\b(?! src="data:image/png;base64,[A-Za-z0-9+/=]+" width=)', html)
    assert not re.search(r"url\(|@import|@font-face|srcset|background=", html)


def test_styles_are_inlined_and_dark_mode_is_kept() -> None:
    html = TemplateRenderer([SHIPPED]).render("digest.html.j2", DIGEST)

    assert html.index("<meta charset") < 1024
    assert "var(--" not in html
    assert "prefers-color-scheme" in html
    assert re.search(r"<mark style=\"[^\"]*background-color", html)


def test_a_template_is_compiled_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt.j2"
    path.write_text("old")
    renderer = TemplateRenderer([tmp_path])
    renderer.render("mine.txt.j2", DIGEST)
    path.write_text("new")

    assert renderer.render("mine.txt.j2", DIGEST) == "old"
    assert TemplateRenderer([tmp_path]).render("mine.txt.j2", DIGEST) == "new"


# What Gmail, Outlook and Apple Mail all show, or leave out without harm (caniemail.com).
SHOWN_EVERYWHERE = """
    background-color border border-bottom border-left border-left-color border-collapse color
    font-family font-size font-style font-weight letter-spacing line-height margin padding
    padding-left text-align text-decoration text-transform white-space width max-width
"""
DECORATION = """
    -webkit-text-size-adjust border-radius border-spacing display height max-height mso-hide overflow
    text-wrap vertical-align word-break
"""


@pytest.mark.parametrize("kind", list(DigestKind))
def test_styles_are_what_mail_readers_support(kind: DigestKind) -> None:
    html = TemplateRenderer([SHIPPED]).render("digest.html.j2", sample_digest(kind=kind))
    styles = re.findall(r'style="([^"]*)"', html)
    used = {part.split(":")[0].strip() for style in styles for part in style.split(";") if part}

    assert used <= set(f"{SHOWN_EVERYWHERE} {DECORATION}".split())


def test_a_day_of_twenty_stories_is_not_cut_by_gmail() -> None:
    many = replace(DIGEST, stories=(DIGEST.stories * 3)[:20])
    html = TemplateRenderer([SHIPPED]).render("digest.html.j2", many)
    in_mail = re.sub(r"data:image/png;base64,[^\"]*", "cid:0123456789@watcher", html)

    assert len(in_mail.encode()) < 102_000
