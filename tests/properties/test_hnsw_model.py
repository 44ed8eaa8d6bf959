"""HNSW against a dict and numpy, its graph in use: nothing wrong, and nearly all that is near."""

from __future__ import annotations

from typing import ClassVar

from approximate_model import NO_SHRINKING, ApproximateModel
from hypothesis import strategies as st
from index_model import machine

import lookalike as la


class HNSWModel(ApproximateModel):
    """An index that is searched with as little effort as this."""

    counts: ClassVar[list[int]] = [600, 1500, 2500]

    def create(self, data: st.DataObject, codes: str) -> la.HNSW:
        self.how = {"ef": 24}
        M = data.draw(st.sampled_from([8, 16]))
        return la.HNSW(metric=self.metric, codes=codes, keep=self.stores, M=M)

    def enough(self) -> float:
        # One bit of each of 24 elements ranks rows badly, and so small an ef leaves few to choose from.
        return 0.25 if self.index.codes == "rabitq" else 0.75


TestL2 = machine(HNSWModel, 10, NO_SHRINKING, metric="l2")
TestInnerProduct = machine(HNSWModel, 10, NO_SHRINKING, metric="ip")
TestCosine = machine(HNSWModel, 10, NO_SHRINKING, metric="cosine")
TestHamming = machine(HNSWModel, 10, NO_SHRINKING, metric="hamming")
TestMoreDimensions = machine(HNSWModel, 10, NO_SHRINKING, metric="l2", dim=24)
