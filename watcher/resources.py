"""Where the bundled `config/` and `templates/` are: in the wheel, else in the checkout."""

from importlib.resources import files
from pathlib import Path


def bundled(kind: str) -> Path:
    """The folder of bundled files, `config` or `templates`.

    A wheel carries them inside the package. An editable install has them in the
    checkout only: what the build copies lands beside site-packages, not beside the code.
    """
    package = Path(str(files("watcher")))
    shipped = package / "_data" / kind
    folder = shipped if shipped.is_dir() else package.parent / kind
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: the bundled {kind} are missing: install watcher again")
    return folder
