"""hnswlib's search, step by step on hnswlib's own graph, to count the distances that it does not tell."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Graph:
    """The links and vectors of an hnswlib.Index by l2."""

    def __init__(self, index: Any) -> None:
        state = index.__getstate__()
        state = state[0] if isinstance(state, tuple) else state
        count = state["cur_element_count"]
        records = state["data_level0"].reshape(-1, state["size_data_per_element"])[:count]
        self.vectors = records[:, state["offset_data"] : state["label_offset"]].view(np.float32)
        self.links = records[:, : 4 * (1 + state["max_M0"])].view(np.uint32)
        self.labels = records[:, state["label_offset"] :].view(np.uint64)[:, 0]
        self.upper = state["link_lists"].view(np.uint32)
        self.width = state["size_links_per_element"] // 4
        levels = state["element_levels"].astype(np.int64)
        self.first_upper = np.concatenate([[0], np.cumsum(levels * self.width)[:-1]])
        self.entry, self.top = state["enterpoint_node"], state["max_level"]

    def neighbors(self, node: int, level: int) -> NDArray[np.uint32]:
        if level == 0:
            row = self.links[node]
        else:
            start = self.first_upper[node] + (level - 1) * self.width
            row = self.upper[start : start + self.width]
        return row[1 : 1 + (row[0] & 0xFFFF)]

    def search(self, query: NDArray[np.float32], ef: int) -> tuple[list[int], int]:
        """The pool of a search for one query, nearest first, and how many distances it computed."""

        def measure(nodes: Any) -> NDArray[np.float32]:
            difference = self.vectors[nodes] - query
            return np.einsum("ij,ij->i", difference, difference)

        node, computed = self.entry, 1
        nearest = measure([node])[0]
        for level in range(self.top, 0, -1):
            moved = True
            while moved:
                around = self.neighbors(node, level)
                found = measure(around)
                computed += len(around)
                moved = len(around) > 0 and found.min() < nearest
                if moved:
                    node, nearest = int(around[found.argmin()]), found.min()
        pool, more = self._bottom(node, ef, measure)
        return self.labels[pool].tolist(), computed + more

    def _bottom(self, node: int, ef: int, measure: Any) -> tuple[list[int], int]:
        """The same of the lowest level, from its entry."""
        seen = np.zeros(len(self.vectors), bool)
        seen[node] = True
        start = float(measure([node])[0])
        open_nodes, pool = [(start, node)], [(-start, node)]
        computed = 1
        while open_nodes:
            distance, node = heapq.heappop(open_nodes)
            if distance > -pool[0][0] and len(pool) == ef:
                break
            around = self.neighbors(node, 0)
            around = around[~seen[around]]
            seen[around] = True
            computed += len(around)
            for distance, near in zip(measure(around).tolist(), around.tolist(), strict=True):
                if len(pool) < ef or distance < -pool[0][0]:
                    heapq.heappush(open_nodes, (distance, near))
                    heapq.heappush(pool, (-distance, near))
                    if len(pool) > ef:
                        heapq.heappop(pool)
        return [node for _, node in sorted(pool, reverse=True)], computed
