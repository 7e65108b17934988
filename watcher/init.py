"""`watcher init`: a folder of one's own, from the bundled configuration. Never overwrites."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from watcher.resources import bundled


@dataclass(frozen=True, slots=True)
class Started:
    """What was written, and what was there before and stays as it is."""

    written: tuple[Path, ...]
    kept: tuple[Path, ...]


def init_folder(dest: Path, *, templates: bool = False) -> Started:
    """Copy the bundled configuration (and templates, into `dest/templates`). Safe to repeat.

    Raises OSError when the folder can't be written.
    """
    pairs = [(source, dest / name) for name, source in _files(bundled("config"))]
    if templates:
        pairs += [
            (source, dest / "templates" / name) for name, source in _files(bundled("templates"))
        ]
    written, kept = [], []
    for source, target in pairs:
        if target.exists() or target.is_symlink():
            kept.append(target)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        written.append(target)
    return Started(tuple(written), tuple(kept))


def _files(folder: Path) -> list[tuple[Path, Path]]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [(path.relative_to(folder), path) for path in found if not path.name.startswith(".")]
