"""From a network in PyTorch to a model folder. Needs ``pip install 'lookalike[train]'``."""

from __future__ import annotations

from .exporting import export_model
from .files import Exported
from .pixels import Pixels

__all__ = ["Exported", "Pixels", "export_model"]
