"""A study as a plot: what each distortion does to each model. Needs ``pip install 'lookalike[eval]'``."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidArgument, io_error
from .distortions import Distortion
from .study import ModelStudy, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito (2008), "Color universal design": colours that all eyes can distinguish. So are the markers.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_FORMATS = (".png", ".svg", ".pdf")
_INK, _PALE = "#222222", "#6a6a6a"
_COLUMNS = 3
_PANEL, _BAND = 2.75, 3.5  # inches: the width of a panel and the height of two, one for each question
_LEFT, _TOP, _BOTTOM = 0.75, 1.2, 0.4  # inches around them
_QUESTIONS = (("finds its class", "precision_at_1"), ("finds itself", "finds_itself"))


def check_plot(path: Path) -> None:
    """Refuse a path that no plot can be written to, and say so where matplotlib is missing.

    Raises
    ------
    InvalidArgument
        The suffix is of no format for plots.
    ImportError
        There is no matplotlib.
    """
    if path.suffix.lower() not in _FORMATS:
        raise InvalidArgument(
            f"plot {path}: has the suffix {path.suffix!r}; it must be one of {', '.join(_FORMATS)}"
        )
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'lookalike[eval]'") from error


def draw_plot(found: Study, path: Path) -> None:
    """Draw two panels for each distortion, one for each question: strength against share, a line a model.

    Strengths stand side by side evenly, whatever their numbers.
    """
    check_plot(path)
    from matplotlib.figure import Figure

    if not found.distortions:
        raise InvalidArgument("plot: nothing was distorted, so there is nothing to draw")
    columns = min(_COLUMNS, len(found.distortions))
    bands = -(-len(found.distortions) // columns)
    right = 0.09 * max(len(model.name) for model in found.models) + 0.35
    width, height = _LEFT + _PANEL * columns + right, _TOP + _BAND * bands + _BOTTOM
    figure = Figure(figsize=(width, height), facecolor="white")
    grid = figure.add_gridspec(bands, columns, hspace=0.2, wspace=0.13)
    grid.update(left=_LEFT / width, right=1 - right / width, top=1 - _TOP / height, bottom=_BOTTOM / height)
    for number, distortion in enumerate(found.distortions):
        band, column = divmod(number, columns)
        pair: Any = grid[band, column].subgridspec(2, 1, hspace=0.14).subplots(sharex=True)
        last = column == columns - 1 or number == len(found.distortions) - 1
        for axes, (words, question) in zip(pair, _QUESTIONS, strict=True):
            _draw_panel(axes, found.models, distortion, question)
            axes.tick_params(labelleft=column == 0)
            axes.set_ylabel(words if column == 0 else "", fontsize=10, color=_INK)
            if last:
                _name_lines(axes, found.models, distortion, question)
        pair[0].tick_params(labelbottom=False)
        pair[0].set_title(distortion.name, fontsize=12, fontweight="bold", color=_INK, loc="left", pad=6)
    _write_heading(figure, found, _LEFT / width, height)
    try:
        figure.savefig(path, dpi=130)
    except OSError as error:
        reason = f"plot {path}: cannot be written: {error.strerror or error}"
        raise io_error(error.errno or errno.EIO, reason) from error


def _draw_panel(axes: Axes, models: list[ModelStudy], distortion: Distortion, question: str) -> None:
    strengths = (0.0, *distortion.strengths)
    for number, model in enumerate(models):
        shares = _shares(model, distortion, question)
        axes.plot(range(len(strengths)), shares, clip_on=False, zorder=3, **_style(number))
    axes.set_xticks(range(len(strengths)), list(map(distortion.label, strengths)))
    axes.set_xlim(-0.15, len(strengths) - 0.85)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.grid(True, axis="y", color="#e4e4e4", linewidth=0.8)
    axes.tick_params(length=0, labelsize=9, colors=_INK)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("#bbbbbb")


def _shares(model: ModelStudy, distortion: Distortion, question: str) -> list[float]:
    scores = [model.clean, *(model.distorted[distortion.name, strength] for strength in distortion.strengths)]
    return [getattr(score, question) for score in scores]


def _style(number: int) -> dict[str, Any]:
    return {
        "color": _COLOURS[number % len(_COLOURS)],
        "marker": _MARKERS[number % len(_MARKERS)],
        "markersize": 5,
        "markeredgewidth": 0,
        "linewidth": 1.8,
    }


def _name_lines(axes: Axes, models: list[ModelStudy], distortion: Distortion, question: str) -> None:
    """Write each model's name where its line ends."""
    ends = np.array([_shares(model, distortion, question)[-1] for model in models])
    right = len(distortion.strengths)
    for number, (model, end, height) in enumerate(zip(models, ends, spread(ends, 0.14), strict=True)):
        colour = _style(number)["color"]
        line = {"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 4}
        line["relpos"] = (0, 0.5)
        style = {"color": colour, "fontsize": 9.5, "va": "center", "annotation_clip": False}
        axes.annotate(model.name, (right, end), (right + 0.42, height), arrowprops=line, **style)


def spread(heights: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Move heights in [0, 1] apart, as little as it takes, until all are `gap` or more from each other.

    They keep their order and stay in [0, 1]. Where they are too many for that, the gap is narrowed.

    >>> spread(np.array([0.5, 0.5, 0.0]), 0.2).round(2)
    array([0.4, 0.6, 0. ])
    >>> spread(np.array([0.5, 1.0, 1.0]), 0.2).round(2)
    array([0.5, 0.8, 1. ])
    """
    order = np.argsort(heights, kind="stable")
    # Less the room below them, heights must not fall. In the nearest such sequence, runs that overlap are
    # pooled at their means (Barlow et al., 1972, "Statistical Inference under Order Restrictions").
    room = min(gap, 1 / max(1, len(heights) - 1)) * np.arange(len(heights))
    runs: list[tuple[float, int]] = []
    for height in (heights[order] - room).tolist():
        mean, count = height, 1
        while runs and runs[-1][0] > mean:
            below, many = runs.pop()
            mean, count = (below * many + mean * count) / (many + count), many + count
        runs.append((mean, count))
    pooled = np.repeat([mean for mean, _ in runs], [count for _, count in runs])
    placed = np.empty(len(heights))
    placed[order] = pooled.clip(0, 1 - room[-1]) + room
    return placed


def _write_heading(figure: Any, found: Study, left: float, height: float) -> None:
    title = "What a distorted photo still finds"
    figure.text(left, 1 - 0.3 / height, title, fontsize=15, fontweight="bold", color=_INK, va="center")
    photos, classes = len(found.photos.paths), len(set(found.photos.classes))
    what = (
        f"Of {len(found.queries):,} queries, above: the share whose nearest other photo is of their class; "
        "below: the share that find\n"
        f"the photo they were made of. {photos:,} photos of {classes} classes, by cosine."
    )
    figure.text(left, 1 - 0.6 / height, what, fontsize=9.5, color=_PALE, va="center", linespacing=1.4)
