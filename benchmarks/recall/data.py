"""The data sets: each a function of a generator and a number of rows, that returns base and queries.

The base comes sorted by topic or region, so that each chunk of it, in this order, brings what was not there
before. The queries are drawn as the base is, from all of it, and are not stored.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.random import Generator

from benchmarks import datasets
from benchmarks.recall import ROWS, SEED
from benchmarks.recall.elements import Rows, as_element

QUERIES = 200
REGIONS = 30  # that data without an order of their own are sorted into
LIMITS = {768: {"most": 4000, "slow": 2000}, 2048: {"most": 4000, "slow": 1200}}  # of rows, by dim
Pair = tuple[Rows, Rows]  # base and queries
Make = Callable[[Generator, int], Pair]


@dataclass(frozen=True)
class Source:
    """A data set that can be made in any size, and in which metrics and elements it is measured."""

    name: str
    make: Make
    kinds: tuple[tuple[str, str], ...]  # metric, element
    most: int  # rows it is worth the time for
    slow: int  # rows in a growth that is slow
    file: str | None = None  # of benchmarks.datasets, where it is not made up

    def available(self) -> bool:
        return self.file is None or datasets.available(self.file)

    def load(self, element: str, n: int, seed: int = SEED) -> Pair:
        """At most n rows and QUERIES queries, the same for the same arguments."""
        rng = np.random.default_rng([seed, zlib.crc32(self.name.encode())])
        return as_element(*self.make(rng, n), element)


SOURCES: dict[str, Source] = {}


def source(
    name: str,
    *kinds: str,
    most: int = ROWS,
    slow: int = ROWS,
    file: str | None = None,
    **settings: object,
) -> Callable[[Make], Make]:
    """Register a function under a name; more names, with other settings, by decorating it again."""
    if file:
        settings["file"] = file

    def register(make: Make) -> Make:
        pairs = tuple((metric, element) for metric, _, element in (kind.partition(" ") for kind in kinds))
        SOURCES[name] = Source(name, partial(make, **settings), pairs, most, slow, file)
        return make

    return register


def by_region(rng: Generator, rows: Rows) -> Rows:
    """Sorted by which of a few rows is nearest."""
    wide = rows.astype(np.float64)
    pivots = wide[rng.choice(len(rows), min(REGIONS, len(rows)), replace=False)]
    nearest = ((pivots**2).sum(axis=1) - 2 * wide @ pivots.T).argmin(axis=1)
    return rows[np.argsort(nearest, kind="stable")]


def labels(rng: Generator, n: int, count: int) -> tuple[Rows, Rows]:
    """A cluster for each row, equally many rows each, sorted; and for each query, drawn."""
    return np.arange(n) * count // n, rng.integers(0, count, QUERIES)


def clusters(rng: Generator, n: int, centres: Rows, spread: float) -> Pair:
    base, queries = (
        centres[of] + spread * rng.normal(size=(len(of), centres.shape[1]))
        for of in labels(rng, n, len(centres))
    )
    return base, queries


# -- regions that lie apart


@source("topics", "l2 f32", "cosine f32", "l2 f16", "l2 s8")
def topics(rng: Generator, n: int) -> Pair:
    return clusters(rng, n, 2 * rng.normal(size=(30, 64)), 1.0)


@source("topics-subspace", "l2 f32", "cosine f32", most=6000)
def topics_subspace(rng: Generator, n: int) -> Pair:
    """What one topic needs to be told apart, another has nothing of."""
    bases, offsets = rng.normal(size=(30, 24, 384)) / 24**0.5, rng.normal(size=(30, 384))
    base, queries = (
        offsets[of] + np.einsum("ij,ijk->ik", rng.normal(size=(len(of), 24)), bases[of])
        for of in labels(rng, n, len(bases))
    )
    return base, queries


@source("shifted-5", "l2 f32", shift=5.0)
@source("shifted-3", "l2 f32", shift=3.0)
def shifted(rng: Generator, n: int, shift: float) -> Pair:
    return clusters(rng, n, np.stack([np.zeros(16), np.full(16, shift)]), 1.0)


@source("islands-far", "l2 f32", "cosine f32", apart=10.0)
@source("islands-near", "l2 f32", apart=3.0)
def islands(rng: Generator, n: int, apart: float) -> Pair:
    return clusters(rng, n, apart * rng.normal(size=(20, 64)), 0.3)


@source("poles", "l2 f32")
def poles(rng: Generator, n: int) -> Pair:
    return clusters(rng, n, np.stack([np.full(64, -1000.0), np.full(64, 1000.0)]), 1.0)


# -- no structure at all


def drawn(rng: Generator, n: int, draw: Callable[[tuple[int, int]], Rows], dim: int) -> Pair:
    return by_region(rng, draw((n, dim))), draw((QUERIES, dim))


def uniform(rng: Generator, n: int, dim: int) -> Pair:
    return drawn(rng, n, rng.random, dim)


def gaussian(rng: Generator, n: int, dim: int, scale: float = 1.0, offset: float = 0.0) -> Pair:
    return drawn(rng, n, lambda shape: scale * rng.normal(size=shape) + offset, dim)


for dim in (2, 16, 64, 128, 768, 2048):
    limits = LIMITS.get(dim, {})
    source(f"uniform-{dim}", "l2 f32", *(["l2 u8"] if dim == 128 else []), **limits, dim=dim)(uniform)
    metrics = ("l2 f32", "cosine f32", "ip f32") if dim == 64 else ("l2 f32",)
    source(f"gaussian-{dim}", *metrics, **limits, dim=dim)(gaussian)

source("far-origin", "l2 f32", dim=64, offset=1e4)(gaussian)
source("tiny", "l2 f32", "cosine f32", dim=64, scale=1e-30)(gaussian)
source("small", "l2 f32", dim=64, scale=1e-10)(gaussian)
source("huge", "l2 f32", "ip f32", dim=64, scale=1e12)(gaussian)


@source("heavy-tails", "l2 f32")
def heavy_tails(rng: Generator, n: int) -> Pair:
    return drawn(rng, n, lambda shape: rng.standard_t(2, shape), 64)


# -- lengths that decide


@source("lognormal-lengths", "ip f32", "ip s8")
def lognormal_lengths(rng: Generator, n: int) -> Pair:
    def draw(shape: tuple[int, int]) -> Rows:
        return rng.normal(size=shape) * rng.lognormal(sigma=0.8, size=(shape[0], 1))

    return drawn(rng, n, draw, 256)


@source("growing-lengths", "ip f32")
def growing_lengths(rng: Generator, n: int) -> Pair:
    """Each row a little longer than the one before: always the nearest of some that are there."""
    base, queries = (rng.normal(size=(count, 256)) + 3 for count in (n, QUERIES))
    return base[np.argsort(np.linalg.norm(base, axis=1))], queries


@source("one-long-row", "ip f32")
def one_long_row(rng: Generator, n: int) -> Pair:
    base, queries = lognormal_lengths(rng, n)
    base[n // 2] *= 1e4
    return base, queries


# -- ties


@source("copies-50", "l2 f32", copies=50)
@source("copies-10", "l2 f32", copies=10)
def copies(rng: Generator, n: int, copies: int) -> Pair:
    distinct = rng.normal(size=(-(-n // copies), 64))
    queries = distinct[rng.integers(0, len(distinct), QUERIES)] + 0.1 * rng.normal(size=(QUERIES, 64))
    return distinct[np.arange(n) // copies], queries


@source("near-duplicates", "cosine f32")
def near_duplicates(rng: Generator, n: int) -> Pair:
    """Twenty versions each, closer to one another than most short codes can tell."""
    distinct = rng.normal(size=(-(-n // 20), 64))
    distinct /= np.linalg.norm(distinct, axis=1, keepdims=True)
    which = (np.arange(n) // 20, rng.integers(0, len(distinct), QUERIES))
    base, queries = (distinct[of] + 1e-4 / 8 * rng.normal(size=(len(of), 64)) for of in which)
    return base, queries


@source("lattice", "l2 f32", "l2 u8")
def lattice(rng: Generator, n: int) -> Pair:
    """Points of a grid; the queries are points that were left out."""
    side = int(np.ceil((n + QUERIES) ** 0.25))
    points = np.stack(np.unravel_index(np.arange(side**4), (side,) * 4), axis=1)
    chosen = rng.permutation(len(points))[: n + QUERIES]
    return points[np.sort(chosen[:n])], points[chosen[n:]]


@source("onehot-bits", "l2 u8", noise=0.0)
@source("onehot", "l2 f32", noise=0.01)
def onehot(rng: Generator, n: int, noise: float) -> Pair:
    """Three ones of 256, as encoded categories are."""

    def draw(count: int) -> Rows:
        ones = np.sort(np.argpartition(rng.random((count, 256)), 3, axis=1)[:, :3], axis=1)
        rows = np.zeros((count, 256))
        np.put_along_axis(rows, ones[np.lexsort(ones.T[::-1])], 1.0, axis=1)
        return rows + noise * rng.normal(size=rows.shape) if noise else rows

    return draw(n), draw(QUERIES)


# -- as models make them


@source("glove-like", "cosine f32", "cosine f16")
def glove_like(rng: Generator, n: int) -> Pair:
    """A spectrum that decays slowly, lengths as word counts are, and a mean that all have in common."""
    turn = np.linalg.qr(rng.normal(size=(100, 100)))[0]
    spectrum, mean = np.arange(1, 101) ** -0.5, rng.normal(size=100) / 4

    def draw(shape: tuple[int, int]) -> Rows:
        rows = (rng.normal(size=shape) * spectrum) @ turn + mean
        return rows * rng.lognormal(sigma=0.4, size=(shape[0], 1))

    return drawn(rng, n, draw, 100)


@source("sift", "l2 u8", file="sift-128")
@source("fashion", "l2 u8", most=6000, slow=2000, file="fashion-mnist-784")
@source("embeddings", "cosine f16", most=4000, slow=2000, file="cnn-1280")
def measured(rng: Generator, n: int, file: str) -> Pair:
    """Rows spread over those of a file."""
    dataset = datasets.load(file)
    base, queries = (
        np.array(part[np.linspace(0, len(part) - 1, min(count, len(part))).astype(np.int64)])
        for part, count in ((dataset.base, n), (dataset.queries, QUERIES))
    )
    return by_region(rng, base), queries
