"""What a training came to: the report, training.json, the curves and the model's card."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..._core import __version__
from ..._progress import clock
from ...embed.image.card import InputSpec, ModelCard
from ..loop.scores import Scores
from ..settings import Settings
from .curves import draw_curves
from .model_folder import CURVES, REPORT, write_atomically, write_card

_PACKAGES = ("torch", "pytorch-metric-learning", "onnx", "onnxruntime", "numpy")


@dataclass(frozen=True)
class Origin:
    """Where a model comes from: the images, the command, and the licence its maker states."""

    images: str
    command: str
    license: str


@dataclass(frozen=True)
class TrainingReport:
    """What was learned from, how it went, and how good it is for classes that were not learned from."""

    folder: Path
    #: How many images were trained on, and how many validated.
    images: int
    validation_images: int
    training_classes: list[str]
    validation_classes: list[str]
    skipped: list[str]
    #: Scores of the base's vectors, or of pixels where there is no base, on the validation classes.
    before: Scores | None
    #: An entry for each epoch, the first for what it began with: epoch, loss, precision_at_1, map_at_r.
    curve: list[dict[str, Any]]
    #: The epoch that was kept.
    best: int
    dim: int
    seconds: float

    @property
    def after(self) -> Scores | None:
        """Scores of the kept model on the validation classes; None without any."""
        entry = self.curve[self.best]
        return Scores(entry["precision_at_1"], entry["map_at_r"]) if "map_at_r" in entry else None

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return {
            "model": str(self.folder),
            "images": self.images,
            "validation_images": self.validation_images,
            "dim": self.dim,
            "training_classes": self.training_classes,
            "validation_classes": self.validation_classes,
            "epochs": len(self.curve) - 1,
            "best_epoch": self.best,
            "before": self.before and vars(self.before),
            "after": self.after and vars(self.after),
            "skipped": self.skipped,
            "seconds": round(self.seconds, 1),
            "curve": self.curve,
        }

    def __str__(self) -> str:
        text = (
            f"learned from {self.images} images of {len(self.training_classes)} classes in "
            f"{clock(self.seconds)}: {self.folder}, {self.dim} numbers a vector, epoch {self.best} of "
            f"{len(self.curve) - 1}"
        )
        if self.before and self.after:
            was, now = self.before, self.after
            text += (
                f"\n{self.validation_images} images of {len(self.validation_classes)} classes not learned "
                f"from: precision@1 {was.precision_at_1:.3f} before, {now.precision_at_1:.3f} now; "
                f"mAP@R {was.map_at_r:.3f} before, {now.map_at_r:.3f} now"
            )
        return text


def write_all(
    report: TrainingReport, settings: Settings, spec: InputSpec, base: ModelCard | None, origin: Origin
) -> None:
    """Write training.json, curves.png and model.toml beside the model."""
    draw_curves(report.curve, report.best, report.before, report.folder / CURVES)
    about = {
        "lookalike": __version__,
        "date": str(datetime.date.today()),
        "command": origin.command,
        "settings": settings.as_json(),
        **report.as_json(),
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }
    write_atomically(report.folder / REPORT, json.dumps(about, indent=2) + "\n")
    on = f" on {base.name} ({base.license})" if base else " from scratch"
    source = (
        f"learned by lookalike {__version__}{on} from {report.images} images of "
        f"{len(report.training_classes)} classes in {origin.images}, {about['date']}: {origin.command}"
    )
    write_card(report.folder, report.dim, spec, origin.license, source)
