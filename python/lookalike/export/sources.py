"""What SOURCE can be, and who opens it."""

from __future__ import annotations

import importlib.util

from ..errors import InvalidArgument
from .network import Network

_FORMS = "torchvision:NAME, timm:NAME, hf:FOLDER, python:MODULE:FUNCTION or FILE.py:FUNCTION"


def open_source(source: str, weights: str | None) -> Network:
    """Open a network by its source, `weights` being a file, "random" or what is found on this machine.

    Raises InvalidArgument where it is no source, ModelError where there is no such network or no weights.
    """
    if importlib.util.find_spec("torch") is None:
        raise ImportError("exporting a network needs PyTorch: pip install 'lookalike[train]'")
    kind, _, name = source.partition(":")
    if kind == "python" or kind.endswith(".py"):
        from .own_source import open_function

        place, _, function = source.removeprefix("python:").rpartition(":")
        if not place or not function:
            raise InvalidArgument(f"source is {source!r}; it must be {_FORMS}")
        return open_function(place, function, weights)
    if not name or kind not in ("torchvision", "timm", "hf"):
        raise InvalidArgument(f"source is {source!r}; it must be {_FORMS}")
    package = "transformers" if kind == "hf" else kind
    if importlib.util.find_spec(package) is None:
        raise ImportError(f"source {source!r} needs {package}: pip install {package}")
    if kind == "torchvision":
        from .torchvision_source import open_torchvision

        return open_torchvision(name, weights)
    if kind == "timm":
        from .timm_source import open_timm

        return open_timm(name, weights)
    from .hf_source import open_saved

    return open_saved(name, weights)
