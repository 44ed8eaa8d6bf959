"""The results as tables, to read or for RESULTS.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.indexes import TARGETS
from benchmarks.indexes.curve import Point, Reading, at
from benchmarks.indexes.workshop import Built

Curves = dict[str, list[Point]]
LATENCY = (0.95, 0.99)  # recalls at which latencies and distances are told


def of_rates(curves: Curves, ours: Sequence[str]) -> list[list[str]]:
    """Queries a second at each recall, the fastest at 0.95 first, and how we compare with the best peer."""
    rows = [["queries/s at recall", *map(str, TARGETS)]]
    for name in by_rate(curves):
        rows.append([name, *(shown(read(curves[name], target), count) for target in TARGETS)])
    for name in ours:
        if name in curves:
            rows.append([f"{name} / best peer", *(ratio(curves, name, ours, target) for target in TARGETS)])
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


def of_builds(built: dict[str, tuple[str, Built]], vectors: int) -> list[list[str]]:
    """Settings, seconds and memory of each index; `vectors` is the bytes of the rows on disk."""
    rows = [["build", "settings", "seconds", "CPU seconds", "MB in memory", "x the data"]]
    for name, (settings, index) in sorted(built.items(), key=lambda item: item[1][1].seconds):
        sizes = ["-", "-"]
        if index.resident is not None:
            sizes = [f"{index.resident / 1e6:,.0f}", f"{index.resident / vectors:.2f}"]
        rows.append([name, settings, f"{index.seconds:.1f}", f"{index.cpu_seconds:.1f}", *sizes])
    return rows


def by_rate(curves: Curves) -> list[str]:
    def key(name: str) -> float:
        reading = read(curves[name], TARGETS[1])
        return reading.value if reading else 0.0

    return sorted(curves, key=key, reverse=True)


def read(points: Sequence[Point], recall: float) -> Reading | None:
    return at(points, recall, lambda point: point.rate)


def ratio(curves: Curves, name: str, ours: Sequence[str], recall: float) -> str:
    mine = read(curves[name], recall)
    peers = [
        reading.value for other in curves if other not in ours and (reading := read(curves[other], recall))
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
