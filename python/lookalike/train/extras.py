"""The packages of the extra ``train``, each imported at first use."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any, TypeAlias

#: A torch.Tensor, and a torch.nn.Module; no types of theirs where torch may be missing.
Tensor: TypeAlias = Any
Module: TypeAlias = Any


class _Later:
    """Stands for a module until it is used, so that `lookalike.train` can be imported without it."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        # doctest and inspect probe for such names, and must not trigger the import.
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._load(), name)

    def _load(self) -> ModuleType:
        try:
            return importlib.import_module(self._module)
        except ImportError as error:
            package = self._module.split(".")[0].replace("_", "-")
            raise ImportError(f"training needs {package}: pip install 'lookalike[train]'") from error


torch: Any = _Later("torch")
functional: Any = _Later("torch.nn.functional")
losses: Any = _Later("pytorch_metric_learning.losses")
miners: Any = _Later("pytorch_metric_learning.miners")
onnx: Any = _Later("onnx")
figures: Any = _Later("matplotlib.figure")


def require() -> None:
    """Raise ImportError, which says what to install, where a package of the extra is missing."""
    for package in (torch, losses, onnx, figures):
        package._load()
