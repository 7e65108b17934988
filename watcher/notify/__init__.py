"""Receivers: the ends of the line, one file each. Floor 2.

A receiver is a module with `Settings`, a `watcher.notify.settings.ReceiverSettings`,
and `Receiver(settings, tools)`, a `watcher.ports.Receiver`. Its docstring is its manual
page. `type:` in watcher.yaml is the name of a module in this folder, or the dotted path
of any other: a new channel is one new file and no change elsewhere (docs/receivers.md).
`tests/contract/test_receivers.py` finds the file and holds it to every promise.
"""

from importlib import import_module
from types import ModuleType


def load(type: str) -> ModuleType:
    """The module of a receiver type. Raises ImportError when there is none."""
    name = type if "." in type else f"{__name__}.{type}"
    if not all(part.isidentifier() and not part.startswith("_") for part in name.split(".")):
        raise ImportError(f"{type!r} is not the name of a module", name=name)
    module = import_module(name)
    if not hasattr(module, "Settings") or not hasattr(module, "Receiver"):
        raise ImportError(f"{type!r} is no receiver: it lacks Settings or Receiver", name=name)
    return module
