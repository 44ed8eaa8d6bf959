"""Near copies: photos, or sounds of one length, whose vectors are nearly equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .index_file import build

if TYPE_CHECKING:
    from .catalogue import Catalogue
    from .index_file import Snapshot

_BLOCK = 1024
# How much longer a copy may be: the silence that a lossy format puts around a sound, or a cut at its end.
_LONGER, _SECONDS = 1.05, 0.1


def groups(catalogue: Catalogue, state: Snapshot, threshold: float) -> list[list[int]]:
    """Group the ids of files joined by pairs with a cosine similarity of at least `threshold`.

    A sound of many windows is compared by their mean, and with sounds about as long only: what repeats itself
    is no copy of what it repeats. A group is what such pairs connect, so its ends may be less alike than
    `threshold`. Groups are of two files or more, in order of their smallest id.
    """
    leader = {id_: id_ for id_ in state.paths}

    def find(id_: int) -> int:
        while leader[id_] != id_:
            leader[id_] = leader[leader[id_]]
            id_ = leader[id_]
        return id_

    # Cosines of float32 vectors are good to some 1e-6: copies must pass a threshold of 1.
    radius = 1.0 - threshold + 2e-6
    index = build(catalogue.wholes(_BLOCK)) if state.times else state.index
    for ids, vectors in catalogue.wholes(_BLOCK):
        if index is None:
            break
        near = index.range(vectors, radius)
        for id_, start, end in zip(ids.tolist(), near.offsets[:-1], near.offsets[1:], strict=True):
            for other in np.asarray(near.ids[start:end]).tolist():
                if other in leader and id_ in leader and _as_long(state, id_, other):
                    first, second = sorted((find(id_), find(other)))
                    leader[second] = first
    members: dict[int, list[int]] = {}
    for id_ in sorted(leader):
        members.setdefault(find(id_), []).append(id_)
    return [group for group in members.values() if len(group) > 1]


def _as_long(state: Snapshot, one: int, other: int) -> bool:
    """Whether two files last about as long; photos do."""
    if one not in state.times or other not in state.times:
        return True
    shorter, longer = sorted(float(state.times[id_][-1, 1]) for id_ in (one, other))
    return longer <= shorter * _LONGER + _SECONDS
