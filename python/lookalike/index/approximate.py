"""What the approximate indexes share: they trade effort for recall."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .._checks import as_integer, as_k, as_recall, as_threads
from ..errors import InvalidArgument
from .filters import as_where
from .health import Check
from .hits import Hits
from .index import Index
from .tuning import Measured, effort_for, least_effort, merge, wilson
from .vectors import as_queries, as_vectors

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .._core import RecallEvaluator
    from .._core import _Approximate as Core
    from .index import Where

K = 10  # neighbours that recall is measured for
SAMPLE = 1000  # queries that it is measured with
FEW = 1000  # rows: the effort that suffices here says nothing about the effort of a larger index
MOST = 2**31 - 1  # that an effort can be; as much as this measures all rows


class Approximate(Index):
    """Vectors that are searched for with an effort, which decides how many of the true neighbours are found.

    Subclasses name it: `ef` or `nprobe`.
    """

    __slots__ = ()
    _core: Core
    _effort: ClassVar[str]  # its name
    _advice: ClassVar[str]  # where the most is not enough

    def _search(
        self,
        queries: ArrayLike,
        k: int,
        effort: int | None,
        where: Where,
        recall: float | None,
        threads: int | None,
    ) -> Hits:
        queries = as_queries(queries, self._metric)
        if not (type(k) is int and 0 < k < 65536):
            k = as_k(k)
        if recall is not None:
            effort = self._effort_for(recall, effort)
        elif effort is None:
            effort = 0
        elif not (type(effort) is int and 0 < effort < 65536):
            effort = as_integer(effort, self._effort, 1, MOST)
        if where is not None:
            where = as_where(where, self._core.ids)
        count = 0 if threads is None else as_threads(threads)
        ids, distances = self._core.search(queries, k, effort, where, count)
        return Hits(ids, distances, self._metric)

    def _effort_for(self, recall: float, effort: int | None) -> int:
        name = self._effort
        if effort is not None:
            raise InvalidArgument(
                f"recall is {recall!r} and {name} is {effort!r}; only one of them can decide"
            )
        target = as_recall(recall)
        if self._is_small():
            return MOST
        known = effort_for(target, self._known())
        return self._measure_for(target) if known is None else known

    def _known(self) -> Measured:
        """Return what was measured: by `tune`, and by the index itself."""
        core = self._core
        promise = core.promise
        own = [(promise["recall"], promise["effort"])] if promise["effort"] else []
        return [*core.tuned, *own]

    def _measure_for(self, target: float) -> int:
        """Measure what effort reaches a recall; it is kept for other searches, the default stays as it is."""
        core = self._core
        if self._has_codes_only():
            raise InvalidArgument(
                f"recall is {target!r}, which no measured {self._effort} reaches, and without the vectors"
                f" (keep='none') recall cannot be measured; pass {self._effort}= instead"
            )
        try:
            evaluator = self._recall_evaluator(None)
            measured = least_effort(
                lambda effort: _share(evaluator, effort), target, self._least(), self._most()
            )
            core.set_tuned(merge(core.tuned, measured), core.least_effort, core.promise)
        except InvalidArgument:  # another thread has changed the index meanwhile: this search goes exact
            return MOST
        known = effort_for(target, measured)
        return MOST if known is None else known

    def _has_codes_only(self) -> bool:
        """Return whether distances are those of codes, the vectors being gone."""
        return self._core.keep == "none" and self._core.codes in ("u4", "rabitq")

    def _is_small(self) -> bool:
        return len(self._core) <= FEW or self._core.is_exact

    def _least(self) -> int:
        """Return the smallest effort that a search may use."""
        raise NotImplementedError

    def _most(self) -> int:
        """Return the largest effort that a search may use."""
        raise NotImplementedError

    # -- how good it is

    def tune(self, recall: float = 0.95, queries: ArrayLike | None = None) -> Check:
        """Find the least effort that reaches a recall: the default from now on, kept for ``search(recall=)``.

        An index does so by itself as it grows, for a recall of .95: `tune` asks for another one, or measures
        with queries unlike the stored vectors, which no index knows by itself. The effort is the `ef` of an
        `HNSW` and the `nprobe` of an `IVF`.

        Recall@10 is measured, with exact search for the truth, on queries the index does not hold: those
        given, or 1000 of its own vectors drawn at random, each searched for as if it were not there. An
        effort reaches a recall if it found that share; the interval returned says how far luck may have
        helped. Where no effort does, searches measure every vector. What is measured is saved with the
        index. When a third of the vectors have changed, it is measured again, on the index's own vectors
        and for the same target recall; searches never spend less than `queries` needed. What was measured on
        at most 1000 vectors is not kept for ``search(recall=)``: it says nothing about a larger index.

        Parameters
        ----------
        recall : float
            In (0, 1].
        queries : array_like, shape (n, dim), optional
            As the queries to come, a few hundred at least, and none of them stored.

        Returns
        -------
        Check
            As `check` returns it, with what was measured at the effort found.

        Raises
        ------
        InvalidArgument
            For unusable queries, where another thread changed the index meanwhile, and, without vectors, for
            a recall that no effort reaches. The default is as it was then.

        Examples
        --------
        >>> vectors = np.random.default_rng(2).normal(size=(3000, 16)).astype(np.float32)
        >>> index = la.HNSW()
        >>> index.add(vectors)
        >>> index.tune(recall=0.99).recall >= 0.99
        True
        >>> index.search(vectors[:5], recall=0.98).ids.shape
        (5, 10)
        """
        target = as_recall(recall)
        evaluator = self._recall_evaluator(queries)
        core, is_small = self._core, self._is_small()
        first = core.usual_effort(K) if is_small else self._least()
        measured = least_effort(
            lambda effort: _share(evaluator, effort), target, first, max(first, self._most())
        )
        effort = effort_for(target, measured)
        if effort is None and self._has_codes_only():
            best, most = max(measured)
            raise InvalidArgument(
                f"recall is {recall!r}, but with an {self._effort} of {most} this index reaches {best:.4f}; "
                f"build it with {self._advice}"
            )
        effort = MOST if effort is None else effort
        promise = core.promise | {"target": target, "is_asked": True}
        if is_small:
            core.set_tuned(core.tuned, core.least_effort, promise)
        elif queries is None:
            share, count = _share(evaluator, effort), evaluator.count if evaluator else 0
            promise |= {"effort": effort, "recall": share, "queries": count, "rows": len(core), "changed": 0}
            core.set_tuned(merge(core.tuned, measured), 0, promise)
        else:
            core.set_tuned(merge(core.tuned, measured), effort, promise | {"effort": 0, "recall": 0.0})
        return self._state(evaluator, effort)

    def check(self) -> Check:
        """Return the index's state of health; recall@10 is measured at the default effort.

        That is what searches with no argument spend, so that `recall` should be what is `promised`, or more.
        Queries unlike the stored vectors may find less: `tune` with ``queries=`` measures them. On 1000 of
        its own vectors, or all where they are fewer, each searched for as if it were not there.
        Takes as long as an exact search for them.

        Examples
        --------
        >>> index = la.HNSW()
        >>> index.add(np.random.default_rng(3).normal(size=(2000, 8)))
        >>> state = index.check()
        >>> state.rows, state.deleted, state.unreachable
        (2000, 0.0, 0)
        >>> state.recall > 0.95 and state.interval[0] < state.recall
        True
        """
        return self._state(self._recall_evaluator(None), 0)

    def _stats(
        self, queries: ArrayLike | None, k: int, effort: int | None, threads: int | None
    ) -> dict[str, float]:
        k = as_k(k)
        effort = 0 if effort is None else as_integer(effort, self._effort, 1, MOST)
        if queries is None:
            ids = self._core.ids()
            array = self[ids[:: max(1, len(ids) // 256)]]
        else:
            array = np.atleast_2d(as_vectors(queries, "queries", self._metric))
        return self._core.profile(array, k, effort, as_threads(threads))

    def _recall_evaluator(self, queries: ArrayLike | None) -> RecallEvaluator | None:
        """Return queries and their true neighbours, or None where there is nothing to find."""
        rows, core = len(self._core), self._core
        array = None if queries is None else np.atleast_2d(as_vectors(queries, "queries", self._metric))
        if array is not None and array.size == 0:
            raise InvalidArgument("queries are empty; they must be at least one, to measure recall")
        if array is not None:
            return core.recall_evaluator(array, min(K, rows), len(array), core.seed, 0) if rows else None
        return (
            core.recall_evaluator(None, min(K, rows - 1), min(rows, SAMPLE), core.seed, 0)
            if rows > 1
            else None
        )

    def _state(self, evaluator: RecallEvaluator | None, effort: int) -> Check:
        core, promise = self._core, self._core.promise
        recall = _share(evaluator, effort)
        interval = wilson(recall, evaluator.count) if evaluator else (1.0, 1.0)
        target = 1.0 if core.is_exact else round(promise["target"], 6)
        lost, unreachable, aged = self._lost(), core.unreachable(), core.aged
        advice = []
        if interval[1] < target:
            advice.append("fewer neighbours are found than promised: call optimize(), or tune() again")
        elif promise["effort"] == MOST and not core.is_exact:
            advice.append(f"every vector is measured, for no {self._effort} suffices: try {self._advice}")
        if unreachable > 0 and self._metric != "ip":
            advice.append("some vectors cannot be found: call optimize()")
        if core.removed_share > 0.2:
            advice.append("removed vectors still take memory: call optimize()")
        return Check(
            *(len(core), core.removed_share, recall, interval, unreachable, core.nbytes),
            *(target, lost, aged, "; ".join(advice)),
        )

    def _lost(self) -> float:
        """Return the share of a sample that a search for it does not find."""
        core = self._core
        if len(core) == 0 or self._metric == "ip" or self._has_codes_only():
            return 0.0
        ids = core.ids()
        ids = ids[:: max(1, len(ids) // SAMPLE)]
        hits = self._search(self[ids], 1, None, None, None, None)
        found = (hits.ids[:, 0] == ids) | (hits.distances[:, 0] == 0)  # itself, or a copy
        return float(1 - np.mean(found))

    # -- what it is

    def __repr__(self) -> str:
        text = super().__repr__()
        promise = {} if text.endswith("(closed)") else self._core.promise
        if not promise or promise["effort"] == 0 or self._core.is_exact:
            return text
        effort = "all" if promise["effort"] == MOST else self._core.usual_effort(K)
        measured = f"{promise['recall']:.3f}, promised {promise['target']:.3g}"
        return f"{text[:-1]}, {self._effort}={effort}, recall={measured})"

    @property
    def keep(self) -> str:
        """What is kept of the vectors; while there are none, the word given."""
        return self._core.keep

    @property
    def seed(self) -> int:
        """Of the little randomness there is."""
        return self._core.seed


def _share(evaluator: RecallEvaluator | None, effort: int) -> float:
    """Return the share of the true neighbours that searches with this effort find."""
    if evaluator is None:
        return 1.0
    found, wanted = evaluator.recall(effort, 0)
    return found / wanted if wanted else 1.0
