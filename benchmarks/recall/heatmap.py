"""The matrix at one look: data x growth, coloured by recall, bold where a rule is broken."""

from __future__ import annotations

from pathlib import Path

from benchmarks.recall.cell import row_name
from benchmarks.recall.rules import broken
from benchmarks.recall.tables import Results, fraction, unique

LOWEST, PALEST = 0.8, 1.05  # recall that is as red as any below; where the darkest green would be


def draw(results: Results, path: Path) -> None:
    """Write a picture; cells that were not measured, and those refused, stay white."""
    import matplotlib

    matplotlib.use("Agg")
    import numpy as np
    from matplotlib import pyplot

    indexes, growths = unique(c.index for c in results), unique(c.growth for c in results)
    names = unique(row_name(cell) for cell in results)
    size = (2.6 + 0.75 * len(growths) * len(indexes), 1.8 + 0.22 * len(names))
    figure, axes = pyplot.subplots(1, len(indexes), figsize=size, squeeze=False, sharey=True)
    colours = matplotlib.colormaps["RdYlGn"]
    for axis, index in zip(axes.flat, indexes, strict=True):
        values = np.full((len(names), len(growths)), np.nan)
        for cell, measured in results.items():
            if cell.index != index:
                continue
            place = names.index(row_name(cell)), growths.index(cell.growth)
            words = "refused"
            if "error" not in measured:
                values[place] = measured["ours"]["recall"]
                words = fraction(values[place])
            dress = {"weight": "bold" if broken(measured) else "normal"}
            dress["color"] = "white" if values[place] < LOWEST else "black"
            axis.text(place[1], place[0], words, ha="center", va="center", fontsize=6.5, **dress)
        axis.imshow(values, cmap=colours, vmin=LOWEST, vmax=PALEST, aspect="auto")
        axis.set_xticks(range(len(growths)), growths, rotation=40, ha="right", fontsize=7)
        axis.set_yticks(range(len(names)), names, fontsize=7)
        axis.set_title(f"{index}, recall@10", fontsize=9)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=140)
    pyplot.close(figure)
