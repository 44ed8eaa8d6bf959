"""From PyTorch to one ONNX file that takes uint8 pixels and gives a vector an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from .network import Network
from .quiet import quiet

if TYPE_CHECKING:
    import torch

INPUT, OUTPUT = "images", "vectors"
_OPSET = 18


def write_graph(network: Network, path: Path) -> str:
    """Write the network as ONNX, normalisation folded in, for any number of images; return who wrote it.

    torch.export is tried first, and TorchScript for what it cannot trace. Raises ModelError where both fail.
    """
    import torch

    module = _from_bytes(network)
    size = network.pixels.preparation.size
    example = torch.zeros(2, size, size, 3, dtype=torch.uint8)
    reasons = []
    for exporter, arguments in (
        ("torch.export", {"dynamo": True, "dynamic_shapes": {"images": {0: torch.export.Dim("n", min=1)}}}),
        ("TorchScript", {"dynamo": False, "dynamic_axes": {INPUT: {0: "n"}, OUTPUT: {0: "n"}}}),
    ):
        try:
            with quiet(), torch.no_grad():
                torch.onnx.export(
                    module, (example,), path, input_names=[INPUT], output_names=[OUTPUT],
                    opset_version=_OPSET, external_data=False, verbose=False, **arguments
                )  # fmt: skip
            _tidy(path)
            return exporter
        # What an exporter cannot do it says with nearly every exception there is.
        except Exception as error:
            first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            reasons.append(f"{exporter}: {first.strip()}")
    raise ModelError(f"the network cannot be written as ONNX; {'; '.join(reasons)}")


def run_network(network: Network, squares: NDArray[np.uint8], batch: int = 8) -> NDArray[np.float32]:
    """Return what PyTorch makes of uint8 (n, size, size, 3), normalised here, not by what the graph has."""
    import torch

    mean, std = (torch.tensor(c).view(1, 3, 1, 1) for c in (network.pixels.mean, network.pixels.std))
    parts = []
    with torch.no_grad():
        for start in range(0, len(squares), batch):
            pixels = torch.from_numpy(squares[start : start + batch]).permute(0, 3, 1, 2).float() / 255
            parts.append(network.vectors(network.module, (pixels - mean) / std).flatten(1).float().numpy())
    return np.concatenate(parts)


def _from_bytes(network: Network) -> torch.nn.Module:
    import torch

    class FromBytes(torch.nn.Module):  # type: ignore[misc]
        """Takes uint8 (n, height, width, 3)."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network.module
            pixels = network.pixels
            mean, std = (torch.tensor(c, dtype=torch.float64) for c in (pixels.mean, pixels.std))
            # One multiplication and one addition for each pixel.
            self.register_buffer("scale", (1 / (255 * std)).float().view(1, 3, 1, 1))
            self.register_buffer("shift", (-mean / std).float().view(1, 3, 1, 1))

        def forward(self, images: torch.Tensor) -> Any:
            pixels = images.permute(0, 3, 1, 2).float() * self.scale + self.shift
            return network.vectors(self.network, pixels).flatten(1)

    return FromBytes().eval()


def _tidy(path: Path) -> None:
    """Remove the source locations of traced nodes, and check the result."""
    import onnx

    model = onnx.load(str(path))
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del model.graph.metadata_props[:]
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
