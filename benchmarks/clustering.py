"""k-means at equal iterations: python -m benchmarks.clustering [--datasets NAME ...] [--quick].

All begin on random vectors, none subsamples, none stops early. The objective is measured alike for all: the
sum of squared distances of the vectors from the nearest of the centroids found, in double precision.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

from benchmarks import machine

DATASETS = ("fashion-mnist-784", "sift-128")
Fit = Callable[[], Any]  # gives centroids


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clustering", description=__doc__)
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--clusters", type=int, default=1024)
    parser.add_argument("--iterations", type=int, default=25)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=3, help="rounds; medians are reported")
    parser.add_argument(
        "--quick", action="store_true", help="toy sizes: shows that it runs, measures nothing"
    )
    return parser.parse_args()


def ours(vectors: Any, options: argparse.Namespace) -> dict[str, Fit]:
    """Ourselves, twice: as the others begin, and as `KMeans` does unless told otherwise."""
    import lookalike as la

    def fit(init: str) -> Any:
        kmeans = la.KMeans(
            options.clusters, init=init, max_iter=options.iterations, tol=0, threads=options.threads
        )
        return kmeans.fit(vectors).cluster_centers_

    return {"lookalike": lambda: fit("random"), "lookalike, k-means++": lambda: fit("k-means++")}


def faiss_kmeans(vectors: Any, options: argparse.Namespace) -> dict[str, Fit]:
    """Its default, and SuperKmeans where this version has it."""
    try:
        import faiss
    except ImportError:
        return {}
    faiss.omp_set_num_threads(options.threads)

    def fit(kind: Any) -> Any:
        kmeans = kind(
            vectors.shape[1],
            options.clusters,
            niter=options.iterations,
            max_points_per_centroid=len(vectors),
            min_points_per_centroid=1,
        )
        kmeans.train(vectors)
        return kmeans.centroids

    found = {"faiss Kmeans": lambda: fit(faiss.Kmeans)}
    if hasattr(faiss, "SuperKmeans"):
        found["faiss SuperKmeans"] = lambda: fit(faiss.SuperKmeans)
    return found


def scikit_learn(vectors: Any, options: argparse.Namespace) -> dict[str, Fit]:
    """Lloyd's iterations, which it chooses by itself."""
    try:
        from sklearn.cluster import KMeans
    except ImportError:
        return {}

    def fit() -> Any:
        kmeans = KMeans(
            options.clusters, init="random", n_init=1, max_iter=options.iterations, tol=0, random_state=0
        )
        return kmeans.fit(vectors).cluster_centers_

    return {"scikit-learn KMeans": fit}


def objective(vectors: Any, centers: Any) -> float:
    import numpy as np

    wide = np.asarray(centers, np.float64)
    squares = np.einsum("ij,ij->i", wide, wide)
    total = 0.0
    for first in range(0, len(vectors), 8192):
        block = vectors[first : first + 8192].astype(np.float64)
        least = (squares - 2 * block @ wide.T).min(axis=1)
        total += float((np.einsum("ij,ij->i", block, block) + least).sum())
    return total


def race(name: str, vectors: Any, options: argparse.Namespace) -> None:
    import warnings

    warnings.filterwarnings(
        "ignore", message="Number of distinct clusters|KMeans is known|.*did not converge"
    )
    fits = {
        **ours(vectors, options),
        **faiss_kmeans(vectors, options),
        **scikit_learn(vectors, options),
    }
    centers: dict[str, Any] = {}
    runs = {who: lambda who=who, fit=fit: centers.update({who: fit()}) for who, fit in fits.items()}
    seconds = machine.interleaved(runs, options.repeats)
    costs = {who: objective(vectors, found) for who, found in centers.items()}
    peer = "faiss Kmeans"
    print(
        f"\n{name}: {len(vectors):,} x {vectors.shape[1]}, {options.clusters:,} clusters, "
        f"{options.iterations} iterations, {options.threads} threads\n"
    )
    print("| | seconds | against faiss | objective | of faiss's |\n|---|---:|---:|---:|---:|")
    for who, taken in sorted(seconds.items(), key=lambda item: item[1]):
        times = f"{seconds[peer] / taken:.1f} x" if peer in seconds else ""
        share = f"{costs[who] / costs[peer]:.4f}" if peer in costs else ""
        print(f"| {who} | {taken:.2f} | {times} | {costs[who]:.5g} | {share} |")


def main() -> None:
    options = arguments()
    machine.hold_to(options.threads)
    import numpy as np

    if options.quick:
        options.clusters, options.iterations, options.repeats = 40, 3, 1
        toy = np.random.default_rng(0).integers(0, 256, (3000, 48)).astype(np.float32)
        race("toy", toy, options)
        return
    from benchmarks import datasets

    for name in options.datasets:
        race(name, np.ascontiguousarray(datasets.load(name).base, np.float32), options)


if __name__ == "__main__":
    main()
