"""Every instruction set builds graphs and lists, and what one has saved another searches as well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from truth import clustered, exact, recall

import lookalike as la

CASES = [("l2", "auto"), ("ip", "u8"), ("cosine", "u4"), ("l2", "rabitq"), ("l2", "f16"), ("hamming", "auto")]
BUILD = """
import sys, numpy as np, lookalike as la
rows, path, kind, metric, codes = np.load(sys.argv[1]), *sys.argv[2:]
index = getattr(la, kind)(metric=metric, codes=codes)
index.add(rows[:2000])
index.add(rows[2000:])
index.upsert(rows[:50], range(50))
index.remove(range(100))
index.save(path)
assert la.load(path)[500].tolist() == index[500].tolist()
print(la.info().isa)
"""


@pytest.mark.parametrize("isa", la.info().isas)
@pytest.mark.parametrize(("metric", "codes"), CASES)
@pytest.mark.parametrize("kind", ["HNSW", "IVF"])
def test_every_instruction_set(kind: str, metric: str, codes: str, isa: str, tmp_path: Path) -> None:
    rows, queries = clustered(2600, 72), clustered(200, 72, seed=1)
    if metric == "hamming":
        rows, queries = np.packbits(rows > 0.2, axis=1), np.packbits(queries > 0.2, axis=1)
    np.save(tmp_path / "rows.npy", rows)
    path = tmp_path / "index.look"
    command = [sys.executable, "-c", BUILD, str(tmp_path / "rows.npy"), str(path), kind, metric, codes]
    environment = {**os.environ, "LOOKALIKE_ISA": isa}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == isa
    index = la.load(path)
    # Under inner products nobody looks for short vectors, and nodes let go of them.
    assert len(index) == 2500 and index.check().unreachable <= (10 if (kind, metric) == ("HNSW", "ip") else 0)
    assert recall(index, exact(index), queries) >= 0.95
