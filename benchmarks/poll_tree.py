"""What a process and everything below it take, from /proc."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def memory(root: int) -> int:
    """KiB; what they share counts once (PSS)."""
    total = 0
    for pid, _ in _tree(root):
        with suppress(OSError, StopIteration):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return total


def cpu(root: int) -> float:
    """Seconds in user and system mode, of children that ended too."""
    return sum(sum(map(int, fields[11:15])) for _, fields in _tree(root)) * _TICK


def _tree(root: int) -> Iterator[tuple[int, list[str]]]:
    """Process ids with the fields of their `stat` from the third on."""
    found: dict[int, list[str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
    tree = {root} & found.keys()
    while more := {pid for pid, fields in found.items() if int(fields[1]) in tree} - tree:
        tree |= more
    return ((pid, found[pid]) for pid in tree)
