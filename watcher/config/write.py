"""One entry of a list as lines of YAML, in the layout of the entries before it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from watcher.config.yaml import scalar

# What needs no quotes in any YAML reader: words, and in lines of their own web addresses.
_PLAIN = re.compile(r"[^\W\d_](?:[\w ./()'&+-]*[\w.)/+-])?|\d+[smhdw]")
_PLAIN_ADDRESS = re.compile(r"https?://[\w.-]+(?::\d+)?(?:/[\w./?=&%~+@-]*)?")
# Booleans of YAML 1.1.
_SPOKEN_FOR = frozenset(("yes", "no", "on", "off", "y", "n", "true", "false", "null"))


@dataclass(frozen=True, slots=True)
class Layout:
    """`indent` is the column of the dash, `offset` what lies between it and the first key."""

    indent: int
    offset: int
    flow: bool


def written(entry: Mapping[str, Any], layout: Layout) -> list[str]:
    """The lines of `- …`; what is read back is equal to `entry`."""
    dash = " " * layout.indent + "-" + " " * (layout.offset - 1)
    if layout.flow:
        return [dash + _inline(entry)]
    below = " " * (layout.indent + layout.offset)
    lines = [f"{_text(key, flow=False)}: {_in_line(value)}" for key, value in entry.items()]
    return [dash + lines[0], *(below + line for line in lines[1:])]


def _in_line(value: Any) -> str:
    return _text(value, flow=False) if isinstance(value, str) else _inline(value)


def _inline(value: Any) -> str:
    match value:
        case str():
            return _text(value, flow=True)
        case Mapping():
            pairs = (f"{_text(k, flow=True)}: {_inline(v)}" for k, v in value.items())
            return "{" + ", ".join(pairs) + "}"
        case Sequence():
            return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)


def _text(text: str, *, flow: bool) -> str:
    is_plain = _PLAIN.fullmatch(text) or (not flow and _PLAIN_ADDRESS.fullmatch(text))
    if is_plain and scalar(text) == text and text.casefold() not in _SPOKEN_FOR:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in '\\"':
        return "\\" + char
    if char.isprintable():
        return char
    number = ord(char)
    return (
        f"\\x{number:02x}"
        if number < 256
        else f"\\u{number:04x}"
        if number < 65536
        else f"\\U{number:08x}"
    )
