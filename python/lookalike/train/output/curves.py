"""Learning curves as a picture: the loss, and what the unseen classes said of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..extras import figures
from ..loop.scores import Scores

_BLUE, _ORANGE, _GREY, _INK = "#2a6fbb", "#d9730d", "#8a8a8a", "#333333"
_SCORES = (("precision_at_1", "precision@1", _ORANGE), ("map_at_r", "mAP@R", _BLUE))


def draw_curves(curve: Sequence[dict[str, Any]], best: int, before: Scores | None, path: Path) -> None:
    """Draw a curve of `Course` into a PNG file; what there was without learning is a dashed line."""
    figure = figures.Figure(figsize=(9 if before else 4.8, 3.6), layout="constrained")
    axes = figure.subplots(1, 2 if before else 1, squeeze=False)[0]
    learned = curve[1:]
    _frame(axes[0], "Loss while learning")
    axes[0].plot([e["epoch"] for e in learned], [e["loss"] for e in learned], color=_INK, **_style(learned))
    if before:
        _frame(axes[1], "Classes not learned from")
        _judgement(axes[1], curve, best, before)
    figure.savefig(path, dpi=150, format="png")


def _judgement(axes: Any, curve: Sequence[dict[str, Any]], best: int, before: Scores) -> None:
    epochs = [entry["epoch"] for entry in curve]
    for key, name, colour in _SCORES:
        values, was = [entry[key] for entry in curve], getattr(before, key)
        axes.axhline(was, color=colour, linestyle="--", linewidth=1, alpha=0.7)
        axes.plot(epochs, values, color=colour, **_style(curve))
        axes.plot([best], [values[best]], "o", color=colour, markersize=6)
        # Precision@1 is the higher one, nearly always: so they do not write over each other.
        side = "bottom" if key == "precision_at_1" else "top"
        where = {"xycoords": ("axes fraction", "data"), "color": colour, "va": side, "fontsize": 9}
        axes.annotate(f"{name}\n{values[best]:.3f}, was {was:.3f}", (1.02, values[best]), **where)
    axes.axvline(best, color=_GREY, linewidth=0.8, linestyle=":")
    axes.set_xlabel(f"epoch (best: {best}; dashed: without learning)", color=_INK)


def _style(points: Sequence[Any]) -> dict[str, Any]:
    """Draw a line; dots where there are too few for one."""
    return {"linewidth": 1.8, "marker": "o" if len(points) < 3 else None}


def _frame(axes: Any, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=_INK)
    axes.set_xlabel("epoch", color=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.margins(x=0.02)
