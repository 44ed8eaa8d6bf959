"""The instruction sets this machine runs, one a line: python tests/isas.py."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = "import lookalike as la; print(la.info()['isa'])"


def runnable() -> list[str]:
    """Every instruction set the library, told to use it, does use."""
    accepted = []
    for isa in ("scalar", "avx2", "avx512", "neon"):
        environment = {**os.environ, "LOOKALIKE_ISA": isa}
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.strip() == isa:
            accepted.append(isa)
    return accepted


if __name__ == "__main__":
    print("\n".join(runnable()))
