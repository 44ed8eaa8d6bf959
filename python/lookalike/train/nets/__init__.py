"""The networks that are trained: a head, a small network, an ONNX file rebuilt in PyTorch."""

from __future__ import annotations
