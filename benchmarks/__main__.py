"""Every benchmark of this folder, one after the other: `python -m benchmarks [--quick]`."""

import subprocess
import sys
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
    if "if __name__" in path.read_text("utf-8"):
        print(f"\n── {path.stem}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{path.stem}", *sys.argv[1:]], check=True)
