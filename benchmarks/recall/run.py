"""Which cells there are, and how they are measured one after the other."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from itertools import groupby

from benchmarks.recall import heatmap, lines, tables
from benchmarks.recall.cell import Cell, Measured, Workbench
from benchmarks.recall.data import SOURCES, Source
from benchmarks.recall.growth import GROWTHS

USUAL = ("one-batch", "chunks-200", "chunks-2000", "one-by-one", "remove-and-add", "upsert-everywhere")
QUICK_DATA = ("topics", "growing-lengths", "lattice")
QUICK_GROWTHS = ("one-batch", "chunks-200", "upsert-everywhere")
QUICK_ROWS = 1200


def planned(options: argparse.Namespace) -> Iterator[Cell]:
    """The cells that were asked for, those of a data set together."""
    for name in options.data or (QUICK_DATA if options.quick else SOURCES):
        source = SOURCES[name]
        if not source.available():
            say(f"{name} is left out: its file is not there")
            continue
        for metric, element in source.kinds[: 1 if options.quick and not options.data else None]:
            if metric not in options.metric or element not in options.element:
                continue
            for index in options.index:
                for growth in options.growth or (QUICK_GROWTHS if options.quick else USUAL):
                    yield Cell(name, metric, element, index, growth, rows(source, growth, options.n))


def rows(source: Source, growth: str, n: int) -> int:
    """How many: n at most, and fewer where data and growth would take too long."""
    limits = (source.most, GROWTHS[growth].most, *([source.slow] if GROWTHS[growth].slow else []))
    return min(n, *limits)


def everything(options: argparse.Namespace) -> None:
    cells = list(planned(options))
    known = lines.read(options.json) if options.resume else {}
    before = lines.read(options.peers_from) if options.peers_from else {}
    results: tables.Results = {}
    begin, done = time.perf_counter(), 0
    for kind, group in groupby(cells, key=lambda cell: cell[:3]):
        bench = Workbench(*kind)
        for cell in group:
            done += 1
            if cell in known:
                results[cell] = known[cell]
                continue
            peer = before.get(cell, {}).get("peer")
            results[cell] = bench.measure(cell, peer, options.peers)
            if options.json:
                lines.append(options.json, results[cell])
            say(f"{done}/{len(cells)} {time.perf_counter() - begin:.0f} s: {cell}: {summary(results[cell])}")
    if not results:
        print("No cells were asked for.")
        return
    for section in tables.sections(results, options.markdown):
        print(f"\n{section}")
    if options.heatmap:
        heatmap.draw(results, options.heatmap)


def summary(measured: Measured) -> str:
    if "error" in measured:
        return measured["error"]
    pairs = [(who, measured[who]) for who in ("ours", "fresh", "peer") if measured.get(who)]
    return ", ".join(f"{who} {one['recall']:.3f} {one['ms']:.3f} ms" for who, one in pairs)


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
