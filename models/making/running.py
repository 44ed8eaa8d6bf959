"""A graph run on the CPU."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime


def session_of(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Run a graph on the CPU."""
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def embed(session: onnxruntime.InferenceSession, images: np.ndarray) -> np.ndarray:
    """Return the embeddings of images, one at a time."""
    return np.concatenate([session.run(["embeddings"], {"images": image[None]})[0] for image in images])
