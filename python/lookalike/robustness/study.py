"""A study: how well models find photos of the same class, and the same photo, when the query is distorted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .._checks import as_integer, as_k
from .._progress import ProgressBar
from ..errors import InvalidArgument
from .distortions import DISTORTIONS, Distortion
from .embedding import Embedded, embed
from .labels import LabelledPhotos, read_labels
from .metrics import Gallery, Scores
from .sampling import choose_queries

if TYPE_CHECKING:
    from ..embed import Embedder


@dataclass(frozen=True)
class ModelStudy:
    """What was found of one model.

    Attributes
    ----------
    name, dim
        Of the model.
    clean
        Scores where the query is the photo as it is.
    distorted
        Scores for each distortion's name and strength.
    gallery
        The photos as this model's vectors.
    """

    name: str
    dim: int
    clean: Scores
    distorted: dict[tuple[str, float], Scores]
    gallery: Gallery = field(repr=False, compare=False)


@dataclass(frozen=True)
class Study:
    """What was found, and of what.

    Attributes
    ----------
    photos
        The photos searched, which are those that could be read, their classes, and what came in the way.
    queries
        Rows of the photos that are queries.
    alone
        How many photos are the only ones of their class: they are searched, but are never queries.
    k
        Of recall@k.
    distortions, models
        What was measured.
    """

    photos: LabelledPhotos
    queries: list[int]
    alone: int
    k: int
    distortions: tuple[Distortion, ...]
    models: list[ModelStudy]

    @property
    def errors(self) -> dict[Path, str]:
        """Files and folders that could not be read, and why."""
        return self.photos.errors

    @property
    def margin(self) -> float:
        """Half the width of a 95 % interval around a share of one half, the widest: 0.98 / sqrt(queries)."""
        return float(0.98 / np.sqrt(len(self.queries)))


def measure(
    folder: str | os.PathLike[str],
    models: Sequence[Embedder],
    *,
    k: int = 10,
    queries: int = 200,
    labels: Literal["auto", "folder", "prefix"] = "auto",
    distortions: Sequence[Distortion] = DISTORTIONS,
    seed: int = 0,
    progress: bool = False,
) -> Study:
    """Measure how well models find photos, as they are and distorted.

    The photos that are searched stay as they are; only those searched for are distorted. Photos larger than
    512 pixels a side are worked on at that size.

    Parameters
    ----------
    folder
        Where labelled photos lie; `read_labels` says how.
    models
        Image models, `open_embedder`'s or others.
    k
        Of recall@k, at least 1.
    queries
        How many photos are searched for, at most; drawn evenly from all classes of more than one photo.
    labels
        What a photo's class is; see `read_labels`.
    distortions
        What the queries go through.
    seed
        Of the draw.
    progress
        Whether to draw a bar on stderr.

    Raises
    ------
    InvalidArgument
        There is nothing to measure: no models, no labels, one class, or no class of two photos that can be
        read; or a number is out of range.

    Examples
    --------
    >>> import lookalike as la
    >>> from lookalike.robustness import DISTORTIONS, measure
    >>> found = measure("photos", [la.PixelEmbedder(8)], queries=20, distortions=DISTORTIONS[:1])
    >>> pixels = found.models[0]
    >>> pixels.clean.finds_itself, pixels.distorted["shift", 0.3].finds_itself < 0.5
    (1.0, True)
    """
    k, queries, seed = as_k(k), as_integer(queries, "queries", 1, 2**63), as_integer(seed, "seed", 0, 2**63)
    if not models:
        raise InvalidArgument("models is empty; it must hold at least one")
    listed = read_labels(folder, labels)
    chosen = choose_queries(listed.classes, queries, seed)
    variants = sum(len(distortion.strengths) for distortion in distortions)
    total = len(models) * (len(listed.paths) + len(chosen) * variants)
    bar = ProgressBar(total, "embedding", "vectors") if progress else None
    advance: Callable[[int], None] = bar.advance if bar else lambda count: None
    embedded = embed(listed.paths, chosen, models, distortions, advance)
    if bar:
        bar.close()
    return _judge(folder, listed, chosen, embedded, models, k, tuple(distortions))


def _judge(
    folder: str | os.PathLike[str],
    listed: LabelledPhotos,
    chosen: list[int],
    embedded: Embedded,
    models: Sequence[Embedder],
    k: int,
    distortions: tuple[Distortion, ...],
) -> Study:
    """Leave out what could not be read, and score the rest."""
    readable = np.flatnonzero(embedded.readable)
    photos = LabelledPhotos(
        [listed.paths[row] for row in readable],
        [listed.classes[row] for row in readable],
        listed.how,
        listed.unlabelled,
        {**listed.errors, **embedded.errors},
    )
    sizes = Counter(photos.classes)
    kept = [
        place for place, row in enumerate(chosen) if embedded.readable[row] and sizes[listed.classes[row]] > 1
    ]
    if not kept or len(sizes) < 2:
        path, why = next(iter(embedded.errors.items()))
        raise InvalidArgument(
            f"folder {folder}: of {len(listed.paths)} photos {len(embedded.errors)} could not be read; "
            f"there must be two classes, and two photos of one of them; the first is {path}: {why}"
        )
    own = np.searchsorted(readable, [chosen[place] for place in kept])
    classes = np.unique(photos.classes, return_inverse=True)[1]
    found = []
    for number, (model, name) in enumerate(zip(models, _names(models), strict=True)):
        gallery = Gallery(embedded.stored[number][readable], classes)
        clean = gallery.score(embedded.stored[number][readable][own], own, k)
        distorted = {
            variant: gallery.score(vectors[number][kept], own, k)
            for variant, vectors in embedded.distorted.items()
        }
        found.append(ModelStudy(name, model.dim, clean, distorted, gallery))
    alone = sum(size == 1 for size in sizes.values())
    return Study(photos, own.tolist(), alone, k, distortions, found)


def _names(models: Sequence[Embedder]) -> list[str]:
    """Distinct names of the models: where several share a name, the later ones are numbered."""
    seen: Counter[str] = Counter()
    names = []
    for model in models:
        seen[model.name] += 1
        names.append(model.name if seen[model.name] == 1 else f"{model.name} ({seen[model.name]})")
    return names


def as_json(found: Study) -> dict[str, Any]:
    """Return a study as JSON has it."""
    return {
        "photos": len(found.photos.paths),
        "classes": len(set(found.photos.classes)),
        "labels": found.photos.how,
        "queries": len(found.queries),
        "k": found.k,
        "alone": found.alone,
        "unlabelled": found.photos.unlabelled,
        "errors": {os.fspath(path): why for path, why in found.errors.items()},
        "models": [
            {
                "name": model.name,
                "dim": model.dim,
                "clean": asdict(model.clean),
                "distorted": [
                    {"distortion": name, "strength": strength, **asdict(scores)}
                    for (name, strength), scores in model.distorted.items()
                ],
            }
            for model in found.models
        ],
    }
