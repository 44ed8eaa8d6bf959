"""Photos to vectors to neighbours, step by step: what a library does inside.

Run it as: python embeddings.py FOLDER.
"""

from __future__ import annotations

import sys
from pathlib import Path

import lookalike as la

names = sorted(path.name for path in Path(sys.argv[1]).glob("*.jpg"))
vectors = la.ImageEmbedder("efficientnet-lite0").embed([Path(sys.argv[1]) / name for name in names])
index = la.Flat(metric="cosine")
index.add(vectors, names)
for name, nearest in zip(names, index.search(vectors, k=2).ids, strict=True):
    print(f"{name} looks like {next(other for other in nearest if other != name)}")
