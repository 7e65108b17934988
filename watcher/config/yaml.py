"""YAML 1.2 as people mean it, with the line and column of every key and value.

The parser of PyYAML gives events; the tree is built here, so that nothing a
file says can run code, recurse without end or grow without end. Plain scalars
follow the YAML 1.2 core schema, narrowed: `no`, `on`, `1:30`, `012`, `0x1F` and
dates stay text, because a watch term NO or ON is text.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from watcher.errors import Problem

MAX_BYTES = 8 * 1024 * 1024
# A rule spends two levels per nested clause; nobody reads forty of them.
MAX_DEPTH = 100
MAX_NODES = 500_000
# What aliases may add when written out: an alias bomb stops here, not in memory.
MAX_ALIASED = 100_000

MERGE = "<<"

PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Eighteen digits fit every machine integer; longer ones are ids, hence text.
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(
    r"[-+]?(0|[1-9][0-9]{0,17})?\.[0-9]{1,18}|[-+]?[1-9][0-9]{0,17}[eE][-+]?[0-9]{1,2}"
)

_PLAINER = {
    "found character that cannot start any token": "this character can't begin a value",
    "found character '\\t' that cannot start any token": "this character can't begin a value",
    "mapping values are not allowed in this context": "a second ': ' in one line, or a wrong indent",
    "mapping values are not allowed here": "a second ': ' in one line, or a wrong indent",
    "did not find expected key": "a key is expected here",
    "did not find expected '-' indicator": "a list item ('- ') is expected here",
    "could not find expected ':'": "a key without ':'",
    "found unexpected end of stream": "a quote is not closed",
    "did not find expected node content": "a value is missing here",
    "found unknown escape character": "an unknown \\ escape in double quotes",
    "did not find expected ',' or ']'": "',' or ']' is missing",
    "did not find expected ',' or '}'": "',' or '}' is missing",
}
# For these the parser stands at the end of the trouble; the reader needs its beginning.
_AT_CONTEXT = {"could not find expected ':'", "found unexpected end of stream"}
_TODO = {
    "a second ': ' in one line, or a wrong indent": "quote the text, or align the line",
    "a key is expected here": "align it with the lines above, or quote the text",
    "a list item ('- ') is expected here": "align it with the lines above",
    "a quote is not closed": "close it, or use the other kind of quote",
    "an unknown \\ escape in double quotes": "use single quotes",
    "a key without ':'": "write 'key: value'",
    "this character can't begin a value": "put the text in quotes",
}


@dataclass(slots=True)
class Node:
    """A value with its place; `size` counts it with everything inside, aliases written out."""

    data: Any
    line: int
    column: int
    raw: str | None = None
    size: int = 1
    keys: Mapping[str, tuple[int, int]] | None = None
    children: Mapping[str, "Node"] | Sequence["Node"] = ()

    def parts(self) -> Sequence[str | int]:
        """Its keys or indices, in order."""
        return (
            list(self.children) if isinstance(self.children, Mapping) else range(len(self.children))
        )

    def child(self, part: str | int) -> "Node | None":
        """The value under a key or index, if there is one."""
        if isinstance(self.children, Mapping):
            return self.children.get(str(part))
        if isinstance(part, int) and 0 <= part < len(self.children):
            return self.children[part]
        return None


@dataclass(frozen=True, slots=True)
class Document:
    """One file read: plain data, and where each part of it stands."""

    file: str
    root: Node | None
    problems: tuple[Problem, ...] = ()

    @property
    def data(self) -> Any:
        return self.root.data if self.root else None

    def walk(self, loc: Sequence[str | int]) -> Iterator[tuple[str | int, Node | None]]:
        """Each part of `loc` with its node; parts the file doesn't have give None and are stepped over."""
        here = self.root
        for part in loc:
            step = here.child(part) if here else None
            yield part, step
            here = step or here

    def node(self, loc: Sequence[str | int]) -> Node | None:
        """The deepest node on the way to `loc`."""
        return next((n for _, n in reversed(list(self.walk(loc))) if n), self.root)

    def place(self, loc: Sequence[str | int], *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at `loc`, or of its key; the nearest parent's when it is not there."""
        node = self.root
        if node is None:
            return 1, 1
        place = node.line, node.column
        for part in loc:
            step = node.child(part)
            if step is None:
                continue
            place = step.line, step.column
            if key and node.keys:
                place = node.keys[str(part)]
            node = step
        return place


class _RefusedError(Exception):
    """The file can't be read further."""

    def __init__(self, mark: Any, what: str, todo: str = "") -> None:
        self.line, self.column = _place(mark)
        self.what, self.todo = what, todo
        super().__init__(what)


def read_yaml(content: bytes, file: str) -> Document:
    """Never raises for what the file holds: see `Document.problems`."""
    try:
        text = _decode(content)
        builder = _Builder(text, file)
        root = builder.build()
    except _RefusedError as refused:
        problem = Problem(file, refused.line, refused.column, "", refused.what, refused.todo)
        return Document(file, None, (problem,))
    return Document(file, root, tuple(builder.problems))


def _decode(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        size = f"{len(content) / 1024 / 1024:.0f} MiB"
        limit = f"{MAX_BYTES // 1024 // 1024} MiB"
        raise _RefusedError(None, f"the file has {size}, the limit is {limit}", "split it")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _RefusedError(None, "the file is not UTF-8", "save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        what = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise _RefusedError(
            _mark_at(before, len(before)), what, "save the file as UTF-8"
        ) from error


class _Builder:
    """Events to nodes; what is merely wrong is collected, what is dangerous ends it."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._anchors: dict[str, Node] = {}
        self._nodes = 0
        self._aliased = 0
        self.problems: list[Problem] = []

    def build(self) -> Node | None:
        try:
            self._events = PARSER(self._text)
            return self._document()
        except yaml.MarkedYAMLError as error:
            raise self._readable(error) from error
        except yaml.reader.ReaderError as error:
            what = f"control character {error.character!r}"
            if isinstance(error.character, int):
                what = f"control character U+{error.character:04X}"
            mark = _mark_at(self._text, error.position)
            raise _RefusedError(mark, what, "delete it") from error

    def _document(self) -> Node | None:
        next(self)
        event = next(self)
        if isinstance(event, yaml.StreamEndEvent):
            return None
        root = self._node(next(self), 0)
        next(self)
        event = next(self)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _RefusedError(
                event.start_mark, "a second document ('---')", "use one file for each"
            )
        return None if root.raw == "" else root

    def __next__(self) -> Any:
        return self._events.get_event()

    def _readable(self, error: yaml.MarkedYAMLError) -> _RefusedError:
        mark = error.problem_mark or error.context_mark
        if error.problem in _AT_CONTEXT:
            mark = error.context_mark or mark
        lines = self._text.split("\n")
        line = lines[mark.line] if mark and mark.line < len(lines) else ""
        if "\t" in line[: len(line) - len(line.lstrip())]:
            return _RefusedError(mark, "a tab indents this line", "use spaces")
        what = str(error.problem or error)
        what = _PLAINER.get(what, what)
        return _RefusedError(mark, what, _TODO.get(what, ""))

    def _problem(self, mark: Any, what: str, todo: str) -> None:
        self.problems.append(Problem(self._file, *_place(mark), "", what, todo))

    def _node(self, event: Any, depth: int) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _RefusedError(
                event.start_mark, f"more than {MAX_NODES:,} values", "split the file"
            )
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if depth > MAX_DEPTH:
            what = f"nested deeper than {MAX_DEPTH} levels"
            raise _RefusedError(event.start_mark, what, "write it flatter")
        if event.tag is not None:
            what = f"the tag {event.tag.replace('tag:yaml.org,2002:', '!!')!r} is not allowed"
            self._problem(event.start_mark, what, "delete it; put text in quotes")
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, depth)
        else:
            node = self._mapping(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any) -> Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            what = f"the alias '*{event.anchor}' has no anchor before it"
            raise _RefusedError(event.start_mark, what, "quote the text if no alias is meant")
        self._aliased += node.size
        if self._aliased > MAX_ALIASED:
            what = f"aliases write out to more than {MAX_ALIASED:,} values"
            raise _RefusedError(event.start_mark, what, "write the values themselves")
        return node

    def _scalar(self, event: Any) -> Node:
        value = scalar(event.value) if event.implicit[0] else event.value
        return Node(value, *_place(event.start_mark), raw=event.value)

    def _sequence(self, event: Any, depth: int) -> Node:
        children = []
        while not isinstance(item := next(self), yaml.SequenceEndEvent):
            children.append(self._node(item, depth + 1))
        data = [child.data for child in children]
        size = 1 + sum(child.size for child in children)
        return Node(data, *_place(event.start_mark), size=size, children=children)

    def _mapping(self, event: Any, depth: int) -> Node:
        keys: dict[str, tuple[int, int]] = {}
        children: dict[str, Node] = {}
        while not isinstance(item := next(self), yaml.MappingEndEvent):
            name = self._key(item, depth)
            value = self._node(next(self), depth + 1)
            if name == MERGE:
                continue
            if name in keys:
                what = f"the key {name!r} stands twice (first in line {keys[name][0]})"
                self._problem(item.start_mark, what, "keep one")
                continue
            keys[name], children[name] = _place(item.start_mark), value
        data = {name: child.data for name, child in children.items()}
        size = 1 + sum(child.size for child in children.values())
        return Node(data, *_place(event.start_mark), size=size, keys=keys, children=children)

    def _key(self, event: Any, depth: int) -> str:
        """Keys are always text as written."""
        if not isinstance(event, yaml.ScalarEvent):
            self._node(event, depth + 1)
            what = "a key must be plain text, not a list, mapping or alias"
            raise _RefusedError(event.start_mark, what, "quote it if it begins with [, {, * or &")
        name: str = event.value
        if name == MERGE:
            todo = "repeat the keys, or alias the whole value"
            self._problem(event.start_mark, "merge keys ('<<') are not part of YAML 1.2", todo)
        return name


def scalar(text: str) -> Any:
    """What a plain scalar means."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


@dataclass(frozen=True, slots=True)
class _Mark:
    line: int
    column: int


def _mark_at(text: str, position: int) -> _Mark:
    before = text[:position]
    return _Mark(before.count("\n"), position - before.rfind("\n") - 1)
