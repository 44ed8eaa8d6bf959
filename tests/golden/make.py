"""Write the golden files of the current format, one a kind of content.

Run as ``python tests/golden/make.py`` after a new format version came; the name carries the version. Files of
released versions are never rewritten.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import lookalike as la

FOLDER = Path(__file__).parent


def vectors(codes: str) -> np.ndarray:
    """The same on every machine: no random generator, no rounding."""
    steps = np.arange(12 * 7).reshape(12, 7)
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


def main() -> None:
    """Write what is not there yet."""
    for name, case in CASES.items():
        path = FOLDER / f"{name}.look"
        if not path.exists():
            build(*case).save(path)


if __name__ == "__main__":
    main()
