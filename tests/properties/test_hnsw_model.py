"""HNSW against a dict and numpy, its graph in use: nothing wrong, and nearly all that is near."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import rule
from index_model import SEEDS, STYLES, IndexModel, machine
from oracle import check_distances

import lookalike as la

# What fails is shown as it was drawn: making a graph smaller takes minutes.
NO_SHRINKING = [Phase.explicit, Phase.reuse, Phase.generate]


class HNSWModel(IndexModel):
    """An index that begins with more rows than are searched exactly, for as little effort as this."""

    how: ClassVar[dict[str, int]] = {"ef": 24}

    def make(self, data: st.DataObject) -> la.HNSW:
        self.found = self.wanted = 0
        if self.metric != "hamming":
            self.stores = data.draw(st.sampled_from(["auto", "f32", "f16", "u8", "s8"]))
            # One bit of each of five elements would say nothing.
            codes = data.draw(st.sampled_from(["auto", "u8", "u4", "rabitq"][: 4 if self.dim > 5 else 3]))
        else:
            codes = data.draw(st.sampled_from(["auto", "bits"]))
        M = data.draw(st.sampled_from([8, 16]))
        index = la.HNSW(metric=self.metric, codes=codes, keep=self.stores, M=M)
        count = data.draw(st.sampled_from([600, 1500, 2500]))
        rows = self.draw_vectors(data.draw(SEEDS), count, data.draw(STYLES))
        names = [self.name(key) for key in range(10_000, 10_000 + count)]
        index.add(rows, names)
        self.keep(names, rows)
        return index

    def check_answer(self, ids, found, exact, kept, k: int, within: float) -> None:
        within *= 10  # measured in float32
        for got, true in zip(check_distances(ids, found, exact, kept, k, within), exact, strict=True):
            limit = np.sort(true)[len(got) - 1] + within
            self.found += int((got <= limit).sum())
            self.wanted += len(got)

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
        assert state.unreachable <= 0.01 * state.rows or state.rows < 512
        assert state.interval[0] <= state.recall <= state.interval[1]

    @rule()
    def optimize_and_check(self) -> None:
        self.index.optimize()
        assert self.index.check().unreachable == 0 and self.index.check().deleted == 0

    def teardown(self) -> None:
        if hasattr(self, "model") and self.wanted > 300:
            assert self.found >= 0.75 * self.wanted


TestL2 = machine(HNSWModel, 10, NO_SHRINKING, metric="l2")
TestInnerProduct = machine(HNSWModel, 10, NO_SHRINKING, metric="ip")
TestCosine = machine(HNSWModel, 10, NO_SHRINKING, metric="cosine")
TestHamming = machine(HNSWModel, 10, NO_SHRINKING, metric="hamming")
TestMoreDimensions = machine(HNSWModel, 10, NO_SHRINKING, metric="l2", dim=24)
