"""YAML 1.2 with places, and hostile files."""

import time

import pytest

from watcher.config.yaml import MAX_BYTES, read_yaml, scalar


def problems(content: bytes) -> list[str]:
    return [str(problem) for problem in read_yaml(content, "f.yaml").problems]


TEXT = (
    "no NO on ON yes off y 1:30 012 007 0777 0x1F 0o17 2026-05-30 2026-05-30T04:00:00Z"
    " 1_000 .inf .nan 1.2.3 + - 1e = 123456789012345678901234567890"
)


@pytest.mark.parametrize("text", TEXT.split())
def test_what_a_watchlist_may_mean_as_text_stays_text(text: str) -> None:
    assert scalar(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
    ],
)
def test_the_rest_of_the_core_schema_has_its_types(text: str, value: object) -> None:
    found = scalar(text)

    assert found == value
    assert type(found) is type(value)


def test_quoted_scalars_are_text_whatever_they_look_like() -> None:
    assert read_yaml(b"a: ['true', \"12\", 'null']", "f").data == {"a": ["true", "12", "null"]}


def test_keys_are_text_as_written() -> None:
    assert read_yaml(b"1: a\ntrue: b\nno: c\n", "f").data == {"1": "a", "true": "b", "no": "c"}


def test_every_key_and_value_has_its_place() -> None:
    document = read_yaml(b"rules:\n  - id: a\n    when:\n      all: [x, y]\n", "f")

    assert document.place(("rules", 0, "id")) == (2, 9)
    assert document.place(("rules", 0, "id"), key=True) == (2, 5)
    assert document.place(("rules", 0, "when", "all", 1)) == (4, 16)


def test_a_place_that_is_not_in_the_file_is_its_nearest_parent() -> None:
    document = read_yaml(b"a:\n  b: 1\n", "f")

    assert document.place(("a", "function-before", "c")) == (2, 3)


def test_bom_and_crlf_change_nothing() -> None:
    document = read_yaml("\ufeffa: b\r\nc:\r\n  - d\r\n".encode(), "f")

    assert document.data == {"a": "b", "c": ["d"]}
    assert document.place(("c", 0)) == (3, 5)


def test_columns_count_characters_not_bytes() -> None:
    assert read_yaml("{ 북한: x, b: y}".encode(), "f").place(("b",)) == (1, 13)


def test_an_alias_repeats_a_value() -> None:
    assert read_yaml(b"a: &x [1, 2]\nb: *x\n", "f").data == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"# only a comment\n", b"---\n", "\ufeff".encode()]
)
def test_an_empty_file_has_no_root(content: bytes) -> None:
    document = read_yaml(content, "f")

    assert document.root is None
    assert not document.problems


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(12)
)

HOSTILE = {
    "a tab for indentation": (b"a:\n\tb: 1\n", "f.yaml:2:1: a tab indents this line: use spaces"),
    "an alias bomb": (
        BOMB,
        "f.yaml:6:8: aliases write out to more than 100,000 values: write the values themselves",
    ),
    "an alias of itself": (
        b"a: &a [*a]",
        "f.yaml:1:8: the alias '*a' has no anchor before it: quote the text if no alias is meant",
    ),
    "a wildcard in front": (
        b"- *launch\n",
        "f.yaml:1:3: the alias '*launch' has no anchor before it: quote the text if no alias is meant",
    ),
    "a python object": (
        b'a: !!python/object/apply:os.system ["id"]\n',
        "f.yaml:1:4: the tag '!!python/object/apply:os.system' is not allowed: delete it; put text in quotes",
    ),
    "deep flow lists": (
        b"[" * 100_000,
        "f.yaml:1:102: nested deeper than 100 levels: write it flatter",
    ),
    "deep mappings": (
        b"{a: " * 100_000,
        "f.yaml:1:405: nested deeper than 100 levels: write it flatter",
    ),
    "deep block lists": (
        b"- " * 100_000,
        "f.yaml:1:203: nested deeper than 100 levels: write it flatter",
    ),
    "deep complex keys": (
        b"? " * 100_000,
        "f.yaml:1:203: nested deeper than 100 levels: write it flatter",
    ),
    "nul": (b"a: \0\n", "f.yaml:1:4: control character U+0000: delete it"),
    "an escape character": (
        b"a: b\nc: \x1b[2J\n",
        "f.yaml:2:4: control character U+001B: delete it",
    ),
    "latin 1": (
        "ab: c\nd: ü\n".encode("latin-1"),
        "f.yaml:2:4: byte 0xfc is not UTF-8: save the file as UTF-8",
    ),
    "utf-16": ("a: b".encode("utf-16"), "f.yaml:1:1: the file is not UTF-8: save it as UTF-8"),
    "10 MB": (
        b"a: b\n" * 2_097_152,
        "f.yaml:1:1: the file has 10 MiB, the limit is 8 MiB: split it",
    ),
    "two documents": (
        b"a: 1\n---\nb: 2\n",
        "f.yaml:2:1: a second document ('---'): use one file for each",
    ),
    "a key twice": (
        b"a: 1\nb: 2\na: 3\n",
        "f.yaml:3:1: the key 'a' stands twice (first in line 1): keep one",
    ),
    "a list as key": (
        b"? [a]\n: 1\n",
        "f.yaml:1:3: a key must be plain text, not a list, mapping or alias: quote it if it begins with [, {, * or &",
    ),
    "a merge key": (
        b"a: &a {x: 1}\nb:\n  <<: *a\n",
        "f.yaml:3:3: merge keys ('<<') are not part of YAML 1.2: repeat the keys, or alias the whole value",
    ),
    "an open quote": (
        b'a: "x\n',
        "f.yaml:1:4: a quote is not closed: close it, or use the other kind of quote",
    ),
    "an open list": (b"a: [1, 2\nb: 3\n", "f.yaml:2:2: ',' or ']' is missing"),
    "a colon in plain text": (
        b"a: b: c\n",
        "f.yaml:1:5: a second ': ' in one line, or a wrong indent: quote the text, or align the line",
    ),
    "a wrong indent": (
        b"a:\n  b: 1\n c: 2\n",
        "f.yaml:3:2: a key is expected here: align it with the lines above, or quote the text",
    ),
    "no colon": (b"a: 1\nb\nc: 3\n", "f.yaml:2:1: a key without ':': write 'key: value'"),
    "an at sign": (
        b"a: @x\n",
        "f.yaml:1:4: this character can't begin a value: put the text in quotes",
    ),
    "a bad escape": (
        b'a: "\\d"\n',
        "f.yaml:1:5: an unknown \\ escape in double quotes: use single quotes",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_broken_or_hostile_file_is_one_clear_problem(name: str) -> None:
    content, expected = HOSTILE[name]

    assert problems(content) == [expected]


def test_every_duplicate_key_is_told() -> None:
    assert len(problems(b"a: 1\na: 2\nb: {c: 1, c: 2}\n")) == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_cost_no_time(name: str) -> None:
    started = time.process_time()
    read_yaml(HOSTILE[name][0], "f.yaml")

    assert time.process_time() - started < 1


def test_the_size_limit_comes_before_the_parser() -> None:
    assert "limit" in problems(b"[" * (MAX_BYTES + 1))[0]
