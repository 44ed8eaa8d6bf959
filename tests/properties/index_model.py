"""Any index against a dict and numpy, through any sequence of operations."""

from __future__ import annotations

import io
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from oracle import distances, tolerance

import lookalike as la

KEYS = st.integers(0, 40)
SEEDS = st.integers(0, 2**32 - 1)
STYLES = st.sampled_from(["u8", "s8", "f16", "f32", "whole f32", "f64"])


def vectors(seed: int, count: int, dim: int, style: str) -> np.ndarray:
    rng = np.random.default_rng(seed)
    whole = rng.integers(-128 if style == "s8" else 0, 128 if style == "s8" else 256, (count, dim))
    dtype = {"u8": np.uint8, "s8": np.int8, "whole f32": np.float32}.get(style)
    if dtype is not None:
        return whole.astype(dtype)
    real = rng.normal(size=(count, dim)) * 10
    return real.astype({"f16": np.float16, "f32": np.float32, "f64": np.float64}[style])


class IndexModel(RuleBasedStateMachine):
    """What every index must do. Heirs make the index and hold its answers to the truth."""

    metric = "l2"
    dim = 5

    def make(self, data: st.DataObject) -> la.Flat | la.HNSW | la.IVF:
        """Draw what kind of index to test, and set `stores`: how, or "auto", and `how` to search."""
        raise NotImplementedError

    def check_answer(self, ids, found, exact, kept, k: int, within: float) -> None:
        """Compare one answer with all distances, `exact`, to the rows named `kept`."""
        raise NotImplementedError

    @initialize(data=st.data(), string=st.booleans())
    def start(self, data: st.DataObject, string: bool) -> None:
        self.string = string
        self.folder = tempfile.TemporaryDirectory()
        self.stores = "auto"
        self.how: dict[str, int] = {}
        self.model: dict[int | str, np.ndarray] = {}
        self.highest = -1
        self.index = self.make(data)

    def name(self, key: int) -> int | str:
        return f"id {key}" if self.string else key

    def draw_vectors(self, seed: int, count: int, style: str) -> np.ndarray:
        if self.metric == "hamming":
            style = "u8"
        elif self.stores in ("u8", "s8"):
            style = self.stores
        return vectors(seed, count, self.dim, style)

    def stored(self, rows: np.ndarray) -> np.ndarray:
        """As the index must hold them: float32, or rounded to half where that was asked for."""
        if self.metric == "hamming":
            return rows
        rows = rows.astype(np.float32)
        return rows.astype(np.float16 if self.stores == "f16" else np.float32).astype(np.float64)

    def keep(self, names, rows: np.ndarray) -> None:
        self.model.update(zip(names, self.stored(rows), strict=True))
        if not self.string:
            self.highest = max([self.highest, *names])

    @rule(keys=st.lists(KEYS, max_size=12), seed=SEEDS, style=STYLES, threads=st.sampled_from([None, 1, 2]))
    def add(self, keys: list[int], seed: int, style: str, threads: int | None) -> None:
        names = [self.name(key) for key in keys]
        rows = self.draw_vectors(seed, len(keys), style)
        if len(set(names)) < len(names) or any(name in self.model for name in names):
            with pytest.raises(la.InvalidArgument, match="already"):
                self.index.add(rows, names, threads=threads)
            return
        self.index.add(rows, names, threads=threads)
        self.keep(names, rows)

    @precondition(lambda self: not self.string)
    @rule(count=st.integers(0, 8), seed=SEEDS, style=STYLES)
    def add_without_ids(self, count: int, seed: int, style: str) -> None:
        rows = self.draw_vectors(seed, count, style)
        self.index.add(rows)
        self.keep(range(self.highest + 1, self.highest + 1 + count), rows)

    @rule(keys=st.lists(KEYS, max_size=12, unique=True), seed=SEEDS, style=STYLES)
    def upsert(self, keys: list[int], seed: int, style: str) -> None:
        names = [self.name(key) for key in keys]
        rows = self.draw_vectors(seed, len(keys), style)
        self.index.upsert(rows, names)
        self.keep(names, rows)

    @rule(seed=SEEDS, style=STYLES)
    def add_nan(self, seed: int, style: str) -> None:
        if self.metric == "hamming":
            return
        rows = vectors(seed, 3, self.dim, style).astype(np.float32)
        rows[2, seed % self.dim] = np.nan
        with pytest.raises(la.InvalidArgument, match="nan"):
            self.index.add(rows, [self.name(key) for key in (1000, 1001, 1002)])

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        if not self.model:
            return
        names = data.draw(st.lists(st.sampled_from(list(self.model)), unique=True))
        unknown = data.draw(st.booleans())
        if unknown:
            with pytest.raises(la.UnknownId):
                self.index.remove([*names, self.name(999_999)])
            return
        assert self.index.remove(names) == len(names)
        for name in names:
            del self.model[name]

    @rule()
    def optimize(self) -> None:
        self.index.optimize()

    @rule()
    def save_and_load(self) -> None:
        file = io.BytesIO()
        self.index.save(file)
        file.seek(0)
        self.index = la.load(file)

    @rule()
    def save_and_map(self) -> None:
        path = Path(self.folder.name) / "index.look"
        self.index.save(path)
        self.index = la.load(path, mmap=True)

    @rule()
    def pickle(self) -> None:
        self.index = pickle.loads(pickle.dumps(self.index))

    @rule(
        seed=SEEDS,
        style=STYLES,
        k=st.integers(1, 60),
        filtered=st.sampled_from(["no", "mask", "ids", "callable"]),
    )
    def search(self, seed: int, style: str, k: int, filtered: str) -> None:
        queries = self.draw_vectors(seed, 3, style)
        kept = [name for i, name in enumerate(self.model) if filtered == "no" or (i + seed) % 3]
        where = {
            "no": None,
            "mask": np.array([name in set(kept) for name in self.model], dtype=bool),
            "ids": [*kept, self.name(888_888)] if self.model else [],
            "callable": lambda id: id in set(kept),
        }[filtered]
        ids, found = self.index.search(queries, k=k, where=where, **self.how)
        assert ids.shape == found.shape == (3, k)
        if not kept:
            assert np.isinf(found).all()
            return
        rows = np.array([self.model[name] for name in kept])
        asked = queries if self.metric == "hamming" else queries.astype(np.float32)
        exact, within = distances(asked, rows, self.metric), tolerance(asked, rows, self.metric)
        self.check_answer(ids.tolist(), found, exact, kept, k, within)
        radius = float(np.median(exact)) + 3 * within
        near = self.index.range(queries, radius, where=where)
        for hits, row in zip(near, exact, strict=True):
            position = {name: i for i, name in enumerate(kept)}
            got = {position[name] for name in hits.ids.tolist()}
            assert (
                set(np.flatnonzero(row <= radius - within))
                <= got
                <= set(np.flatnonzero(row <= radius + within))
            )

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        if not hasattr(self, "model"):
            return
        assert len(self.index) == len(self.model) and list(self.index) == list(self.model)
        if self.model:
            assert np.array_equal(self.index[list(self.model)], np.array(list(self.model.values())))
        for key in (0, 17):
            assert (self.name(key) in self.index) == (self.name(key) in self.model)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            if hasattr(self, "index"):
                self.index.close()
            self.folder.cleanup()


def machine(model: type[IndexModel], examples: int, phases: list[Phase], **settled) -> type:
    """Return the test case of a model with some of its attributes settled."""
    case = type(model.__name__, (model,), settled).TestCase
    case.settings = settings(
        max_examples=examples,
        phases=phases,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    return case
