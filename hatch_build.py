"""Compile the matching kernel where a C compiler is at hand; without one matching is pure Python."""

import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("watcher/matching/kernel.c")
TARGET = Path("watcher/matching/_kernel.abi3.so")


class KernelHook(BuildHookInterface):
    """Beside its source for an editable install, and into the wheel, which then fits one platform."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not compiled(Path(self.root)):
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform}"
        build_data["artifacts"].append(str(TARGET))


def compiled(root: Path) -> bool:
    """One C file for any Python from 3.11 on; False, and a word on why, when that fails."""
    linking = (
        ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-shared"]
    )
    command = [
        *shlex.split(sysconfig.get_config_var("CC") or "cc"),
        *("-O3", "-fPIC", "-fno-strict-aliasing", *linking),
        f"-I{sysconfig.get_path('include')}",
        *(str(root / SOURCE), "-o", str(root / TARGET)),
    ]
    (root / TARGET).unlink(missing_ok=True)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        print(
            f"no compiled matching kernel ({error}): the pure Python form is used", file=sys.stderr
        )
        return False
    if done.returncode:
        why = next(iter(done.stderr.splitlines()), "no reason given")
        print(f"no compiled matching kernel ({why}): the pure Python form is used", file=sys.stderr)
    return not done.returncode
