"""Near copies: photos whose vectors all but coincide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .catalogue import Catalogue
    from .index_file import Snapshot

_BLOCK = 1024


def groups(catalogue: Catalogue, state: Snapshot, threshold: float) -> list[list[int]]:
    """Group the ids of photos joined by pairs with a cosine similarity of at least `threshold`.

    A group is what such pairs connect, so its ends may be less alike than `threshold`. Groups are of two
    photos or more, in order of their smallest id.
    """
    leader = {id_: id_ for id_ in state.paths}

    def find(id_: int) -> int:
        while leader[id_] != id_:
            leader[id_] = leader[leader[id_]]
            id_ = leader[id_]
        return id_

    # Cosines of float32 vectors are good to some 1e-6: copies must pass a threshold of 1.
    radius = 1.0 - threshold + 2e-6
    for ids, vectors in catalogue.vectors(_BLOCK):
        if state.index is None:
            break
        near = state.index.range(vectors, radius)
        for id_, start, end in zip(ids.tolist(), near.offsets[:-1], near.offsets[1:], strict=True):
            for other in np.asarray(near.ids[start:end]).tolist():
                if other in leader and id_ in leader:
                    first, second = sorted((find(id_), find(other)))
                    leader[second] = first
    members: dict[int, list[int]] = {}
    for id_ in sorted(leader):
        members.setdefault(find(id_), []).append(id_)
    return [group for group in members.values() if len(group) > 1]
