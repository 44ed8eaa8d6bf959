"""The training loop: losses, schedule, scores, checkpoints and interruption."""

from __future__ import annotations
