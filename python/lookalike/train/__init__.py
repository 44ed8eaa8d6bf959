"""Learn an embedding of one's own from labelled images. Needs ``pip install 'lookalike[train]'``."""

from __future__ import annotations

from .data.examples import Examples, read_folder
from .loop.losses import LOSSES
from .output.report import TrainingReport
from .run import train
from .settings import Settings

__all__ = ["LOSSES", "Examples", "Settings", "TrainingReport", "read_folder", "train"]
