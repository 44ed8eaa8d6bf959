"""The photos that look most like one, and a sheet to look at.

Run it as: python photos.py QUERY FOLDER [SHEET].
"""

from __future__ import annotations

import sys

import lookalike as la

query, folder, *sheet = sys.argv[1:]
library = la.Library(folder)
print(library.sync(progress=True))
hits = library.search(query, k=9)
for hit in hits:
    print(f"{hit.distance:.3f}  {hit.path}")
if sheet:
    hits.sheet(sheet[0])
