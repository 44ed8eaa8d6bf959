"""How far a model's vectors can be trusted when photos are not quite the same: measured, not promised."""

from __future__ import annotations

from .distortions import DISTORTIONS, Distortion
from .labels import LabelledPhotos, read_labels
from .metrics import Gallery, Scores
from .study import ModelStudy, Study, measure

__all__ = [
    "DISTORTIONS",
    "Distortion",
    "Gallery",
    "LabelledPhotos",
    "ModelStudy",
    "Scores",
    "Study",
    "measure",
    "read_labels",
]
