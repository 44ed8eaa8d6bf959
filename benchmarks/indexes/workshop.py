"""Built indexes, kept on disk: a child process builds one, so that its time and memory are its own.

`python -m benchmarks.indexes.workshop build|weigh DATASET INDEX PATH THREADS` is that child.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import machine, peers
from benchmarks.datasets import ROOT, Dataset
from benchmarks.indexes import K


@dataclass(frozen=True)
class Built:
    """A finished index on disk."""

    path: Path
    seconds: float
    cpu_seconds: float
    resident: int | None = None  # bytes by which a process grows that loads it and searches


def build(contestant: type[peers.Approximate], dataset: Dataset, threads: int, rebuild: bool) -> Built:
    """The index of a data set, from disk where it was built before. Raises RuntimeError if that fails."""
    key = fingerprint(contestant, dataset, threads)
    folder = cache() / f"{slug(dataset.name)}-{slug(contestant.name)}-{key}"
    record = folder / "record.json"
    if rebuild or not record.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        told = child("build", dataset.name, contestant.name, str(folder / "index"), str(threads))
        told |= child("weigh", dataset.name, contestant.name, str(folder / "index"), "1")
        record.write_text(json.dumps(told))
    return Built(folder / "index", **json.loads(record.read_text()))


def cache() -> Path:
    default = Path(tempfile.gettempdir()) / "lookalike-benchmarks"
    return Path(os.environ.get("LOOKALIKE_BENCHMARK_CACHE", default)) / "indexes"


def slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())


def fingerprint(contestant: type[peers.Approximate], dataset: Dataset, threads: int) -> str:
    """Of all that decides what is built: another version of a library, or of ours, is built anew."""
    parts = [dataset.base.shape, contestant.settings, threads, package_version(contestant.package)]
    if contestant.ours:
        import lookalike as la

        for file in sorted(Path(la.__file__).parent.glob("_core*.so")):
            parts.append(hashlib.sha256(file.read_bytes()).hexdigest())
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def package_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed as a package"


def child(*arguments: str) -> dict[str, float]:
    """Run this file as a program of its own and return what it prints last."""
    command = [sys.executable, "-m", "benchmarks.indexes.workshop", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
        raise RuntimeError(lines[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


def build_here(
    contestant: type[peers.Approximate], dataset: Dataset, path: Path, threads: int
) -> dict[str, float]:
    from benchmarks.indexes import data

    vectors = data.vectors(dataset.base, dataset.metric, contestant.native)
    start, cpu_start = time.perf_counter(), time.process_time()
    index = contestant(vectors, dataset.metric, threads)
    told = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu_start}
    index.save(path)
    return told


def weigh_here(contestant: type[peers.Approximate], dataset: Dataset, path: Path) -> dict[str, float]:
    from benchmarks.indexes import data

    queries = data.vectors(dataset.queries[:100], dataset.metric, contestant.native)
    importlib.import_module(contestant.module)  # the library's own code is not the index's memory
    before = resident()
    index = contestant.load(path, dataset.dim, dataset.metric)
    ladder = contestant.ladders[0]
    search = index.single(ladder[len(ladder) // 2], K)
    for row in index.rows(queries):
        search(row)
    return {"resident": resident() - before}


def resident() -> int:
    """Bytes of memory this process holds, after it gave back what it could."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    task, dataset_name, name, path, threads = sys.argv[1:]
    machine.hold_to(int(threads))
    from benchmarks.indexes import data

    contestant = next(index for index in peers.approximate() if index.name == name)
    dataset = data.load(dataset_name)
    if task == "build":
        told = build_here(contestant, dataset, Path(path), int(threads))
    else:
        told = weigh_here(contestant, dataset, Path(path))
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
