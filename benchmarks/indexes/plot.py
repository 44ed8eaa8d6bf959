"""The recall-speed plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.indexes import TARGETS
from benchmarks.indexes.curve import Point, front

RECALLS = (0.85, 0.9998)  # from left to right
PALETTE = ("#d62728", "#1f77b4", "#2ca02c", "#ff7f0e", "#9467bd", "#17becf", "#8c564b", "#e377c2", "#bcbd22")
PALETTE += ("#7f7f7f", "#aec7e8", "#98df8a", "#ffbb78", "#c5b0d5", "#ff9896", "#9edae5", "#c49c94", "#dbdb8d")
DASHES = ("-", "--")  # of ours
Panels = list[list[tuple[str, dict[str, list[Point]]]]]  # rows, equally long, of titles and points by index


def draw(panels: Panels, ours: Sequence[str], path: Path) -> None:
    """One panel a race: recall, its nines spread evenly, and queries a second, logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = sorted({name for row in panels for _, curves in row for name in curves})
    styles: dict[str, dict[str, Any]] = {
        name: {"color": "black", "linewidth": 3, "zorder": 3, "linestyle": DASHES[i % len(DASHES)]}
        for i, name in enumerate(ours)
    }
    peers = [name for name in names if name not in ours]
    styles |= {name: {"color": PALETTE[i % len(PALETTE)], "linewidth": 1.3} for i, name in enumerate(peers)}
    columns = max(map(len, panels))
    height = 3.5 * len(panels)
    legend = 0.1 + 0.2 * -(-len(styles) // (2 * columns))  # inches below the panels
    size = (4.4 * columns, height + legend)
    figure, axes = pyplot.subplots(len(panels), columns, figsize=size, squeeze=False)
    handles = {}
    for axis, (title, curves) in zip(axes.flat, (panel for row in panels for panel in row), strict=True):
        for name, points in curves.items():
            drawn = [point for point in front(points) if point.recall < RECALLS[1]]
            recalls, rates = [point.recall for point in drawn], [point.rate for point in drawn]
            (handles[name],) = axis.plot(recalls, rates, marker="o", markersize=3, **styles[name])
        dress(axis, title)
    shown = [name for name in (*ours, *peers) if name in handles]
    lines = [handles[name] for name in shown]
    figure.legend(lines, shown, loc="lower center", ncols=2 * columns, frameon=False, fontsize=8)
    figure.tight_layout(rect=(0, legend / (height + legend), 1, 1))
    figure.savefig(path, dpi=140)
    pyplot.close(figure)


def dress(axis: Any, title: str) -> None:
    """Scales, grid and words."""
    import numpy as np
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    axis.set_xscale(
        "function", functions=(lambda r: -np.log10(np.maximum(1 - r, 1e-6)), lambda x: 1 - 10.0**-x)
    )
    axis.set_xlim(*RECALLS)
    axis.set_xticks(TARGETS, [str(target) for target in TARGETS])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate / 1000:g}k"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.grid(True, color="0.88")
    axis.set_title(title, fontsize=10)
    axis.set_xlabel("recall@10", fontsize=9)
    axis.set_ylabel("queries a second", fontsize=9)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
