"""Measures how well a model finds photos again when the query is distorted."""

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
