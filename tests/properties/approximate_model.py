"""Approximate indexes with their graph or lists in use: nothing wrong, and nearly all that is near."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import numpy as np
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from index_model import SEEDS, STYLES, IndexModel
from oracle import check_distances, distances, tolerance

import lookalike as la

# What fails is shown as it was drawn: making a graph smaller takes minutes.
NO_SHRINKING = [Phase.explicit, Phase.reuse, Phase.generate]
ENOUGH = 200  # neighbours wanted, for the share that was found to say something
OWN = 0.9  # of the vectors stored are found where they are


class ApproximateModel(IndexModel):
    """An index that begins with more rows than are searched exactly.

    What searches find is counted by what an heir says is enough, and must be so in the end: where vectors
    are all of one style. Codes learned from some say little of others, and wide ones are hidden behind a
    knot in their midst, whatever the graph.
    """

    counts: ClassVar[list[int]]  # of rows to begin with

    def create(self, data: st.DataObject, codes: str) -> la.HNSW | la.IVF:
        """Make the index, which keeps what it `stores`."""
        raise NotImplementedError

    def enough(self) -> float:
        """Return the share of the true neighbours that searches with `how` find, whatever else is drawn."""
        raise NotImplementedError

    def make(self, data: st.DataObject) -> la.HNSW | la.IVF:
        self.found: Counter[float] = Counter()
        self.wanted: Counter[float] = Counter()
        self.style: str | None = None
        if self.metric != "hamming":
            self.stores = data.draw(st.sampled_from(["auto", "f32", "f16", "u8", "s8"]))
            # One bit of each of five elements would say nothing.
            codes = data.draw(st.sampled_from(["auto", "u8", "u4", "rabitq"][: 4 if self.dim > 5 else 3]))
        else:
            codes = data.draw(st.sampled_from(["auto", "bits"]))
        index = self.create(data, codes)
        count = data.draw(st.sampled_from(self.counts))
        style = data.draw(STYLES)
        self.style = None if data.draw(st.booleans()) else style
        rows = self.draw_vectors(data.draw(SEEDS), count, style)
        names = [self.name(key) for key in range(10_000, 10_000 + count)]
        index.add(rows, names)
        self.keep(names, rows)
        return index

    def draw_vectors(self, seed: int, count: int, style: str) -> np.ndarray:
        return super().draw_vectors(seed, count, self.style or style)

    def count_found(self, enough: float, found: int, wanted: int) -> None:
        if self.style:
            self.found[enough] += found
            self.wanted[enough] += wanted

    def check_answer(self, ids, found, exact, kept, k: int, within: float) -> None:
        within *= 10  # measured in float32
        for got, true in zip(check_distances(ids, found, exact, kept, k, within), exact, strict=True):
            limit = np.sort(true)[len(got) - 1] + within
            self.count_found(self.enough(), int((got <= limit).sum()), len(got))

    @precondition(lambda self: self.metric != "ip" and self.model)
    @rule(seed=SEEDS)
    def search_for_stored(self, seed: int) -> None:
        """Whatever codes tell apart, and however few lists are scanned, a vector is where it is."""
        rows = np.array(list(self.model.values()))
        queries = rows[np.random.default_rng(seed).integers(0, len(rows), 50)]
        found = self.index.search(queries, k=1, **self.how).distances[:, 0]
        exact = distances(queries, rows, self.metric).min(axis=1)
        own = found <= exact + 10 * tolerance(queries, rows, self.metric)
        self.count_found(OWN, int(own.sum()), len(own))

    @rule(seed=SEEDS, share=st.sampled_from([0.1, 0.3, 0.6]))
    def remove_many(self, seed: int, share: float) -> None:
        keep = np.random.default_rng(seed).random(len(self.model)) >= share
        gone = [name for name, kept in zip(self.model, keep, strict=True) if not kept]
        assert self.index.remove(gone) == len(gone)
        for name in gone:
            del self.model[name]

    @rule(seed=SEEDS, style=STYLES, share=st.sampled_from([0.1, 0.5]))
    def upsert_many(self, seed: int, style: str, share: float) -> None:
        some = np.random.default_rng(seed).random(len(self.model)) < share
        names = [name for name, chosen in zip(self.model, some, strict=True) if chosen]
        fresh = [self.name(key) for key in range(20_000, 20_100) if self.name(key) not in self.model]
        rows = self.draw_vectors(seed, len(names) + len(fresh), style)
        self.index.upsert(rows, names + fresh)
        self.keep(names + fresh, rows)

    @rule()
    def check(self) -> None:
        state = self.index.check()
        assert state.rows == len(self.model) and state.deleted <= 0.25
        # Under inner products nobody looks for short vectors, and nodes let go of them.
        is_ip = self.index.metric == "ip"
        assert is_ip or state.unreachable <= 0.01 * state.rows or state.rows < 512
        assert state.interval[0] <= state.recall <= state.interval[1]

    @rule()
    def optimize_and_check(self) -> None:
        self.index.optimize()
        assert self.index.check().unreachable == 0 and self.index.check().deleted == 0

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "model"):
            for enough, wanted in self.wanted.items():
                found = self.found[enough] / wanted
                assert wanted < ENOUGH or found >= enough, f"{found} found of {wanted}, less than {enough}"
