"""Flat against a dict and numpy."""

from __future__ import annotations

from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import invariant
from index_model import IndexModel, machine
from oracle import check_nearest

import lookalike as la


class FlatModel(IndexModel):
    def make(self, data: st.DataObject) -> la.Flat:
        codes = ["auto", "bits"] if self.metric == "hamming" else ["auto", "f32", "f16", "u8", "s8"]
        self.stores = data.draw(st.sampled_from(codes))
        return la.Flat(metric=self.metric, codes=self.stores)

    def check_answer(self, ids, found, exact, kept, k: int, within: float) -> None:
        check_nearest(ids, found, exact, kept, k, within)

    @invariant()
    def gives_memory_back(self) -> None:
        assert not hasattr(self, "index") or self.index.check().deleted <= 0.25


TestL2 = machine(FlatModel, 40, list(Phase), metric="l2")
TestInnerProduct = machine(FlatModel, 40, list(Phase), metric="ip")
TestCosine = machine(FlatModel, 40, list(Phase), metric="cosine")
TestHamming = machine(FlatModel, 40, list(Phase), metric="hamming")
