"""New feeds into feeds.yaml as a careful person would: behind the last one, nothing else touched.

Text is inserted, no YAML is written anew, so comments and layout stay byte for byte. What the
insertion made is read again and must be the old data with the new feeds, or it is refused.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from watcher.config.files import FEEDS
from watcher.config.load import load_config
from watcher.config.write import Layout, written
from watcher.config.yaml import PARSER, read_yaml
from watcher.errors import ConfigError, LayoutError, Problem

Entry = Mapping[str, Any]
_FRESH = Layout(indent=2, offset=2, flow=False)


class FeedsOnDisk:
    """feeds.yaml while nobody else of us changes it; `entries` are all, disabled ones too."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder, self._environ = folder, environ
        self.path = folder / FEEDS
        self._content = self.path.read_bytes() if self.path.exists() else None

    @property
    def entries(self) -> list[dict[str, Any]]:
        """As written, headers and all; a file that is broken has none."""
        data = read_yaml(self._content, FEEDS).data if self._content is not None else None
        found = data.get("feeds") if isinstance(data, dict) else None
        return [entry for entry in found or () if isinstance(entry, dict)]

    def append(self, entries: Sequence[Entry]) -> None:
        """Raises ConfigError, and the file stays as it was, when the whole would not load."""
        new = with_feeds(self._content, entries, str(self.path))
        load_config(self._folder, self._environ, instead={FEEDS: new})
        try:
            # A link stays one: what it leads to is replaced.
            path = self.path.resolve()
            if (path.read_bytes() if path.exists() else None) != self._content:
                raise _refusal(self.path, "the file has just been changed", "try again")
            if path.exists() and not os.access(path, os.W_OK):
                raise PermissionError(0, "read-only")
            _replace(path, new)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise _refusal(
                self.path, f"can't be written ({why})", "check file and folder"
            ) from error


@contextmanager
def editing_feeds(folder: Path, environ: Mapping[str, str]) -> Iterator[FeedsOnDisk]:
    """One command at a time changes the file; others wait."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network folders have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield FeedsOnDisk(folder, environ)
    finally:
        os.close(handle)


def by_hand(entries: Sequence[Entry]) -> str:
    """The lines a person adds where we can't."""
    return "\n".join(line for entry in entries for line in written(entry, _FRESH))


def with_feeds(content: bytes | None, entries: Sequence[Entry], file: str = FEEDS) -> bytes:
    """The file with `entries` behind its last feed; raises LayoutError for a layout we can't follow."""
    if not entries:
        return content or b""
    if content is None:
        return f"feeds:\n{by_hand(entries)}\n".encode()
    old = read_yaml(content, file)
    if old.problems:
        raise ConfigError(list(old.problems))
    new = _inserted(content, entries, file)
    feeds = [*(old.data.get("feeds") or ()), *map(dict, entries)]
    read = read_yaml(new, file)
    if read.problems or read.data != {**old.data, "feeds": feeds}:
        # Too long a file is told by its own words.
        told = [p for p in read.problems if "limit" in p.what or "more than" in p.what]
        raise (
            ConfigError(told) if told else _by_hand_only(file, "its layout is one we can't follow")
        )
    return new


def _inserted(content: bytes, entries: Sequence[Entry], file: str) -> bytes:
    mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    text = content.decode("utf-8-sig")
    line_end = "\r\n" if "\r\n" in text else "\n"
    events = _feeds_events(text)
    if not events:
        raise _by_hand_only(file, "no list 'feeds:' is written in lines of its own")
    start = events[0]
    if start.flow_style and len(events) > 2:
        raise _by_hand_only(file, "the list is written in brackets, as [ … ]", start)
    if start.flow_style:
        first, last = start.start_mark.index, events[-1].end_mark.index
        if "\n" in text[first:last] or "\r" in text[first:last]:
            raise _by_hand_only(file, "the empty list spans lines", start)
        text, end, layout, apart = text[:first] + text[last:], first, _FRESH, False
    else:
        end = max(e.end_mark.index for e in events[1:-1] if _has_text(e))
        layout, apart = _layout_of(events), _stand_apart(text, events)
    lines = []
    for entry in entries:
        lines += [*([""] if apart else []), *written(entry, layout)]
    block = line_end.join(lines)
    if end and text[end - 1] in "\r\n":
        # A block of text ends where the next line begins.
        text = text[:end] + block + line_end + text[end:]
    else:
        end = _end_of_item(text, end, layout.indent)
        text = text[:end] + line_end + block + text[end:]
    return mark + text.encode()


def _end_of_item(text: str, end: int, indent: int) -> int:
    """The end of the line, and of the comments under it that are further in than the dash."""
    found = re.compile(rf"[^\r\n]*+(?:\r?\n {{{indent + 1},}}#[^\r\n]*+)*").match(text, end)
    return found.end() if found else end


def _feeds_events(text: str) -> list[Any]:
    """The events of the list under the key `feeds` of a mapping in lines; none if there is none."""
    events = yaml.parse(text, Loader=PARSER)
    _stream, _document, root = next(events), next(events), next(events)
    if not isinstance(root, yaml.MappingStartEvent) or root.flow_style:
        return []
    while isinstance(key := next(events), yaml.ScalarEvent):
        value = _whole(events)
        if key.value == "feeds":
            return value if isinstance(value[0], yaml.SequenceStartEvent) else []
    return []


def _whole(events: Iterator[Any]) -> list[Any]:
    """The events of the next value."""
    found, depth = [], 0
    for event in events:
        found.append(event)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth == 0:
            break
    return found


def _has_text(event: Any) -> bool:
    """Blocks end where the next thing begins; what they hold ends where it ends."""
    if isinstance(event, yaml.CollectionEndEvent):
        marks: Any = event
        return bool(marks.start_mark.index != marks.end_mark.index)
    return isinstance(event, yaml.ScalarEvent | yaml.AliasEvent)


def _items(events: list[Any]) -> list[Any]:
    """The first event of each item."""
    items, depth = [], 0
    for event in events[1:-1]:
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth == 0 and not isinstance(event, yaml.CollectionEndEvent):
            items.append(event)
        depth += isinstance(event, yaml.CollectionStartEvent)
    return items


def _layout_of(events: list[Any]) -> Layout:
    """As the last feed is written."""
    indent = events[0].start_mark.column
    last = _items(events)[-1]
    offset = max(last.start_mark.column - indent, 2)
    return Layout(indent, offset, flow=bool(getattr(last, "flow_style", False)))


def _stand_apart(text: str, events: list[Any]) -> bool:
    """Whether a blank line precedes the last of several feeds."""
    items = _items(events)
    if len(items) < 2 or getattr(items[-1], "flow_style", False):
        return False
    dash = text.rfind("-", 0, items[-1].start_mark.index)
    return text[: max(dash, 0)].rstrip(" ").replace("\r\n", "\n").endswith("\n\n")


def _refusal(path: Path, what: str, todo: str) -> ConfigError:
    return ConfigError([Problem(str(path), 0, 0, "", what, todo)])


def _by_hand_only(file: str, what: str, event: Any = None) -> LayoutError:
    line, column = (0, 0)
    if event is not None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
    todo = "add the lines by hand, each feed behind its own '- '"
    return LayoutError([Problem(file, line, column, "feeds", what, todo)])


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all, with the mode and owner it had."""
    before = path.stat() if path.exists() else None
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            if before is not None:
                with suppress(PermissionError):
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
                os.fchmod(file.fileno(), before.st_mode & 0o7777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
