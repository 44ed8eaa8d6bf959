"""A folder of sounds as a library: sync, search by example, a contact sheet of spectrograms."""

from __future__ import annotations

import sys
from pathlib import Path

import lookalike as la

SOUNDS = Path(__file__).resolve().parent / "sounds"


def main() -> None:
    """Search the folder named on the command line, or the sounds beside this program."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SOUNDS
    library = la.Library(folder)
    print(library.sync())
    query = Path(sys.argv[2]) if len(sys.argv) > 2 else folder / "tabla-ke-1.flac"
    hits = library.search(query, k=6)
    for hit in hits:
        print(f"{hit.distance:.3f}  {hit.start:5.1f} s  {hit.path.name}")
    hits.sheet("sounds.png")
    print("see sounds.png")


if __name__ == "__main__":
    main()
