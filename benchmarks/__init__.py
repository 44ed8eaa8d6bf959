"""Measurements of lookalike and of its peers, in the same run on the same machine."""

from __future__ import annotations
