"""Approximate indexes, ours and the peers', raced at equal recall.

One process holds all of them and times them in turn, round after round. The medians over the rounds make a
curve of recall and speed for each, from which the speed at a recall is read.
"""

from __future__ import annotations

K = 10
TARGETS = (0.90, 0.95, 0.99, 0.999)
