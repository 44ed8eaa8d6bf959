"""What runs a model: onnxruntime sessions, threads and CUDA batches."""

from __future__ import annotations
