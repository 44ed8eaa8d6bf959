"""The user's own network: a function that returns it."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from ..errors import ModelError
from .network import Network
from .pixels import Pixels
from .weights import RANDOM, load_weights

_USUAL_SIZE = 224


def open_function(place: str, name: str, weights: str | None) -> Network:
    """Call `name` of a module, or of a .py file, and take the torch.nn.Module it returns.

    The network is taken as it is. Pixels are normalised by ImageNet's mean and deviation, at 224 x 224,
    unless the user says otherwise.
    """
    import torch

    where = f"source {place}:{name}"
    function = getattr(_module(place), name, None)
    if not callable(function):
        raise ModelError(f"{where}: {place} has no function {name!r}")
    try:
        # What it prints is not what we answer.
        with contextlib.redirect_stdout(sys.stderr):
            module = function()
    # It is the user's code: any exception becomes one line.
    except Exception as error:
        raise ModelError(f"{where}: raised {type(error).__name__}: {error}") from error
    if not isinstance(module, torch.nn.Module):
        raise ModelError(f"{where}: returned a {type(module).__name__}; it must return a torch.nn.Module")
    if weights not in (None, RANDOM):
        load_weights(module, Path(str(weights)))
    # The source names the file, not the folder of the machine it lay on.
    return Network(module, Pixels.of(_USUAL_SIZE), name, f"{Path(place).name}:{name}")


def _module(place: str) -> ModuleType:
    try:
        if not place.endswith(".py"):
            sys.path.insert(0, str(Path.cwd()))
            try:
                return importlib.import_module(place)
            finally:
                sys.path.remove(str(Path.cwd()))
        path = Path(place)
        if not path.is_file():
            raise ModelError(f"source {place}: there is no such file")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise ModelError(f"source {place}: is no Python file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"source {place}: cannot be imported: {type(error).__name__}: {error}") from error
