"""The results as tables, to read or for RESULTS.md."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from benchmarks.datasets import Dataset
from benchmarks.indexes import TARGETS
from benchmarks.indexes.curve import Point, Reading, at
from benchmarks.indexes.workshop import Built

Curves = dict[str, list[Point]]
LATENCY = (0.95, 0.99)  # recalls at which latencies and distances are told


def of_rates(curves: Curves, rivals: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Queries a second at each recall, the fastest at 0.95 first, and ours against the best rival."""
    rows = [["queries/s at recall", *map(str, TARGETS)]]
    for name in by_rate(curves):
        rows.append([name, *(shown(read(curves[name], target), count) for target in TARGETS)])
    for name, others in rivals.items():
        if name in curves:
            rows.append([f"{name} / best peer", *(ratio(curves, name, others, target) for target in TARGETS)])
    return rows


def of_latencies(curves: Curves) -> list[list[str]]:
    """Median and 99th percentile of a query's time, and the distances it computes."""
    rows = [["microseconds: p50 / p99", *map(str, LATENCY), *(f"distances at {r}" for r in LATENCY)]]
    for name in by_rate(curves):
        latencies = []
        for recall in LATENCY:
            p50, p99 = (at(curves[name], recall, value) for value in (lambda p: p.p50, lambda p: p.p99))
            latencies.append(f"{shown(p50, micro)} / {shown(p99, micro)}" if p50 and p99 else "-")
        distances = [shown(at(curves[name], r, lambda p: p.distances), count) for r in LATENCY]
        rows.append([name, *latencies, *distances])
    return rows


def of_builds(built: dict[str, tuple[str, Built]], dataset: Dataset) -> list[list[str]]:
    """Settings, seconds and memory of each index."""
    floats = 4 * dataset.base.size
    rows = [["build", "settings", "seconds", "CPU seconds", "MB in memory", "x the data", "x as float32"]]
    for name, (settings, index) in sorted(built.items(), key=lambda item: item[1][1].seconds):
        sizes = ["-", "-", "-"]
        if index.resident is not None:
            shares = (index.resident / size for size in (dataset.base.nbytes, floats))
            sizes = [f"{index.resident / 1e6:,.0f}", *(f"{share:.2f}" for share in shares)]
        rows.append([name, settings, f"{index.seconds:.1f}", f"{index.cpu_seconds:.1f}", *sizes])
    return rows


def build_ratio(built: dict[str, tuple[str, Built]], name: str, others: Collection[str]) -> str | None:
    """How long one takes to be built, beside the fastest of some others; None where there are none."""
    there = {other: built[other][1].seconds for other in others if other in built}
    if name not in built or not there:
        return None
    fastest = min(there, key=lambda other: there[other])
    return f"{name} is built in {built[name][1].seconds / there[fastest]:.2f} x the time of {fastest}"


def by_rate(curves: Curves) -> list[str]:
    def key(name: str) -> float:
        reading = read(curves[name], TARGETS[1])
        return reading.value if reading else 0.0

    return sorted(curves, key=key, reverse=True)


def read(points: Sequence[Point], recall: float) -> Reading | None:
    return at(points, recall, lambda point: point.rate)


def ratio(curves: Curves, name: str, others: Collection[str], recall: float) -> str:
    mine = read(curves[name], recall)
    peers = [
        reading.value for other in curves if other in others and (reading := read(curves[other], recall))
    ]
    if mine is None:
        return "-"
    return f"{mine.value / max(peers):.2f} x" if peers else "alone"


def shown(reading: Reading | None, form: Callable[[float], str]) -> str:
    """A value, marked where it is that of a higher recall, or - where there is none."""
    return "-" if reading is None else form(reading.value) + ("*" if reading.bound else "")


def count(value: float) -> str:
    return f"{value:,.0f}"


def micro(seconds: float) -> str:
    return f"{seconds * 1e6:.0f}"


def render(rows: list[list[str]], markdown: bool) -> str:
    """A table: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    if markdown:
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        lines.insert(1, "|---" + "|---:" * (len(widths) - 1) + "|")
    else:
        lines = [
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(cells)
            )
            for cells in (list(zip(row, widths, strict=True)) for row in rows)
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)
