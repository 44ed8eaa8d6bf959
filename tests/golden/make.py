"""Write the golden files of the current format, one a kind of content.

Run as ``python tests/golden/make.py`` after a new format version came; the name carries the version. Files of
released versions are never rewritten.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import lookalike as la

FOLDER = Path(__file__).parent


def vectors(codes: str, count: int = 12) -> np.ndarray:
    """The same on every machine: no random generator, no rounding."""
    steps = np.arange(count * 7).reshape(count, 7) % 4093
    if codes == "f32":
        return ((steps * 37 % 101 - 50) / 8).astype(np.float32)
    if codes == "f16":
        return ((steps * 29 % 67 - 30) / 4).astype(np.float16)
    if codes == "s8":
        return (steps * 53 % 255 - 127).astype(np.int8)
    return (steps * 91 % 256).astype(np.uint8)


CASES = {
    "flat-v1-l2-f32-int": ("l2", "f32", False),
    "flat-v1-cosine-f16-str": ("cosine", "f16", True),
    "flat-v1-ip-s8-int": ("ip", "s8", False),
    "flat-v1-l2-u8-str": ("l2", "u8", True),
    "flat-v1-hamming-bits-int": ("hamming", "bits", False),
}


def build(metric: str, codes: str, string: bool) -> la.Flat:
    """Twelve vectors, two of them removed but not compacted away."""
    index = la.Flat(metric=metric)
    index.add(
        vectors(codes), ids=[f"photo {i} é.jpg" for i in range(12)] if string else np.arange(12) * 10 + 3
    )
    index.remove([list(index)[2], list(index)[9]])
    return index


# Graphs and lists: metric, elements of the vectors, what is walked over or scanned, whether ids are str.
GRAPHS = {
    "hnsw-v1-l2-u8-int": ("l2", "u8", "u8", False),
    "hnsw-v1-ip-f32-f32-int": ("ip", "f32", "f32", False),
    "hnsw-v1-cosine-f16-u4-str": ("cosine", "f16", "u4", True),
    "hnsw-v1-l2-s8-rabitq-int": ("l2", "s8", "rabitq", False),
    "hnsw-v1-hamming-bits-int": ("hamming", "bits", "bits", False),
}
LISTS = {
    "ivf-v1-l2-u8-int": ("l2", "u8", "u8", False),
    "ivf-v1-ip-f32-f32-int": ("ip", "f32", "f32", False),
    "ivf-v1-cosine-f16-u4-str": ("cosine", "f16", "u4", True),
    "ivf-v1-l2-f32-u2-int": ("l2", "f32", "u2", False),
    "ivf-v1-l2-s8-rabitq-int": ("l2", "s8", "rabitq", False),
    "ivf-v1-hamming-bits-int": ("hamming", "bits", "bits", False),
}
GRAPH_ROWS, LIST_ROWS = 600, 1100


def names(string: bool, count: int) -> list[int] | list[str]:
    """The ids of so many vectors."""
    return [f"photo {i} é.jpg" if string else i * 10 + 3 for i in range(count)]


def fill(index: la.HNSW | la.IVF, rows: np.ndarray, ids: list[int] | list[str]) -> None:
    """Add the vectors, tune, and remove two of them without compacting them away."""
    index.add(rows, ids)
    index.remove([ids[2], ids[9]])
    index.tune(recall=0.9)


def build_graph(metric: str, element: str, codes: str, string: bool) -> la.HNSW:
    """Six hundred vectors in a graph."""
    index = la.HNSW(metric=metric, codes=codes, M=4, ef_construction=50, seed=7)
    fill(index, vectors(element, GRAPH_ROWS), names(string, GRAPH_ROWS))
    return index


def build_lists(metric: str, element: str, codes: str, string: bool) -> la.IVF:
    """Eleven hundred vectors in lists."""
    index = la.IVF(metric=metric, codes=codes, nlist=20, seed=7)
    fill(index, vectors(element, LIST_ROWS), names(string, LIST_ROWS))
    return index


def main() -> None:
    """Write what is not there yet."""
    for cases, make in ((CASES, build), (GRAPHS, build_graph), (LISTS, build_lists)):
        for name, case in cases.items():
            path = FOLDER / f"{name}.look"
            if not path.exists():
                make(*case).save(path)


if __name__ == "__main__":
    main()
