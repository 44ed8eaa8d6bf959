"""What a training writes: the ONNX file, the model folder, the report and its curves."""

from __future__ import annotations
