"""IVF against a dict and numpy, its lists in use: all lists hold all there is, and a few nearly all."""

from __future__ import annotations

from typing import ClassVar

from approximate_model import NO_SHRINKING, ApproximateModel
from hypothesis import strategies as st
from hypothesis.stateful import rule
from index_model import machine
from oracle import check_nearest

import lookalike as la

ALL = 1 << 20


class IVFModel(ApproximateModel):
    """An index whose searches scan all lists or some."""

    counts: ClassVar[list[int]] = [1100, 2000, 3000]

    def create(self, data: st.DataObject, codes: str) -> la.IVF:
        nlist = data.draw(st.sampled_from([None, 1, 7, 100, 1500]))
        self.how = {"nprobe": ALL}
        return la.IVF(metric=self.metric, codes=codes, keep=self.stores, nlist=nlist)

    def enough(self) -> float:
        # A few lists hold what they hold: only what is stored must be found in the one it belongs to.
        if self.how["nprobe"] < ALL:
            return 0
        return {"u8": 0.98, "u4": 0.9, "rabitq": 0.4}.get(self.index.codes, 1)

    def check_answer(self, ids, found, exact, kept, k: int, within: float) -> None:
        super().check_answer(ids, found, exact, kept, k, within)
        if self.how["nprobe"] == ALL and self.index.codes == self.index.keep:
            check_nearest(ids, found, exact, kept, k, 10 * within)

    @rule(nprobe=st.sampled_from([1, 32, ALL]))
    def probe(self, nprobe: int) -> None:
        self.how = {"nprobe": nprobe}

    @rule()
    def check(self) -> None:
        super().check()
        assert self.index.check().unreachable == 0


TestL2 = machine(IVFModel, 10, NO_SHRINKING, metric="l2")
TestInnerProduct = machine(IVFModel, 10, NO_SHRINKING, metric="ip")
TestCosine = machine(IVFModel, 10, NO_SHRINKING, metric="cosine")
TestHamming = machine(IVFModel, 10, NO_SHRINKING, metric="hamming")
TestMoreDimensions = machine(IVFModel, 10, NO_SHRINKING, metric="l2", dim=24)
