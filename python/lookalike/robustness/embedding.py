"""Photos and their distortions through every model, each photo decoded once."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..embed.image.decode import upright
from ..embed.image.preparation import Limits
from ..embed.runtime.stream import available_threads
from ..errors import ImageError
from .distortions import Distortion, Photo

if TYPE_CHECKING:
    from ..embed import Embedder

Variant = tuple[str, float]
Vectors = NDArray[np.float32]

#: Pixels of the longer side that photos are worked on at: more than any model here looks at.
SIDE = 512
_CHUNK = 64  # photos decoded at a time


@dataclass
class Embedded:
    """Vectors by model: of every photo as it is, and of the queries under every distortion.

    Attributes
    ----------
    stored
        For each model float32 (photos, dim). Rows of photos that could not be read hold nothing of use.
    distorted
        For each distortion and strength, and each model, float32 (queries, dim).
    readable
        bool (photos,).
    errors
        Which photos could not be read, and why.
    """

    stored: list[Vectors]
    distorted: dict[Variant, list[Vectors]]
    readable: NDArray[np.bool_]
    errors: dict[Path, str]


def embed(
    paths: Sequence[Path],
    queries: Sequence[int],
    models: Sequence[Embedder],
    distortions: Sequence[Distortion],
    advance: Callable[[int], None],
) -> Embedded:
    """Decode photos once each and embed them by every model, those in rows `queries` distorted too.

    `advance` gets the number of vectors made, or skipped because a photo cannot be read: in all
    len(models) * (len(paths) + len(queries) * the number of strengths of all distortions).
    """
    variants = [(distortion, strength) for distortion in distortions for strength in distortion.strengths]
    found = Embedded(
        stored=_room(models, len(paths)),
        distorted={
            (distortion.name, strength): _room(models, len(queries)) for distortion, strength in variants
        },
        readable=np.ones(len(paths), np.bool_),
        errors={},
    )
    place_of = {row: place for place, row in enumerate(queries)}
    others = [row for row in range(len(paths)) if row not in place_of]
    with ThreadPoolExecutor(available_threads()) as pool:
        # Queries go in chunks of their own, so that distortions run on full chunks.
        for rows in itertools.chain(_chunks(queries), _chunks(others)):
            wanted = variants if rows[0] in place_of else []
            photos = {}
            for row, photo in zip(rows, pool.map(decode, (paths[row] for row in rows)), strict=True):
                if isinstance(photo, ImageError):
                    found.errors[paths[row]] = str(photo)
                    found.readable[row] = False
                    advance(len(models) * (1 + len(wanted)))
                else:
                    photos[row] = photo
            _fill(found.stored, list(photos), models, list(photos.values()), advance)
            for distortion, strength in wanted:
                bent = list(pool.map(distortion.apply, photos.values(), itertools.repeat(strength)))
                places = [place_of[row] for row in photos]
                _fill(found.distorted[distortion.name, strength], places, models, bent, advance)
    return found


def decode(path: str | os.PathLike[str]) -> Photo | ImageError:
    """Decode a photo as all models are given it; or say why not."""
    try:
        return upright(path, SIDE, Limits())
    except ImageError as error:
        return error


def _room(models: Sequence[Embedder], count: int) -> list[Vectors]:
    return [np.zeros((count, model.dim), np.float32) for model in models]


def _fill(
    into: list[Vectors],
    rows: list[int],
    models: Sequence[Embedder],
    photos: list[Photo],
    advance: Callable[[int], None],
) -> None:
    for vectors, model in zip(into, models, strict=True):
        if photos:
            vectors[rows] = model.embed(photos)
        advance(len(photos))


def _chunks(rows: Sequence[int]) -> Iterator[list[int]]:
    rest = iter(rows)
    while chunk := list(itertools.islice(rest, _CHUNK)):
        yield chunk
