"""How often a photo's nearest neighbour shows the same thing: leave one out, cosine, fine classes.

python -m benchmarks.embed.retrieval [--threads N] [--quick] [--json]

The f32 model is measured where models/efficientnet-lite0/export.py has made it.
"""

from __future__ import annotations

import json

from benchmarks.datasets import ROOT
from benchmarks.embed import photos


def precision_at_1(vectors, classes: list[str]) -> float:
    """Share of vectors whose nearest other vector by cosine has their class."""
    import numpy as np

    import lookalike as la

    index = la.Flat(vectors.shape[1], "cosine", codes="f32")
    index.add(vectors)
    ids = index.search(vectors, 2).ids
    own = np.arange(len(ids))
    nearest = np.where(ids[:, 0] == own, ids[:, 1], ids[:, 0])
    labels = np.array(classes)
    return float((labels[nearest] == labels).mean())


def main() -> None:
    options = photos.arguments("retrieval", __doc__)
    import lookalike as la

    paths, classes = photos.load(options.quick)
    models = {"EfficientNet-Lite0, int8 (shipped)": la.ImageEmbedder("efficientnet-lite0")}
    f32 = ROOT / "models" / "efficientnet-lite0" / "model.f32.onnx"
    if f32.is_file():
        models["EfficientNet-Lite0, f32"] = la.ImageEmbedder(f32)
    models["pixels, 32 x 32 greyscale"] = la.PixelEmbedder(32)
    found = {name: precision_at_1(model.embed(paths), classes) for name, model in models.items()}
    if options.json:
        print(json.dumps({"photos": len(paths), "classes": len(set(classes)), "precision@1": found}))
        return
    print(f"\n{len(paths):,} photos in {len(set(classes))} classes, leave one out, cosine.\n")
    print(photos.table(("", "precision@1"), [(name, f"{share:.3f}") for name, share in found.items()]))


if __name__ == "__main__":
    main()
