"""The matrix to read: recalls, the cells that break a rule, and totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import geometric_mean, mean

from benchmarks.indexes.tables import render
from benchmarks.recall.cell import Cell, Measured, row_name
from benchmarks.recall.contestants import PEERS
from benchmarks.recall.rules import LEAST, RULES, broken

Results = dict[Cell, Measured]
Table = list[list[str]]


def sections(results: Results, markdown: bool) -> Iterator[str]:
    """Everything there is to print, piece by piece."""
    indexes = unique(cell.index for cell in results)
    for index in indexes:
        yield f"{index}: recall@10, ours / {PEERS.get(index, '-')}; * breaks a rule"
        yield render(recalls(results, index), markdown)
    rows = offences(results)
    yield f"Cells that break a rule: {len({tuple(row[:-2]) for row in rows[1:]})} of {len(results)}"
    if len(rows) > 1:
        yield render(rows, markdown)
    yield "Totals"
    yield render(totals(results, indexes), markdown)


def unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def recalls(results: Results, index: str) -> Table:
    """A row a data set, a column a growth."""
    cells = {(row_name(cell), cell.growth): r for cell, r in results.items() if cell.index == index}
    growths = unique(growth for _, growth in cells)
    table = [["data", *growths]]
    for name in unique(name for name, _ in cells):
        table.append([name, *(shown(cells.get((name, growth))) for growth in growths)])
    return table


def shown(cell: Measured | None) -> str:
    if cell is None:
        return "-"
    if "error" in cell:
        return "refused *"
    both = [cell["ours"], *([cell["peer"]] if cell.get("peer") else [])]
    return " / ".join(fraction(one["recall"]) for one in both) + (" *" if broken(cell) else "  ")


def fraction(share: float) -> str:
    """Three digits, cut off: what is not all is never written as all."""
    return "1" if share == 1 else f"{int(share * 1000) / 1000:.3f}".removeprefix("0")


def offences(results: Results) -> Table:
    table = [["data", "index", "growth", "rule", "measured"]]
    for cell, measured in results.items():
        for rule, what in broken(measured).items():
            table.append([row_name(cell), cell.index, cell.growth, rule, what.splitlines()[0][:100]])
    return table


def totals(results: Results, indexes: Sequence[str]) -> Table:
    columns = [column([r for cell, r in results.items() if cell.index == index]) for index in indexes]
    return [["", *indexes]] + [[name, *(c[name] for c in columns)] for name in columns[0]]


def column(cells: list[Measured]) -> dict[str, str]:
    """What is to say of all cells of an index together."""
    counts = Counter(rule for cell in cells for rule in broken(cell))
    done = [cell for cell in cells if "error" not in cell]
    raced = [cell for cell in done if cell.get("peer")]
    return {
        "cells": str(len(cells)),
        "refused": str(len(cells) - len(done)),
        **{rule: str(counts[rule]) for rule in RULES},
        f"share with recall of {LEAST} and more": over(
            done, lambda cells: f"{mean(c['ours']['recall'] >= LEAST for c in cells):.1%}"
        ),
        "least recall": over(done, lambda cells: f"{min(c['ours']['recall'] for c in cells):.3f}"),
        "mean recall": over(done, lambda cells: f"{mean(c['ours']['recall'] for c in cells):.4f}"),
        "mean recall of the peer": over(
            raced, lambda cells: f"{mean(c['peer']['recall'] for c in cells):.4f}"
        ),
        "says it is exact": str(sum(bool(cell["ours"]["exact"]) for cell in done)),
        "search time / the peer's": over(
            raced, lambda cells: f"{geometric_mean(c['ours']['ms'] / c['peer']['ms'] for c in cells):.2f}"
        ),
        "build time / the peer's": over(
            raced,
            lambda cells: f"{geometric_mean(c['ours']['build'] / c['peer']['build'] for c in cells):.2f}",
        ),
    }


def over(cells: list[Measured], value: Callable[[list[Measured]], str]) -> str:
    return value(cells) if cells else "-"
